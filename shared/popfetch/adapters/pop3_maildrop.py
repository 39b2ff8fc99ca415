"""The signed-in session: fulfils the port ``Maildrop`` by commands on a line.

Commands travel ahead of their replies where the server pipelines, never more than the window holds, in commands and in
octets. A refusal that concerns one command or one message is an answer; every other one ends the session.
"""

from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

from popfetch.adapters.pop3_line import Line, expect_reply, out_of_place
from popfetch.adapters.pop3_listing import asks_one_by_one, merged_listing, octets_of, uid_of
from popfetch.pop3 import commands, replies
from popfetch.pop3.commands import Command
from popfetch.pop3.errors import (
    CommandRefused,
    ConnectionFailed,
    Pop3Error,
    ProtocolViolation,
    ReplySwallowed,
    ServerPermanent,
)
from popfetch.pop3.events import BodyBegan, BodyContent, BodyEnded, Event, Listed, Replied
from popfetch.pop3.replies import Capabilities
from popfetch.ports.maildrop import (
    NO_SIZES,
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

OCTETS_AHEAD = 32 * 1024 * 1024
"""Messages of so many octets, as they were listed, are asked for ahead: what is still to come when time is up."""

SWALLOWED_REPLY = b".\r\n+OK"
"""How it looks within a message when its terminator was taken for text, and the reply behind it too."""

PLAIN_REFUSALS = (CommandRefused, ServerPermanent)
"""Refusals that concern one command, or one message for good: the session goes on. All others end it."""


class Pop3Maildrop:
    """One signed-in session: fulfils the port ``Maildrop``."""

    capa_broke_session: bool
    """Whether the server closed a connection at CAPA, before the sign-in or after: dial it with ``skip_capa``."""
    apop_failed: bool
    """Whether APOP was refused and another way accepted: dial it with ``skip_apop``."""

    def __init__(
        self,
        line: Line,
        offer: Capabilities | None,
        advice: DialAdvice,
        window: int,
        *,
        capa_broke_session: bool,
        apop_failed: bool,
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
        self.apop_failed = apop_failed

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
            return size, self._line.read(uid_of, uid_reply)
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
        rows = await self._read_listing(self._asked(self._listing_commands()))
        return rows if numbers is None else [row for row in rows if row.number in numbers]

    async def stat_and_listing(self) -> tuple[MaildropSize, list[ListedMessage]]:
        """STAT and the listing of all messages, in one write where the server pipelines.

        Any refusal of STAT ends the session: what travelled with it is left unread.
        """
        answers = self._asked([commands.STAT, *self._listing_commands()])
        # STAT is judged before more is waited for: a server that says why it cannot go on may close at that.
        size = self._size(expect_reply(await anext(answers)))
        return size, await self._read_listing(answers)

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
                        raise refusal or out_of_place(reply)
                    yield command.number, b""
                case BodyBegan():
                    block.clear()
                case BodyContent(data=data):
                    block += data[: limit - len(block)]
                case BodyEnded(command=command):
                    yield command.number, _header_block(block)
                case other:
                    raise out_of_place(other)

    async def retrieve(
        self, numbers: Iterator[int], sizes: Mapping[int, int] = NO_SIZES
    ) -> AsyncIterator[RetrievalEvent]:
        """Retrieve ``numbers`` in order, pulled from the iterator only as the window has room for their ``sizes``.

        A NOOP travels right behind the last RETR: its reply, whatever it says, confirms the last message.
        """
        await self._learn_pipelining()
        line = self._line
        window = _Window(line, map(commands.retr, numbers), self._depth, sizes=sizes, last=commands.NOOP)
        unconfirmed = 0
        before = b""
        while window.refill():
            event = line.event_at_hand() or await line.next_event()
            match event:
                case BodyContent(command=command, data=data):
                    if line.session.outstanding > 1:
                        before = line.read(_without_reply, before, data)
                    yield MessageContent(command.number, data)
                case BodyBegan(command=command):
                    if unconfirmed:
                        yield MessageConfirmed(unconfirmed)
                        unconfirmed = 0
                    before = b""
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
                            raise refusal or out_of_place(event)
                        yield MessageRefused(command.number, refusal.server_text)
                case other:
                    raise out_of_place(other)

    async def delete(self, numbers: Sequence[int]) -> set[int]:
        """DELE ``numbers``; returns those the server accepted. They are gone only once ``quit`` is ``True``."""
        if len(numbers) > 1:
            await self._learn_pipelining()
        accepted: set[int] = set()
        window = _Window(self._line, map(commands.dele, numbers), self._depth)
        while window.refill():
            reply = expect_reply(await self._line.next_event())
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
        return [expect_reply(event) async for event in self._asked(asked)]

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

    def _listing_commands(self) -> list[Command]:
        return [commands.UIDL_ALL, commands.LIST_ALL] if self._gives_uids else [commands.LIST_ALL]

    async def _read_listing(self, answers: AsyncIterator[Event]) -> list[ListedMessage]:
        rows: dict[str, tuple[bytes, ...]] = {}
        refusals: list[Pop3Error] = []
        async for event in answers:
            if isinstance(event, Listed):
                rows[event.command.name] = event.rows
                continue
            refusal = self._line.refusal(expect_reply(event))
            if not isinstance(refusal, PLAIN_REFUSALS):
                raise refusal or out_of_place(event)
            refusals.append(refusal)
        if not rows:
            if self._count == 0:
                # Some servers say no where there is nothing to list.
                return []
            raise refusals[0]
        self._gives_uids = "UIDL" in rows
        return self._line.read(self._merged, rows.get("UIDL"), rows.get("LIST"))

    def _merged(self, uidl: Sequence[bytes] | None, sizes: Sequence[bytes] | None) -> list[ListedMessage]:
        if self._count and sizes and uidl is not None and not uidl:
            # to believe it would be to say that nothing is there, and to look no further
            raise ProtocolViolation("The server's STAT and LIST tell of messages, and its UIDL of none.")
        return merged_listing(uidl, sizes)

    async def _list_one_by_one(self, numbers: range) -> list[ListedMessage] | None:
        """The rows of ``numbers``; ``None`` where no UIDL was accepted, so that a whole listing has to decide."""
        kinds = (commands.uidl_one, commands.list_one) if self._gives_uids else (commands.list_one,)
        asked = (kind(number) for number in sorted(numbers) for kind in kinds)
        uids: dict[int, bytes] = {}
        sizes: dict[int, int] = {}
        async for event in self._asked(asked):
            reply = expect_reply(event)
            refusal = self._line.refusal(reply)
            if refusal is None and reply.command.name.startswith("UIDL"):
                uids[reply.command.number] = self._line.read(uid_of, reply)
            elif refusal is None:
                sizes[reply.command.number] = self._line.read(octets_of, reply)
            elif not isinstance(refusal, PLAIN_REFUSALS):
                raise refusal
        if not self._gives_uids:
            return [ListedMessage(number, b"", octets) for number, octets in sizes.items()]
        return [ListedMessage(number, uid, sizes.get(number, 0)) for number, uid in uids.items()] or None


class _Window:
    """Sends commands ahead of their replies, refilled when a quarter has room.

    Never more than ``depth`` of them, and none once those under way ask for ``OCTETS_AHEAD`` by their ``sizes``.
    Commands are pulled from their iterator only when they are sent; those that are sent together go out in one
    write. ``last`` follows the last one, unless there was none.
    """

    def __init__(
        self,
        line: Line,
        asked: Iterator[Command],
        depth: int,
        *,
        sizes: Mapping[int, int] = NO_SIZES,
        last: Command | None = None,
    ) -> None:
        self._line = line
        self._asked: Iterator[Command] | None = asked
        self._depth = depth
        self._refill_at = depth - depth // 4 if depth > 1 else 0
        self._sizes = sizes
        self._under_way: deque[int] = deque()
        self._octets = 0
        self._last = last
        self._sent_any = False

    def refill(self) -> bool:
        """Send what there is room for; ``False`` when every command was answered."""
        outstanding = self._line.session.outstanding
        if self._asked is None or outstanding > self._refill_at:
            return outstanding > 0
        while len(self._under_way) > outstanding:
            self._octets -= self._under_way.popleft()
        if outstanding and self._octets > OCTETS_AHEAD - OCTETS_AHEAD // 4:
            return True
        batch = list(self._next(self._depth - outstanding))
        self._sent_any = self._sent_any or bool(batch)
        if self._asked is None and self._last is not None and self._sent_any:
            batch.append(self._last)
        if batch:
            self._line.send(*batch)
        return bool(batch) or outstanding > 0

    def _next(self, most: int) -> Iterator[Command]:
        """The next commands, as many as there is room for; at least one, if there is one."""
        assert self._asked is not None
        for _ in range(most):
            command = next(self._asked, None)
            if command is None:
                self._asked = None
                return
            octets = self._sizes.get(command.number, 0)
            self._under_way.append(octets)
            self._octets += octets
            yield command
            if self._octets >= OCTETS_AHEAD:
                return


def _without_reply(before: bytes, data: bytes) -> bytes:
    """What to look at together with a message's next octets, ``data`` being the latest.

    Raises ReplySwallowed where they hold a reply.
    """
    seam = before + data[: len(SWALLOWED_REPLY) - 1]
    if SWALLOWED_REPLY in data or SWALLOWED_REPLY in seam:
        raise ReplySwallowed("A message seems to go on with the reply to another command, so its end is in doubt.")
    return (seam if len(data) < len(SWALLOWED_REPLY) else data)[1 - len(SWALLOWED_REPLY) :]


def _top(number: int) -> Command:
    return commands.top(number, 0)


def _header_block(block: bytearray) -> bytes:
    """What was sent up to and including the blank line; servers that send lines of the body too are common."""
    if block.startswith(b"\r\n"):
        return b"\r\n"
    end = block.find(b"\r\n\r\n")
    return bytes(block if end < 0 else block[: end + 4])
