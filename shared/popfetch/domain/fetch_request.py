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
    slot delivered twice is fetched once. ``correlation_id`` is the id of what asked for it first: the rule's event, or
    the request of the API's; empty where nobody said.
    """

    owner_id: str
    account_id: str
    reason: Reason
    due_at: datetime
    correlation_id: str = ""

    @property
    def deduplication_id(self) -> str:
        """Account, reason and instant: at most 128 characters, as SQS demands."""
        return f"{self.account_id}.{self.reason}.{self.due_at.timestamp():.3f}"
