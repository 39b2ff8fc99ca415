"""Opens conversations with submission servers: fulfils the ports ``SubmissionDialer`` and ``SubmissionTrial``.

In this order, each only if the one before it went well: credentials that fit on their lines, a host that the guard lets
pass, connection, EHLO, TLS, EHLO again, sign-in. A server that hangs up at or after a way to show an access token that
it does not take, is dialled again for the next. What fails leaves no connection behind.
"""

import asyncio
import ssl
from base64 import b64decode
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from popfetch.adapters.host_guard import CheckedHost, HostGuard
from popfetch.adapters.mail_sockets import UnreadableBundle, client_context
from popfetch.dialogue.bearer import Attempt, Verdict, after_refusal
from popfetch.dialogue.sasl import ACKNOWLEDGEMENTS, CANCEL, Credentials, Exchange, SecretKind
from popfetch.domain.account import AuthMethod, Security, Server
from popfetch.domain.secret import Secret
from popfetch.pop3.errors import ConnectionFailed as HostNotFound
from popfetch.smtp.classification import Moment, mechanism_refused, token_verdict
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
from popfetch.smtp.sign_in import EXCHANGES, LONGEST_AUTH_LINE, check, token_attempts, ways_with_password

if TYPE_CHECKING:
    from popfetch.adapters.smtp_line import SubmissionLine
    from popfetch.adapters.smtp_submission import SmtpSubmission

SIGNED_IN = 235
CHALLENGE = 334
NOT_ACCEPTED = 535

_KINDS = {AuthMethod.PASSWORD: SecretKind.PASSWORD, AuthMethod.OAUTH2: SecretKind.ACCESS_TOKEN}


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
        credentials = Credentials(server.username, secret.reveal(), _KINDS[server.auth])
        check(credentials)
        if server.auth is AuthMethod.OAUTH2 and server.security is Security.NONE:
            raise UnusableCredentials("An access token is only sent over TLS; choose TLS or STARTTLS.")
        host = await self._check(server, deadline)
        opening = _Opening()
        refusal: SmtpError | None = None
        while True:
            try:
                return await self._sign_in(host, server, credentials, opening, deadline)
            except _ClosedAfterRefusal as closed:
                refusal = closed.refusal
            except ConnectionFailed as error:
                # Servers like to hang up after a refusal; the refusal is what matters.
                if refusal is None:
                    raise
                raise refusal from error

    async def _sign_in(
        self, host: CheckedHost, server: Server, credentials: Credentials, opening: "_Opening", deadline: float
    ) -> "SmtpSubmission":
        # The library is needed only here, and half of what it imports is for building messages.
        from popfetch.adapters.smtp_line import SubmissionLine
        from popfetch.adapters.smtp_submission import SmtpSubmission

        line = SubmissionLine(host, server.security, self._limits, credentials)
        try:
            async with asyncio.timeout_at(deadline):
                await line.connect(lambda: self._tls, deadline)
                if credentials.kind is SecretKind.ACCESS_TOKEN:
                    await _prove_by_token(line, credentials, opening)
                else:
                    await _prove_by_password(line, credentials)
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


@dataclass(slots=True)
class _Opening:
    """What is learned of a server while it is dialled, one connection after another."""

    attempts: tuple[Attempt, ...] | None = None
    """What is left to try with an access token; ``None`` until it is known what the server offers."""


class _ClosedAfterRefusal(Exception):
    """The server closed the connection at or after a way to sign in that it refused, and another may be tried."""

    def __init__(self, refusal: SmtpError) -> None:
        super().__init__()
        self.refusal = refusal


async def _prove_by_password(line: "SubmissionLine", credentials: Credentials) -> None:
    """Sign in by the best way there is; by the next one only where the last refusal was of the mechanism."""
    refusal: SmtpError | None = None
    for way in ways_with_password(line.mechanisms, protected=line.protected):
        exchange = EXCHANGES[way](credentials)
        try:
            reply = await _exchange(line, exchange, exchange.initial_response(LONGEST_AUTH_LINE), [])
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
    raise refusal or line.offers_no_way()


async def _prove_by_token(line: "SubmissionLine", credentials: Credentials, opening: _Opening) -> None:
    """Sign in with an access token, by what is left to try (see ``bearer``); what is tried now is taken off that."""
    if opening.attempts is None:
        opening.attempts = token_attempts(line.mechanisms, credentials)
    refusal: SmtpError | None = None
    while opening.attempts:
        attempt = opening.attempts[0]
        challenges: list[bytes] = []
        try:
            reply = await _exchange(line, attempt.exchange, attempt.initial_response, challenges)
        except (ConnectionFailed, ProtocolViolation) as error:
            complaint = attempt.complaint(challenges)
            if complaint is not None:
                # The token is judged; how the server ends the conversation says no more.
                judged = Reply(NOT_ACCEPTED, complaint.status.encode())
                raise line.refused(judged, Moment.SIGN_IN, complaint) from error
            if challenges or not line.hung_up:
                raise
            if refusal is not None:
                raise _ClosedAfterRefusal(refusal) from error
            opening.attempts = after_refusal(opening.attempts, Verdict.FORM)
            if not opening.attempts:
                raise
            raise _ClosedAfterRefusal(error) from error
        if reply.code == SIGNED_IN:
            return
        refusal = line.refused(reply, Moment.SIGN_IN, attempt.complaint(challenges))
        opening.attempts = after_refusal(opening.attempts, token_verdict(reply, challenged=bool(challenges)))
    raise refusal or line.offers_no_way()


async def _exchange(
    line: "SubmissionLine", exchange: Exchange, initial: bytes | None, challenges: list[bytes]
) -> Reply:
    """Run one exchange; returns its outcome, which is ``SIGNED_IN`` or a refusal.

    What the server sends on the way is added to ``challenges``.
    """
    mechanism = exchange.mechanism.encode("ascii")
    reply = await line.ask("AUTH", b"AUTH", mechanism, *([initial] if initial else []))
    step = 0 if initial is None else 1
    while reply.code == CHALLENGE:
        challenges.append(reply.text)
        answer = exchange.answer(step, reply.text)
        if answer is None:
            await _cancel(line, exchange, step)
        else:
            if answer not in ACKNOWLEDGEMENTS:
                _hide(line, exchange, answer)
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


def _hide(line: "SubmissionLine", exchange: Exchange, answer: bytes) -> None:
    shown = answer.decode("ascii")
    line.hide(shown)
    line.hide(shown.rstrip("="))
    if exchange.mechanism == "CRAM-MD5":
        line.hide(b64decode(answer).decode().rpartition(" ")[2])


class _NoSense(Exception):
    """The server's challenge made no sense, and nothing was told yet."""

    def __init__(self, violation: ProtocolViolation) -> None:
        super().__init__()
        self.violation = violation
