"""How often something may be done: so many times within any stretch of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

NO_WAIT = timedelta(0)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``at_most`` times within any ``within``."""

    at_most: int
    within: timedelta

    def counting(self, times: Sequence[datetime], now: datetime) -> list[datetime]:
        """Those of some earlier times that still count at ``now``, the oldest first."""
        return sorted(at for at in times if now - at < self.within)

    def wait(self, times: Sequence[datetime], now: datetime) -> timedelta:
        """How long the next time has to wait after some earlier ones; zero where it may be at ``now``."""
        counting = self.counting(times, now)
        if len(counting) < self.at_most:
            return NO_WAIT
        return max(NO_WAIT, counting[-self.at_most] + self.within - now)
