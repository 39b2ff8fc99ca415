"""The ledger: which messages of a maildrop are settled, as packed entries in append-only segments.

An entry is 27 octets: the print of the UID (12), the LIST size (4), the print of the content (8), the day it was
settled (2) and how (1). 100,000 entries are 2.7 MB, a handful of items.

A UID alone settles nothing: a server may give it to another message (the entry's size tells), list it twice (each
entry settles one row) or rename every message at once (the content's print tells).
"""

import struct
from collections.abc import Iterable, Iterator, KeysView
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from hashlib import sha256

_ENTRY = struct.Struct(">12sI8sHB")
ENTRY_OCTETS = _ENTRY.size
UID_PRINT_OCTETS = 12
CONTENT_PRINT_OCTETS = 8
_CONTENT_OFFSET = UID_PRINT_OCTETS + 4
_SIZE_LIMIT = 2**32 - 1
_FIRST_DAY = date(2020, 1, 1)


class Disposition(IntEnum):
    """How a message was settled."""

    STORED = 0
    SKIPPED = 1
    QUARANTINED = 2


def uid_print(uid: bytes) -> bytes:
    """The print of a UID: 96 bits of SHA-256; UIDs are opaque octets of any length."""
    return sha256(b"uid:" + uid).digest()[:UID_PRINT_OCTETS]


def content_print(digest: bytes) -> bytes:
    """The print of a message's content, from the digest of its stable octets."""
    return digest[:CONTENT_PRINT_OCTETS]


def day_number(instant: datetime) -> int:
    """Days since the ledger's first day, in UTC."""
    return (instant.astimezone(UTC).date() - _FIRST_DAY).days


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One settled message. ``octets`` is what LIST said (0 where it said nothing); ``day`` counts from 2020-01-01."""

    uid: bytes
    octets: int
    content: bytes
    day: int
    disposition: Disposition = Disposition.STORED

    def settled_before(self, now: datetime, days: int) -> bool:
        """True when at least ``days`` whole days have passed since the day of settling."""
        return day_number(now - timedelta(days=days)) >= self.day


def pack(entries: Iterable[LedgerEntry]) -> bytes:
    """Entries as a segment's octets."""
    return b"".join(
        _ENTRY.pack(
            entry.uid,
            min(entry.octets, _SIZE_LIMIT),
            entry.content.ljust(CONTENT_PRINT_OCTETS, b"\0"),
            entry.day,
            entry.disposition,
        )
        for entry in entries
    )


def unpack(segment: bytes) -> Iterator[LedgerEntry]:
    """A segment's octets as entries. Raises ValueError when they are no whole number of entries."""
    _check_whole(segment)
    for uid, octets, content, day, disposition in _ENTRY.iter_unpack(segment):
        yield LedgerEntry(uid, octets, content, day, Disposition(disposition))


class Ledger:
    """All entries of one account, found by UID print or by content.

    Entries stay packed, and are made into objects one by one as they are asked for: 100,000 of them take about 15 MB.
    ``packed_segments`` names the packed items they came from, for whoever writes the ledger anew.
    """

    __slots__ = ("_earlier", "_latest", "_octets", "packed_segments")

    def __init__(self) -> None:
        self._octets = bytearray()
        self._latest: dict[bytes, int] = {}
        self._earlier: dict[int, int] = {}
        self.packed_segments: list[int] = []

    def add(self, entry: LedgerEntry) -> None:
        """Add an entry."""
        self.extend_packed(pack([entry]))

    def extend(self, entries: Iterable[LedgerEntry]) -> None:
        """Add entries."""
        self.extend_packed(pack(entries))

    def extend_packed(self, segment: bytes) -> None:
        """Add a segment's entries. Raises ValueError when it is no whole number of entries."""
        _check_whole(segment)
        index = len(self)
        self._octets += segment
        for start in range(0, len(segment), ENTRY_OCTETS):
            uid = segment[start : start + UID_PRINT_OCTETS]
            earlier = self._latest.get(uid)
            if earlier is not None:
                self._earlier[index] = earlier
            self._latest[uid] = index
            index += 1

    @property
    def uids(self) -> KeysView[bytes]:
        """The prints of all UIDs."""
        return self._latest.keys()

    def of_uid(self, uid: bytes) -> list[LedgerEntry]:
        """The entries of a UID's print, the latest first."""
        found = []
        index = self._latest.get(uid)
        while index is not None:
            found.append(self._entry(index))
            index = self._earlier.get(index)
        return found

    def of_content(self, content: bytes) -> list[LedgerEntry]:
        """The entries of a content's print."""
        found = []
        start = self._octets.find(content)
        while start >= 0:
            index, offset = divmod(start, ENTRY_OCTETS)
            if offset == _CONTENT_OFFSET:
                found.append(self._entry(index))
            start = self._octets.find(content, start + 1)
        return found

    def entries(self) -> Iterator[LedgerEntry]:
        """All entries, in the order in which they were added."""
        return unpack(bytes(self._octets))

    def without(self, disposition: Disposition) -> "Ledger":
        """The same ledger less the entries of one disposition; it is to replace the same packed items."""
        kept = Ledger()
        kept.packed_segments = self.packed_segments
        kept.extend(entry for entry in self.entries() if entry.disposition is not disposition)
        return kept

    def __len__(self) -> int:
        return len(self._octets) // ENTRY_OCTETS

    def _entry(self, index: int) -> LedgerEntry:
        start = index * ENTRY_OCTETS
        return next(unpack(bytes(self._octets[start : start + ENTRY_OCTETS])))


def _check_whole(segment: bytes) -> None:
    if len(segment) % ENTRY_OCTETS:
        raise ValueError(f"A ledger segment of {len(segment)} octets is no whole number of entries.")
