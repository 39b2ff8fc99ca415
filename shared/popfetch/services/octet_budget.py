"""A bound on the octets that are under way at once, shared by all sessions of a batch."""

import asyncio


class OctetBudget:
    """Lets work through while it fits; what is larger than the whole budget passes alone."""

    def __init__(self, octets: int) -> None:
        self._capacity = octets
        self._taken = 0
        self._freed = asyncio.Condition()

    async def take(self, octets: int) -> None:
        """Wait until ``octets`` fit, then count them as under way."""
        async with self._freed:
            await self._freed.wait_for(lambda: not self._taken or self._taken + octets <= self._capacity)
            self._taken += octets

    async def give_back(self, octets: int) -> None:
        """The octets are no longer under way."""
        async with self._freed:
            self._taken -= octets
            self._freed.notify_all()
