"""Sending a mail as an account, through its own server, once.

The order is what makes it honest. Nothing is written down before the server has agreed to everything but the message
itself; then the copy is kept and the key is marked; only then is the message handed over::

    sign in -> MAIL, RCPT -> copy kept, key marked -> DATA, message, its end -> answer -> written down

Before its end was written nothing is sent, and whatever goes wrong is told as that. Afterwards only the server knows:
where it does not say, neither do we, and the key that was marked never sends again. Someone who dies on the way leaves
the mark behind, and with it the same answer.
"""

import asyncio
import secrets
from base64 import b32encode
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from popfetch.domain.account import Account, Direction, Server
from popfetch.domain.composition import ComposedMessage, compose, compose_notice
from popfetch.domain.draft import Attachment, Correspondent, Draft, Thread
from popfetch.domain.errors import (
    AccountChanged,
    InvalidMail,
    NoOutgoingServer,
    OutgoingStopped,
    SecretUnreadable,
    StorageUnavailable,
    UnderWay,
)
from popfetch.domain.failures import OUTGOING_NEEDS_A_PERSON, after_outgoing_refusal, is_outgoing_stopped
from popfetch.domain.fetch_state import FetchState
from popfetch.domain.message import Delivery, DeliveryState, Refusal, StoredMessage
from popfetch.domain.message_identity import id_of_sent, is_message_id
from popfetch.domain.notice import Mail
from popfetch.domain.secret import Secret
from popfetch.ports import (
    AccountStore,
    Clock,
    CredentialVault,
    Journal,
    MailStore,
    Once,
    RefusedRecipient,
    SentMail,
    Submission,
    SubmissionDialer,
    UploadOffer,
    Uploads,
)
from popfetch.services.sending_failures import MailTooLarge, nobody_taken, not_sent
from popfetch.services.sign_in_trial import SignInTrial, check_can_be_tried, told
from popfetch.smtp.errors import SignInRefused, SmtpError, Unconfirmed

SENDING_SECONDS = 23.0
"""How long a conversation may take, from the request's first moment; the API answers within 29 seconds."""

LONGEST_ATTACHMENTS = 50 * 1024 * 1024
"""Octets of a mail's attachments together; encoded they are a third more. Few servers take as much."""

