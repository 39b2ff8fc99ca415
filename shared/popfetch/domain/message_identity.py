"""Who a message is: its id, from what is the message's own and never from when or how often it was fetched.

The id has the form of a ULID: ten characters of arrival time (so that ids sort by arrival), sixteen of an 80-bit
hash over account, UID, header block and the leading octets of the body. Servers may rewrite a few header fields
between two retrievals of one message (``Status``, ``X-UIDL`` and their like, RFC 4155 and mbox practice); those are
left out of the hash, so that a second retrieval has the same id and overwrites the same object.

The body's leading octets stand beside the header block because messages without a header, or with the same short
one, exist and must not overwrite each other.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from popfetch.domain.header_text import read_date, read_text

if TYPE_CHECKING:
    from hashlib import _Hash

HEADER_LIMIT = 256 * 1024
"""Octets after which a header block that has not ended is taken to be one all the same."""

BODY_IN_IDENTITY = 4 * 1024 * 1024
"""Octets of the stable content that decide the id; less than one part of an upload, so the key is known in time."""

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_TWO_DIGITS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_STAMP_LENGTH = 10
_LATEST_STAMP = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp() * 1000)

STORED_ID = r"[0-9a-hjkmnp-tv-z]{26}"
"""What the id of a stored message looks like: a pattern."""

_HEADER_END = re.compile(rb"\r?\n\r?\n")
_HEADER_SEEK = 3
_MUTABLE_FIELDS = re.compile(
    rb"^(?:status|x-status|x-keywords|x-uid|x-uidl|x-imap|x-imapbase|x-mozilla-status2?|x-mozilla-keys"
    rb"|content-length|lines)[ \t]*:.*\n(?:[ \t].*\n)*",
    re.IGNORECASE | re.MULTILINE,
)
_FIELDS = re.compile(
    rb"^(date|from|subject|message-id|received)[ \t]*:(.*(?:\n[ \t].*)*)", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class HeaderFields:
    """What the index shows of a header block; dates are UTC, ``None`` where absent or no date at all."""

    dated: datetime | None = None
    arrived: datetime | None = None
    sender: str = ""
    subject: str = ""
    message_id: str = ""


def read_header_fields(block: bytes) -> HeaderFields:
    """Read the first Date, From, Subject, Message-ID and Received of a header block; never fails on bad mail."""
    found: dict[bytes, bytes] = {}
    for match in _FIELDS.finditer(block):
        found.setdefault(match[1].lower(), match[2])
    dated = read_date(found.get(b"date", b""))
    received = found.get(b"received", b"")
    return HeaderFields(
        dated=dated,
        arrived=read_date(received.rpartition(b";")[2]) or dated,
        sender=read_text(found.get(b"from", b""), 120),
        subject=read_text(found.get(b"subject", b""), 200),
        message_id=read_text(found.get(b"message-id", b""), 200),
    )


def id_of_sent(at: datetime, random: bytes) -> str:
    """The id of a message that is sent at ``at``, with ``random`` (10 octets) for what tells it from others.

    Nothing of the message itself is in it: who sends the same twice on purpose has two messages.
    """
    return _base32(int(at.timestamp() * 1000), _STAMP_LENGTH) + _base32(int.from_bytes(random), 16)


def earliest_id(at: datetime) -> str:
    """What is less than every id of a message that arrived at ``at`` or later, and more than every earlier one."""
    return _base32(max(0, int(at.timestamp() * 1000)), _STAMP_LENGTH)


def arrival_of(message_id: str) -> datetime:
    """The arrival by which an id is ordered, to the millisecond; 1970 where the message names none."""
    stamp = 0
    for digit in message_id[:_STAMP_LENGTH]:
        stamp = 32 * stamp + _CROCKFORD.index(digit)
    return datetime.fromtimestamp(min(stamp, _LATEST_STAMP) / 1000, UTC)


def is_message_id(text: str) -> bool:
    """True for what can be the id of a stored message at all; anything else must not reach a key."""
    return re.fullmatch(STORED_ID, text) is not None


class MessageDigest:
    """Digests a message as its octets arrive, in memory bounded by the header block.

    ``ready`` turns true once enough has come for the id; ``finish`` says that nothing more will come.
    """

    __slots__ = (
        "_exact",
        "_finished",
        "_head",
        "_identity",
        "_leading",
        "_stable",
        "fields",
        "octets",
        "ready",
    )

    def __init__(self) -> None:
        self._exact = sha256()
        self._stable: _Hash | None = None
        self._head: bytearray | None = bytearray()
        self._leading = 0
        self._identity = b""
        self._finished = False
        self.fields = HeaderFields()
        self.octets = 0
        self.ready = False

    def feed(self, data: bytes) -> None:
        """Take the next octets of the message."""
        self.octets += len(data)
        if self._head is None:
            self._feed_body(data)
            return
        # Nearly every header block comes in one piece, and is read where it lies.
        seek = max(0, len(self._head) - _HEADER_SEEK)
        head: bytes | bytearray = data
        if self._head:
            self._head += data
            head = self._head
        end = _header_end(head, seek)
        if end is not None:
            self._close_header(bytes(head), end)
        elif head is data:
            self._head += data

    def finish(self) -> None:
        """Take note that the message has ended."""
        if self._head is not None:
            self._close_header(bytes(self._head), len(self._head))
        self._settle_identity()
        self._finished = True

    def message_id(self, account_id: str, uid: bytes) -> str:
        """The id of the message, once ``ready``."""
        assert self.ready, "the id is asked for before enough of the message has come"
        seed = b"".join(len(part).to_bytes(4) + part for part in (account_id.encode(), uid, self._identity))
        stamp = int(self.fields.arrived.timestamp() * 1000) if self.fields.arrived else 0
        return _base32(stamp, _STAMP_LENGTH) + _base32(int.from_bytes(sha256(seed).digest()[:10]), 16)

    @property
    def sha256(self) -> bytes:
        """The hash of the message's octets as they are, once finished."""
        assert self._finished, "the hash is asked for before the message has ended"
        return self._exact.digest()

    @property
    def content(self) -> bytes:
        """The hash of the stable octets: all but the header fields that servers rewrite; once finished."""
        assert self._finished, "the content's hash is asked for before the message has ended"
        return (self._stable or self._exact).digest()

    def _close_header(self, head: bytes, end: int) -> None:
        self._head = None
        block = head[:end]
        self.fields = read_header_fields(block)
        stable, removed = _MUTABLE_FIELDS.subn(b"", block)
        if removed:
            self._stable = sha256(stable)
        self._exact.update(block)
        self._leading = len(stable)
        self._feed_body(memoryview(head)[end:])

    def _feed_body(self, data: bytes | memoryview) -> None:
        if not self.ready and self._leading + len(data) >= BODY_IN_IDENTITY:
            cut = max(0, BODY_IN_IDENTITY - self._leading)
            self._update(data[:cut])
            self._settle_identity()
            data = data[cut:]
        self._update(data)
        self._leading += len(data)

    def _update(self, data: bytes | memoryview) -> None:
        self._exact.update(data)
        if self._stable is not None:
            self._stable.update(data)

    def _settle_identity(self) -> None:
        if not self.ready:
            self._identity = (self._stable or self._exact).digest()
            self.ready = True


def _header_end(head: bytes | bytearray, seek: int) -> int | None:
    """Where the header block ends, looked for from ``seek`` on; ``None`` where it has not ended yet."""
    if head.startswith((b"\r\n", b"\n")):
        return 0
    match = _HEADER_END.search(head, seek, HEADER_LIMIT)
    if match:
        return match.end()
    return HEADER_LIMIT if len(head) >= HEADER_LIMIT else None


def _base32(number: int, length: int) -> str:
    """The lowest ``length`` digits of a number; ``length`` is even."""
    return "".join([_TWO_DIGITS[number >> shift & 1023] for shift in range(5 * length - 10, -1, -10)])
