"""Opens POP3 sessions: fulfils the port ``MaildropDialer``.

In this order, each only if the one before it went well: credentials that fit on their lines, a host that the guard lets
pass, connection and TLS, CAPA, sign-in. A server that hangs up at CAPA, or at or after one of several ways to sign in
that it does not take, is dialled again without that. What fails leaves no connection behind.
"""

import asyncio
import ssl
from dataclasses import dataclass, field
from functools import cached_property

from popfetch.adapters.host_guard import CheckedHost, HostGuard
from popfetch.adapters.mail_sockets import UnreadableBundle, client_context
from popfetch.adapters.per_loop import PerLoop
from popfetch.adapters.pop3_line import ClosedAtCapa, Line, out_of_place
from popfetch.adapters.pop3_maildrop import Pop3Maildrop
from popfetch.dialogue.bearer import Attempt, Verdict, after_refusal
from popfetch.dialogue.sasl import ACKNOWLEDGEMENTS, CANCEL, Exchange, SecretKind
from popfetch.domain.account import AuthMethod, Server
from popfetch.domain.secret import Secret
from popfetch.pop3 import commands
from popfetch.pop3.classification import Moment
from popfetch.pop3.errors import (
    ConnectionFailed,
    DeadlineReached,
    Pop3Error,
    ProtocolViolation,
    TlsFailed,
    UnusableCredentials,
)
from popfetch.pop3.events import Challenged, Replied
from popfetch.pop3.limits import DEFAULT_LIMITS, Limits
from popfetch.pop3.replies import Capabilities
from popfetch.pop3.sasl import LONGEST_AUTH_LINE, Credentials, apop_digest
from popfetch.pop3.sign_in import (
    EXCHANGES,
    Way,
    may_try_next,
    token_attempts,
    token_verdict,
    ways_with_password,
)
from popfetch.ports.maildrop import DialAdvice

WINDOW = 1000
"""The most commands that wait for their replies at once: enough for 9,000 messages a second at 80 ms round trip."""

_KINDS = {AuthMethod.PASSWORD: SecretKind.PASSWORD, AuthMethod.OAUTH2: SecretKind.ACCESS_TOKEN}


class Pop3Dialer:
    """Opens POP3 sessions with servers that the guard lets pass.

    ``ca_file`` is a PEM bundle trusted in addition to the public authorities.
    """

    def __init__(
        self,
        guard: HostGuard,
        *,
        ca_file: str | None = None,
        limits: Limits = DEFAULT_LIMITS,
        window: int = WINDOW,
    ) -> None:
        self._guard = guard
        self._ca_file = ca_file
        self._limits = limits
        self._window = window
        self._large_listings = PerLoop(asyncio.Lock)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Once a process, and only when TLS is used: see ``client_context``.
        try:
            return client_context(self._ca_file)
        except UnreadableBundle as error:
            raise TlsFailed(str(error)) from error

    async def open(self, server: Server, secret: Secret, advice: DialAdvice, deadline: float) -> Pop3Maildrop:
        """Connect, protect, sign in; ``deadline`` is in the loop's time and bounds the whole session.

        A server that closes the connection at CAPA is dialled again without it, and one that closes it after it
        refused a way to sign in, where there is another, is dialled again for that; the maildrop says so in
        ``capa_broke_session`` and ``apop_failed``. So is one that closes it at AUTH, without having judged the access
        token.
        """
        credentials = Credentials(server.username, secret.reveal(), _KINDS[server.auth])
        credentials.check()
        host = await self._check(server, deadline)
        opening = _Opening(advice)
        refusal: Pop3Error | None = None
        while True:
            try:
                return await self._sign_in(host, server, credentials, opening, deadline)
            except ClosedAtCapa:
                opening.capa_broke_session = True
            except _ClosedAfterRefusal as closed:
                refusal = closed.refusal
            except ConnectionFailed as error:
                # Servers like to hang up after a refusal; the refusal is what matters.
                if refusal is None:
                    raise
                raise refusal from error

    async def _check(self, server: Server, deadline: float) -> CheckedHost:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._guard.check(server.host, server.port)
        except TimeoutError as error:
            raise DeadlineReached(f"The time was over before {server.host} was found.") from error

    async def _sign_in(
        self, host: CheckedHost, server: Server, credentials: Credentials, opening: "_Opening", deadline: float
    ) -> Pop3Maildrop:
        line = Line(host, server.security, credentials, self._limits, deadline, self._large_listings.get())
        offer: Capabilities | None = None
        try:
            await line.connect(lambda: self._tls)
            if not opening.skips_capa:
                offer = await line.capabilities(signing_in=True)
            if credentials.kind is SecretKind.ACCESS_TOKEN:
                await _prove_by_token(line, credentials, offer, opening)
            else:
                await _prove_by_password(line, credentials, offer, opening.refused)
        except ConnectionFailed as error:
            await line.abandon()
            if offer is None and not opening.skips_capa and line.hung_up_at("USER"):
                # It refused CAPA and then hung up; no password was sent yet.
                raise ClosedAtCapa from error
            raise
        except BaseException:
            await line.abandon()
            raise
        return Pop3Maildrop(
            line,
            offer,
            opening.advice,
            self._window,
            capa_broke_session=opening.capa_broke_session,
            apop_failed=Way.APOP in opening.refused,
        )


