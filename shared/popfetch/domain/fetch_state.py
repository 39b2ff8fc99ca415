"""What popfetch remembers of a mailbox between cycles, beside the ledger.

One small record, read and written once by an idle poll. ``version`` grows with every write and fences cycles off
from each other: a cycle that finds another version than it wrote has been overtaken and stops.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from popfetch.domain.account import Standing


class Outcome(StrEnum):
    """How a cycle ended."""

    NOTHING_NEW = "nothing_new"
    STORED = "stored"
    PARTIAL = "partial"
    FAILED = "failed"


class Pipelining(StrEnum):
    """What is known of pipelining on the account's server."""

    UNKNOWN = "unknown"
    WORKS = "works"
    ABSENT = "absent"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Messages 1 to ``count`` of the maildrop are settled: stored, skipped on purpose, or quarantined.

    ``last_uid`` is the print of message ``count``'s UID (empty where there is none); ``octets`` is what STAT said
    when all of the maildrop was settled, ``None`` while messages beyond ``count`` wait; ``sizes_digest`` is the
    digest of the LIST sizes of 1 to ``count``, the stand-in for ``last_uid`` on servers without UIDL.
    ``settled_beyond`` says that some behind ``count`` are settled too, with others waiting before them; or that they
    need not be new, as messages of the account are known that may be there under other UIDs.
    """

    count: int
    last_uid: bytes = b""
    octets: int | None = None
    sizes_digest: bytes = b""
    settled_beyond: bool = False


@dataclass(frozen=True, slots=True)
class ServerTraits:
    """What was learned of the account's server, so that no poll has to learn it again."""

    pipelining: Pipelining = Pipelining.UNKNOWN
    capa_breaks_session: bool = False
    apop_fails: bool = False
    sizes_unstable: bool = False
    size_surprises: int = 0


@dataclass(frozen=True, slots=True)
class FailureCounts:
    """Consecutive failures; ``not_before`` is when the next attempt makes sense (UTC)."""

    authentication: int = 0
    authentication_explicit: int = 0
    connection: int = 0
    temporary: int = 0
    not_before: datetime | None = None

    @property
    def any(self) -> bool:
        """True while the last attempt failed."""
        return bool(self.authentication or self.connection or self.temporary)


COUNTS = ("listed", "stored", "skipped", "quarantined", "deleted", "octets", "remaining")
"""What a cycle counts, in the order in which it is told."""


@dataclass(frozen=True, slots=True)
class LastFetch:
    """The last finished cycle, as the owner sees it."""

    started_at: datetime
    finished_at: datetime
    outcome: Outcome
    listed: int = 0
    stored: int = 0
    skipped: int = 0
    quarantined: int = 0
    deleted: int = 0
    octets: int = 0
    remaining: int = 0
    error_code: str | None = None
    error_message: str | None = None

    @property
    def counts(self) -> dict[str, int]:
        """The counts by name, as ``COUNTS`` has them."""
        return {name: getattr(self, name) for name in COUNTS}


PROGRESS_IS_CURRENT = timedelta(minutes=3)
"""How long what a cycle has last said of its progress is believed.

Commits come every few seconds while messages arrive. The queue gives the request of a batch that died to another after
two minutes, which then says something newer.
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a cycle under way has come with its last commit.

    ``listed`` and ``remaining`` are of the whole mailbox, so that ``listed - remaining`` messages are settled, by
    this cycle or one before it; ``stored`` is what this cycle has stored.
    """

    started_at: datetime
    updated_at: datetime
    listed: int
    remaining: int
    stored: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A message that could not be taken yet: how often it was tried, and what happened last."""

    tries: int
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The account left the wheel: for what, when (UTC), and whether its owner was told.

    ``message`` is an English sentence that may quote the server; ``server_said`` is what it quotes, empty where the
    server said nothing. The stop is kept until mail flows again, so that the owner is told of it once and of the
    recovery once.
    """

    standing: Standing
    at: datetime
    code: str
    message: str
    server_said: str = ""
    told: bool = False


@dataclass(frozen=True, slots=True)
class FetchState:
    """The record of one account; a new account has the defaults.

    ``sign_in_after`` is when the server wants the next sign-in at the earliest (UTC), where it announced LOGIN-DELAY.
    ``start_changed`` is set while messages that were skipped are to be judged anew by another ``start``.
    ``stored_total`` is how many messages fetching has ever stored; it moves on with the ledger entries of what it
    counts, and never back. ``progress`` is that of a cycle that has not concluded, or has died; it leaves
    ``index_ahead_since`` behind, as the index may hold messages from then on that the ledger does not know.
    """

    version: int = 0
    checkpoint: Checkpoint | None = None
    traits: ServerTraits = field(default_factory=ServerTraits)
    failures: FailureCounts = field(default_factory=FailureCounts)
    last_fetch: LastFetch | None = None
    troubles: dict[bytes, Trouble] = field(default_factory=dict)
    stop: Stop | None = None
    start_applied: bool = False
    start_changed: bool = False
    reconcile_after: datetime | None = None
    sign_in_after: datetime | None = None
    next_segment: int = 0
    fresh_segments: int = 0
    stored_total: int = 0
    progress: Progress | None = None
    index_ahead_since: datetime | None = None

    def under_way(self, now: datetime) -> Progress | None:
        """The progress of the cycle under way; ``None`` where there is none, or the one that was has died."""
        progress = self.progress
        if progress is None or now - progress.updated_at > PROGRESS_IS_CURRENT:
            return None
        if self.last_fetch is not None and self.last_fetch.finished_at > progress.updated_at:
            return None
        return progress
