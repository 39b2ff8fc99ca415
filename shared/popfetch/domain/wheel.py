"""The schedule: a wheel of slots that is never rewritten by polling.

Each owner has a fixed phase. An account with interval *n* minutes is due in the minutes (since the epoch, UTC) in
which ``minute % n`` equals its slot, ``phase % n``. All of an owner's accounts therefore meet as often as their
intervals allow, and owners spread evenly over the minutes.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256

from popfetch.domain.account import INTERVAL_MENU

DAY = 1440


def phase(owner_id: str) -> int:
    """An owner's phase in minutes, 0 to 1439, the same for ever."""
    return int.from_bytes(sha256(owner_id.encode()).digest()[:8]) % DAY


def slot_of(owner_id: str, interval_minutes: int) -> int:
    """The slot of an owner's accounts of one interval."""
    return phase(owner_id) % interval_minutes


def shard_of(owner_id: str, shards: int) -> int:
    """The shard of the wheel that an owner is on; an owner's accounts stay together.

    The number of shards may grow: accounts keep the shard they were written with, and all are read.
    """
    return int.from_bytes(sha256(owner_id.encode()).digest()[8:16]) % shards


def minute_of(instant: datetime) -> int:
    """The minute since the epoch that an instant lies in."""
    return int(instant.timestamp()) // 60


def instant_of(minute: int) -> datetime:
    """The instant (UTC) a minute begins at."""
    return datetime.fromtimestamp(minute * 60, UTC)


def due_slots(minute: int, last_minute: int | None) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """What is due at ``minute`` when everything up to ``last_minute`` was dispatched: each minute, with its slots.

    A slot is (interval, slot). Minutes come in their order, so that progress can be kept after each. Missed ones are
    caught up to one interval back, so each account is due at most once however long the rule was off. An event that
    comes late or again (``minute`` not after ``last_minute``) yields its own minute's slots as they were, which
    deduplication then recognises.
    """
    first = minute
    if last_minute is not None and last_minute < minute:
        first = max(last_minute + 1, minute - INTERVAL_MENU[-1] + 1)
    for due in range(first, minute + 1):
        yield due, [(interval, due % interval) for interval in INTERVAL_MENU if due > minute - interval]
