"""Hands one message over to a submission server: fulfils the port ``Submission``.

In this order: what the server announced it cannot take, MAIL, RCPT for each recipient, DATA, the message, its end.
Whatever fails on the way, the connection is let go of before the error is raised, so that nothing of a message that
counts as not sent can still go out.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from popfetch.domain.draft import Envelope
from popfetch.ports.submission import RefusedRecipient
from popfetch.smtp.classification import Moment, too_large, utf8_not_offered
from popfetch.smtp.commands import mail_from, rcpt_to
from popfetch.smtp.content import has_whole_lines, stuffed
from popfetch.smtp.errors import MessageRefused, SenderRefused, ServerPermanent, SignInRefused, SmtpError, TlsFailed

if TYPE_CHECKING:
    from popfetch.adapters.smtp_line import SubmissionLine

ACCEPTED = 250
RECIPIENT_ACCEPTED = frozenset({250, 251, 252})
GO_ON = 354
CLOSING = 421

NOT_THE_RECIPIENTS = (SenderRefused, SignInRefused, ServerPermanent, TlsFailed)
"""What a server that refuses a recipient may mean instead: whom it will not serve at all is who sends.

Postfix holds back what it has against the sender or the client until it is told the first recipient.
"""


class SmtpSubmission:
    """One signed-in conversation, for one message; ``deadline`` is in the loop's time and bounds all of it.

    Whoever is cancelled within ``transmit`` cannot know whether the message was sent.
    """

    def __init__(self, line: "SubmissionLine", deadline: float) -> None:
        self._line = line
        self._deadline = deadline
        self._accepted = 0

    async def begin(self, envelope: Envelope) -> list[RefusedRecipient]:
        """Tell the server of a message; returns the recipients that it refuses, each with its reason."""
        async with self._letting_go():
            addresses = (envelope.sender, *envelope.recipients)
            utf8 = envelope.needs_utf8 or not all(address.isascii() for address in addresses)
            self._check_offer(envelope.octets, utf8=utf8)
            octets = None if self._line.size_limit is None else envelope.octets
            mail = mail_from(envelope.sender, octets=octets, utf8=utf8)
            # All of them before the first word is written: one that cannot be sent leaves no half of an envelope.
            rcpts = [rcpt_to(recipient) for recipient in envelope.recipients]
            await self._tell_sender(mail)
            reasons = [await self._tell_recipient(rcpt) for rcpt in rcpts]
        self._accepted = reasons.count(None)
        named = zip(envelope.recipients, reasons, strict=True)
        return [RefusedRecipient(address, reason) for address, reason in named if reason]

    async def transmit(self, content: bytes) -> None:
        """Hand the message over; returns once the server has taken responsibility for it."""
        assert self._accepted, "begin comes first, and somebody must be left to send to"
        assert not self._line.ended, "a conversation is for one message"
        async with self._letting_go():
            if not has_whole_lines(content):
                raise MessageRefused("The message has a line that does not end with CRLF; nothing was sent.")
            go_ahead = await self._line.ask("DATA", b"DATA")
            if go_ahead.refuses:
                raise self._line.refused(go_ahead, Moment.DATA)
            if go_ahead.code != GO_ON:
                raise self._line.nonsense("DATA")
            outcome = await self._line.hand_over(stuffed(content))
            if outcome.refuses:
                raise self._line.refused(outcome, Moment.CONTENT)
            # Before the end there is nothing that a server could have taken yet.
            if not (self._line.ended and 200 <= outcome.code < 300):
                raise self._line.nonsense("the message")

    async def quit(self) -> None:
        """Say goodbye; what the server makes of that is its own affair."""
        await self._line.quit(self._deadline)

    async def abandon(self) -> None:
        """Drop the connection. Safe to call at any time."""
        await self._line.abandon()

    def _check_offer(self, octets: int, *, utf8: bool) -> None:
        limit = self._line.size_limit
        if limit and octets > limit:
            raise too_large(self._line.place, octets, limit)
        if utf8 and not self._line.offers_utf8:
            raise utf8_not_offered(self._line.place)

    async def _tell_sender(self, words: tuple[bytes, ...]) -> None:
        reply = await self._line.ask("MAIL", *words)
        if reply.refuses:
            raise self._line.refused(reply, Moment.MAIL)
        if reply.code != ACCEPTED:
            raise self._line.nonsense("MAIL")

    async def _tell_recipient(self, words: tuple[bytes, ...]) -> SmtpError | None:
        """Name a recipient; returns why the server refuses it, ``None`` where it does not."""
        reply = await self._line.ask("RCPT", *words)
        if reply.code in RECIPIENT_ACCEPTED:
            return None
        if not reply.refuses:
            raise self._line.nonsense("RCPT")
        refusal = self._line.refused(reply, Moment.RECIPIENT)
        if reply.code == CLOSING or isinstance(refusal, NOT_THE_RECIPIENTS):
            raise refusal
        return refusal

    @asynccontextmanager
    async def _letting_go(self) -> AsyncIterator[None]:
        """Keep to the deadline, and let go of the connection whatever is raised."""
        try:
            async with asyncio.timeout_at(self._deadline):
                yield
        except BaseException as error:
            await self._line.abandon()
            if isinstance(error, TimeoutError):
                raise self._line.out_of_time() from error
            raise
