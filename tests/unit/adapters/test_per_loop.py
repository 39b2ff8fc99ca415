"""What belongs to an event loop is made once for each, and goes with it."""

import asyncio
import gc

from popfetch.adapters.per_loop import PerLoop


def test_each_loop_has_its_own() -> None:
    locks = PerLoop(asyncio.Lock)

    async def twice() -> tuple[asyncio.Lock, asyncio.Lock]:
        return locks.get(), locks.get()

    (one, again), (other, _) = asyncio.run(twice()), asyncio.run(twice())
    assert one is again
    assert one is not other


def test_a_loop_that_has_ended_leaves_nothing_behind() -> None:
    locks = PerLoop(asyncio.Lock)

    async def once() -> None:
        locks.get()

    asyncio.run(once())
    gc.collect()
    assert len(locks._made) == 0