@dataclass(slots=True)
class _Opening:
    """What is learned of a server while it is dialled, one connection after another."""

    advice: DialAdvice
    capa_broke_session: bool = False
    refused: set[Way] = field(init=False)
    attempts: tuple[Attempt, ...] | None = None
    """What is left to try with an access token; ``None`` until it is known what the server offers."""

    def __post_init__(self) -> None:
        self.refused = {Way.APOP} if self.advice.skip_apop else set()

    @property
    def skips_capa(self) -> bool:
        return self.advice.skip_capa or self.capa_broke_session


class _ClosedAfterRefusal(Exception):
    """The server closed the connection at or after a way to sign in that it refused, and another may be tried."""

    def __init__(self, refusal: Pop3Error) -> None:
        super().__init__(refusal)
        self.refusal = refusal


async def _prove_by_password(
    line: Line, credentials: Credentials, offer: Capabilities | None, refused: set[Way]
) -> None:
    """Sign in by the best way there is; by the next one only where that is safe (see ``sign_in``).

    Ways in ``refused`` are not tried; those that the server refuses now are added.
    """
    protected = line.protected
    timestamp = line.timestamp is not None and Way.APOP not in refused
    ways = ways_with_password(offer, timestamp=timestamp, protected=protected)
    refusal: Pop3Error | None = None
    for way in ways:
        if way in refused:
            continue
        try:
            outcome, sent = await _try(line, way, credentials)
        except ConnectionFailed as error:
            if refusal is None:
                raise
            raise _ClosedAfterRefusal(refusal) from error
        if outcome.accepted:
            return
        refused.add(way)
        refusal = line.classified(outcome, Moment.SIGN_IN)
        if not may_try_next(way, outcome.text, protected=protected, credentials_sent=sent):
            break
    raise refusal or ConnectionFailed(f"There is no way to sign in to {line.place}.")


async def _try(line: Line, way: Way, credentials: Credentials) -> tuple[Replied, bool]:
    """Try one way; returns its outcome and whether the credentials were on the wire by then."""
    if way is Way.APOP:
        digest = apop_digest(line.timestamp or b"", credentials.secret)
        line.hide(digest)
        return await line.ask(commands.apop(credentials.username, digest)), True
    if way is Way.USER:
        reply = await line.ask(commands.user(credentials.username))
        if not reply.accepted:
            return reply, False
        return await line.ask(commands.password(credentials.secret)), True
    exchange = EXCHANGES[way](credentials)
    return await _exchange(line, exchange, exchange.initial_response(LONGEST_AUTH_LINE), [])


async def _prove_by_token(line: Line, credentials: Credentials, offer: Capabilities | None, opening: _Opening) -> None:
    """Sign in with an access token, by what is left to try (see ``bearer``); what is tried now is taken off that."""
    if not line.protected:
        raise UnusableCredentials("An access token is only sent over TLS; choose TLS or STARTTLS.")
    if opening.attempts is None:
        opening.attempts = token_attempts(offer, credentials)
    refusal: Pop3Error | None = None
    while opening.attempts:
        attempt = opening.attempts[0]
        auth = commands.auth(attempt.exchange.mechanism, attempt.initial_response)
        challenges: list[bytes] = []
        try:
            outcome, sent = await _exchange(line, attempt.exchange, attempt.initial_response, challenges)
        except (ConnectionFailed, ProtocolViolation) as error:
            complaint = attempt.complaint(challenges)
            if complaint is not None and not isinstance(error, DeadlineReached):
                # The token is judged; how the server ends the conversation says no more.
                judged = Replied(auth, accepted=False, text=complaint.status.encode())
                raise line.classified(judged, Moment.SIGN_IN, complaint) from error
            if challenges or not line.hung_up_at(auth.name):
                raise
            if refusal is not None:
                raise _ClosedAfterRefusal(refusal) from error
            if offer is None and not opening.skips_capa and not attempt.on_one_line:
                # It refused CAPA and may have hung up for that; the token was not sent yet.
                raise ClosedAtCapa from error
            opening.attempts = after_refusal(opening.attempts, Verdict.FORM)
            if not opening.attempts:
                raise
            raise _ClosedAfterRefusal(error) from error
        if outcome.accepted:
            return
        refusal = line.classified(outcome, Moment.SIGN_IN, attempt.complaint(challenges))
        verdict = token_verdict(outcome.text, token_sent=sent, challenged=bool(challenges))
        opening.attempts = after_refusal(opening.attempts, verdict)
    raise refusal or ConnectionFailed(f"There is no way to sign in to {line.place}.")


async def _exchange(
    line: Line, exchange: Exchange, initial: bytes | None, challenges: list[bytes]
) -> tuple[Replied, bool]:
    """Run one SASL exchange; returns the same two, and adds what the server sends on the way to ``challenges``."""
    line.send(commands.auth(exchange.mechanism, initial))
    step = 0 if initial is None else 1
    cancelled = False
    while True:
        event = await line.next_event()
        if isinstance(event, Replied):
            return event, step > 0
        if cancelled or not isinstance(event, Challenged):
            raise out_of_place(event)
        challenges.append(event.challenge)
        answer = exchange.answer(step, event.challenge)
        if answer is None:
            cancelled = True
            line.answer(CANCEL)
            continue
        if answer not in ACKNOWLEDGEMENTS:
            line.hide(answer.decode("ascii"))
        step += 1
        line.answer(answer)
