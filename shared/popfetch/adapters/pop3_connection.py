"""POP3 sessions over asyncio: drives the protocol core over a socket and fulfils the port ``MaildropDialer``.

Every wait has its own limit and ends at the session's deadline at the latest. What arrives goes straight into the
core's buffer; when that is full the socket is no longer read, so a slow caller slows the server down and memory
stays bounded whatever the size of a message.

Errors of sockets and of TLS are translated in ``_translated`` and nowhere else.
"""

import asyncio
import itertools
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from popfetch.adapters.host_guard import CheckedHost, HostGuard
from popfetch.domain.account import AuthMethod, Security, Server
from popfetch.domain.secret import Secret
from popfetch.pop3 import commands, replies
from popfetch.pop3.classification import Moment, classify
from popfetch.pop3.commands import Command
from popfetch.pop3.errors import (
    CommandRefused,
    ConnectionFailed,
    DeadlineReached,
    Pop3Error,
    ProtocolViolation,
    ServerPermanent,
    TlsFailed,
    UnusableCredentials,
)
from popfetch.pop3.events import (
    BodyBegan,
    BodyContent,
    BodyEnded,
    Challenged,
    Event,
    Greeted,
    Listed,
    Replied,
)
from popfetch.pop3.limits import DEFAULT_LIMITS, Limits
from popfetch.pop3.replies import Capabilities
from popfetch.pop3.sasl import CANCEL, Credentials, apop_digest
from popfetch.pop3.session import Phase, Session
from popfetch.pop3.sign_in import EXCHANGES, Way, may_try_next, ways_with_password, ways_with_token
from popfetch.ports import (
    DialAdvice,
    ListedMessage,
    MaildropSize,
    MessageBegan,
    MessageConfirmed,
    MessageContent,
    MessageEnded,
    MessageRefused,
    RetrievalEvent,
)

READ_OCTETS = 256 * 1024
"""The most that one read takes off the socket."""

FULL_AT_OCTETS = 512 * 1024
"""How much may wait for the caller before the socket is left alone."""

WINDOW = 512
"""The most commands that wait for their replies at once: enough for 2,000 messages a second at 80 ms round trip."""

ASK_ONE_BY_ONE = 64
"""Up to so many messages are asked for one by one, however many there are ..."""

MOST_ONE_BY_ONE = 2000
"""... and never more than this, however small a part of the whole they are."""

PLAIN_REFUSALS = (CommandRefused, ServerPermanent)
"""Refusals that concern one command, or one message for good: the session goes on. All others end it."""


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
        # Reading the public authorities takes tens of milliseconds: once a process, and only when TLS is used.
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._ca_file:
            try:
                context.load_verify_locations(self._ca_file)
            except OSError as error:
                raise TlsFailed(
                    f"The operator's CA bundle {self._ca_file} cannot be read; it must be a PEM file."
                ) from error
        return context

    async def open(self, server: Server, secret: Secret, advice: DialAdvice, deadline: float) -> "Pop3Maildrop":
        """Connect, protect, sign in; ``deadline`` is in the loop's time and bounds the whole session.

        A server that closes the connection at CAPA is asked again without it, and the maildrop says so in
        ``capa_broke_session``.
        """
        credentials = Credentials(server.username, secret.reveal())
        credentials.check()
        host = await self._check(server, deadline)
        try:
            return await self._sign_in(host, server, credentials, advice, deadline, skip_capa=advice.skip_capa)
        except _ClosedAtCapa:
            return await self._sign_in(
                host, server, credentials, advice, deadline, skip_capa=True, capa_broke_session=True
            )

    async def _check(self, server: Server, deadline: float) -> CheckedHost:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._guard.check(server.host, server.port)
        except TimeoutError as error:
            raise DeadlineReached(f"The time was over before {server.host} was found.") from error

    async def _sign_in(
        self,
        host: CheckedHost,
        server: Server,
        credentials: Credentials,
        advice: DialAdvice,
        deadline: float,
        *,
        skip_capa: bool,
        capa_broke_session: bool = False,
    ) -> "Pop3Maildrop":
        line = _Line(host, server.security, credentials, self._limits, deadline)
        offer: Capabilities | None = None
        try:
            await line.connect(lambda: self._tls)
            if not skip_capa:
                offer = await line.capabilities(signing_in=True)
            await _prove_identity(line, server.auth, credentials, offer)
        except ConnectionFailed as error:
            await line.abandon()
            if offer is None and not skip_capa and line.hung_up_at("USER"):
                # It refused CAPA and then hung up; no password was sent yet.
                raise _ClosedAtCapa from error
            raise
        except BaseException:
            await line.abandon()
            raise
        return Pop3Maildrop(line, offer, advice, self._window, capa_broke_session=capa_broke_session)


