"""How often one may do what reaches others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from popfetch.domain.rate_limit import Limit


class RateLimits(Protocol):
    """Counts how often something is done."""

    def take(self, what: str, who: str, limit: Limit, now: datetime) -> timedelta:
        """Count one more time at ``now`` that ``who`` does ``what``, if the limit lets it.

        Returns how long to wait, which is zero where it was counted. Raises StorageUnavailable.
        """
