"""Mail of popfetch's own that goes out in an account's name, where popfetch has no sender of its own."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from popfetch.domain.account import Account
from popfetch.domain.composition import ComposedMessage, compose_notice, message_id_for, sender_of
from popfetch.domain.draft import Correspondent
from popfetch.domain.notice import Mail
from popfetch.ports.invocation import Clock
from popfetch.services.outgoing_sessions import SENDING_SECONDS, OutgoingSessions, begun
from popfetch.services.sending_failures import nobody_taken, not_sent, refusal_of
from popfetch.smtp.errors import SmtpError, Unconfirmed


@dataclass(frozen=True, slots=True)
class AccountMail:
    """``AccountMailer`` through accounts' outgoing servers; no copy is kept."""

    sessions: OutgoingSessions
    clock: Clock
    run: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run
    random: Callable[[int], bytes] = field(default=secrets.token_bytes)
    seconds: float = SENDING_SECONDS

    def send(self, account: Account, address: str, mail: Mail) -> None:
        """Send a mail to one address. What the server never confirms counts as sent: it is asked for again if not.

        Raises what ``OutgoingSessions.open`` raises, and the leaves of MailNotSent.
        """
        sender = sender_of(account)
        composed = compose_notice(
            mail,
            sender,
            Correspondent.of(address),
            message_id=message_id_for(sender, self.random(20)),
            at=self.clock(),
        )
        self.run(self._send(account, composed))

    async def _send(self, account: Account, composed: ComposedMessage) -> None:
        session = await self.sessions.open(account, asyncio.get_running_loop().time() + self.seconds)
        try:
            if refused := await begun(session, composed.envelope):
                raise nobody_taken([refusal_of(one) for one in refused])
            with suppress(Unconfirmed):
                await session.transmit(composed.content)
            await session.quit()
        except SmtpError as error:
            raise not_sent(error) from error
        finally:
            await session.abandon()
