"""A bound on the octets that are under way at once, shared by all sessions of a batch."""

import asyncio


class OctetBudget:
    """Lets work through while it fits; what is larger than the whole budget passes alone."""

    def __init__(self, octets: int) -> None:
        self._capacity = octets
        self._taken = 0
        self._freed = asyncio.Event()

    async def take(self, octets: int) -> None:
        """Wait until ``octets`` fit, then count them as under way."""
        while self._taken and self._taken + octets > self._capacity:
            await self._freed.wait()
        self._taken += octets

    def give_back(self, octets: int) -> None:
        """The octets are no longer under way; whoever waits looks again."""
        self._taken -= octets
        self._freed.set()
        self._freed = asyncio.Event()
