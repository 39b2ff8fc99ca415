"""Sending as an account: who gets it, what is kept of it, and never two copies."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import from_wire, to_wire
from popfetch.domain.account import Account, Direction, Standing
from popfetch.domain.draft import Attachment, Correspondent, Draft
from popfetch.domain.errors import (
    AccountNotFound,
    InvalidMail,
    KeyReused,
    NoOutgoingServer,
    OutgoingStopped,
    StorageUnavailable,
    UnderWay,
)
from popfetch.domain.fetch_state import FetchState
from popfetch.domain.message import DeliveryState, StoredMessage
from popfetch.domain.reply_to import ReplyTo
from popfetch.domain.secret import Secret
from popfetch.ports.submission import Submission
from popfetch.services import sending_failures as failures
from popfetch.services.sending import LONGEST_ATTACHMENTS, Sending, SendMail, UploadedFile
from popfetch.services.sign_in_trial import CannotConnect, SignInTestRefused
from popfetch.smtp import errors as smtp
from tests.builders.accounts import NOON, OTHER_OWNER, OWNER, SMTP_PASSWORD, a_server, an_account
from tests.builders.aws import Aws
from tests.builders.journals import RecordingJournal
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.submissions import RecordingSubmissions

BERT = Correspondent("bert", "example.org", "Bert")
CARL = Correspondent("carl", "example.net")
ACCOUNT_ID = an_account().account_id


@pytest.fixture
def journal() -> RecordingJournal:
    return RecordingJournal()


@pytest.fixture
def kept(aws: Aws) -> KeptAccounts:
    kept = KeptAccounts(aws)
    add(kept)
    return kept


@pytest.fixture
def server(kept: KeptAccounts) -> RecordingSubmissions:
    return kept.outgoing


@pytest.fixture
def sending(kept: KeptAccounts, journal: RecordingJournal) -> Sending:
    return kept.sending(journal)


def add(kept: KeptAccounts, number: int = 1, **changes: Any) -> None:
    account = an_account(number)
    sealed = kept.vault.seal(Secret(SMTP_PASSWORD), account.owner_id, account.account_id, Direction.OUTGOING)
    outgoing = a_server(host="smtp.example.com", port=465)
    kept.table.add(an_account(number, **{"outgoing": outgoing, "outgoing_secret": sealed, **changes}))


def a_mail(**changes: Any) -> SendMail:
    draft: dict[str, Any] = {"to": (BERT,), "subject": "Hello", "text": "Hello, Bert."}
    draft.update({name: changes.pop(name) for name in list(changes) if name in Draft.__dataclass_fields__})
    return SendMail(**{"owner_id": OWNER, "account_id": ACCOUNT_ID, "draft": Draft(**draft), **changes})


def never(_: str) -> Any:
    raise AssertionError("no key was given")


def send(sending: Sending, kept: KeptAccounts, mail: SendMail, milliseconds: int = 29_000) -> StoredMessage:
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: milliseconds)
    return sending.send(mail, lambda account_id: kept.once(context, account_id) if mail.key else never(account_id))


def objects(aws: Aws) -> list[str]:
    return [found["Key"] for found in aws.s3.list_objects_v2(Bucket=aws.bucket).get("Contents", [])]


def records(aws: Aws, account_id: str = ACCOUNT_ID) -> list[str]:
    found = aws.dynamodb.query(
        TableName=aws.table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=to_wire({":pk": keys.account_partition(account_id)}),
    )
    return [from_wire(item)["sk"].partition("#")[0] for item in found["Items"]]


class TestWhatIsSent:
    def test_goes_out_under_the_accounts_name_and_address(
        self, sending: Sending, kept: KeptAccounts, server: RecordingSubmissions
    ) -> None:
        send(sending, kept, a_mail())
        ((envelope, content),) = server.taken
        assert (envelope.sender, envelope.recipients) == ("anna1@example.com", ("bert@example.org",))
        assert b"From: Mailbox 1 <anna1@example.com>\r\n" in content
        assert b"To: Bert <bert@example.org>\r\n" in content
        assert server.calls == [(a_server(host="smtp.example.com", port=465), Secret(SMTP_PASSWORD))]
        assert server.left[-1] == "abandon"

    def test_names_an_account_without_a_name_by_its_address(
        self, sending: Sending, kept: KeptAccounts, server: RecordingSubmissions
    ) -> None:
        add(kept, 2, name="anna2@example.com")
        copy = send(sending, kept, a_mail(account_id=an_account(2).account_id))
        assert b"From: anna2@example.com\r\n" in server.taken[0][1]
        assert copy.sender == "anna2@example.com"

    def test_has_the_reply_address_that_is_in_force(
        self, sending: Sending, kept: KeptAccounts, server: RecordingSubmissions
    ) -> None:
        add(kept, 2, reply_to=ReplyTo("post@bücher.example"))
        send(sending, kept, a_mail())
        send(sending, kept, a_mail(account_id=an_account(2).account_id))
        without, with_one = [content for _, content in server.taken]
        assert b"Reply-To" not in without
        assert b"Reply-To: post@xn--bcher-kva.example\r\n" in with_one

    def test_is_kept_as_it_was_sent_and_marked(
        self, sending: Sending, kept: KeptAccounts, server: RecordingSubmissions
    ) -> None:
        copy = send(sending, kept, a_mail(bcc=(CARL,)))
        ((_, content),) = server.taken
        found = kept.stack.s3.get_object(Bucket=kept.stack.bucket, Key=copy.key)
        assert found["Body"].read() == content
        assert found["ContentType"] == "message/rfc822"
        assert found["Metadata"] == {"direction": "outgoing", "sha256": copy.sha256.hex()}
        assert copy.key == f"mail/{OWNER}/{ACCOUNT_ID}/2026/11/23/{copy.message_id}.eml"
        assert copy.sha256 == hashlib.sha256(content).digest()
        assert asyncio.run(kept.sent.stored(ACCOUNT_ID, copy.message_id)) == copy
        assert copy.delivery is not None
        assert copy.delivery.state is DeliveryState.SENT
        assert copy.delivery.recipients == ("bert@example.org", "carl@example.net")
        assert (copy.subject, copy.dated, copy.uid) == ("Hello", NOON, b"")

    def test_has_the_files_that_came_along_and_those_that_were_uploaded(
        self, sending: Sending, kept: KeptAccounts, server: RecordingSubmissions
    ) -> None:
        upload = sending.offer_upload(OWNER, ACCOUNT_ID, 5)
        kept.stack.s3.put_object(
            Bucket=kept.stack.bucket, Key=keys.upload_object(OWNER, upload.upload_id), Body=b"large"
        )
        files = (
            Attachment("a.txt", "text/plain", b"small"),
            UploadedFile(upload.upload_id, "b.bin", "application/octet-stream"),
        )
        send(sending, kept, a_mail(files=files))
        ((_, content),) = server.taken
        assert b'filename="a.txt"' in content
        assert b"c21hbGw=" in content  # small
        assert b"bGFyZ2U=" in content  # large

    @pytest.mark.parametrize("upload_id", ["x" * 22, "../../mail/x", "", "é" * 22])
    def test_has_no_file_that_is_nobodys(self, sending: Sending, kept: KeptAccounts, upload_id: str) -> None:
        with pytest.raises(InvalidMail, match="upload"):
            send(sending, kept, a_mail(files=(UploadedFile(upload_id, "b", "text/plain"),)))
        assert kept.outgoing.calls == []

    def test_has_no_file_of_another_owner(self, sending: Sending, kept: KeptAccounts) -> None:
        upload = sending.offer_upload(OWNER, ACCOUNT_ID, 5)
        key = keys.upload_object(OTHER_OWNER, upload.upload_id)
        kept.stack.s3.put_object(Bucket=kept.stack.bucket, Key=key, Body=b"large")
        with pytest.raises(InvalidMail):
            send(sending, kept, a_mail(files=(UploadedFile(upload.upload_id, "b", "text/plain"),)))

    def test_is_not_larger_than_popfetch_sends(self, sending: Sending, kept: KeptAccounts) -> None:
        half = Attachment("a", "text/plain", bytes(LONGEST_ATTACHMENTS // 2 + 1))
        with pytest.raises(failures.MailTooLarge, match="50 MB"):
            send(sending, kept, a_mail(files=(half, half)))

    def test_joins_the_thread_of_a_stored_message(
        self, sending: Sending, kept: KeptAccounts, server: RecordingSubmissions
    ) -> None:
        first = send(sending, kept, a_mail())
        answer = send(sending, kept, a_mail(answers=first.message_id))
        third = send(sending, kept, a_mail(answers=answer.message_id))
        content = server.taken[-1][1].decode()
        assert f"In-Reply-To: {answer.header_message_id}\r\n" in content
        assert f"References: {first.header_message_id}\r\n {answer.header_message_id}\r\n" in content
        assert third.header_message_id not in (first.header_message_id, answer.header_message_id)

    def test_joins_the_thread_that_is_named(
        self, sending: Sending, kept: KeptAccounts, server: RecordingSubmissions
    ) -> None:
        send(sending, kept, a_mail(answers="<2@example.org>", references=("<1@example.org>", "<2@example.org>")))
        send(sending, kept, a_mail(answers="<2@example.org>"))
        first, second = [content for _, content in server.taken]
        assert b"References: <1@example.org>\r\n <2@example.org>\r\n" in first
        assert b"References: <2@example.org>\r\n" in second

    def test_answers_no_message_that_is_not_there(self, sending: Sending, kept: KeptAccounts) -> None:
        with pytest.raises(InvalidMail, match="in_reply_to"):
            send(sending, kept, a_mail(answers="0" * 26))


class TestWhatIsNotSent:
    """Whatever the server says before it has the message: an honest word, and nothing is left behind."""

    @pytest.mark.parametrize(
        ("error", "told"),
        [
            (smtp.SenderRefused("no"), failures.SenderNotAllowed),
            (smtp.MessageTooLarge("no", limit=10), failures.MailTooLarge),
            (smtp.Utf8NotOffered("no"), failures.AddressNotSupported),
            (smtp.SendingTooFrequent("no"), failures.SendingTooOften),
            (smtp.ServerTemporary("no"), failures.ServerTrouble),
            (smtp.ServerPermanent("no"), failures.MailNotSent),
            (smtp.ProtocolViolation("no"), failures.MailNotSent),
            (smtp.ConnectionFailed("no"), failures.ConnectionLost),
            (smtp.DeadlineReached("no"), failures.ConnectionLost),
        ],
    )
    def test_before_the_message_nothing_is_kept(
        self, sending: Sending, kept: KeptAccounts, error: smtp.SmtpError, told: type[failures.MailNotSent]
    ) -> None:
        kept.outgoing.at_begin = error
        with pytest.raises(told) as raised:
            send(sending, kept, a_mail(key="k"))
        assert type(raised.value) is told
        assert raised.value.retryable == error.retryable or told is failures.MailNotSent
        assert objects(kept.stack) == records(kept.stack) == []
        assert kept.outgoing.handed_over == 0
        assert kept.outgoing.left == ["abandon"]

    @pytest.mark.parametrize(
        "error", [smtp.MessageRefused("no"), smtp.ServerTemporary("no"), smtp.ConnectionFailed("no")]
    )
    def test_refused_at_the_message_the_copy_is_withdrawn_and_the_key_is_free(
        self, sending: Sending, kept: KeptAccounts, error: smtp.SmtpError
    ) -> None:
        kept.outgoing.at_transmit = error
        with pytest.raises(failures.MailNotSent):
            send(sending, kept, a_mail(key="k"))
        assert objects(kept.stack) == records(kept.stack) == []
        kept.outgoing.at_transmit = None
        assert send(sending, kept, a_mail(key="k")).delivery is not None
        assert len(kept.outgoing.taken) == 1

    def test_that_none_of_the_recipients_get_is_told_of_each(self, sending: Sending, kept: KeptAccounts) -> None:
        kept.outgoing.refused = {
            "bert@example.org": smtp.RecipientRefused("unknown", server_text="5.1.1 who?"),
            "carl@example.net": smtp.ServerTemporary("later", server_text="4.2.1 later"),
        }
        with pytest.raises(failures.RecipientsRefused, match=r"5\.1\.1 who\?") as raised:
            send(sending, kept, a_mail(cc=(CARL,)))
        assert [(one.address, one.code) for one in raised.value.refused] == [
            ("bert@example.org", "recipient_refused"),
            ("carl@example.net", "temporary"),
        ]
        assert kept.outgoing.handed_over == 0
        assert objects(kept.stack) == []

    def test_that_some_do_not_get_is_told_beside_those_who_do(self, sending: Sending, kept: KeptAccounts) -> None:
        kept.outgoing.refused = {"bert@example.org": smtp.RecipientRefused("unknown", server_text="5.1.1 who?")}
        copy = send(sending, kept, a_mail(cc=(CARL,)))
        assert copy.delivery is not None
        assert copy.delivery.recipients == ("carl@example.net",)
        (refused,) = copy.delivery.refused
        assert (refused.address, refused.code, refused.server_said) == (
            "bert@example.org",
            "recipient_refused",
            "5.1.1 who?",
        )
        assert asyncio.run(kept.sent.stored(ACCOUNT_ID, copy.message_id)) == copy

    def test_for_want_of_a_server(self, sending: Sending, kept: KeptAccounts) -> None:
        add(kept, 2, outgoing=None, outgoing_secret=None)
        with pytest.raises(NoOutgoingServer):
            send(sending, kept, a_mail(account_id=an_account(2).account_id))

    def test_as_somebody_elses_account(self, sending: Sending, kept: KeptAccounts) -> None:
        with pytest.raises(AccountNotFound):
            send(sending, kept, a_mail(owner_id=OTHER_OWNER))
        with pytest.raises(AccountNotFound):
            sending.offer_upload(OTHER_OWNER, ACCOUNT_ID, 5)

    def test_of_an_account_that_went_meanwhile_keeps_nothing(self, sending: Sending, kept: KeptAccounts) -> None:
        kept.outgoing.refused = Removing(lambda: kept.table.remove(OWNER, ACCOUNT_ID))
        with pytest.raises(AccountNotFound):
            send(sending, kept, a_mail())
        assert objects(kept.stack) == records(kept.stack) == []
        assert kept.outgoing.handed_over == 0


class Removing(dict[str, smtp.SmtpError]):
    """Refuses nobody, and lets something happen when it is asked."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__()
        self._happens = happens

    def __contains__(self, _: object) -> bool:
        self._happens()
        return False


