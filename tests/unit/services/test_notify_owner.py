"""Telling an owner: once, only while it is true, and never in vain again and again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from popfetch.domain.account import Account, Standing
from popfetch.domain.errors import AccountNotFound, MailRefused, MailUnavailable, StorageUnavailable, UnderWay
from popfetch.domain.fetch_state import FetchState, Stop
from popfetch.domain.notice import StoppedAccount
from popfetch.ports.accounts import AccountRecord
from popfetch.ports.owners import OwnerContact
from popfetch.services.notify_owner import NoticeParts, Notified, notify_owner
from tests.builders.accounts import NOON, an_account
from tests.builders.journals import RecordingJournal
from tests.builders.notices import FakeOwners, RecordingMailer, Remembered, a_stop

STOPPED = an_account(1, standing=Standing.AUTH_FAILED, name="My work")


class OneAccount:
    """An account store with one account, or none."""

    def __init__(self, account: Account | None = STOPPED, stop: Stop | None = None) -> None:
        self.account = account
        self.state = FetchState(stop=stop)

    def get(self, owner_id: str, account_id: str) -> AccountRecord:
        if self.account is None or (owner_id, account_id) != (self.account.owner_id, self.account.account_id):
            raise AccountNotFound(account_id)
        return AccountRecord(self.account, self.state, is_default=True)


@pytest.fixture
def journal() -> RecordingJournal:
    return RecordingJournal()


@pytest.fixture
def mailer() -> RecordingMailer:
    return RecordingMailer()


@pytest.fixture
def parts(mailer: RecordingMailer) -> NoticeParts:
    return NoticeParts(OneAccount(), FakeOwners(), Remembered(), mailer)  # type: ignore[arg-type]


def test_the_owner_is_told(parts: NoticeParts, mailer: RecordingMailer, journal: RecordingJournal) -> None:
    assert notify_owner(a_stop(), parts, journal) is Notified.SENT
    ((address, mail),) = mailer.sent
    assert address == "owner@example.com"
    assert "My work" in mail.subject
    assert journal.counts == {"NoticesSent": 1}


def test_the_same_stop_is_told_once_and_the_next_one_again(
    parts: NoticeParts, mailer: RecordingMailer, journal: RecordingJournal
) -> None:
    later = replace(a_stop(), stopped_at=NOON + timedelta(days=1))
    done = [notify_owner(stop, parts, journal) for stop in (a_stop(), a_stop(), later)]
    assert done == [Notified.SENT, Notified.SENT_BEFORE, Notified.SENT]
    assert len(mailer.sent) == 2


def test_no_line_holds_an_address_a_name_or_an_answer(parts: NoticeParts, journal: RecordingJournal) -> None:
    notify_owner(a_stop(), parts, journal)
    assert not [line for line in journal.lines if "@" in str(line) or "My work" in str(line) or "It says" in str(line)]


@pytest.mark.parametrize("standing", [Standing.ACTIVE, Standing.PAUSED, Standing.CONNECTION_FAILED])
def test_an_owner_who_was_quicker_is_not_bothered(
    parts: NoticeParts, mailer: RecordingMailer, journal: RecordingJournal, standing: Standing
) -> None:
    quicker = replace(parts, accounts=OneAccount(replace(STOPPED, standing=standing)))  # type: ignore[arg-type]
    assert notify_owner(a_stop(), quicker, journal) is Notified.NOT_NEEDED
    assert mailer.sent == []


def test_a_stop_that_is_over_is_not_told_during_the_next_one(
    parts: NoticeParts, mailer: RecordingMailer, journal: RecordingJournal
) -> None:
    told = a_stop()
    for at, outcome in ((told.stopped_at + timedelta(days=1), Notified.NOT_NEEDED), (told.stopped_at, Notified.SENT)):
        stop = Stop(Standing.AUTH_FAILED, at, "authentication", "no", told=True)
        assert notify_owner(told, replace(parts, accounts=OneAccount(stop=stop)), journal) is outcome  # type: ignore[arg-type]
    assert len(mailer.sent) == 1


def test_a_deleted_account_is_not_told_of(
    parts: NoticeParts, mailer: RecordingMailer, journal: RecordingJournal
) -> None:
    gone = replace(parts, accounts=OneAccount(None))  # type: ignore[arg-type]
    assert notify_owner(a_stop(), gone, journal) is Notified.NOT_NEEDED
    assert mailer.sent == []


def test_an_owner_without_an_address_is_one_warning(parts: NoticeParts, journal: RecordingJournal) -> None:
    assert notify_owner(a_stop(), replace(parts, owners=FakeOwners(None)), journal) is Notified.NO_ADDRESS
    assert [level for level, _, _ in journal.lines] == ["warning"]
    assert journal.counts == {"NoticesWithoutAddress": 1}


def test_without_a_sender_nothing_is_sent_or_remembered(parts: NoticeParts, journal: RecordingJournal) -> None:
    assert notify_owner(a_stop(), replace(parts, mailer=None), journal) is Notified.NO_SENDER
    ((level, message, _),) = journal.lines
    assert level == "warning"
    assert "SenderAddress" in message
    assert journal.counts == {"NoticesWithoutSender": 1}
    assert notify_owner(a_stop(), parts, journal) is Notified.SENT


def test_a_refusal_says_the_remedy_is_not_raised_and_can_be_tried_again_by_hand(
    parts: NoticeParts, mailer: RecordingMailer, journal: RecordingJournal
) -> None:
    mailer.failures = [MailRefused("Verify the sender.", "MessageRejected")]
    assert notify_owner(a_stop(), parts, journal) is Notified.REFUSED
    ((level, _, fields),) = journal.lines
    assert (level, fields["reason"], fields["remedy"]) == ("error", "MessageRejected", "Verify the sender.")
    assert journal.counts == {"NoticesRefused": 1}
    assert notify_owner(a_stop(), parts, journal) is Notified.SENT


def test_a_failure_that_may_pass_is_raised_and_the_next_try_sends(
    parts: NoticeParts, mailer: RecordingMailer, journal: RecordingJournal
) -> None:
    mailer.failures = [MailUnavailable("busy")]
    with pytest.raises(MailUnavailable):
        notify_owner(a_stop(), parts, journal)
    assert notify_owner(a_stop(), parts, journal) is Notified.SENT
    assert len(mailer.sent) == 1


@pytest.mark.parametrize("error", [StorageUnavailable("busy"), UnderWay("busy")])
def test_what_the_table_cannot_say_is_raised(parts: NoticeParts, journal: RecordingJournal, error: Exception) -> None:
    class Busy:
        def once(self, *_: object) -> tuple[str, bool]:
            raise error

    with pytest.raises(type(error)):
        notify_owner(a_stop(), replace(parts, sent=Busy()), journal)


def test_the_owners_language_is_asked_for(
    parts: NoticeParts, journal: RecordingJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def remember(_stop: StoppedAccount, _account: Account, locale: str) -> object:
        asked.append(locale)
        return object()

    monkeypatch.setattr("popfetch.services.notify_owner.mail_about", remember)
    notify_owner(a_stop(), replace(parts, owners=FakeOwners(OwnerContact("a@example.com", "vi-VN"))), journal)
    assert asked == ["vi-VN"]


def test_a_contact_does_not_show_its_address() -> None:
    assert "@" not in repr(OwnerContact("a@example.com", "vi"))
