"""What a listing means against what is remembered: which messages are settled, new, or to be looked at again.

The checkpoint answers the common case with one probe: *nothing new*, or *k new at the end*. Anything else (a
deletion, a reordering, a server without UIDL, a day since the last reconciliation) takes the full listing and the
ledger.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from hashlib import sha256

from popfetch.domain.account import AfterFetch, FetchSettings, Order
from popfetch.domain.fetch_state import Checkpoint, ServerTraits, Trouble
from popfetch.domain.ledger import Disposition, Ledger, LedgerEntry, uid_print

RECONCILE_EVERY = timedelta(hours=24)
FORGET_AFTER_DAYS = 30
RETRY_QUARANTINED_AFTER_DAYS = 1
TRIES_BEFORE_QUARANTINE = 3

KNOWN_TO_SURPRISES = 4
"""Known rows to one whose size is another, up to which UIDs alone are not trusted."""


@dataclass(frozen=True, slots=True)
class Row:
    """One message of the listing. ``uid`` is empty where the server gives none; ``octets`` 0 where it says none."""

    number: int
    uid: bytes
    octets: int

    @property
    def print(self) -> bytes:
        """The print of the UID; empty where there is none."""
        return uid_print(self.uid) if self.uid else b""


class Probe(Enum):
    """What STAT and the UID at the checkpoint tell."""

    NOTHING_NEW = auto()
    NEW_AT_THE_END = auto()
    UNCLEAR = auto()


def read_probe(checkpoint: Checkpoint, count: int, octets: int, uid: bytes, *, sizes_unstable: bool = False) -> Probe:
    """Compare a probe with the checkpoint: ``count`` and ``octets`` of STAT, ``uid`` of message checkpoint.count.

    Without UIDs only an unchanged maildrop is recognised; with none settled yet, everything there is new.
    """
    if checkpoint.count == 0:
        if not count:
            return Probe.NOTHING_NEW
        return Probe.UNCLEAR if checkpoint.settled_beyond else Probe.NEW_AT_THE_END
    if checkpoint.last_uid and (not uid or uid_print(uid) != checkpoint.last_uid):
        return Probe.UNCLEAR
    if count == checkpoint.count:
        same_octets = octets == checkpoint.octets or (sizes_unstable and bool(checkpoint.last_uid))
        unchanged = checkpoint.octets is not None and same_octets
        return Probe.NOTHING_NEW if unchanged else Probe.UNCLEAR
    if count > checkpoint.count and checkpoint.last_uid and not checkpoint.settled_beyond:
        return Probe.NEW_AT_THE_END
    return Probe.UNCLEAR


def sizes_digest(rows: Iterable[Row]) -> bytes:
    """The digest of rows' sizes in order: what stands for the last UID on servers without UIDL."""
    return sha256(b"".join(row.octets.to_bytes(8) for row in rows)).digest()[:12]


