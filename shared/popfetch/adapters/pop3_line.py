"""A POP3 session on its connection: connects, puts TLS where it belongs, sends commands and waits for events.

Every wait has its own limit and ends at the session's deadline at the latest; where a connection ends or falls silent,
the error says what was being waited for. Of commands the line itself gives only STLS and CAPA; all others, and their
order, are the callers' affair.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import cast

from popfetch.adapters.host_guard import CheckedHost
from popfetch.adapters.mail_sockets import reach
from popfetch.adapters.pop3_wire import Place, Wire, translated
from popfetch.dialogue.bearer import Complaint
from popfetch.domain.account import Security
from popfetch.pop3 import commands, replies
from popfetch.pop3.classification import Moment, classify
from popfetch.pop3.commands import Command
from popfetch.pop3.errors import (
    ConnectionFailed,
    DeadlineReached,
    HandshakeFailed,
    NotReached,
    Pop3Error,
    ProtocolViolation,
    TlsFailed,
)
from popfetch.pop3.events import Event, Greeted, Listed, Replied
from popfetch.pop3.limits import Limits
from popfetch.pop3.replies import Capabilities
from popfetch.pop3.sasl import Credentials
from popfetch.pop3.session import Phase, Session


class ClosedAtCapa(Exception):
    """The server closed the connection in answer to CAPA: a signal to the dialer, which lets it no further."""


class Line:
    """A session on its connection: sends commands, waits for events within the limits, names what goes wrong.

    ``deadline`` is in the loop's time and bounds all of it. Who reads a large listing has ``large_listings`` from then
    on until the connection is dropped: several of them would not fit into memory. ``timestamp`` is the greeting's, for
    APOP, if it had one; ``protected`` is set once TLS stands. What ``credentials`` leave in texts is kept out of every
    quotation.
    """

    def __init__(
        self,
        host: CheckedHost,
        security: Security,
        credentials: Credentials,
        limits: Limits,
        deadline: float,
        large_listings: asyncio.Lock,
    ) -> None:
        self._hidden = set(credentials.traces())
        self.session = Session(limits, self._hidden)
        self.limits = limits
        self.place = Place(host.name, host.port, security)
        self.timestamp: bytes | None = None
        self.protected = False
        self._host = host
        self._deadline = deadline
        self._kind = credentials.kind
        self._loop = asyncio.get_running_loop()
        self._wire = Wire(self.session)
        self._hung_up_seen = False
        self._pace = _Pace(limits)
        self._large_listings = large_listings
        self._has_turn = False

    # --- Connecting -------------------------------------------------------------------------------------------

    async def connect(self, tls: Callable[[], ssl.SSLContext]) -> None:
        """Connect to the first address that answers, read the greeting, and put TLS where it belongs.

        Raises NotReached for whatever is no POP3 server; only a certificate or a TLS version that is refused has
        an error of its own by then.
        """
        try:
            await self._reach_server(tls)
            if self.place.security is Security.STARTTLS:
                await self._start_tls(tls())
        except (ConnectionFailed, TlsFailed) as error:
            if self._loop.time() >= self._deadline:
                raise self._out_of_time() from error
            raise

    async def _reach_server(self, tls: Callable[[], ssl.SSLContext]) -> None:
        try:
            connection = await self._reach()
            try:
                if self.place.security is Security.TLS:
                    await self._implicit_tls(connection, tls())
                else:
                    await self._loop.create_connection(lambda: self._wire, sock=connection)
            except BaseException:
                connection.close()
                raise
            await self._be_greeted()
        except (ConnectionFailed, HandshakeFailed, ProtocolViolation) as error:
            raise NotReached(
                f"No POP3 server was reached at {self.place}; check host, port and security"
                " (995 goes with TLS, 110 with STARTTLS)."
            ) from error

    async def _be_greeted(self) -> None:
        greeting = await self.next_event(within=self.limits.greeting_seconds)
        if not isinstance(greeting, Greeted):
            raise out_of_place(greeting)
        if not greeting.accepted:
            raise classify(greeting.text, Moment.GREETING, server=str(self.place), hidden=self._hidden, kind=self._kind)
        self.timestamp = greeting.timestamp

    async def _reach(self) -> socket.socket:
        with translated(self.place):
            return await reach(
                self._host, seconds=self.limits.connect_seconds, deadline=self._until(self.limits.reach_seconds)
            )

    async def _implicit_tls(self, connection: socket.socket, tls: ssl.SSLContext) -> None:
        with translated(self.place, handshake=True):
            async with asyncio.timeout_at(self._until(self.limits.handshake_seconds)):
                await self._loop.create_connection(
                    lambda: self._wire,
                    sock=connection,
                    ssl=tls,
                    server_hostname=self.place.host,
                    ssl_handshake_timeout=self.limits.handshake_seconds + 1,
                )
        self.protected = True

    async def _start_tls(self, tls: ssl.SSLContext) -> None:
        """STLS, required: no TLS, no sign-in (RFC 2595, section 4).

        STLS goes out without asking CAPA first: the answer says as much, in one round trip less, and what CAPA says
        ahead of TLS must be forgotten anyway.
        """
        try:
            reply = await self.ask(commands.STLS)
        except ConnectionFailed as error:
            if isinstance(error, DeadlineReached):
                raise
            raise TlsFailed(
                f"{self.place} closed the connection or fell silent when asked for TLS by STLS, so no sign-in was"
                " tried. If it offers POP3 over TLS, choose TLS with port 995."
            ) from error
        if not reply.accepted:
            refusal = self.classified(reply, Moment.COMMAND)
            raise TlsFailed(
                f"{self.place} does not offer TLS by STLS, so no sign-in was tried. If it offers POP3 over TLS,"
                " choose TLS with port 995.",
                server_text=refusal.server_text,
            )
        transport = self._wire.transport
        with translated(self.place, handshake=True):
            async with asyncio.timeout_at(self._until(self.limits.handshake_seconds)):
                # No await between this check and start_tls's own pause of the reading: nothing can slip in.
                self.session.begin_tls()
                self._wire.transport = await self._loop.start_tls(
                    cast(asyncio.Transport, transport),
                    self._wire,
                    tls,
                    server_hostname=self.place.host,
                    ssl_handshake_timeout=self.limits.handshake_seconds + 1,
                )
        self.protected = True

    # --- Asking and waiting -----------------------------------------------------------------------------------

    def send(self, *asked: Command) -> None:
        """Send commands in one write."""
        self._write(self.session.send(*asked))

    def answer(self, response: bytes) -> None:
        """Answer a challenge."""
        self._write(self.session.answer(response))

    async def ask(self, command: Command) -> Replied:
        """Send one command and wait for its reply, ``+OK`` or ``-ERR``."""
        self.send(command)
        return expect_reply(await self.next_event())

    async def capabilities(self, *, signing_in: bool = False) -> Capabilities | None:
        """What CAPA announces; ``None`` where the server refuses it."""
        self.send(commands.CAPA)
        try:
            event = await self.next_event()
        except DeadlineReached:
            raise
        except ConnectionFailed as error:
            if signing_in and self.hung_up_at("CAPA"):
                raise ClosedAtCapa from error
            raise
        return replies.parse_capabilities(event.rows) if isinstance(event, Listed) else None

    def hung_up_at(self, name: str) -> bool:
        """Whether the server closed the connection while the reply to this command was due."""
        current = self.session.current
        return self._hung_up_seen and current is not None and current.name == name

    def event_at_hand(self) -> Event | None:
        """The next event where no waiting is needed for it."""
        if self._loop.time() >= self._deadline:
            raise self._out_of_time()
        return self.session.next_event()

    async def next_event(self, within: float | None = None) -> Event:
        """The next event, waiting for it as long as the limits allow.

        A status line has one limit from the first wait to its end, so that a server that drips octets cannot
        stretch it; inside a multi-line reply the limit is on silence and on next to nothing, and the deadline is over
        both.
        """
        if not self.session.in_multiline:
            self._pace.begin(self._wire.arrived)
        event = self.event_at_hand()
        if event is not None:
            return event
        until = self._until(self.limits.reply_seconds if within is None else within)
        while True:
            if self.session.in_multiline:
                until = self._until(self._pace.seconds_left)
            if self._wire.closed:
                raise self._hung_up()
            began = self._loop.time()
            if not await self._wire.more(until):
                raise self._fell_silent()
            self._pace.waited(self._loop.time() - began, self._wire.arrived)
            event = self.event_at_hand()
            if event is not None:
                return event
            if self.session.listing_is_large and not self._has_turn:
                await self._take_turn()
                # what came meanwhile woke nobody
                event = self.event_at_hand()
                if event is not None:
                    return event

    async def _take_turn(self) -> None:
        try:
            async with asyncio.timeout_at(self._deadline):
                await self._large_listings.acquire()
        except TimeoutError as error:
            raise self._out_of_time() from error
        self._has_turn = True

    def hide(self, secret: str) -> None:
        """Keep ``secret`` out of everything that is quoted from now on."""
        self._hidden.add(secret)

    def classified(self, reply: Replied, moment: Moment, complaint: Complaint | None = None) -> Pop3Error:
        """The error that a refusal is; ``complaint`` is what the server had against an access token before it."""
        return classify(
            reply.text,
            moment,
            server=str(self.place),
            command=reply.command.name,
            hidden=self._hidden,
            kind=self._kind,
            complaint=complaint,
        )

    def refusal(self, reply: Replied) -> Pop3Error | None:
        """The error that a reply to an ordinary command is; ``None`` when it is no refusal."""
        return None if reply.accepted else self.classified(reply, Moment.COMMAND)

    def read[**P, T](self, reader: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read the text of a reply; when it makes no sense the session is over."""
        try:
            return reader(*args, **kwargs)
        except ProtocolViolation:
            self._wire.drop()
            raise

    async def abandon(self) -> None:
        """Drop the connection and see it gone."""
        if self._has_turn:
            self._has_turn = False
            self._large_listings.release()
        self._wire.drop()
        if self._wire.transport is not None:
            await asyncio.wait([self._wire.gone], timeout=1)

    # --- What goes wrong --------------------------------------------------------------------------------------

    def _write(self, octets: bytes) -> None:
        transport = self._wire.transport
        if self._wire.closed or transport is None:
            raise self._hung_up()
        transport.write(octets)

    def _until(self, seconds: float) -> float:
        return min(self._loop.time() + seconds, self._deadline)

    def _out_of_time(self) -> DeadlineReached:
        return DeadlineReached(f"The time for the session with {self.place} was over before it was done.")

    def _fell_silent(self) -> ConnectionFailed:
        if self._loop.time() >= self._deadline:
            return self._out_of_time()
        hint = ""
        if self.session.phase is Phase.GREETING and self.place.security is not Security.TLS:
            hint = "; if the server expects TLS on this port, choose TLS"
        did = "sent next to nothing any more" if self._pace.dripped else "fell silent"
        return ConnectionFailed(f"{self.place} {did} {self._doing()}{hint}.")

    def _hung_up(self) -> ConnectionFailed:
        self._hung_up_seen = True
        failure = ConnectionFailed(f"{self.place} closed the connection {self._doing()}.")
        failure.__cause__ = self._wire.error
        return failure

    def _doing(self) -> str:
        session = self.session
        if session.phase is Phase.GREETING:
            return "before it greeted"
        current = session.current
        if current is None:
            return "between two commands"
        return f"{'in the middle of' if session.in_multiline else 'instead of'} its reply to {current.name}"


class _Pace:
    """How fast a multi-line reply comes: time counts while it is waited for, and begins anew with enough octets."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._seconds = 0.0
        self._from = 0
        self.dripped = False

    def begin(self, arrived: int) -> None:
        """No such reply is under way."""
        self._seconds, self._from, self.dripped = 0.0, arrived, False

    def waited(self, seconds: float, arrived: int) -> None:
        """So long was waited, and so many octets have arrived by now, all in all."""
        self._seconds += seconds
        self.dripped = arrived > self._from
        if arrived - self._from >= self._limits.least_octets:
            self.begin(arrived)

    @property
    def seconds_left(self) -> float:
        """How long may be waited for more."""
        return max(0.0, self._limits.idle_seconds - self._seconds)


def expect_reply(event: Event) -> Replied:
    """The event, which must be a status line; any other is a ``ProtocolViolation``."""
    if not isinstance(event, Replied):
        raise out_of_place(event)
    return event


def out_of_place(event: Event) -> ProtocolViolation:
    """The error that an event is where another kind was due."""
    return ProtocolViolation(f"The server's reply does not fit here: {type(event).__name__}.")
