"""The time of a batch, shared out: an owner's slow server leaves some of it to the owner's accounts behind it.

Owners do not wait for each other, so each group has all of the time; within a group one account follows the other.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable

from popfetch.services.message_taking import TimeFrame

SECONDS_FOR_NEW_MESSAGES = 120.0
"""No account begins a message after this, so that the next cycle goes on; but see ``SECONDS_OF_ITS_OWN``."""

SECONDS_OF_ITS_OWN = 30.0
"""So long an account may begin messages in any case, however late its turn comes."""

SECONDS_KEPT_BEHIND = 60.0
"""What is kept of the group's time for each account that still waits in it, as long as there is so much."""


class BatchTime:
    """``groups`` are those of the batch's deliveries, one for each; ``seconds`` is what all of it may take."""

    def __init__(self, groups: Iterable[str], seconds: float) -> None:
        now = asyncio.get_running_loop().time()
        self._waiting = Counter(groups)
        self._stop_at = now + SECONDS_FOR_NEW_MESSAGES
        self._deadline = now + seconds

    def turn(self, group: str) -> TimeFrame:
        """The time frame of the next account of a group, whose turn begins now."""
        now = asyncio.get_running_loop().time()
        self._waiting[group] -= 1
        behind = max(0, self._waiting[group])
        fair_share = (self._deadline - now) / (behind + 1)
        deadline = now + max(fair_share, self._deadline - now - behind * SECONDS_KEPT_BEHIND)
        return TimeFrame(min(deadline, max(self._stop_at, now + SECONDS_OF_ITS_OWN)), deadline)
