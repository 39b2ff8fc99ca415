"""The address that replies to an account's mail go to: asked by mail, and in force once its reader has said so.

A question is written in this order, so that a link never works before it can be withdrawn, nor after its mail failed::

    count against the limits -> the link -> the question in the account -> the mail
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from popfetch.domain.account import Account
from popfetch.domain.errors import (
    AccountChanged,
    AccountNotFound,
    MailRefused,
    MailUnavailable,
    NoOutgoingServer,
    PopfetchError,
    ReplyToLinkInvalid,
    TooManyVerificationMails,
    VerificationMailRefused,
)
from popfetch.domain.fetch_state import FetchState
from popfetch.domain.notice import Mail, ReplyToQuestion
from popfetch.domain.reply_to import (
    LINK_LIFETIME,
    MAILS_OF_ACCOUNT,
    MAILS_TO_ADDRESS,
    NO_REPLY_TO,
    Question,
    ReplyTo,
    ReplyToLink,
    asked,
    confirmed,
    hash_of,
    mailbox_of,
    question_of,
    taken_back,
    withdrawn,
)
from popfetch.notices.languages import language_for, mail_asking
from popfetch.ports.accounts import AccountRecord, AccountStore
from popfetch.ports.invocation import Clock, Journal
from popfetch.ports.owners import AccountMailer, Mailer, OwnerDirectory
from popfetch.ports.rate_limits import RateLimits
from popfetch.ports.reply_to import ReplyToLinks
from popfetch.services.sending_failures import MailNotSent

BY_ACCOUNT = "REPLY_TO_ACCOUNT"
BY_ADDRESS = "REPLY_TO_ADDRESS"
"""What is counted: the mails that an account has asked for, and those that went to an address."""


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """What a link is about, and the language of the mail that it came with."""

    address: str
    account_email: str
    language: str


@dataclass(frozen=True, slots=True)
class ReplyToAddresses:
    """The verbs over reply addresses. No call reaches another owner's account: it is not found.

    ``mailer`` is ``None`` where the operator has named no sender; mail then goes through the account's own server by
    ``account_mailer``. ``new_token`` makes a token of 256 random bits.
    """

    store: AccountStore
    links: ReplyToLinks
    limits: RateLimits
    owners: OwnerDirectory
    mailer: Mailer | None
    account_mailer: AccountMailer
    journal: Journal
    clock: Clock
    new_token: Callable[[], str]

    def ask_for(self, owner_id: str, account_id: str, address: str, link_of: Callable[[str], str]) -> AccountRecord:
        """Ask an address by mail whether it wants the replies; ``link_of`` makes the link of a token.

        The same address again is asked again, with a new link. An address that is in force is not asked, and a
        question that was open is withdrawn. Raises AccountNotFound, NoOutgoingServer, TooManyVerificationMails,
        VerificationMailRefused, MailUnavailable, StorageUnavailable, AccountChanged, and what ``account_mailer``
        raises; the reply address is then as it was.
        """
        account = self.store.get(owner_id, account_id).account
        if address == account.reply_to.in_force:
            return self._keep(owner_id, account_id, address)
        send = self._way_to_send(account)
        self._count(account_id, address)
        contact = self.owners.contact(owner_id)
        locale = contact.locale if contact else ""
        token = self.new_token()
        question = Question(address, hash_of(token), self.clock() + LINK_LIFETIME)
        link = ReplyToLink(owner_id, account_id, language_for(locale), question.expires_at)
        self.links.keep(question.token_hash, link)
        before = NO_REPLY_TO

        def ask(account: Account, state: FetchState) -> tuple[Account, FetchState]:
            nonlocal before
            before = account.reply_to
            return replace(account, reply_to=asked(before, question)), state

        record = self.store.change(owner_id, account_id, ask)
        if record.account.reply_to.question != question:  # it was answered meanwhile
            self.links.forget(question.token_hash)
            return record
        try:
            about = ReplyToQuestion(address, record.account.email, link_of(token), question.expires_at)
            send(record.account, address, mail_asking(about, link.language))
        except Exception:
            self._take_back(record.account, question, before)
            raise
        self.journal.info("a reply address was asked", owner_id=owner_id, account_id=account_id)
        return record

    def look_at(self, token: str) -> OpenedLink:
        """What a link asks, which changes nothing. Raises ReplyToLinkInvalid and StorageUnavailable."""
        token_hash = hash_of(token)
        link = self._link(token_hash)
        try:
            account = self.store.get(link.owner_id, link.account_id).account
            question = question_of(account.reply_to, token_hash, self.clock())
        except (AccountNotFound, ReplyToLinkInvalid) as error:
            raise ReplyToLinkInvalid(link.language) from error
        return OpenedLink(question.address, account.email, link.language)

    def confirm(self, token: str) -> OpenedLink:
        """Put the address that a link asks into force, once.

        Raises ReplyToLinkInvalid, StorageUnavailable and AccountChanged.
        """
        token_hash = hash_of(token)
        link = self._link(token_hash)

        def confirm(account: Account, state: FetchState) -> tuple[Account, FetchState]:
            return replace(account, reply_to=confirmed(account.reply_to, token_hash, self.clock())), state

        try:
            account = self.store.change(link.owner_id, link.account_id, confirm).account
        except (AccountNotFound, ReplyToLinkInvalid) as error:
            raise ReplyToLinkInvalid(link.language) from error
        self.journal.info("a reply address was confirmed", owner_id=link.owner_id, account_id=link.account_id)
        return OpenedLink(account.reply_to.in_force, account.email, link.language)

    def remove(self, owner_id: str, account_id: str) -> None:
        """Take the reply address away, and the question that may be open. Raises AccountNotFound."""
        self._change(owner_id, account_id, lambda _: NO_REPLY_TO)

    def _keep(self, owner_id: str, account_id: str, address: str) -> AccountRecord:
        def keep(reply_to: ReplyTo) -> ReplyTo:
            if reply_to.in_force != address:
                raise AccountChanged("The account was changed meanwhile; try again.")
            return withdrawn(reply_to)

        return self._change(owner_id, account_id, keep)

    def _change(self, owner_id: str, account_id: str, change: Callable[[ReplyTo], ReplyTo]) -> AccountRecord:
        return self.store.change(
            owner_id,
            account_id,
            lambda account, state: (replace(account, reply_to=change(account.reply_to)), state),
        )

    def _link(self, token_hash: bytes) -> ReplyToLink:
        link = self.links.find(token_hash)
        if link is None:
            raise ReplyToLinkInvalid
        if self.clock() >= link.expires_at:
            raise ReplyToLinkInvalid(link.language)
        return link

    def _count(self, account_id: str, address: str) -> None:
        """Count one more mail. The account's limit goes first, so that nobody uses up another's address with it."""
        now = self.clock()
        if wait := self.limits.take(BY_ACCOUNT, account_id, MAILS_OF_ACCOUNT, now):
            raise TooManyVerificationMails("This account has asked for verification mails too often", wait)
        if wait := self.limits.take(BY_ADDRESS, mailbox_of(address), MAILS_TO_ADDRESS, now):
            raise TooManyVerificationMails("This address has been sent too many verification mails", wait)

    def _way_to_send(self, account: Account) -> Callable[[Account, str, Mail], None]:
        """popfetch's own sender where there is one, the account's own server otherwise. Raises NoOutgoingServer."""
        if self.mailer is not None:
            return self._send_as_popfetch
        if not account.can_send:
            raise NoOutgoingServer(
                "There is no way to send the verification mail: popfetch has no sender of its own here, and this "
                "account has no outgoing server. Set the account's outgoing server and its password, then try again."
            )
        return self._send_as_account

    def _send_as_popfetch(self, account: Account, address: str, mail: Mail) -> None:
        assert self.mailer is not None
        try:
            self.mailer.send(address, mail)
        except MailUnavailable:
            refusal = None
        except MailRefused as refused:
            refusal = refused
        else:
            return
        # outside of the handling: the exception that would be logged with it may name addresses
        if refusal is None:
            raise _unsent()
        self.journal.error(
            "a verification mail was refused",
            owner_id=account.owner_id,
            account_id=account.account_id,
            reason=refusal.reason,
            remedy=refusal.message,
        )
        raise VerificationMailRefused(
            "The verification mail cannot be sent to this address. Check its spelling; if it is right, ask whoever "
            "runs popfetch for you, or choose another address."
        )

    def _send_as_account(self, account: Account, address: str, mail: Mail) -> None:
        try:
            self.account_mailer.send(account, address, mail)
        except MailNotSent as error:
            failure = error
        else:
            return
        # outside of the handling and by its code alone: a server's words may name the address
        self.journal.warning(
            "a verification mail was not sent by the account's own server",
            owner_id=account.owner_id,
            account_id=account.account_id,
            reason=failure.code,
        )
        if failure.retryable:
            raise _unsent()
        raise VerificationMailRefused(
            f"The account's own outgoing server did not send the verification mail: {failure.message}",
            failure.server_said,
        )

    def _take_back(self, account: Account, question: Question, before: ReplyTo) -> None:
        """Leave nothing of a question that was not mailed; either of the two steps is enough for the link to fail."""

        def forget() -> None:
            self.links.forget(question.token_hash)

        def put_back() -> None:
            self._change(account.owner_id, account.account_id, lambda now: taken_back(now, question, before))

        for step in (forget, put_back):
            try:
                step()
            except PopfetchError as error:
                self.journal.warning(
                    "a question that was not mailed is left behind",
                    owner_id=account.owner_id,
                    account_id=account.account_id,
                    reason=error.code,
                )


def _unsent() -> MailUnavailable:
    return MailUnavailable("The verification mail could not be sent at the moment; try again in a few minutes.")
