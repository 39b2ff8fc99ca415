"""A POP3 session without I/O: what arrives becomes events, what is to be sent becomes octets.

``send`` queues commands and returns what to write; ``receive`` takes what was read, in pieces of any size;
``next_event`` says what happened next, or ``None`` until more arrives. Replies belong to commands in the order in
which they were sent (RFC 2449, section 6.6). The way the stream was cut into pieces never shows, but in how message
content is cut into ``BodyContent``.

Message bodies are looked at in blocks, never by line, and pass through in constant memory. The end of a body is
CRLF, dot, CRLF, or dot, CRLF at its very beginning; dots are unstuffed only behind CRLF (RFC 1939, section 3).
Octets that fit nothing end the session: every later call raises.
"""

from collections import deque
from collections.abc import Callable, Collection
from enum import Enum

from popfetch.dialogue.texts import clean
from popfetch.pop3.buffer import ReceiveBuffer
from popfetch.pop3.commands import Command, Shape
from popfetch.pop3.errors import LimitExceeded, Pop3Error, ProtocolViolation
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
from popfetch.pop3.replies import Status, apop_timestamp, parse_status

TERMINATOR = b"\r\n.\r\n"
STUFFED = b"\r\n.."
LINE_WITH_DOT = b"\r\n."


class Phase(Enum):
    """What the session reads next."""

    GREETING = "the greeting"
    STATUS = "the status line of the oldest outstanding command, where there is one"
    LISTING = "rows of a listing"
    MESSAGE = "octets of a message"
    CHALLENGED = "nothing: the server waits for our answer to its challenge"
    HANDSHAKE = "nothing: TLS begins"
    CLOSED = "nothing: the session has ended in good order"


AFTER_OK: dict[Shape, Phase] = {
    Shape.LINE: Phase.STATUS,
    Shape.LISTING: Phase.LISTING,
    Shape.MESSAGE: Phase.MESSAGE,
    Shape.EXCHANGE: Phase.STATUS,
    Shape.HANDSHAKE: Phase.HANDSHAKE,
    Shape.FAREWELL: Phase.CLOSED,
}
"""Where ``+OK`` to a command of this shape leads; ``-ERR`` leads back to STATUS, whatever the shape."""

AFTER_ERR: dict[Shape, Phase] = dict.fromkeys(Shape, Phase.STATUS) | {Shape.FAREWELL: Phase.CLOSED}

ALONE = frozenset({Shape.EXCHANGE, Shape.HANDSHAKE})
"""Shapes that change the meaning of the stream: nothing is sent ahead of or behind them."""

VERBS_BEFORE_SIGN_IN = frozenset({"CAPA", "USER", "PASS", "APOP", "AUTH", "STLS", "QUIT"})
VERBS_AFTER_SIGN_IN = frozenset({"CAPA", "STAT", "LIST", "UIDL", "TOP", "RETR", "DELE", "RSET", "NOOP", "QUIT"})


class CommandOutOfTurn(RuntimeError):
    """The caller asked for something that POP3 does not allow now: a mistake of ours, not of the server."""


