"""The ledger: which messages of a maildrop are settled, as packed entries in append-only segments.

An entry is 27 octets: the print of the UID (12), the LIST size (4), the print of the content (8), the day it was
settled (2) and how (1). 100,000 entries are 2.7 MB, a handful of items.

A UID alone settles nothing: a server may give it to another message (the entry's size tells), list it twice (each
entry settles one row) or rename every message at once (the content's print tells).
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from hashlib import sha256

_ENTRY = struct.Struct(">12sI8sHB")
ENTRY_OCTETS = _ENTRY.size
UID_PRINT_OCTETS = 12
CONTENT_PRINT_OCTETS = 8
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
    if len(segment) % ENTRY_OCTETS:
        raise ValueError(f"A ledger segment of {len(segment)} octets is no whole number of entries.")
    for uid, octets, content, day, disposition in _ENTRY.iter_unpack(segment):
        yield LedgerEntry(uid, octets, content, day, Disposition(disposition))


@dataclass(slots=True)
class Ledger:
    """All entries of one account, by UID print. ``segments`` names the items they came from, for compaction."""

    by_uid: dict[bytes, list[LedgerEntry]] = field(default_factory=dict)
    by_content: dict[bytes, list[LedgerEntry]] = field(default_factory=dict)
    fresh: list[int] = field(default_factory=list)
    packed: list[int] = field(default_factory=list)

    def add(self, entry: LedgerEntry) -> None:
        """Add an entry."""
        self.by_uid.setdefault(entry.uid, []).append(entry)
        if any(entry.content):
            self.by_content.setdefault(entry.content, []).append(entry)

    def extend(self, entries: Iterable[LedgerEntry]) -> None:
        """Add entries."""
        for entry in entries:
            self.add(entry)

    def entries(self) -> Iterator[LedgerEntry]:
        """All entries, those of one UID together."""
        for entries in self.by_uid.values():
            yield from entries

    def __len__(self) -> int:
        return sum(map(len, self.by_uid.values()))