class Pop3Maildrop:
    """One signed-in session: fulfils the port ``Maildrop``."""

    capa_broke_session: bool
    """Whether the server closed a connection at CAPA, before the sign-in or after: dial it with ``skip_capa``."""

    def __init__(
        self,
        line: "_Line",
        offer: Capabilities | None,
        advice: DialAdvice,
        window: int,
        *,
        capa_broke_session: bool,
    ) -> None:
        self._line = line
        self._offer = offer
        self._advice = advice
        self._window = window
        # CAPA is asked again only of servers that answered it before the sign-in.
        self._asked_again = offer is None or "PIPELINING" in offer
        self._gives_uids = True
        self._count: int | None = None
        self.capa_broke_session = capa_broke_session

    @property
    def pipelines(self) -> bool:
        """True while commands are sent ahead of their replies."""
        if self._advice.pipeline is not None:
            return self._advice.pipeline
        return bool(self.pipelining_announced)

    @property
    def pipelining_announced(self) -> bool | None:
        """Whether the server announced PIPELINING, before the sign-in or after; ``None`` while that is not known."""
        if self._offer is not None and "PIPELINING" in self._offer:
            return True
        return False if self._asked_again and self._offer is not None else None

    @property
    def capabilities(self) -> Capabilities | None:
        """What CAPA announced, all in all; ``None`` where the server has none."""
        return self._offer

    @property
    def login_delay(self) -> int:
        """Seconds that the server says it wants between sign-ins (RFC 2449, section 6.5); 0 where it says nothing."""
        return (self._offer.login_delay if self._offer else None) or 0

    async def stat(self) -> MaildropSize:
        """Ask for the number of messages and octets (RFC 1939, section 5)."""
        (reply,) = await self._ask(commands.STAT)
        return self._size(reply)

    async def probe(self, number: int) -> tuple[MaildropSize, bytes | None]:
        """STAT and UIDL of ``number``, in one write where the server pipelines; ``None`` where UIDL is refused."""
        if number < 1:
            return await self.stat(), None
        size_reply, uid_reply = await self._ask(commands.STAT, commands.uidl_one(number))
        size = self._size(size_reply)
        refusal = self._line.refusal(uid_reply)
        if refusal is None:
            return size, self._line.read(_uid_of, uid_reply)
        if not isinstance(refusal, PLAIN_REFUSALS):
            raise refusal
        return size, None

    async def listing(self, numbers: range | None = None, *, count: int = 0) -> list[ListedMessage]:
        """Number, UID and size of the messages ``numbers`` (all of them where ``None``), by number."""
        if numbers is not None and not numbers:
            return []
        wanted = None if numbers is None else len(numbers)
        if wanted is not None and asks_one_by_one(wanted, count, pipelines=True):
            # Only here is it worth a round trip to learn whether the server pipelines.
            await self._learn_pipelining()
        if numbers is not None and asks_one_by_one(len(numbers), count, pipelines=self.pipelines):
            rows = await self._list_one_by_one(numbers)
            if rows is not None:
                return rows
        rows = await self._list_all()
        return rows if numbers is None else [row for row in rows if row.number in numbers]

    async def headers(self, numbers: Iterable[int]) -> AsyncIterator[tuple[int, bytes]]:
        """The header blocks of ``numbers`` by TOP n 0, in order; empty where the server refuses."""
        await self._learn_pipelining()
        window = _Window(self._line, map(_top, numbers), self._depth)
        limit = self._line.limits.header_octets
        block = bytearray()
        while window.refill():
            match await self._line.next_event():
                case Replied(command=command) as reply:
                    refusal = self._line.refusal(reply)
                    if not isinstance(refusal, PLAIN_REFUSALS):
                        raise refusal or _out_of_place(reply)
                    yield command.number, b""
                case BodyBegan():
                    block.clear()
                case BodyContent(data=data):
                    block += data[: limit - len(block)]
                case BodyEnded(command=command):
                    yield command.number, _header_block(block)
                case other:
                    raise _out_of_place(other)

    async def retrieve(self, numbers: Iterator[int]) -> AsyncIterator[RetrievalEvent]:
        """Retrieve ``numbers`` in order, pulled from the iterator only as the window has room.

        A NOOP travels right behind the last RETR: its reply, whatever it says, confirms the last message.
        """
        await self._learn_pipelining()
        line = self._line
        window = _Window(line, map(commands.retr, numbers), self._depth, last=commands.NOOP)
        unconfirmed = 0
        while window.refill():
            event = line.event_at_hand() or await line.next_event()
            match event:
                case BodyContent(command=command, data=data):
                    yield MessageContent(command.number, data)
                case BodyBegan(command=command):
                    if unconfirmed:
                        yield MessageConfirmed(unconfirmed)
                        unconfirmed = 0
                    yield MessageBegan(command.number)
                case BodyEnded(command=command):
                    unconfirmed = command.number
                    yield MessageEnded(unconfirmed)
                case Replied(command=command):
                    if unconfirmed:
                        yield MessageConfirmed(unconfirmed)
                        unconfirmed = 0
                    if command.number:
                        refusal = line.refusal(event)
                        if not isinstance(refusal, PLAIN_REFUSALS):
                            raise refusal or _out_of_place(event)
                        yield MessageRefused(command.number, refusal.server_text)
                case other:
                    raise _out_of_place(other)

    async def delete(self, numbers: Sequence[int]) -> set[int]:
        """DELE ``numbers``; returns those the server accepted. They are gone only once ``quit`` is ``True``."""
        if len(numbers) > 1:
            await self._learn_pipelining()
        accepted: set[int] = set()
        window = _Window(self._line, map(commands.dele, numbers), self._depth)
        while window.refill():
            reply = _expect_reply(await self._line.next_event())
            refusal = self._line.refusal(reply)
            if refusal is None:
                accepted.add(reply.command.number)
            elif not isinstance(refusal, PLAIN_REFUSALS):
                raise refusal
        return accepted

    async def quit(self) -> bool:
        """End the session; ``True`` when the server confirmed it, and with it every deletion. Never raises."""
        try:
            self._line.send(commands.QUIT)
            reply = await self._line.next_event(within=self._line.limits.quit_seconds)
            return isinstance(reply, Replied) and reply.accepted
        except Exception:  # noqa: BLE001 - whatever went wrong, the answer is that nothing was confirmed
            return False
        finally:
            await self._line.abandon()

    async def abandon(self) -> None:
        """Drop the connection without QUIT: the server forgets what was marked. Safe to call at any time."""
        await self._line.abandon()

    # --- Asking -----------------------------------------------------------------------------------------------

    @property
    def _depth(self) -> int:
        return self._window if self.pipelines else 1

    async def _learn_pipelining(self) -> None:
        """Ask CAPA again where that may bring pipelining: some servers announce it only after the sign-in."""
        if self._asked_again or self._advice.pipeline is not None:
            return
        self._asked_again = True
        try:
            later = await self._line.capabilities()
        except ConnectionFailed:
            self.capa_broke_session = self.capa_broke_session or self._line.hung_up_at("CAPA")
            raise
        if later is not None and self._offer is not None:
            self._offer = Capabilities(
                self._offer.names | later.names,
                self._offer.mechanisms | later.mechanisms,
                later.login_delay if later.login_delay is not None else self._offer.login_delay,
            )

    async def _ask(self, *asked: Command) -> list[Replied]:
        return [_expect_reply(event) async for event in self._asked(asked)]

    async def _asked(self, asked: Iterable[Command]) -> AsyncIterator[Event]:
        window = _Window(self._line, iter(asked), self._depth)
        while window.refill():
            yield await self._line.next_event()

    def _size(self, reply: Replied) -> MaildropSize:
        refusal = self._line.refusal(reply)
        if refusal is not None:
            raise refusal
        self._count, octets = self._line.read(lambda: replies.parse_stat(reply.text))
        return MaildropSize(self._count, octets)

    async def _list_all(self) -> list[ListedMessage]:
        asked = [commands.UIDL_ALL, commands.LIST_ALL] if self._gives_uids else [commands.LIST_ALL]
        rows: dict[str, tuple[bytes, ...]] = {}
        refusals: list[Pop3Error] = []
        async for event in self._asked(asked):
            if isinstance(event, Listed):
                rows[event.command.name] = event.rows
                continue
            refusal = self._line.refusal(_expect_reply(event))
            if not isinstance(refusal, PLAIN_REFUSALS):
                raise refusal or _out_of_place(event)
            refusals.append(refusal)
        if not rows:
            if self._count == 0:
                # Some servers say no where there is nothing to list.
                return []
            raise refusals[0]
        self._gives_uids = "UIDL" in rows
        return self._line.read(lambda: merged_listing(rows.get("UIDL"), rows.get("LIST")))

    async def _list_one_by_one(self, numbers: range) -> list[ListedMessage] | None:
        """The rows of ``numbers``; ``None`` where no UIDL was accepted, so that a whole listing has to decide."""
        kinds = (commands.uidl_one, commands.list_one) if self._gives_uids else (commands.list_one,)
        asked = (kind(number) for number in sorted(numbers) for kind in kinds)
        uids: dict[int, bytes] = {}
        sizes: dict[int, int] = {}
        async for event in self._asked(asked):
            reply = _expect_reply(event)
            refusal = self._line.refusal(reply)
            if refusal is None and reply.command.name.startswith("UIDL"):
                uids[reply.command.number] = self._line.read(_uid_of, reply)
            elif refusal is None:
                sizes[reply.command.number] = self._line.read(_octets_of, reply)
            elif not isinstance(refusal, PLAIN_REFUSALS):
                raise refusal
        if not self._gives_uids:
            return [ListedMessage(number, b"", octets) for number, octets in sizes.items()]
        return [ListedMessage(number, uid, sizes.get(number, 0)) for number, uid in uids.items()] or None