class TestNobodyKnows:
    def test_what_was_handed_over_and_never_confirmed_is_told_as_that(
        self, sending: Sending, kept: KeptAccounts, journal: RecordingJournal
    ) -> None:
        kept.outgoing.at_transmit = smtp.Unconfirmed("silent")
        copy = send(sending, kept, a_mail())
        assert copy.delivery is not None
        assert copy.delivery.state is DeliveryState.UNCONFIRMED
        assert len(objects(kept.stack)) == 1
        assert asyncio.run(kept.sent.stored(ACCOUNT_ID, copy.message_id)) == copy
        assert "a mail was handed over and not confirmed" in journal.messages

    def test_and_is_never_sent_again_by_its_key(self, sending: Sending, kept: KeptAccounts) -> None:
        kept.outgoing.at_transmit = smtp.Unconfirmed("silent")
        first = send(sending, kept, a_mail(key="k"))
        kept.outgoing.at_transmit = None
        assert send(sending, kept, a_mail(key="k")) == first
        assert kept.outgoing.handed_over == 1


class TestAKey:
    def test_sends_once_and_answers_the_same_way(self, sending: Sending, kept: KeptAccounts) -> None:
        first = send(sending, kept, a_mail(key="k", fingerprint="f"))
        assert [send(sending, kept, a_mail(key="k", fingerprint="f")) for _ in range(3)] == [first] * 3
        assert len(kept.outgoing.taken) == 1
        assert len(objects(kept.stack)) == 1

    def test_without_one_each_request_is_a_mail(self, sending: Sending, kept: KeptAccounts) -> None:
        assert send(sending, kept, a_mail()).message_id != send(sending, kept, a_mail()).message_id
        assert len(kept.outgoing.taken) == 2

    def test_of_another_mail_is_refused(self, sending: Sending, kept: KeptAccounts) -> None:
        send(sending, kept, a_mail(key="k", fingerprint="f"))
        with pytest.raises(KeyReused):
            send(sending, kept, a_mail(key="k", fingerprint="g"))
        assert len(kept.outgoing.taken) == 1

    def test_belongs_to_one_account(self, sending: Sending, kept: KeptAccounts) -> None:
        add(kept, 2)
        send(sending, kept, a_mail(key="k"))
        send(sending, kept, a_mail(key="k", account_id=an_account(2).account_id))
        assert len(kept.outgoing.taken) == 2

    def test_gives_a_mail_one_message_id_however_often_it_is_tried(self, sending: Sending, kept: KeptAccounts) -> None:
        kept.outgoing.at_transmit = smtp.ServerTemporary("later")
        with pytest.raises(failures.ServerTrouble):
            send(sending, kept, a_mail(key="k"))
        kept.outgoing.at_transmit = None
        copy = send(sending, kept, a_mail(key="k"))
        line = f"Message-ID: {copy.header_message_id}\r\n".encode()
        assert [line in content for content in kept.outgoing.attempts] == [True, True]

    def test_whose_sender_died_with_the_mail_handed_over_never_sends_again(
        self, sending: Sending, kept: KeptAccounts
    ) -> None:
        # given an invocation that was cut off, at the last millisecond of its time
        kept.outgoing.at_transmit = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            send(sending, kept, a_mail(key="k"), milliseconds=-1)
        kept.outgoing.at_transmit = None

        # when the request comes again, now that the first one's time is over
        copy = send(sending, kept, a_mail(key="k"))

        # then nobody knows, and nothing is sent
        assert copy.delivery is not None
        assert copy.delivery.state is DeliveryState.UNCONFIRMED
        assert kept.outgoing.handed_over == 1
        assert len(kept.outgoing.calls) == 1

    def test_whose_sender_died_before_that_is_free_again(self, sending: Sending, kept: KeptAccounts) -> None:
        kept.outgoing.at_begin = KeyboardInterrupt()  # type: ignore[assignment]
        with pytest.raises(KeyboardInterrupt):
            send(sending, kept, a_mail(key="k"), milliseconds=-1)
        kept.outgoing.at_begin = None
        assert send(sending, kept, a_mail(key="k")).delivery is not None
        assert len(kept.outgoing.taken) == 1

    def test_of_a_sender_that_may_still_be_alive_is_waited_for(self, sending: Sending, kept: KeptAccounts) -> None:
        kept.outgoing.at_transmit = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            send(sending, kept, a_mail(key="k"))
        kept.outgoing.at_transmit = None
        with pytest.raises(UnderWay):
            send(sending, kept, a_mail(key="k"))
        assert kept.outgoing.handed_over == 1

    def test_that_another_request_marked_meanwhile_hands_nothing_over(
        self, sending: Sending, kept: KeptAccounts
    ) -> None:
        # given two requests side by side, though the first line of defence has let both pass
        mail = a_mail(key="k")
        other = kept.sending(RecordingJournal())
        account = kept.table.get(OWNER, ACCOUNT_ID).account
        other_run: list[StoredMessage] = []

        async def goes_first(message: StoredMessage, content: bytes, key_hash: str) -> bool:
            if not other_run:
                other_run.append(message)
                await other._send(account, mail)
            return await begin(message, content, key_hash)

        begin = kept.sent.begin
        kept.sent.begin = goes_first  # type: ignore[method-assign]
        with pytest.raises(UnderWay):
            send(sending, kept, mail)
        assert kept.outgoing.handed_over == 1
        assert len(objects(kept.stack)) == 1

    def test_sends_though_what_became_of_it_cannot_be_noted(
        self, sending: Sending, kept: KeptAccounts, journal: RecordingJournal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(_: object) -> None:
            raise StorageUnavailable("no")

        monkeypatch.setattr(kept.sent, "conclude", fail)
        copy = send(sending, kept, a_mail())
        assert copy.delivery is not None
        assert copy.delivery.state is DeliveryState.SENT
        assert "what became of a mail could not be noted" in journal.messages


class TestTheOutgoingPassword:
    """Refused, it marks the outgoing side, and only that."""

    def refused(self, sending: Sending, kept: KeptAccounts, *, explicit: bool = False) -> None:
        kept.outgoing.at_sign_in = smtp.SignInRefused("smtp says no", explicit=explicit)
        with pytest.raises(SignInTestRefused):
            send(sending, kept, a_mail(key="k"))

    def test_marks_the_outgoing_side_and_fetching_goes_on(self, sending: Sending, kept: KeptAccounts) -> None:
        self.refused(sending, kept)
        record = kept.table.get(OWNER, ACCOUNT_ID)
        failure = record.account.outgoing_failure
        assert failure is not None
        assert (failure.code, failure.message, failure.at, failure.refusals) == (
            "authentication",
            "smtp says no",
            NOON,
            1,
        )
        assert record.account.standing is Standing.ACTIVE
        assert record.state.failures.any is False
        item = kept.stack.dynamodb.get_item(TableName=kept.stack.table, Key=to_wire(keys.account(OWNER, ACCOUNT_ID)))
        assert keys.WHEEL_SLOT in item["Item"]

    def test_is_forgotten_once_it_works_again(self, sending: Sending, kept: KeptAccounts) -> None:
        self.refused(sending, kept)
        kept.outgoing.at_sign_in = None
        send(sending, kept, a_mail(key="k"))
        assert kept.table.get(OWNER, ACCOUNT_ID).account.outgoing_failure is None

    @pytest.mark.parametrize(("explicit", "tries"), [(True, 3), (False, 10)])
    def test_is_not_tried_until_the_provider_locks_the_mailbox(
        self, sending: Sending, kept: KeptAccounts, explicit: bool, tries: int
    ) -> None:
        for _ in range(tries):
            self.refused(sending, kept, explicit=explicit)
        with pytest.raises(OutgoingStopped, match="Set the outgoing password again"):
            send(sending, kept, a_mail())
        assert len(kept.outgoing.calls) == tries

    def test_that_is_given_anew_lets_it_send_again(self, sending: Sending, kept: KeptAccounts) -> None:
        for _ in range(3):
            self.refused(sending, kept, explicit=True)
        kept.outgoing.at_sign_in = None
        kept.changes.change_password(OWNER, ACCOUNT_ID, Direction.OUTGOING, Secret("another"))
        assert kept.table.get(OWNER, ACCOUNT_ID).account.outgoing_failure is None
        send(sending, kept, a_mail())
        assert kept.outgoing.calls[-1][1] == Secret("another")

    def test_that_changed_meanwhile_is_not_marked_for_the_old_one(self, sending: Sending, kept: KeptAccounts) -> None:
        def given_anew(account: Account, state: FetchState) -> tuple[Account, FetchState]:
            return replace(account, outgoing_secret=b"sealed anew"), state

        class ChangingMeanwhile(RecordingSubmissions):
            async def open(self, *_: object) -> Submission:
                kept.table.change(OWNER, ACCOUNT_ID, given_anew)
                raise smtp.SignInRefused("no", explicit=True)

        kept.outgoing = ChangingMeanwhile()
        with pytest.raises(SignInTestRefused):
            send(kept.sending(RecordingJournal()), kept, a_mail())
        assert kept.table.get(OWNER, ACCOUNT_ID).account.outgoing_failure is None

    def test_that_does_not_open_is_asked_for_again(self, sending: Sending, kept: KeptAccounts) -> None:
        add(kept, 2, outgoing_secret=b"altered")
        with pytest.raises(OutgoingStopped, match="set it again"):
            send(sending, kept, a_mail(account_id=an_account(2).account_id))
        failure = kept.table.get(OWNER, an_account(2).account_id).account.outgoing_failure
        assert failure is not None
        assert failure.code == "secret_unreadable"
        assert kept.outgoing.calls == []

    def test_is_not_blamed_for_a_server_that_is_not_there(self, sending: Sending, kept: KeptAccounts) -> None:
        kept.outgoing.at_sign_in = smtp.ConnectionFailed("nobody")
        with pytest.raises(CannotConnect):
            send(sending, kept, a_mail())
        assert kept.table.get(OWNER, ACCOUNT_ID).account.outgoing_failure is None


@pytest.fixture(autouse=True)
def _nothing_secret(journal: RecordingJournal) -> Iterator[None]:
    yield
    assert SMTP_PASSWORD not in str(journal.lines)
