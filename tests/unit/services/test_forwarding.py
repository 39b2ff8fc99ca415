"""Sending along what is stored: a message whole or what is attached to it, of the owner's own accounts alone."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from popfetch.adapters import cycle_items
from popfetch.adapters.dynamodb_items import to_wire
from popfetch.domain.account import Direction
from popfetch.domain.draft import Correspondent, Draft
from popfetch.domain.errors import InvalidMail
from popfetch.domain.message import StoredMessage
from popfetch.domain.message_reading import LONGEST_READ
from popfetch.domain.secret import Secret
from popfetch.services import sending
from popfetch.services.forwarding import ForwardedFile
from popfetch.services.sending import LONGEST_ATTACHMENTS, SendMail
from popfetch.services.sending_failures import MailTooLarge
from tests.builders.accounts import NOON, OTHER_OWNER, OWNER, SMTP_PASSWORD, a_server, an_account, an_account_id
from tests.builders.aws import Aws
from tests.builders.collecting import a_message
from tests.builders.journals import RecordingJournal
from tests.builders.kept_accounts import KeptAccounts

MESSAGE_ID = "01m1emr7v8x4c5dvjr82c9c4dw"


@pytest.fixture
def kept(aws: Aws) -> KeptAccounts:
    kept = KeptAccounts(aws)
    for number, owner_id in ((1, OWNER), (2, OWNER), (3, OTHER_OWNER)):
        outgoing = a_server(host="smtp.example.com", port=465)
        sealed = kept.vault.seal(Secret(SMTP_PASSWORD), owner_id, an_account_id(number), Direction.OUTGOING)
        kept.table.add(an_account(number, owner_id=owner_id, outgoing=outgoing, outgoing_secret=sealed))
    return kept


def stored(kept: KeptAccounts, content: bytes, number: int = 1, **changes: Any) -> StoredMessage:
    """A message that account ``number`` has collected."""
    owner_id, account_id = OTHER_OWNER if number == 3 else OWNER, an_account_id(number)
    values: dict[str, Any] = {
        "owner_id": owner_id,
        "account_id": account_id,
        "message_id": MESSAGE_ID,
        "key": f"mail/{owner_id}/{account_id}/undated/{MESSAGE_ID}.eml",
        "uid": b"uid",
        "octets": len(content),
        "sha256": b"",
        "dated": None,
        "arrived": None,
        "stored_at": NOON,
        "subject": "Báo cáo quý III",
    }
    message = StoredMessage(**{**values, **changes})
    kept.stack.s3.put_object(Bucket=kept.stack.bucket, Key=message.key, Body=content)
    kept.stack.dynamodb.put_item(TableName=kept.stack.table, Item=to_wire(cycle_items.message_to_item(message)))
    return message


FORWARD = Draft(to=(Correspondent("bert", "example.org"),), subject="Fwd", text="See below.")


def sent_parts(kept: KeptAccounts, *files: ForwardedFile, draft: Draft = FORWARD) -> tuple[list[EmailMessage], bytes]:
    """The attachments of a mail of account 1 that takes these along, and the mail itself."""
    mail = SendMail(OWNER, an_account_id(1), draft, files=files)
    kept.sending(RecordingJournal()).send(mail, lambda account_id: kept.once(None, account_id))
    ((_, content),) = kept.outgoing.taken
    parsed = message_from_bytes(content, policy=default)
    return [part for part in parsed.iter_attachments() if isinstance(part, EmailMessage)], content


class TestAMessageWhole:
    def test_goes_along_octet_for_octet_under_its_subject(self, kept: KeptAccounts) -> None:
        content = a_message(1)
        stored(kept, content)
        (part,), sent = sent_parts(kept, ForwardedFile(MESSAGE_ID))
        assert (part.get_content_type(), part.get_filename()) == ("message/rfc822", "Báo cáo quý III.eml")
        assert b"\r\n\r\n" + content + b"\r\n--" in sent

    def test_goes_along_as_a_file_where_an_octet_would_change(self, kept: KeptAccounts) -> None:
        content = "Subject: Chào\r\n\r\nXin chào\n".encode()
        stored(kept, content)
        (part,), _ = sent_parts(kept, ForwardedFile(MESSAGE_ID))
        assert (part.get_content_type(), part.get_filename()) == ("application/octet-stream", "Báo cáo quý III.eml")
        assert part.get_payload(decode=True) == content

    @pytest.mark.parametrize("subject", ["../../etc/passwd", "a\\b:c", "", "..."])
    def test_has_a_name_that_is_only_a_name(self, kept: KeptAccounts, subject: str) -> None:
        stored(kept, a_message(1), subject=subject)
        (part,), _ = sent_parts(kept, ForwardedFile(MESSAGE_ID))
        name = part.get_filename() or ""
        assert name.endswith(".eml")
        assert not set(name) & set("/\\:")

    def test_has_the_name_that_is_given(self, kept: KeptAccounts) -> None:
        stored(kept, a_message(1))
        (part,), _ = sent_parts(kept, ForwardedFile(MESSAGE_ID, filename="Q3.eml"))
        assert part.get_filename() == "Q3.eml"

    def test_may_be_of_another_account_of_the_owner(self, kept: KeptAccounts) -> None:
        content = a_message(2)
        stored(kept, content, number=2)
        _, sent = sent_parts(kept, ForwardedFile(MESSAGE_ID, account_id=an_account_id(2)))
        assert content in sent

    @pytest.mark.parametrize("where", [2, 3])
    def test_of_an_account_that_is_not_named_is_not_found(self, kept: KeptAccounts, where: int) -> None:
        stored(kept, a_message(1), number=where)
        self.refused(kept, ForwardedFile(MESSAGE_ID))

    def test_of_another_owner_is_not_found_like_one_that_is_not_there(self, kept: KeptAccounts) -> None:
        stored(kept, a_message(3), number=3)
        words = {
            self.refused(kept, ForwardedFile(MESSAGE_ID, account_id=account_id))
            for account_id in (an_account_id(3), an_account_id(1), an_account_id(9), "../x", "#")
        }
        assert len(words) == 1

    @pytest.mark.parametrize("message_id", ["x", "", "#STATE", f"{MESSAGE_ID}x"])
    def test_what_is_no_id_of_a_message_never_reaches_a_key(self, kept: KeptAccounts, message_id: str) -> None:
        self.refused(kept, ForwardedFile(message_id))

    def test_that_has_gone_from_the_bucket_is_not_found(self, kept: KeptAccounts) -> None:
        message = stored(kept, a_message(1))
        kept.stack.s3.delete_object(Bucket=kept.stack.bucket, Key=message.key)
        self.refused(kept, ForwardedFile(MESSAGE_ID))

    def test_counts_among_the_attachments(self, kept: KeptAccounts) -> None:
        stored(kept, b"", octets=LONGEST_ATTACHMENTS + 1)
        with pytest.raises(MailTooLarge, match="50 MB"):
            sent_parts(kept, ForwardedFile(MESSAGE_ID))
        assert kept.outgoing.calls == []

    def test_is_read_once_however_often_it_goes_along(self, kept: KeptAccounts) -> None:
        stored(kept, a_message(1))
        reads: list[str] = []
        read = kept.sent.content

        async def content(message: StoredMessage) -> bytes | None:
            reads.append(message.message_id)
            return await read(message)

        kept.sent.content = content  # type: ignore[method-assign]
        parts, _ = sent_parts(kept, *(ForwardedFile(MESSAGE_ID, filename=f"{number}.eml") for number in range(3)))
        assert (len(parts), len(reads)) == (3, 1)

    @staticmethod
    def refused(kept: KeptAccounts, file: ForwardedFile) -> str:
        with pytest.raises(InvalidMail, match="attachments: there is no such message") as refusal:
            sent_parts(kept, file)
        assert kept.outgoing.calls == []
        return refusal.value.message


WITH_FILES = (
    "From: Ben <ben@example.net>\r\nSubject: Report\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain\r\n\r\nSee the files.\r\n"
    "--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
    "Content-Disposition: attachment; filename*=UTF-8''H%C3%B3a%20%C4%91%C6%A1n.pdf\r\n\r\nJVBERg==\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: Within\r\n\r\nhello\r\n"
    '--b\r\nContent-Type: text/html; name="../x\ty.html"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<p>\xe9</p>\r\n'
    "--b--\r\n"
).encode("latin-1")


class TestAnAttachmentOfAMessage:
    def test_goes_along_as_it_was_attached(self, kept: KeptAccounts) -> None:
        stored(kept, WITH_FILES)
        (part,), _ = sent_parts(kept, ForwardedFile(MESSAGE_ID, "2"))
        assert (part.get_content_type(), part.get_filename()) == ("application/pdf", "Hóa đơn.pdf")
        assert part.get_payload(decode=True) == b"%PDF"

    def test_goes_along_with_others_and_the_message_itself(self, kept: KeptAccounts) -> None:
        stored(kept, WITH_FILES)
        files = (ForwardedFile(MESSAGE_ID, "2", filename="Invoice.pdf"), ForwardedFile(MESSAGE_ID, "3"))
        (pdf, within, page, whole), sent = sent_parts(
            kept, *files, ForwardedFile(MESSAGE_ID, "4"), ForwardedFile(MESSAGE_ID)
        )
        assert pdf.get_filename() == "Invoice.pdf"
        assert (within.get_content_type(), within.get_filename()) == ("message/rfc822", "Within.eml")
        assert b"\r\n\r\nSubject: Within\r\n\r\nhello\r\n--" in sent
        assert (page.get_content_type(), page.get_payload(decode=True)) == ("text/html", b"<p>\xe9</p>")
        assert page.get_filename() == "x y.html"
        assert whole.get_payload(decode=True) == WITH_FILES

    def test_may_be_shown_by_the_html_of_the_mail(self, kept: KeptAccounts) -> None:
        stored(kept, WITH_FILES)
        draft = Draft(to=(Correspondent("bert", "example.org"),), subject="Fwd", text="", html='<img src="cid:logo">')
        file = ForwardedFile(MESSAGE_ID, "2", content_id="logo")
        _, sent = sent_parts(kept, file, draft=draft)
        assert b"Content-ID: <logo>\r\n" in sent

    @pytest.mark.parametrize("attachment_id", ["1", "5", "2.1", "x", "../2"])
    def test_that_is_none_is_refused(self, kept: KeptAccounts, attachment_id: str) -> None:
        stored(kept, WITH_FILES)
        with pytest.raises(InvalidMail, match="attachments: the message has no such attachment"):
            sent_parts(kept, ForwardedFile(MESSAGE_ID, attachment_id))
        assert kept.outgoing.calls == []

    def test_is_not_taken_out_of_a_message_that_is_too_large_to_be_read(self, kept: KeptAccounts) -> None:
        stored(kept, WITH_FILES, octets=LONGEST_READ + 1)
        with pytest.raises(InvalidMail, match="48 MB"):
            sent_parts(kept, ForwardedFile(MESSAGE_ID, "2"))

    def test_counts_among_the_attachments(self, kept: KeptAccounts, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sending, "LONGEST_ATTACHMENTS", 7)
        stored(kept, WITH_FILES)
        with pytest.raises(MailTooLarge):
            sent_parts(kept, ForwardedFile(MESSAGE_ID, "2"), ForwardedFile(MESSAGE_ID, "2"))
