import asyncio

from hypothesis import given
from hypothesis import strategies as st

from popfetch.services.octet_budget import OctetBudget


async def test_lets_through_what_fits() -> None:
    budget = OctetBudget(10)
    async with asyncio.timeout(1):
        await budget.take(4)
        await budget.take(6)


async def test_what_does_not_fit_waits_until_enough_is_given_back() -> None:
    budget = OctetBudget(10)
    await budget.take(4)
    await budget.take(6)
    waiting = asyncio.create_task(budget.take(7))
    budget.give_back(4)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    budget.give_back(6)
    async with asyncio.timeout(1):
        await waiting


async def test_what_is_larger_than_the_whole_passes_alone() -> None:
    budget = OctetBudget(10)
    async with asyncio.timeout(1):
        await budget.take(100)
    waiting = asyncio.create_task(budget.take(1))
    await asyncio.sleep(0)
    assert not waiting.done()
    budget.give_back(100)
    async with asyncio.timeout(1):
        await waiting


@given(st.lists(st.integers(0, 15), max_size=40))
async def test_never_more_is_under_way_than_it_allows_and_all_get_through(sizes: list[int]) -> None:
    budget = OctetBudget(10)
    under_way: list[int] = []

    async def work(octets: int) -> None:
        await budget.take(octets)
        under_way.append(octets)
        assert sum(under_way) <= 10 or [size for size in under_way if size] == [octets]
        await asyncio.sleep(0)
        under_way.remove(octets)
        budget.give_back(octets)

    async with asyncio.timeout(10):
        await asyncio.gather(*map(work, sizes))
    assert under_way == []
