"""Trying to sign in before anything is kept: at the incoming server, at the outgoing one, or at both at once.

What goes wrong is told in few, coarse kinds and in words for the owner. Whatever is no mail server of the kind that
was asked for is one kind with one sentence, so that nobody learns from it which ports of a host are open.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from popfetch.dialogue.errors import MailServerError
from popfetch.domain.account import AuthMethod, Direction, Server
from popfetch.domain.errors import PopfetchError
from popfetch.domain.secret import Secret
from popfetch.pop3.errors import ConnectionFailed, MaildropBusy, Pop3Error
from popfetch.ports.maildrop import DialAdvice, MaildropDialer
from popfetch.ports.submission import HostCheck, SubmissionTrial

SIGN_IN_SECONDS = 20.0
"""How long a test may take, both servers side by side; the API answers within 29 seconds."""

SIGN_IN_SECONDS_BY_TOKEN = 15.0
"""How long it may take where a token was waited for before."""


class SignInTestFailed(PopfetchError):
    """A server did not let popfetch in, so that nothing was stored.

    ``also`` is the failure of the account's other server, where both were tried and both failed.
    """

    code = "server_error"

    def __init__(self, message: str, direction: Direction = Direction.INCOMING, server_said: str = "") -> None:
        super().__init__(message)
        self.direction = direction
        self.server_said = server_said
        self.also: SignInTestFailed | None = None


class CannotConnect(SignInTestFailed):
    """No server of the kind was reached."""

    code = "cannot_connect"


class TlsTestFailed(SignInTestFailed):
    """No trustworthy TLS with the server: its certificate, or no TLS at all."""

    code = "tls_failed"


class SignInTestRefused(SignInTestFailed):
    """The server does not accept user name and password."""

    code = "sign_in_refused"


class PopSwitchedOff(SignInTestFailed):
    """The provider has POP switched off for this mailbox."""

    code = "pop_not_enabled"


class SignInSwitchedOff(SignInTestFailed):
    """The outgoing server offers no sign-in with a password."""

    code = "sign_in_off"


class SignInTooFrequent(SignInTestFailed):
    """The server wants longer pauses between sign-ins."""

    code = "too_frequent"


class MaildropTestBusy(SignInTestFailed):
    """Another program is signed in to the mailbox, and the server did not say whether the password was right."""

    code = "maildrop_busy"


@dataclass(frozen=True, slots=True)
class SignInTrial:
    """One server to sign in to."""

    direction: Direction
    server: Server
    secret: Secret


@dataclass(frozen=True, slots=True)
class SignInTester:
    """Signs in and out again, and does nothing else; ``run`` runs its conversations to their end."""

    maildrops: MaildropDialer
    submissions: SubmissionTrial
    hosts: Mapping[Direction, HostCheck]
    run: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run

    def test(self, trials: Sequence[SignInTrial], *, sign_in: bool, seconds: float = SIGN_IN_SECONDS) -> int:
        """Try servers side by side; returns the seconds that the incoming one wants between sign-ins (0 for none).

        Without ``sign_in`` nobody is connected to, and only hosts that must not be named are found out. Raises
        HostRefused, and the leaves of SignInTestFailed: the incoming server's failure first.
        """
        if not trials:
            return 0
        if not sign_in:
            self.check_hosts([(trial.server, trial.direction) for trial in trials])
            return 0
        pause: int = self.run(self.try_all(trials, seconds))
        return pause

    def check_hosts(self, servers: Sequence[tuple[Server, Direction]]) -> None:
        """Find out hosts that must not be named; nobody is connected to. Raises HostRefused."""
        self.run(self._check_hosts(servers))

    async def _check_hosts(self, servers: Sequence[tuple[Server, Direction]]) -> None:
        for server, direction in servers:
            # a name that leads nowhere today is its owner's affair
            with suppress(ConnectionFailed):
                await self.hosts[direction].check(server.host, server.port)

    async def try_all(self, trials: Sequence[SignInTrial], seconds: float) -> int:
        """Try servers side by side within ``seconds``; returns and raises as ``test`` does."""
        deadline = asyncio.get_running_loop().time() + seconds
        outcomes = await asyncio.gather(*(self._try(trial, deadline) for trial in trials), return_exceptions=True)
        failures: list[SignInTestFailed] = []
        for outcome in outcomes:
            if isinstance(outcome, SignInTestFailed):
                failures.append(outcome)
            elif isinstance(outcome, BaseException):
                raise outcome
        if failures:
            first, *others = sorted(failures, key=lambda failure: failure.direction)
            first.also = others[0] if others else None
            raise first
        return sum(outcome for outcome in outcomes if isinstance(outcome, int))

    async def _try(self, trial: SignInTrial, deadline: float) -> int:
        incoming = trial.direction is Direction.INCOMING
        attempt: Awaitable[int] = self._incoming(trial, deadline) if incoming else self._outgoing(trial, deadline)
        try:
            async with asyncio.timeout_at(deadline):
                return await attempt
        except TimeoutError as error:
            raise told("deadline", trial) from error
        except MailServerError as error:
            if isinstance(error, MaildropBusy) and error.explicit:
                return 0
            raise told(error.code, trial, error) from error

    async def _incoming(self, trial: SignInTrial, deadline: float) -> int:
        maildrop = await self.maildrops.open(trial.server, trial.secret, DialAdvice(), deadline)
        try:
            with suppress(Pop3Error, TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await maildrop.quit()
        finally:
            await maildrop.abandon()
        return maildrop.login_delay

    async def _outgoing(self, trial: SignInTrial, deadline: float) -> int:
        await self.submissions.sign_in(trial.server, trial.secret, deadline)
        return 0


_NOT_REACHED = (
    "No {kind} server was reached at {host}, port {port}; check the spelling of the host, the port and the security "
    "({usual}), or try again later."
)
_TOLD: Mapping[str, tuple[type[SignInTestFailed], str]] = {
    "authentication": (
        SignInTestRefused,
        (
            "{host} does not accept this user name and password; check both. Some providers want an app password, "
            "or {kind} to be switched on first."
        ),
    ),
    "consent_needed": (
        SignInTestRefused,
        "What was consented to at the provider does not cover {kind}; sign in there again, and allow all of it.",
    ),
    "pop_not_enabled": (
        PopSwitchedOff,
        "{host} has POP switched off for this mailbox; switch it on in the provider's settings, then try again.",
    ),
    "sign_in_off": (
        SignInSwitchedOff,
        (
            "{host} offers no sign-in with a password here; check the port, or have sending by SMTP switched on at "
            "the provider."
        ),
    ),
    "in_use": (
        MaildropTestBusy,
        "Another program is signed in to this mailbox; close it or wait a few minutes, then try again.",
    ),
    "login_too_frequent": (
        SignInTooFrequent,
        "{host} wants longer pauses between sign-ins; wait a quarter of an hour, then try again.",
    ),
    "tls": (TlsTestFailed, "{reason}"),
    "network": (CannotConnect, _NOT_REACHED),
    "deadline": (CannotConnect, _NOT_REACHED),
    "temporary": (SignInTestFailed, "{host} has a problem of its own at the moment; try again later."),
    "permanent": (SignInTestFailed, "{host} does not give access to this mailbox; its provider can say why."),
}
_TOLD_OF_TOKENS: Mapping[str, tuple[type[SignInTestFailed], str]] = {
    "authentication": (
        SignInTestRefused,
        (
            "{host} does not accept the sign-in by OAuth 2 for {username}; sign in at the provider as the very mailbox "
            "that this account is for, and see there whether {kind} is switched on."
        ),
    ),
    "sign_in_off": (
        SignInSwitchedOff,
        "{host} offers no sign-in by OAuth 2 here; check the port, or have {kind} switched on at the provider.",
    ),
}
"""What is told in other words where an access token took the password's place."""