LONGEST_NOTE = 300
"""As much of a sentence, in characters, as the account keeps of a refused sign-in."""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """An attachment whose octets the owner has uploaded."""

    upload_id: str
    filename: str
    content_type: str
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class SendMail:
    """The command to send a mail.

    ``answers`` is the Message-ID of the message that this one answers, or the id of a stored one, of which the thread
    is read then; empty for neither. ``key`` is the owner's Idempotency-Key, empty for none, and ``fingerprint`` tells
    one request from another under the same key.
    """

    owner_id: str
    account_id: str
    draft: Draft
    files: tuple[Attachment | UploadedFile, ...] = ()
    answers: str = ""
    references: tuple[str, ...] = ()
    key: str = ""
    fingerprint: str = ""

    @property
    def key_hash(self) -> str:
        """What the key and its request are remembered by; empty without a key."""
        if not self.key:
            return ""
        return sha256(f"{self.account_id}\0{self.key}\0{self.fingerprint}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Sending:
    """The verbs that send. No call reaches another owner's account: it is not found."""

    accounts: AccountStore
    vault: CredentialVault
    dialer: SubmissionDialer
    sent: SentMail
    mail: MailStore
    uploads: Uploads
    journal: Journal
    clock: Clock
    run: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run
    random: Callable[[int], bytes] = field(default=secrets.token_bytes)
    seconds: float = SENDING_SECONDS

    def send(self, command: SendMail, once: Callable[[str], Once]) -> StoredMessage:
        """Send a mail; returns its copy, whose ``delivery`` says who gets it, or that nobody knows.

        The same key with the same request answers as it did before, and never sends again. ``once`` gives what was
        done for an account. Raises AccountNotFound, NoOutgoingServer, OutgoingStopped, InvalidMail, HostRefused,
        KeyReused, UnderWay, and the leaves of SignInTestFailed and of MailNotSent; nothing is sent then.
        """
        account = self.accounts.get(command.owner_id, command.account_id).account
        if not command.key:
            return self._sent(self.run(self._send(account, command)))
        mine: list[StoredMessage] = []

        def send() -> str:
            mine.append(self._sent(self.run(self._send(account, command))))
            return mine[0].message_id

        message_id, _ = once(account.account_id).once(command.key, send, command.fingerprint)
        if mine:
            return mine[0]
        earlier: StoredMessage | None = self.run(self.sent.earlier(account.account_id, command.key_hash))
        if earlier is None or earlier.message_id != message_id:
            raise StorageUnavailable("What this key has sent cannot be read at the moment; ask again.")
        return _as_found(earlier)

    def send_notice(self, account: Account, address: str, mail: Mail) -> None:
        """Send a mail of popfetch's own in an account's name; no copy is kept, and what nobody knows counts as sent.

        Raises NoOutgoingServer, OutgoingStopped, HostRefused, and the leaves of SignInTestFailed and of MailNotSent.
        """
        sender = Correspondent.of(account.email, account.name)
        composed = compose_notice(
            mail, sender, Correspondent.of(address), message_id=self._header_id(sender, ""), at=self.clock()
        )
        self.run(self._send_notice(account, composed))

    def offer_upload(self, owner_id: str, account_id: str, octets: int) -> UploadOffer:
        """An address for a file that is too large to come with the request. Raises AccountNotFound."""
        self.accounts.get(owner_id, account_id)
        return self.uploads.offer(owner_id, octets, self.clock())

    # --- One conversation -------------------------------------------------------------------------------------

    async def _send(self, account: Account, command: SendMail) -> StoredMessage:
        deadline = asyncio.get_running_loop().time() + self.seconds
        if command.key_hash and (earlier := await self.sent.earlier(account.account_id, command.key_hash)):
            return _as_found(earlier)
        server, secret = self._way_out(account)
        sender = Correspondent.of(account.email, account.name)
        reply_to = Correspondent.of(account.reply_to.in_force) if account.reply_to.in_force else None
        now = self.clock()
        header_id = self._header_id(sender, command.key_hash)
        draft = await self._completed(account, command)
        composed = compose(draft, sender, reply_to=reply_to, message_id=header_id, at=now)
        session = await self._signed_in(account, server, secret, deadline)
        try:
            refused = [_refusal(one) for one in await _begun(session, composed)]
            if len(refused) == len(composed.envelope.recipients):
                raise nobody_taken(refused)
            message = self._copy(account, draft, composed, refused, header_id)
            if not await self.sent.begin(message, composed.content, command.key_hash):
                raise UnderWay(
                    "This mail is being sent by another request with the same key; ask again for its outcome."
                )
            message = await self._handed_over(session, composed, message, command.key_hash)
            await session.quit()
        finally:
            await session.abandon()
        return message

    async def _handed_over(
        self, session: Submission, composed: ComposedMessage, message: StoredMessage, key_hash: str
    ) -> StoredMessage:
        """Hand a message over whose copy is kept; returns the copy with what became of it."""
        assert message.delivery is not None
        state = DeliveryState.SENT
        try:
            await session.transmit(composed.content)
        except Unconfirmed as unknown:
            state = DeliveryState.UNCONFIRMED
            self.journal.warning("a mail was handed over and not confirmed", **_whose(message), reason=unknown.message)
        except SmtpError as error:
            try:
                await self.sent.withdraw(message, key_hash)
            except StorageUnavailable:
                self.journal.error("the copy of a mail that was not sent is left behind", **_whose(message))
            raise not_sent(error) from error
        message = replace(message, delivery=replace(message.delivery, state=state))
        try:
            await self.sent.conclude(message)
        except StorageUnavailable:
            # It is sent all the same; the copy goes on saying that it is not known.
            self.journal.error("what became of a mail could not be noted", **_whose(message), state=str(state))
        return message

    async def _send_notice(self, account: Account, composed: ComposedMessage) -> None:
        deadline = asyncio.get_running_loop().time() + self.seconds
        server, secret = self._way_out(account)
        session = await self._signed_in(account, server, secret, deadline)
        try:
            if refused := await _begun(session, composed):
                raise nobody_taken([_refusal(one) for one in refused])
            with suppress(Unconfirmed):
                await _transmitted(session, composed)
            await session.quit()
        finally:
            await session.abandon()

    # --- The way out ------------------------------------------------------------------------------------------

    def _way_out(self, account: Account) -> tuple[Server, Secret]:
        """The outgoing server and its password."""
        if account.outgoing is None or account.outgoing_secret is None:
            raise NoOutgoingServer("This account has no outgoing server yet; add one to the account first.")
        check_can_be_tried(Direction.OUTGOING, account.outgoing)
        failure = account.outgoing_failure
        if failure is not None and is_outgoing_stopped(failure):
            raise OutgoingStopped(
                f"{account.outgoing.host} has refused the outgoing password of {account.email} too often, so that"
                " popfetch leaves it alone before the provider locks the mailbox. Set the outgoing password again; it"
                " may be the same as before."
            )
        try:
            secret = self.vault.open(account.outgoing_secret, account.owner_id, account.account_id, Direction.OUTGOING)
        except SecretUnreadable as error:
            self._mark(account, error.code, error.message, explicit=False)
            raise OutgoingStopped(
                f"The outgoing password that popfetch keeps for {account.email} cannot be opened; set it again."
            ) from error
        return account.outgoing, secret

    async def _signed_in(self, account: Account, server: Server, secret: Secret, deadline: float) -> Submission:
        try:
            session = await self.dialer.open(server, secret, deadline)
        except SmtpError as error:
            if error.code in OUTGOING_NEEDS_A_PERSON:
                explicit = isinstance(error, SignInRefused) and error.explicit
                self._mark(account, error.code, error.message, explicit=explicit)
            raise told(error.code, SignInTrial(Direction.OUTGOING, server, secret), error) from error
        if account.outgoing_failure is not None:
            self._note(account, lambda stored: replace(stored, outgoing_failure=None))
        return session

    def _mark(self, account: Account, code: str, message: str, *, explicit: bool) -> None:
        """Remember at the account that its outgoing server does not let popfetch in; collecting goes on."""
        now = self.clock()
        self.journal.count("OutgoingSignInsRefused")
        self._note(
            account,
            lambda stored: replace(
                stored,
                outgoing_failure=after_outgoing_refusal(
                    stored.outgoing_failure, code, message[:LONGEST_NOTE], explicit=explicit, now=now
                ),
            ),
        )

    def _note(self, account: Account, change: Callable[[Account], Account]) -> None:
        """Note something at the account, unless its way out is another one by now."""

        def noted(stored: Account, state: FetchState) -> tuple[Account, FetchState]:
            same = (stored.outgoing, stored.outgoing_secret) == (account.outgoing, account.outgoing_secret)
            return change(stored) if same else stored, state

        try:
            self.accounts.change(account.owner_id, account.account_id, noted)
        except (AccountChanged, StorageUnavailable) as error:
            self.journal.warning(
                "the state of an outgoing server was not noted",
                owner_id=account.owner_id,
                account_id=account.account_id,
                error=error.code,
            )

    # --- The message ------------------------------------------------------------------------------------------

    async def _completed(self, account: Account, command: SendMail) -> Draft:
        """The draft with its files and its thread."""
        files: list[Attachment] = []
        left = LONGEST_ATTACHMENTS
        for file in command.files:
            content = (
                await self.uploads.read(account.owner_id, file.upload_id, left)
                if isinstance(file, UploadedFile)
                else file.content
            )
            left -= len(content)
            if left < 0:
                raise MailTooLarge(
                    f"The attachments have more than {LONGEST_ATTACHMENTS >> 20} MB together, which is more than"
                    " popfetch sends; send fewer of them."
                )
            files.append(Attachment(file.filename, file.content_type, content, file.content_id))
        return replace(command.draft, attachments=tuple(files), thread=await self._thread(account, command))

    async def _thread(self, account: Account, command: SendMail) -> Thread | None:
        if not command.answers:
            return None
        if not is_message_id(command.answers):
            return Thread(command.answers, command.references or (command.answers,))
        if (thread := await self.sent.thread_of(account.account_id, command.answers)) is None:
            raise InvalidMail(
                "in_reply_to: there is no such message in this account, or it has no Message-ID to be answered to."
            )
        return thread

    def _header_id(self, sender: Correspondent, key_hash: str) -> str:
        """A Message-ID (RFC 5322, section 3.6.4): the same for the same key, so that copies are known for copies."""
        octets = sha256(f"{sender.address}\0{key_hash}".encode()).digest()[:20] if key_hash else self.random(20)
        return f"<{b32encode(octets).decode().lower()}@{sender.domain}>"

    def _copy(
        self,
        account: Account,
        draft: Draft,
        composed: ComposedMessage,
        refused: Sequence[Refusal],
        header_id: str,
    ) -> StoredMessage:
        now = self.clock()
        message_id = id_of_sent(now, self.random(10))
        turned_down = {one.address for one in refused}
        taken = tuple(address for address in composed.envelope.recipients if address not in turned_down)
        return StoredMessage(
            owner_id=account.owner_id,
            account_id=account.account_id,
            message_id=message_id,
            key=self.mail.key(account.owner_id, account.account_id, message_id, now),
            uid=b"",
            octets=len(composed.content),
            sha256=sha256(composed.content).digest(),
            dated=now,
            arrived=now,
            stored_at=now,
            sender=f"{account.name} <{account.email}>"[:120],
            subject=draft.subject[:200],
            header_message_id=header_id,
            delivery=Delivery(DeliveryState.SENDING, taken, tuple(refused)),
        )

    def _sent(self, message: StoredMessage) -> StoredMessage:
        assert message.delivery is not None
        self.journal.count("MailsSent")
        self.journal.info(
            "mail sent",
            **_whose(message),
            state=str(message.delivery.state),
            octets=message.octets,
            recipients=len(message.delivery.recipients),
            refused=len(message.delivery.refused),
        )
        return message


async def _begun(session: Submission, composed: ComposedMessage) -> list[RefusedRecipient]:
    try:
        return await session.begin(composed.envelope)
    except SmtpError as error:
        raise not_sent(error) from error


async def _transmitted(session: Submission, composed: ComposedMessage) -> None:
    try:
        await session.transmit(composed.content)
    except Unconfirmed:
        raise
    except SmtpError as error:
        raise not_sent(error) from error


def _refusal(one: RefusedRecipient) -> Refusal:
    return Refusal(one.address, one.reason.code, one.reason.message, one.reason.server_text)


def _as_found(message: StoredMessage) -> StoredMessage:
    """A message as it is found later: what is still being sent then was left behind by someone who died."""
    if message.delivery is None or message.delivery.state is not DeliveryState.SENDING:
        return message
    return replace(message, delivery=replace(message.delivery, state=DeliveryState.UNCONFIRMED))


def _whose(message: StoredMessage) -> dict[str, object]:
    return {
        "owner_id": message.owner_id,
        "account_id": message.account_id,
        "message_id": message.message_id,
    }