class Session:
    """One session, from the greeting to the end; what is in ``hidden`` is kept out of everything that is quoted."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS, hidden: Collection[str] = ()) -> None:
        self._limits = limits
        self._hidden = hidden
        self._buffer = ReceiveBuffer()
        self._outstanding: deque[Command] = deque()
        self._phase = Phase.GREETING
        self._signed_in = False
        self._failure: Pop3Error | None = None
        self._body_ended = False
        self._text = b""
        self._rows: list[bytes] = []
        self._octets = 0
        self._body_begun = False
        self._readers: dict[Phase, Callable[[], Event | None]] = {
            Phase.GREETING: self._read_greeting,
            Phase.STATUS: self._read_status,
            Phase.LISTING: self._read_listing,
            Phase.MESSAGE: self._read_message,
            Phase.CHALLENGED: self._read_nothing,
            Phase.HANDSHAKE: self._read_nothing,
            Phase.CLOSED: self._read_nothing,
        }

    @property
    def phase(self) -> Phase:
        """What the session reads next."""
        return self._phase

    @property
    def signed_in(self) -> bool:
        """Whether the server has accepted who we are."""
        return self._signed_in

    @property
    def outstanding(self) -> int:
        """How many commands wait for the end of their reply."""
        return len(self._outstanding)

    @property
    def current(self) -> Command | None:
        """The command whose reply is read now or comes next."""
        return self._outstanding[0] if self._outstanding else None

    @property
    def buffered(self) -> int:
        """Octets that arrived and no event has told of yet."""
        return len(self._buffer)

    @property
    def in_multiline(self) -> bool:
        """Whether the status line of a multi-line reply was read and its end was not."""
        return self._phase is Phase.MESSAGE or self._phase is Phase.LISTING

    @property
    def listing_is_large(self) -> bool:
        """Whether the listing that is being read is no small one any more."""
        return self._phase is Phase.LISTING and (
            len(self._rows) > self._limits.small_listing_rows or self._octets > self._limits.small_listing_octets
        )

    def send(self, *commands: Command) -> bytes:
        """Queue commands for their replies and return the octets to write, all in one piece."""
        self._check_alive()
        if self._phase in {Phase.GREETING, Phase.CHALLENGED, Phase.HANDSHAKE, Phase.CLOSED}:
            raise CommandOutOfTurn(f"No command can be sent now: the session reads {self._phase.value}.")
        allowed = VERBS_AFTER_SIGN_IN if self._signed_in else VERBS_BEFORE_SIGN_IN
        for command in commands:
            if command.name.partition(" ")[0] not in allowed:
                raise CommandOutOfTurn(f"{command.name} does not belong here (signed in: {self._signed_in}).")
        queued = [*self._outstanding, *commands]
        if len(queued) > 1 and any(command.shape in ALONE for command in queued):
            raise CommandOutOfTurn("A command that changes the stream is sent alone.")
        if not self._outstanding:
            self._refuse_unsolicited()
        self._outstanding.extend(commands)
        return b"".join([command.wire for command in commands])

    def answer(self, response: bytes) -> bytes:
        """Answer a challenge with ``response``, which is in base64 already; returns the octets to write."""
        self._check_alive()
        if self._phase is not Phase.CHALLENGED:
            raise CommandOutOfTurn("There is no challenge to answer.")
        self._refuse_unsolicited()
        self._phase = Phase.STATUS
        return response + b"\r\n"

    def begin_tls(self) -> None:
        """Confirm that the stream is clean, right before the handshake (RFC 2595, section 4).

        Octets that came ahead of TLS could be an attacker's; they must never count as the server's words.
        """
        self._check_alive()
        if self._phase is not Phase.HANDSHAKE:
            raise CommandOutOfTurn("TLS begins after +OK to STLS, and only then.")
        self._refuse_unsolicited()
        self._phase = Phase.STATUS

    def receive(self, data: bytes) -> None:
        """Take octets that were read."""
        self._check_alive()
        self._buffer.feed(data)

    def next_event(self) -> Event | None:
        """What happened next, ``None`` until more arrives. Raises ProtocolViolation, and from then on always."""
        if self._failure is not None:
            self._check_alive()
        if self._body_ended:
            return self._end_body(self._outstanding[0])
        return self._readers[self._phase]()

    # --- Readers, one a phase ---------------------------------------------------------------------------------

    def _read_greeting(self) -> Event | None:
        line = self._line("greeting")
        if line is None:
            return None
        status = parse_status(line)
        if status is None or status[0] is Status.CHALLENGE:
            raise self._fail(
                ProtocolViolation(
                    "The server did not greet as a POP3 server does; is this the POP3 port?",
                    server_text=clean(line, self._hidden),
                )
            )
        accepted = status[0] is Status.OK
        self._phase = Phase.STATUS if accepted else Phase.CLOSED
        return Greeted(accepted, status[1], apop_timestamp(status[1]))

    def _read_status(self) -> Event | None:
        if not self._outstanding:
            self._refuse_unsolicited()
            return None
        command = self._outstanding[0]
        line = self._line("status line")
        if line is None:
            return None
        status = parse_status(line)
        if status is None or (status[0] is Status.CHALLENGE and command.shape is not Shape.EXCHANGE):
            raise self._fail(
                ProtocolViolation(
                    f"The server answered {command.name} with neither +OK nor -ERR.",
                    server_text=clean(line, self._hidden),
                )
            )
        outcome, text = status
        if outcome is Status.CHALLENGE:
            self._phase = Phase.CHALLENGED
            return Challenged(command, text)
        if outcome is Status.ERR:
            self._phase = AFTER_ERR[command.shape]
            self._outstanding.popleft()
            return Replied(command, accepted=False, text=text)
        self._phase = AFTER_OK[command.shape]
        self._octets = 0
        if self._phase is Phase.MESSAGE:
            self._body_begun = False
            return BodyBegan(command, text)
        if self._phase is Phase.LISTING:
            self._text = text
            return self._read_listing()
        self._outstanding.popleft()
        self._signed_in = self._signed_in or command.proves_identity
        return Replied(command, accepted=True, text=text)

    def _read_listing(self) -> Event | None:
        command = self._outstanding[0]
        limit = self._limits.listing_row_octets
        while True:
            # Only whole rows are taken off the buffer, so it always begins with the beginning of a row.
            buffer = self._buffer
            block, at = buffer.block, buffer.at
            rows_end, after = _end_of_rows(block, at)
            if rows_end < 0:
                rows_end = after = block.rfind(b"\n", at) + 1
                if not after:
                    rows_end = after = at
                ended = False
            else:
                ended = True
            if rows_end > at:
                self._take_rows(command, block[at : rows_end - 1].split(b"\n"), rows_end - at)
            buffer.at = after
            if ended:
                self._phase = Phase.STATUS
                self._outstanding.popleft()
                rows, self._rows = tuple(self._rows), []
                return Listed(command, self._text, rows)
            if not buffer.more():
                unfinished = len(buffer.block) - buffer.at
                if unfinished - buffer.block.endswith(b"\r", buffer.at) > limit:
                    raise self._too_long(f"a row of {command.name}", limit)
                return None

    def _take_rows(self, command: Command, rows: list[bytes], octets: int) -> None:
        rows = [row.removesuffix(b"\r") for row in rows]
        if max(map(len, rows)) > self._limits.listing_row_octets:
            raise self._too_long(f"a row of {command.name}", self._limits.listing_row_octets)
        self._octets += octets
        self._rows += rows
        limit = self._limits.capabilities_octets if command.name == "CAPA" else self._limits.listing_octets
        if self._octets > limit:
            raise self._too_long(f"the whole of {command.name}", limit)
        if len(self._rows) > self._limits.listing_rows:
            raise self._too_long(f"the whole of {command.name}", self._limits.listing_rows, "rows")

    def _read_message(self) -> Event | None:
        command = self._outstanding[0]
        buffer = self._buffer
        if not self._body_begun and not self._begin_body():
            return self._end_body(command) if self._body_begun else None
        while True:
            block, at = buffer.block, buffer.at
            # One scan is enough for most blocks: they hold no line that begins with a dot but, perhaps, the last.
            dot = block.find(LINE_WITH_DOT, at)
            end = dot if dot < 0 or block.startswith(TERMINATOR, dot) else block.find(TERMINATOR, dot)
            stop = len(block) - _held_back(block, at) if end < 0 else end + 2
            if stop > at:
                data = block[at:stop]
                if dot != end:
                    data = data.replace(STUFFED, LINE_WITH_DOT)
                buffer.at = stop if end < 0 else end + len(TERMINATOR)
                content = self._content(command, data)
                self._body_ended = end >= 0 and self._failure is None
                return content
            if not buffer.more():
                return None

    def _begin_body(self) -> bool:
        """Look at the very beginning of a body; ``False`` when it is not decided yet, or when the body is empty."""
        buffer = self._buffer
        while True:
            head = buffer.block[buffer.at : buffer.at + 3]
            if head == b".\r\n":
                buffer.at += 3
                self._body_begun = True
                return False
            if head and not b".\r\n".startswith(head):
                buffer.at += head.startswith(b"..")
                self._body_begun = True
                return True
            if not buffer.more():
                return False

    def _content(self, command: Command, data: bytes) -> BodyContent:
        room = self._limits.message_octets - self._octets
        if len(data) > room:
            # What fits is told of first, so that the way the stream was cut does not show.
            failure = self._too_long(f"the message of {command.name}", self._limits.message_octets)
            if not room:
                raise failure
            data = data[:room]
        self._octets += len(data)
        return BodyContent(command, data)

    def _end_body(self, command: Command) -> BodyEnded:
        self._body_ended = False
        self._phase = Phase.STATUS
        self._outstanding.popleft()
        return BodyEnded(command)

    def _read_nothing(self) -> Event | None:
        if self._phase is not Phase.CLOSED:
            self._refuse_unsolicited()
        return None

    # --- Failing ----------------------------------------------------------------------------------------------

    def _line(self, what: str) -> bytes | None:
        try:
            return self._buffer.line(self._limits.status_line_octets)
        except OverflowError:
            raise self._too_long(f"a {what}", self._limits.status_line_octets) from None

    def _refuse_unsolicited(self) -> None:
        buffer = self._buffer
        if len(buffer):
            buffer.more()
            spoken = clean(buffer.block[buffer.at : buffer.at + 512], self._hidden)
            raise self._fail(ProtocolViolation("The server spoke when nothing was asked of it.", server_text=spoken))

    def _too_long(self, what: str, limit: int, unit: str = "octets") -> Pop3Error:
        return self._fail(LimitExceeded(f"The server sent {what} of more than {limit} {unit}."))

    def _fail(self, failure: Pop3Error) -> Pop3Error:
        # What is outstanding stays so: whoever waits for the replies must run into the failure.
        self._failure = failure
        self._rows.clear()
        self._buffer.clear()
        return failure

    def _check_alive(self) -> None:
        if self._failure is not None:
            failure = self._failure
            raise type(failure)(failure.message, server_text=failure.server_text)


def _end_of_rows(block: bytes, at: int) -> tuple[int, int]:
    """Where the rows end and where the octets behind their terminator begin; -1 twice until it is there."""
    for terminator in (b".\r\n", b".\n"):
        if block.startswith(terminator, at):
            return at, at + len(terminator)
    ends = [(found + 1, found + len(t)) for t in (b"\n.\r\n", b"\n.\n") if (found := block.find(t, at)) >= 0]
    return min(ends, default=(-1, -1))


def _held_back(block: bytes, at: int) -> int:
    """How many octets at the end of a block could be the beginning of a terminator or of a stuffed dot."""
    last = block[-1:] if len(block) > at else b""
    if last == b"\r":
        return 4 if block.endswith(b"\r\n.\r", at) else 1
    if last == b"\n":
        return 2 if block.endswith(b"\r\n", at) else 0
    if last == b".":
        return 3 if block.endswith(b"\r\n.", at) else 0
    return 0
