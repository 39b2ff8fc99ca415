"""Opens conversations with submission servers: fulfils the ports ``SubmissionDialer`` and ``SubmissionTrial``.

In this order, each only if the one before it went well: credentials that fit on their lines, a host that the guard lets
pass, connection, EHLO, TLS, EHLO again, sign-in. What fails leaves no connection behind.
"""

import asyncio
import ssl
from base64 import b64decode
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from popfetch.adapters.host_guard import CheckedHost, HostGuard
from popfetch.adapters.mail_sockets import UnreadableBundle, client_context
from popfetch.dialogue.sasl import CANCEL, Credentials, Exchange
from popfetch.domain.account import AuthMethod, Security, Server
from popfetch.domain.secret import Secret
from popfetch.pop3.errors import ConnectionFailed as HostNotFound
from popfetch.smtp.classification import Moment, mechanism_refused
from popfetch.smtp.errors import (
    ConnectionFailed,
    DeadlineReached,
    ProtocolViolation,
    SmtpError,
    TlsFailed,
    UnusableCredentials,
)
from popfetch.smtp.limits import DEFAULT_LIMITS, Limits
from popfetch.smtp.replies import Reply
from popfetch.smtp.sign_in import EXCHANGES, LONGEST_AUTH_LINE, Way, check, ways_with_password, ways_with_token

if TYPE_CHECKING:
    from popfetch.adapters.smtp_line import SubmissionLine
    from popfetch.adapters.smtp_submission import SmtpSubmission

SIGNED_IN = 235
CHALLENGE = 334


class SmtpDialer:
    """Opens conversations with submission servers that the guard lets pass; give it a guard for ``SUBMISSION_PORTS``.

    ``ca_file`` is a PEM bundle trusted in addition to the public authorities.
    """

    def __init__(self, guard: HostGuard, *, ca_file: str | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        self._guard = guard
        self._ca_file = ca_file
        self._limits = limits

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Once a process, and only when TLS is used: see ``client_context``.
        try:
            return client_context(self._ca_file)
        except UnreadableBundle as error:
            raise TlsFailed(str(error)) from error

    async def sign_in(self, server: Server, secret: Secret, deadline: float) -> None:
        """Connect, protect, sign in, and say goodbye; ``deadline`` is in the loop's time and bounds all of it."""
        submission = await self.open(server, secret, deadline)
        try:
            await submission.quit()
        finally:
            await submission.abandon()

    async def open(self, server: Server, secret: Secret, deadline: float) -> "SmtpSubmission":
        """Connect, protect, sign in; ``deadline`` is in the loop's time and bounds the whole conversation."""
        # The library is needed only here, and half of what it imports is for building messages.
        from popfetch.adapters.smtp_line import SubmissionLine
        from popfetch.adapters.smtp_submission import SmtpSubmission

        credentials = Credentials(server.username, secret.reveal())
        check(credentials)
        if server.auth is AuthMethod.OAUTH2 and server.security is Security.NONE:
            raise UnusableCredentials("An access token is only sent over TLS; choose TLS or STARTTLS.")
        host = await self._check(server, deadline)
        line = SubmissionLine(host, server.security, self._limits, credentials.traces())
        try:
            async with asyncio.timeout_at(deadline):
                await line.connect(lambda: self._tls, deadline)
                await _prove_identity(line, server.auth, credentials)
        except BaseException as error:
            await line.abandon()
            if isinstance(error, TimeoutError):
                raise line.out_of_time() from error
            raise
        return SmtpSubmission(line, deadline)

    async def _check(self, server: Server, deadline: float) -> CheckedHost:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._guard.check(server.host, server.port)
        except TimeoutError as error:
            raise DeadlineReached(f"The time was over before {server.host} was found.") from error
        except HostNotFound as error:
            # The guard knows no protocol but uses POP3's error for a name that leads nowhere.
            raise ConnectionFailed(error.message) from error


async def _prove_identity(line: "SubmissionLine", auth: AuthMethod, credentials: Credentials) -> None:
    """Sign in by the best way there is; by the next one only where the last refusal was of the mechanism."""
    if auth is AuthMethod.OAUTH2:
        ways = ways_with_token(line.mechanisms)
        what = "access token"
    else:
        ways = ways_with_password(line.mechanisms, protected=line.protected)
        what = "password"
    refusal: SmtpError | None = None
    for way in ways:
        try:
            reply = await _try(line, way, credentials)
        except ConnectionFailed:
            # Servers like to hang up after a refusal; the refusal is what matters.
            if refusal is None:
                raise
            break
        except _NoSense as nonsense:
            refusal = nonsense.violation
            continue
        if reply.code == SIGNED_IN:
            return
        refusal = line.refused(reply, Moment.SIGN_IN)
        if not mechanism_refused(reply):
            break
    raise refusal or line.offers_no_way(what)


async def _try(line: "SubmissionLine", way: Way, credentials: Credentials) -> Reply:
    """Run one exchange; returns its outcome, which is ``SIGNED_IN`` or a refusal."""
    exchange = EXCHANGES[way](credentials)
    initial = exchange.initial_response(LONGEST_AUTH_LINE)
    reply = await line.ask("AUTH", b"AUTH", way.value.encode("ascii"), *([initial] if initial else []))
    step = 0 if initial is None else 1
    while reply.code == CHALLENGE:
        answer = exchange.answer(step, reply.text)
        if answer is None:
            await _cancel(line, exchange, step)
        else:
            _hide(line, way, answer)
            step += 1
            reply = await line.ask("AUTH", answer)
    if reply.code != SIGNED_IN and not reply.refuses:
        raise _violation(line, exchange)
    return reply


async def _cancel(line: "SubmissionLine", exchange: Exchange, step: int) -> NoReturn:
    """End an exchange that makes no sense; another way may be tried only where nothing was told in this one."""
    violation = _violation(line, exchange)
    reply = await line.ask("AUTH", CANCEL)
    if step > 0 or not reply.refuses:
        raise violation
    raise _NoSense(violation)


def _violation(line: "SubmissionLine", exchange: Exchange) -> ProtocolViolation:
    return ProtocolViolation(f"{line.place} does not keep to {exchange.mechanism}, the way to sign in that it offers.")


def _hide(line: "SubmissionLine", way: Way, answer: bytes) -> None:
    shown = answer.decode("ascii")
    line.hide(shown)
    line.hide(shown.rstrip("="))
    if way is Way.CRAM_MD5:
        line.hide(b64decode(answer).decode().rpartition(" ")[2])


class _NoSense(Exception):
    """The server's challenge made no sense, and nothing was told yet."""

    def __init__(self, violation: ProtocolViolation) -> None:
        super().__init__()
        self.violation = violation
