"""Opens POP3 sessions: fulfils the port ``MaildropDialer``.

In this order, each only if the one before it went well: credentials that fit on their lines, a host that the guard lets
pass, connection and TLS, CAPA, sign-in. A server that hangs up at CAPA, or after it refused one of several ways to sign
in, is dialled again without that. What fails leaves no connection behind.
"""

import asyncio
import ssl
from dataclasses import dataclass, field
from functools import cached_property

from popfetch.adapters.host_guard import CheckedHost, HostGuard
from popfetch.adapters.pop3_line import ClosedAtCapa, Line, out_of_place
from popfetch.adapters.pop3_maildrop import Pop3Maildrop
from popfetch.adapters.tls_trust import client_context
from popfetch.domain.account import AuthMethod, Server
from popfetch.domain.secret import Secret
from popfetch.pop3 import commands
from popfetch.pop3.classification import Moment
from popfetch.pop3.errors import ConnectionFailed, DeadlineReached, Pop3Error, UnusableCredentials
from popfetch.pop3.events import Challenged, Replied
from popfetch.pop3.limits import DEFAULT_LIMITS, Limits
from popfetch.pop3.replies import Capabilities
from popfetch.pop3.sasl import CANCEL, Credentials, apop_digest
from popfetch.pop3.sign_in import EXCHANGES, Way, may_try_next, ways_with_password, ways_with_token
from popfetch.ports import DialAdvice

WINDOW = 512
"""The most commands that wait for their replies at once: enough for 2,000 messages a second at 80 ms round trip."""


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

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return client_context(self._ca_file)

    async def open(self, server: Server, secret: Secret, advice: DialAdvice, deadline: float) -> Pop3Maildrop:
        """Connect, protect, sign in; ``deadline`` is in the loop's time and bounds the whole session.

        A server that closes the connection at CAPA is dialled again without it, and one that closes it after it
        refused a way to sign in, where there is another, is dialled again for that; the maildrop says so in
        ``capa_broke_session`` and ``apop_failed``.
        """
        credentials = Credentials(server.username, secret.reveal())
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
        line = Line(host, server.security, credentials, self._limits, deadline)
        offer: Capabilities | None = None
        try:
            await line.connect(lambda: self._tls)
            if not opening.skips_capa:
                offer = await line.capabilities(signing_in=True)
            await _prove_identity(line, server.auth, credentials, offer, opening.refused)
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

    def __post_init__(self) -> None:
        self.refused = {Way.APOP} if self.advice.skip_apop else set()

    @property
    def skips_capa(self) -> bool:
        return self.advice.skip_capa or self.capa_broke_session


class _ClosedAfterRefusal(Exception):
    """The server closed the connection after it had refused a way to sign in, and another way may be tried."""

    def __init__(self, refusal: Pop3Error) -> None:
        super().__init__(refusal)
        self.refusal = refusal


async def _prove_identity(
    line: Line, auth: AuthMethod, credentials: Credentials, offer: Capabilities | None, refused: set[Way]
) -> None:
    """Sign in by the best way there is; by the next one only where that is safe (see ``sign_in``).

    Ways in ``refused`` are not tried; those that the server refuses now are added.
    """
    protected = line.protected
    if auth is AuthMethod.OAUTH2:
        if not protected:
            raise UnusableCredentials("An access token is only sent over TLS; choose TLS or STARTTLS.")
        ways = ways_with_token(offer)
    else:
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
    return await _exchange(line, way, credentials)


async def _exchange(line: Line, way: Way, credentials: Credentials) -> tuple[Replied, bool]:
    """Run one SASL exchange; returns the same two."""
    exchange = EXCHANGES[way](credentials)
    initial = exchange.initial_response()
    line.send(commands.auth(exchange.mechanism, initial))
    step = 0 if initial is None else 1
    while True:
        event = await line.next_event()
        if isinstance(event, Replied):
            return event, step > 0
        if not isinstance(event, Challenged):
            raise out_of_place(event)
        answer = exchange.answer(step, event.challenge)
        if answer is not None:
            line.hide(answer.decode("ascii"))
            step += 1
        line.answer(CANCEL if answer is None else answer)
