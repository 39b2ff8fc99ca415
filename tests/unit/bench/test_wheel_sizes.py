"""What a size asks of AWS, by figures that can be checked by hand."""

import pytest

from tests.bench import quotas
from tests.bench.fetch_model import batch_seconds
from tests.bench.wheel_population import population
from tests.bench.wheel_simulation import reached_at
from tests.bench.wheel_sizes import ACCOUNTS_OF_A_SHARD, HEADROOM, Size, shards_for, size


@pytest.fixture(scope="module")
def small() -> Size:
    people = population(20_000)
    return size(people, batch_seconds(people))


def test_a_shard_is_added_for_each_hundred_thousand_accounts_of_a_slot() -> None:
    assert [shards_for(count) for count in (1, ACCOUNTS_OF_A_SHARD, ACCOUNTS_OF_A_SHARD + 1)] == [1, 1, 2]


def test_a_full_shard_is_read_in_a_second_within_its_limit(small: Size) -> None:
    pages = ACCOUNTS_OF_A_SHARD / small.page_accounts + 1
    assert pages * 122 < quotas.PARTITION_READS.limit


def test_concurrency_has_its_headroom_and_is_enough(small: Size) -> None:
    assert small.concurrency >= HEADROOM * small.needed
    assert small.day.emptied
    assert small.day.longest_wait < 300


def test_a_quota_is_reached_in_proportion(small: Size) -> None:
    used = small.uses()[quotas.PUT_EVENTS]
    assert reached_at(quotas.PUT_EVENTS, small) == pytest.approx(quotas.PUT_EVENTS.limit / used * 20_000)


def test_most_of_the_bill_is_waiting(small: Size) -> None:
    dollars = small.dollars()
    assert max(dollars, key=lambda name: dollars[name]) == "Lambda"
    assert all(amount > 0 for amount in dollars.values())