@dataclass(slots=True)
class Survey:
    """The rows of a session, split by what is to be done with them; ``base`` messages before them are settled.

    ``unsettled`` is in the order of retrieval; ``look_again`` are the numbers among them whose UID the ledger knows
    but may know for another message, ``retried`` those that were quarantined a day ago or longer. ``stale`` are numbers
    of messages that were stored, by their UID and size, and that the owner wants off the server by now: they are read
    once more before they go. ``absent`` are prints of UIDs that the ledger knows and the listing does not have.
    """

    base: Checkpoint
    count: int
    octets: int
    rows: list[Row]
    unsettled: list[Row] = field(default_factory=list)
    look_again: set[int] = field(default_factory=set)
    retried: set[int] = field(default_factory=set)
    stale: set[int] = field(default_factory=set)
    absent: set[bytes] = field(default_factory=set)
    ledger: Ledger | None = None
    settled: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    _unclaimed: set[tuple[bytes, bytes]] = field(default_factory=set)
    """What entries say (UID's print, content's) that settle no row though the listing has their UID."""
    _claimed: set[tuple[bytes, bytes]] = field(default_factory=set)
    """The like of entries that stand for a message under another UID by now."""
    _beginning: int = 0
    """Rows that are settled from the first one on, as far as was looked."""

    def settle(self, number: int) -> None:
        """Message ``number`` is stored, skipped on purpose, or quarantined."""
        self.settled.add(number)

    @property
    def may_hold_renamed(self) -> bool:
        """True while an entry stands for no row, so that its message may be there under another UID."""
        return bool(self.absent or self._unclaimed)

    def is_claimed(self, entry: LedgerEntry) -> bool:
        """True where a row is what the entry stands for, so that its content in another row is another message."""
        said = entry.uid, entry.content
        return said in self._claimed or not (entry.uid in self.absent or said in self._unclaimed)

    def claim(self, entry: LedgerEntry) -> None:
        """The message of an entry was found in another row: it stands for no second one."""
        self._claimed.add((entry.uid, entry.content))

    @property
    def remaining(self) -> int:
        """How many messages still wait."""
        return len(self.rows) - len(self.settled) + max(0, self.count - self.base.count - len(self.rows))

    def checkpoint(self) -> Checkpoint:
        """The longest settled beginning of the maildrop, deleted messages left out.

        Told at every commit, it looks at no row twice, but once messages are deleted.
        """
        if self.deleted:
            return self._left().checkpoint()
        while self._beginning < len(self.rows) and self.rows[self._beginning].number in self.settled:
            self._beginning += 1
        beginning = self._beginning
        complete = beginning == len(self.rows) and self.base.count + len(self.rows) >= self.count
        octets = max(0, self.octets) if complete else None
        beyond = len(self.settled) > beginning or self._rest_may_be_known(complete=complete)
        if not beginning:
            return replace(self.base, octets=octets, settled_beyond=beyond)
        last = self.rows[beginning - 1]
        digest = b"" if last.uid or self.base.count else sizes_digest(self.rows[:beginning])
        return Checkpoint(self.base.count + beginning, last.print, octets, digest, settled_beyond=beyond)

    def _rest_may_be_known(self, *, complete: bool) -> bool:
        """True where what waits behind the settled beginning need not be new: it may be known under other UIDs.

        With none settled, it may also be back after a lapse of the server's.
        """
        if self.ledger is None:
            return False
        return len(self.ledger) > 0 if not self._beginning else not complete and self.may_hold_renamed

    def _left(self) -> "Survey":
        """What the maildrop holds without the deleted messages."""
        kept = [row for row in self.rows if row.number not in self.deleted]
        gone = [row.octets for row in self.rows if row.number in self.deleted]
        return Survey(
            self.base, self.count - len(gone), self.octets - sum(gone), kept, settled=self.settled - self.deleted
        )


def survey_tail(
    checkpoint: Checkpoint, count: int, octets: int, rows: Sequence[Row], settings: FetchSettings
) -> Survey:
    """Rows beyond a checkpoint that still holds: all of them are new."""
    survey = Survey(checkpoint, count, octets, list(rows))
    survey.unsettled = _in_order(survey.rows, settings.order)
    return survey


def survey_all(
    rows: Sequence[Row],
    octets: int,
    ledger: Ledger,
    checkpoint: Checkpoint | None,
    traits: ServerTraits,
    settings: FetchSettings,
    now: datetime,
) -> Survey:
    """The full listing against the ledger.

    Each entry settles one row of its UID: the row of its size first. A row whose UID is known with another size is
    looked at again, unless this server's sizes are known never to hold still. Where that is a good part of what is
    known, the server has given its UIDs anew, and equal sizes are chance: everything known is looked at again.
    """
    by_print: dict[bytes, list[Row]] = {}
    for row in rows:
        if row.uid:
            by_print.setdefault(row.print, []).append(row)

    def matched(*, doubted: bool) -> Survey:
        survey = Survey(Checkpoint(0), len(rows), octets, list(rows), ledger=ledger)
        for uid, group in by_print.items():
            entries = ledger.of_uid(uid)
            if len(group) == len(entries) == 1 and not doubted and group[0].octets == entries[0].octets:
                # nearly all of a large maildrop: what the matching of many to many would come to
                _settle_row(survey, group[0], entries[0], settings, now)
            elif entries:
                _match(survey, group, entries, traits, settings, now, doubted=doubted)
        return survey

    survey = matched(doubted=False)
    if len(survey.look_again) * KNOWN_TO_SURPRISES > len(survey.settled):
        survey = matched(doubted=True)
    if rows and not by_print:
        _settle_by_sizes(survey, checkpoint)
    survey.absent = ledger.uids - by_print.keys()
    waiting = [row for row in survey.rows if row.number not in survey.settled]
    survey.unsettled = _in_order(waiting, settings.order)
    return survey