def asks_one_by_one(wanted: int, count: int, *, pipelines: bool) -> bool:
    """Whether to ask for ``wanted`` of ``count`` messages one by one, rather than for the whole listing.

    Pipelined, both take one round trip, and the octets decide: a message asked for costs about three rows. One at
    a time, each message costs two round trips, which a few hundred rows outweigh. ``count`` 0 is unknown and taken
    for many.
    """
    if not pipelines:
        return 1000 * wanted < count
    if wanted > max(ASK_ONE_BY_ONE, min(MOST_ONE_BY_ONE, count // 20)):
        return False
    return not count or 3 * wanted <= count


def merged_listing(uidl: Sequence[bytes] | None, sizes: Sequence[bytes] | None) -> list[ListedMessage]:
    """The messages of a whole listing, by number: UIDL's rows decide what there is, LIST's add what they can."""
    octets: dict[int, int] = {}
    for row in sizes or ():
        if row and not row.isspace():
            number, size = replies.parse_list_row(row)
            octets.setdefault(number, size)
    if uidl is None:
        return [ListedMessage(number, b"", octets[number]) for number in sorted(octets)]
    uids: dict[int, bytes] = {}
    for row in uidl:
        if row and not row.isspace():
            number, uid = replies.parse_uidl_row(row)
            uids.setdefault(number, uid)
    return [ListedMessage(number, uids[number], octets.get(number, 0)) for number in sorted(uids)]


def _uid_of(reply: Replied) -> bytes:
    if not reply.text:
        return b""
    if len(reply.text.split()) == 1 and reply.text.strip() != b"%d" % reply.command.number:
        return reply.text.strip()  # Twisted's server answers with the UID alone
    number, uid = replies.parse_uidl_row(reply.text)
    _check_number(reply.command, number)
    return uid


def _octets_of(reply: Replied) -> int:
    number, octets = replies.parse_list_row(reply.text)
    _check_number(reply.command, number)
    return octets


def _check_number(command: Command, number: int) -> None:
    if number != command.number:
        raise ProtocolViolation(f"The server answered {command.name} with a row about message {number}.")


def _top(number: int) -> Command:
    return commands.top(number, 0)


def _header_block(block: bytearray) -> bytes:
    """What was sent up to and including the blank line; servers that send lines of the body too are common."""
    if block.startswith(b"\r\n"):
        return b"\r\n"
    end = block.find(b"\r\n\r\n")
    return bytes(block if end < 0 else block[: end + 4])


def _expect_reply(event: Event) -> Replied:
    if not isinstance(event, Replied):
        raise _out_of_place(event)
    return event


def _out_of_place(event: Event) -> ProtocolViolation:
    return ProtocolViolation(f"The server's reply does not fit here: {type(event).__name__}.")


class _Window:
    """Sends commands ahead of their replies, never more than ``depth``, refilled when a quarter has room.

    Commands are pulled from their iterator only when they are sent; those that are sent together go out in one
    write. ``last`` follows the last one, unless there was none.
    """

    def __init__(self, line: "_Line", asked: Iterator[Command], depth: int, last: Command | None = None) -> None:
        self._line = line
        self._asked: Iterator[Command] | None = asked
        self._depth = depth
        self._refill_at = depth - depth // 4 if depth > 1 else 0
        self._last = last
        self._sent_any = False

    def refill(self) -> bool:
        """Send what there is room for; ``False`` when every command was answered."""
        outstanding = self._line.session.outstanding
        if self._asked is None or outstanding > self._refill_at:
            return outstanding > 0
        batch = list(itertools.islice(self._asked, self._depth - outstanding))
        self._sent_any = self._sent_any or bool(batch)
        if len(batch) < self._depth - outstanding:
            self._asked = None
            if self._last is not None and self._sent_any:
                batch.append(self._last)
        if batch:
            self._line.send(*batch)
        return bool(batch) or outstanding > 0


async def _prove_identity(
    line: "_Line", auth: AuthMethod, credentials: Credentials, offer: Capabilities | None
) -> None:
    """Sign in by the best way there is; by the next one only where that is safe (see ``sign_in``)."""
    timestamp = line.timestamp
    protected = line.protected
    if auth is AuthMethod.OAUTH2:
        if not protected:
            raise UnusableCredentials("An access token is only sent over TLS; choose TLS or STARTTLS.")
        ways = ways_with_token(offer)
    else:
        ways = ways_with_password(offer, timestamp=timestamp is not None, protected=protected)
    refused: Pop3Error | None = None
    for way in ways:
        try:
            outcome, sent = await _try(line, way, credentials)
        except ConnectionFailed as error:
            # Servers like to hang up after a refusal; the refusal is what matters.
            if refused is None:
                raise
            raise refused from error
        if outcome.accepted:
            return
        refused = line.classified(outcome, Moment.SIGN_IN)
        if not may_try_next(way, outcome.text, protected=protected, credentials_sent=sent):
            break
    raise refused or ConnectionFailed(f"There is no way to sign in to {line.place}.")


async def _try(line: "_Line", way: Way, credentials: Credentials) -> tuple[Replied, bool]:
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


async def _exchange(line: "_Line", way: Way, credentials: Credentials) -> tuple[Replied, bool]:
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
            raise _out_of_place(event)
        answer = exchange.answer(step, event.challenge)
        if answer is not None:
            line.hide(answer.decode("ascii"))
            step += 1
        line.answer(CANCEL if answer is None else answer)


class _ClosedAtCapa(Exception):
    """The server closed the connection in answer to CAPA: a signal inside this module, caught where it is dialled."""


@dataclass(frozen=True, slots=True)
class _Place:
    """How a server is called in sentences for a person, and how it was spoken to."""

    host: str
    port: int
    security: Security

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class _Link(asyncio.BufferedProtocol):
    """Moves octets from the transport into the session, and stops reading when the session holds enough."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._view = memoryview(bytearray(READ_OCTETS))
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[bool] | None = None
        self._paused = False
        self.transport: asyncio.Transport | None = None
        self.closed = False
        self.error: Exception | None = None
        self.gone: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's hint is always "any"
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        session = self._session
        try:
            session.receive(bytes(self._view[:nbytes]))
        except Pop3Error:
            # The session is dead and its owner knows; what still comes is of no use.
            self.drop()
            return
        if session.buffered >= FULL_AT_OCTETS and not self._paused and self.transport is not None:
            self._paused = True
            self.transport.pause_reading()
        self._wake(arrived=True)

    def eof_received(self) -> bool:
        self.closed = True
        self._wake(arrived=True)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self.error = self.error or exc
        self._wake(arrived=True)
        if not self.gone.done():
            self.gone.set_result(None)

    async def more(self, until: float) -> bool:
        """Wait until something arrives or the connection ends; ``False`` when ``until`` (loop time) came first."""
        if self._paused and self.transport is not None:
            self._paused = False
            self.transport.resume_reading()
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._waiter = waiter
        timer = self._loop.call_at(until, self._expire, waiter)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def drop(self) -> None:
        """Let go of the connection at once, with a farewell at the TLS level where that needs no waiting."""
        self.closed = True
        if self.transport is not None:
            self.transport.close()
            self.transport.abort()

    def _wake(self, *, arrived: bool) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(arrived)

    @staticmethod
    def _expire(waiter: "asyncio.Future[bool]") -> None:
        if not waiter.done():
            waiter.set_result(False)


class _Line:
    """A session on its connection: sends commands, waits for events within the limits, names what goes wrong."""

    def __init__(
        self,
        host: CheckedHost,
        security: Security,
        credentials: Credentials,
        limits: Limits,
        deadline: float,
    ) -> None:
        self.session = Session(limits)
        self.limits = limits
        self.place = _Place(host.name, host.port, security)
        self.timestamp: bytes | None = None
        self.protected = False
        self._host = host
        self._deadline = deadline
        self._hidden = set(credentials.traces())
        self._loop = asyncio.get_running_loop()
        self._link = _Link(self.session)
        self._hung_up_seen = False

    # --- Connecting -------------------------------------------------------------------------------------------

    async def connect(self, tls: Callable[[], ssl.SSLContext]) -> None:
        """Connect to the first address that answers, read the greeting, and put TLS where it belongs."""
        try:
            connection = await self._reach()
            try:
                if self.place.security is Security.TLS:
                    await self._implicit_tls(connection, tls())
                else:
                    await self._loop.create_connection(lambda: self._link, sock=connection)
            except BaseException:
                connection.close()
                raise
            await self._be_greeted()
            if self.place.security is Security.STARTTLS:
                await self._start_tls(tls())
        except (ConnectionFailed, TlsFailed) as error:
            if self._loop.time() >= self._deadline:
                raise self._out_of_time() from error
            raise

    async def _be_greeted(self) -> None:
        greeting = await self.next_event(within=self.limits.greeting_seconds)
        if not isinstance(greeting, Greeted):
            raise _out_of_place(greeting)
        if not greeting.accepted:
            raise classify(greeting.text, Moment.GREETING, server=str(self.place), hidden=self._hidden)
        self.timestamp = greeting.timestamp

    async def _reach(self) -> socket.socket:
        failure: ConnectionFailed | None = None
        for address in self._host.addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.setblocking(False)
                with _translated(self.place):
                    async with asyncio.timeout_at(self._until(self.limits.connect_seconds)):
                        await self._loop.sock_connect(connection, (address, self.place.port))
            except ConnectionFailed as error:
                connection.close()
                failure = error
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise failure or ConnectionFailed(f"{self.place} has no address.")

    async def _implicit_tls(self, connection: socket.socket, tls: ssl.SSLContext) -> None:
        with _translated(self.place, handshake=True):
            async with asyncio.timeout_at(self._until(self.limits.handshake_seconds)):
                await self._loop.create_connection(
                    lambda: self._link,
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
                f"{self.place} closed the connection or fell silent when asked for TLS by STLS, so no password was"
                " sent. If it offers POP3 over TLS, choose TLS with port 995."
            ) from error
        if not reply.accepted:
            refusal = self.classified(reply, Moment.COMMAND)
            raise TlsFailed(
                f"{self.place} does not offer TLS by STLS, so no password was sent. If it offers POP3 over TLS,"
                " choose TLS with port 995.",
                server_text=refusal.server_text,
            )
        transport = self._link.transport
        with _translated(self.place, handshake=True):
            async with asyncio.timeout_at(self._until(self.limits.handshake_seconds)):
                # No await between this check and start_tls's own pause of the reading: nothing can slip in.
                self.session.begin_tls()
                self._link.transport = await self._loop.start_tls(
                    cast(asyncio.Transport, transport),
                    self._link,
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
        return _expect_reply(await self.next_event())

    async def capabilities(self, *, signing_in: bool = False) -> Capabilities | None:
        """What CAPA announces; ``None`` where the server refuses it."""
        self.send(commands.CAPA)
        try:
            event = await self.next_event()
        except DeadlineReached:
            raise
        except ConnectionFailed as error:
            if signing_in and self.hung_up_at("CAPA"):
                raise _ClosedAtCapa from error
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
        stretch it; inside a multi-line reply the limit is on silence, and the deadline is over both.
        """
        event = self.event_at_hand()
        if event is not None:
            return event
        until = self._until(self.limits.reply_seconds if within is None else within)
        while True:
            if self.session.in_multiline:
                until = self._until(self.limits.idle_seconds)
            if self._link.closed:
                raise self._hung_up()
            if not await self._link.more(until):
                raise self._fell_silent()
            event = self.event_at_hand()
            if event is not None:
                return event

    def hide(self, secret: str) -> None:
        """Keep ``secret`` out of everything that is quoted from now on."""
        self._hidden.add(secret)

    def classified(self, reply: Replied, moment: Moment) -> Pop3Error:
        """The error that a refusal is."""
        return classify(reply.text, moment, server=str(self.place), command=reply.command.name, hidden=self._hidden)

    def refusal(self, reply: Replied) -> Pop3Error | None:
        """The error that a reply to an ordinary command is; ``None`` when it is no refusal."""
        return None if reply.accepted else self.classified(reply, Moment.COMMAND)

    def read[**P, T](self, reader: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read the text of a reply; when it makes no sense the session is over."""
        try:
            return reader(*args, **kwargs)
        except ProtocolViolation:
            self._link.drop()
            raise

    async def abandon(self) -> None:
        """Drop the connection and see it gone."""
        self._link.drop()
        if self._link.transport is not None:
            await asyncio.wait([self._link.gone], timeout=1)

    # --- What goes wrong --------------------------------------------------------------------------------------

    def _write(self, octets: bytes) -> None:
        transport = self._link.transport
        if self._link.closed or transport is None:
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
        return ConnectionFailed(f"{self.place} fell silent {self._doing()}{hint}.")

    def _hung_up(self) -> ConnectionFailed:
        self._hung_up_seen = True
        failure = ConnectionFailed(f"{self.place} closed the connection {self._doing()}.")
        failure.__cause__ = self._link.error
        return failure

    def _doing(self) -> str:
        session = self.session
        if session.phase is Phase.GREETING:
            return "before it greeted"
        current = session.current
        if current is None:
            return "between two commands"
        return f"{'in the middle of' if session.in_multiline else 'instead of'} its reply to {current.name}"


CERTIFICATE_PROBLEMS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed",
    19: "was issued by an authority that is not trusted",
    20: "was issued by an authority that is not trusted",
    21: "was issued by an authority that is not trusted",
    62: "is for another name",
    64: "is for another address",
}
"""OpenSSL's verification codes (X509_V_ERR) in words."""

_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL"})
_OLD_TLS = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE"})


@contextmanager
def _translated(place: _Place, *, handshake: bool = False) -> Iterator[None]:
    """Turn the errors of sockets and of TLS into popfetch's own, each with what to do about it."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        problem = CERTIFICATE_PROBLEMS.get(error.verify_code, f"is not trusted ({error.verify_message})")
        raise TlsFailed(
            f"The certificate of {place} {problem}. Check the host name; a server of your own needs its authority in"
            " the operator's CA bundle."
        ) from error
    except ssl.SSLError as error:
        if error.reason in _NOT_TLS:
            other = "STARTTLS (port 110)" if place.security is Security.TLS else "TLS (port 995)"
            message = f"{place} does not speak TLS here; try {other} if the provider offers it."
        elif error.reason in _OLD_TLS:
            message = f"{place} offers no TLS version that is safe; 1.2 is the oldest that is accepted."
        else:
            message = f"The TLS handshake with {place} failed ({error.reason or 'no reason given'})."
        raise TlsFailed(message) from error
    except TimeoutError as error:
        what = "did not finish the TLS handshake in time" if handshake else "did not answer in time"
        raise (TlsFailed if handshake else ConnectionFailed)(
            f"{place} {what}; check host and port if this goes on."
        ) from error
    except ConnectionRefusedError as error:
        raise ConnectionFailed(f"{place} refuses connections; check host and port.") from error
    except OSError as error:
        if handshake:
            raise TlsFailed(f"{place} closed the connection during the TLS handshake.") from error
        raise ConnectionFailed(
            f"{place} cannot be reached ({error.strerror or type(error).__name__}); check host and port."
        ) from error
