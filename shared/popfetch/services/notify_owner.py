"""Telling an owner, once, that an account needs their hand."""

from dataclasses import dataclass
from enum import StrEnum

from popfetch.domain.errors import AccountNotFound, MailRefused
from popfetch.domain.notice import StoppedAccount
from popfetch.notices.languages import mail_about
from popfetch.ports.accounts import AccountStore
from popfetch.ports.invocation import Journal, Once
from popfetch.ports.metrics import Metric
from popfetch.ports.owners import Mailer, OwnerDirectory


class Notified(StrEnum):
    """What became of a notice."""

    SENT = "sent"
    SENT_BEFORE = "sent_before"
    NOT_NEEDED = "not_needed"
    NO_SENDER = "no_sender"
    NO_ADDRESS = "no_address"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class NoticeParts:
    """What notices are made and sent with; ``mailer`` is ``None`` where the operator has named no sender."""

    accounts: AccountStore
    owners: OwnerDirectory
    sent: Once
    mailer: Mailer | None


def notify_owner(stop: StoppedAccount, parts: NoticeParts, journal: Journal) -> Notified:
    """Tell the owner of a stopped account by mail, unless that was done before or is not needed any more.

    Only a mail that the mail service has taken counts as sent, so that the same event may come again after anything
    else. Raises StorageUnavailable, MailUnavailable and UnderWay, after which it should.
    """
    whose: dict[str, object] = {"owner_id": stop.owner_id, "account_id": stop.account_id}
    if parts.mailer is None:
        journal.warning("an owner is not told of a stopped account: the parameter SenderAddress is empty", **whose)
        journal.count(Metric.NOTICES_WITHOUT_SENDER)
        return Notified.NO_SENDER
    mailer = parts.mailer
    try:
        record = parts.accounts.get(stop.owner_id, stop.account_id)
    except AccountNotFound:
        journal.info("a notice is not needed: the account is gone", **whose)
        return Notified.NOT_NEEDED
    account, latest = record.account, record.state.stop
    if account.standing is not stop.standing or (latest is not None and latest.at != stop.stopped_at):
        journal.info("a notice is not needed: the owner was quicker", **whose, standing=str(account.standing))
        return Notified.NOT_NEEDED
    contact = parts.owners.contact(stop.owner_id)
    if contact is None:
        journal.warning(
            "an owner cannot be told of a stopped account: no enabled user, or no verified address", **whose
        )
        journal.count(Metric.NOTICES_WITHOUT_ADDRESS)
        return Notified.NO_ADDRESS
    mail = mail_about(stop, account, contact.locale)
    try:
        message_id, now = parts.sent.once(stop.notice_id, lambda: mailer.send(contact.address, mail))
    except MailRefused as refused:
        refusal = refused
    else:
        if not now:
            journal.info("a notice was sent before", **whose)
            return Notified.SENT_BEFORE
        journal.info("an owner was told of a stopped account", **whose, code=stop.code, message_id=message_id)
        journal.count(Metric.NOTICES_SENT)
        return Notified.SENT
    # outside of the handling: the exception that would be logged with it names addresses
    journal.error("a notice was refused and is not tried again", **whose, reason=refusal.reason, remedy=refusal.message)
    journal.count(Metric.NOTICES_REFUSED)
    return Notified.REFUSED
