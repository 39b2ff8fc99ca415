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
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from popfetch.domain.account import Account
from popfetch.domain.composition import ComposedMessage, compose, message_id_for, sender_of
from popfetch.domain.draft import Attachment, Correspondent, Draft, Thread
from popfetch.domain.errors import (
    InvalidMail,
    StorageUnavailable,
    UnderWay,
)
from popfetch.domain.message import Delivery, DeliveryState, Refusal, StoredMessage
from popfetch.domain.message_identity import id_of_sent, is_message_id
from popfetch.ports.accounts import AccountStore
from popfetch.ports.invocation import Clock, Journal, Once
from popfetch.ports.mail_store import MailStore
from popfetch.ports.metrics import Metric
from popfetch.ports.stored_mail import SentMail, UploadOffer, Uploads
from popfetch.ports.submission import Submission
from popfetch.services.forwarding import ForwardedFile, Forwarding
from popfetch.services.outgoing_sessions import SENDING_SECONDS, OutgoingSessions, begun
from popfetch.services.sending_failures import attachments_too_large, nobody_taken, not_sent, refusal_of
from popfetch.smtp.errors import SmtpError, Unconfirmed

LONGEST_ATTACHMENTS = 50 * 1024 * 1024
"""Octets of a mail's attachments together; encoded they are a third more. Few servers take as much."""


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
    files: tuple[Attachment | UploadedFile | ForwardedFile, ...] = ()
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
    sessions: OutgoingSessions
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
            sent: StoredMessage = self.run(self._send(account, command))
            return sent
        mine: list[StoredMessage] = []

        def send() -> str:
            mine.append(self.run(self._send(account, command)))
            return mine[0].message_id

        message_id, _ = once(account.account_id).once(command.key, send, command.fingerprint)
        if mine:
            return mine[0]
        earlier: StoredMessage | None = self.run(self.sent.earlier(account.account_id, command.key_hash))
        if earlier is None or earlier.message_id != message_id:
            raise StorageUnavailable("What this key has sent cannot be read at the moment; ask again.")
        return _as_found(earlier)

    def offer_upload(self, owner_id: str, account_id: str, octets: int) -> UploadOffer:
        """An address for a file that is too large to come with the request. Raises AccountNotFound."""
        self.accounts.get(owner_id, account_id)
        return self.uploads.offer(owner_id, octets, self.clock())

    # --- One conversation -------------------------------------------------------------------------------------

    async def _send(self, account: Account, command: SendMail) -> StoredMessage:
        deadline = asyncio.get_running_loop().time() + self.seconds
        if command.key_hash and (earlier := await self.sent.earlier(account.account_id, command.key_hash)):
            return _as_found(earlier)
        self.sessions.check(account)
        sender = sender_of(account)
        reply_to = Correspondent.of(account.reply_to.in_force) if account.reply_to.in_force else None
        now = self.clock()
        # The same for the same key, so that a second copy is known for one.
        unique = bytes.fromhex(command.key_hash)[:20] if command.key_hash else self.random(20)
        header_id = message_id_for(sender, unique)
        draft = await self._completed(account, command)
        composed = compose(draft, sender, reply_to=reply_to, message_id=header_id, at=now)
        session = await self.sessions.open(account, deadline)
        try:
            refused = [refusal_of(one) for one in await begun(session, composed.envelope)]
            if len(refused) == len(composed.envelope.recipients):
                raise nobody_taken(refused)
            message = self._copy(account, draft, composed, refused, header_id)
            if not await self.sent.begin(message, composed.content, command.key_hash):
                raise UnderWay(
                    "This mail is being sent by another request with the same key; ask again for its outcome."
                )
            message = await self._handed_over(session, composed, message, command.key_hash)
            self._tell(message)
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

    # --- The message ------------------------------------------------------------------------------------------

    async def _completed(self, account: Account, command: SendMail) -> Draft:
        """The draft with its files and its thread."""
        files: list[Attachment] = []
        left = LONGEST_ATTACHMENTS
        forwarding = Forwarding(self.accounts, self.sent, account.owner_id, account.account_id)
        for file in command.files:
            match file:
                case UploadedFile(upload_id, filename, content_type, content_id):
                    content = await self.uploads.read(account.owner_id, upload_id, left)
                    whole = Attachment(filename, content_type, content, content_id)
                case ForwardedFile():
                    if (taken := await forwarding.file(file, left)) is None:
                        raise attachments_too_large(LONGEST_ATTACHMENTS)
                    whole = taken
                case Attachment():
                    whole = file
            left -= len(whole.content)
            if left < 0:
                raise attachments_too_large(LONGEST_ATTACHMENTS)
            files.append(whole)
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

    def _copy(
        self,
        account: Account,
        draft: Draft,
        composed: ComposedMessage,
        refused: Sequence[Refusal],
        header_id: str,
    ) -> StoredMessage:
        sender, now = sender_of(account), self.clock()
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
            sender=(f"{account.name} <{account.email}>" if sender.name else account.email)[:120],
            subject=draft.subject[:200],
            header_message_id=header_id,
            delivery=Delivery(DeliveryState.SENDING, taken, tuple(refused)),
        )

    def _tell(self, message: StoredMessage) -> None:
        assert message.delivery is not None
        self.journal.count(Metric.MAILS_SENT)
        self.journal.info(
            "mail sent",
            **_whose(message),
            state=str(message.delivery.state),
            octets=message.octets,
            recipients=len(message.delivery.recipients),
            refused=len(message.delivery.refused),
        )


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