_UNEXPECTED = (
    SignInTestFailed,
    "{host}, port {port}, does not answer as a {kind} server does; check host, port and security.",
)
_QUOTED = _TOLD.keys() - {"tls", "network", "deadline"}
"""The kinds by which a server has shown that it speaks the protocol, so that its own words may go along."""

_KIND = {Direction.INCOMING: "POP3", Direction.OUTGOING: "SMTP"}
_USUAL = {
    Direction.INCOMING: "995 goes with TLS, 110 with STARTTLS",
    Direction.OUTGOING: "465 goes with TLS, 587 with STARTTLS",
}


def told(code: str, trial: SignInTrial, error: MailServerError | None = None) -> SignInTestFailed:
    """A failure to get in, in words for the owner, with the server's own where they may go along."""
    by_token = trial.server.auth is AuthMethod.OAUTH2
    failure, words = (_TOLD_OF_TOKENS if by_token else {}).get(code) or _TOLD.get(code, _UNEXPECTED)
    message = words.format(
        host=trial.server.host,
        username=trial.server.username,
        port=trial.server.port,
        kind=_KIND[trial.direction],
        usual=_USUAL[trial.direction],
        reason=error.message if error else "",
    )
    said = error.server_text if error and code in _QUOTED else ""
    return failure(message, trial.direction, "" if trial.secret.reveal() in said else said)