def _settle_by_sizes(survey: Survey, checkpoint: Checkpoint | None) -> None:
    if not checkpoint or not checkpoint.sizes_digest or checkpoint.count > len(survey.rows):
        return
    prefix = survey.rows[: checkpoint.count]
    if sizes_digest(prefix) == checkpoint.sizes_digest:
        survey.settled.update(row.number for row in prefix)


def _match(
    survey: Survey,
    rows: list[Row],
    entries: list[LedgerEntry],
    traits: ServerTraits,
    settings: FetchSettings,
    now: datetime,
    *,
    doubted: bool,
) -> None:
    # A server may give one UID to all of its messages: no entry is looked at twice.
    ordered = sorted(entries, key=lambda entry: (entry.disposition, -entry.day))
    of_size: dict[int, deque[int]] = {}
    for at, entry in enumerate(ordered):
        of_size.setdefault(entry.octets, deque()).append(at)
    used: set[int] = set()
    claimed: set[tuple[bytes, bytes]] = set()
    unmatched: list[Row] = []

    def settle(row: Row, entry: LedgerEntry) -> None:
        claimed.add((entry.uid, entry.content))
        _settle_row(survey, row, entry, settings, now)

    for row in rows:
        same_size = of_size.get(min(row.octets, 2**32 - 1))
        if not same_size or (doubted and ordered[same_size[0]].disposition is Disposition.STORED):
            unmatched.append(row)
        else:
            at = same_size.popleft()
            used.add(at)
            settle(row, ordered[at])
    spare = [entry for at, entry in enumerate(ordered) if at not in used]
    for row, entry in zip(unmatched, spare, strict=False):
        if traits.sizes_unstable or not row.octets:
            settle(row, entry)
        else:
            survey.look_again.add(row.number)
    said = {(entry.uid, entry.content) for entry in spare if entry.disposition is Disposition.STORED}
    survey._unclaimed |= said - claimed


def _settle_row(survey: Survey, row: Row, entry: LedgerEntry, settings: FetchSettings, now: datetime) -> None:
    if entry.disposition is Disposition.QUARANTINED and entry.settled_before(now, RETRY_QUARANTINED_AFTER_DAYS):
        survey.retried.add(row.number)
        return
    survey.settle(row.number)
    if entry.disposition is Disposition.STORED and is_stale(entry, settings, now):
        survey.stale.add(row.number)


def is_stale(entry: LedgerEntry, settings: FetchSettings, now: datetime) -> bool:
    """True when the owner wants a stored message off the server by now."""
    if settings.after_fetch is AfterFetch.DELETE:
        return True
    if settings.after_fetch is AfterFetch.DELETE_AFTER_DAYS and settings.delete_after_days is not None:
        return entry.settled_before(now, settings.delete_after_days)
    return False


def _in_order(rows: Iterable[Row], order: Order) -> list[Row]:
    return sorted(rows, key=lambda row: row.number, reverse=order is Order.NEWEST_FIRST)


def troubled_last(rows: Sequence[Row], troubles: dict[bytes, Trouble]) -> list[Row]:
    """The same rows, those that made trouble before moved behind the others, which they must not hold up."""
    if not troubles:
        return list(rows)
    return sorted(rows, key=lambda row: trouble_key(row) in troubles)


def trouble_key(row: Row) -> bytes:
    """What a message's tries are counted under: its UID's print, else its size."""
    return row.print or row.octets.to_bytes(12)


def pruned(ledger: Ledger, absent: set[bytes], now: datetime) -> Ledger | None:
    """The ledger without what left the server some time ago; ``None`` when that changes nothing.

    Nothing is forgotten while more than half of the ledger is absent: a server that renames its messages, or shows
    an empty maildrop for an hour, must not cause everything to be fetched again.
    """
    if not absent or len(absent) * 2 > len(ledger.uids):
        return None
    kept = Ledger()
    kept.packed_segments = ledger.packed_segments
    kept.extend(
        entry
        for entry in ledger.entries()
        if entry.uid not in absent or not entry.settled_before(now, FORGET_AFTER_DAYS)
    )
    return kept if len(kept) < len(ledger) else None
