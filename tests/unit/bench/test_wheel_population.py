"""The simulated accounts are the product's own: its slots, its providers' limits."""

import numpy as np

from popfetch.domain.provider_table import PROVIDERS
from popfetch.domain.wheel import DAY, slot_of
from tests.bench.wheel_population import PROVIDER_SHARES, WANTED, owner_id, population

PEOPLE = population(5_000)


def test_each_account_is_in_the_slot_that_the_product_gives_it() -> None:
    for owner, interval, slot in zip(PEOPLE.owners[:300], PEOPLE.intervals[:300], PEOPLE.slots[:300], strict=True):
        assert slot_of(owner_id(int(owner)), int(interval)) == slot


def test_the_load_of_a_day_is_every_account_as_often_as_its_interval_says() -> None:
    assert PEOPLE.load().sum() == (DAY // PEOPLE.intervals.astype(np.int64)).sum()


def test_the_load_of_a_minute_is_those_who_are_due_in_it() -> None:
    load = PEOPLE.load()
    assert [len(PEOPLE.due(minute)) for minute in (0, 7, 1439)] == [load[0], load[7], load[1439]]


def test_an_owners_accounts_stand_side_by_side() -> None:
    assert (np.diff(PEOPLE.owners) >= 0).all()


def test_no_interval_is_below_what_a_provider_tolerates() -> None:
    assert set(np.unique(PEOPLE.intervals)) <= set(WANTED)
    at_five = float((PEOPLE.intervals == 5).mean())
    assert abs(at_five - WANTED[5] * (1 - sum(PROVIDER_SHARES.values()))) < 0.03


def test_the_providers_of_the_mix_are_known_and_have_a_limit() -> None:
    limits = {provider.id: provider.shortest_interval for provider in PROVIDERS}
    assert all(limits[provider] > 5 for provider in PROVIDER_SHARES)


def test_the_first_accounts_are_a_population_of_their_own() -> None:
    few = PEOPLE.first(100)
    assert len(few) == 100
    assert few.load().sum() < PEOPLE.load().sum()
