"""How often something may be done: so many times within any stretch of time, and not too soon after the last time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

NO_WAIT = timedelta(0)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``at_most`` times within any ``within``, with at least ``pause`` between two of them."""

    at_most: int
    within: timedelta
    pause: timedelta = NO_WAIT

    def counting(self, times: Sequence[datetime], now: datetime) -> list[datetime]:
        """Those of some earlier times that still count at ``now``, the oldest first."""
        return sorted(at for at in times if now - at < self.within)

    def wait(self, times: Sequence[datetime], now: datetime) -> timedelta:
        """How long the next time has to wait after some earlier ones; zero where it may be at ``now``."""
        counting = self.counting(times, now)
        waits = [NO_WAIT]
        if len(counting) >= self.at_most:
            waits.append(counting[-self.at_most] + self.within - now)
        if counting:
            waits.append(counting[-1] + self.pause - now)
        return max(waits)
