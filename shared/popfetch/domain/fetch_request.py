"""A request to fetch one account, as it travels through the queue."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reason(StrEnum):
    """Why a fetch was asked for."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch_up"
    CHECK_NOW = "check_now"


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One account is due: at ``due_at`` (UTC), for ``reason``.

    The queue's message group is the owner and its deduplication id is ``deduplication_id``, so that the same
    slot delivered twice is fetched once.
    """

    owner_id: str
    account_id: str
    reason: Reason
    due_at: datetime

    @property
    def deduplication_id(self) -> str:
        """Account, reason and instant: at most 128 characters, as SQS demands."""
        return f"{self.account_id}.{self.reason}.{self.due_at.timestamp():.3f}"
