"""What is new to an owner: how many messages fetching has stored since they last looked at an account.

Nothing is kept of single messages: two counts say it, the one of the account and the one that a visit has seen.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """When an owner looked at an account (UTC), and how many messages fetching had stored for it by then."""

    at: datetime
    stored_total: int


def unread(stored_total: int, visit: Visit | None) -> int:
    """How many of an account's messages came after the visit; all of them where there was none."""
    return max(0, stored_total - (visit.stored_total if visit else 0))
