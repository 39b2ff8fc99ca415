"""Sending along what is stored: a message whole, of the owner's own accounts alone."""

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
from popfetch.domain.secret import Secret
from popfetch.services.forwarding import ForwardedFile, name_of
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


def sent_parts(kept: KeptAccounts, *files: ForwardedFile) -> tuple[list[EmailMessage], bytes]:
    """The attachments of a mail of account 1 that takes these along, and the mail itself."""
    draft = Draft(to=(Correspondent("bert", "example.org"),), subject="Fwd", text="See below.")
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


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("Báo cáo quý III", "Báo cáo quý III.eml"),
        ("Re: 1/2 of C:\\x", "Re 1 2 of C x.eml"),
        ("../../etc/passwd", "etc passwd.eml"),
        ("...", "message.eml"),
        ("", "message.eml"),
        ("x" * 200, f"{'x' * 100}.eml"),
        ("a" * 99 + " b", f"{'a' * 99}.eml"),
    ],
)
def test_a_message_is_named_by_its_subject_as_file_systems_take_it(kept: KeptAccounts, subject: str, name: str) -> None:
    assert name_of(stored(kept, b"", subject=subject)) == name
