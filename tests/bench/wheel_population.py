"""Accounts on the wheel, by the product's own hashing: how many are due in each minute of a day."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from popfetch.domain.provider_table import PROVIDERS
from popfetch.domain.wheel import DAY, phase

SEED = 20261123

WANTED = {5: 0.60, 10: 0.10, 15: 0.12, 30: 0.08, 60: 0.08, 1440: 0.02}
"""The interval that owners choose, in minutes, and their share; 5 is what is recommended."""

PROVIDER_SHARES = {"gmail": 0.30, "outlook_personal": 0.15, "web_de": 0.05}
"""Accounts at providers that tolerate no shorter interval than theirs; the others tolerate any."""

ACCOUNTS_OF_OWNERS = {1: 0.50, 2: 0.25, 3: 0.15, 5: 0.10}
"""How many accounts an owner has."""


@dataclass(frozen=True)
class Population:
    """Accounts, an owner's side by side: the owner's number, the interval in minutes and the slot of each."""

    owners: NDArray[np.int32]
    intervals: NDArray[np.int16]
    slots: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.owners)

    def first(self, count: int) -> "Population":
        """The first so many accounts."""
        return Population(self.owners[:count], self.intervals[:count], self.slots[:count])

    def load(self) -> NDArray[np.int64]:
        """The accounts due in each minute of a day."""
        load = np.zeros(DAY, np.int64)
        for interval, counts in self.slot_counts().items():
            load += np.tile(counts, DAY // interval)
        return load

    def slot_counts(self) -> dict[int, NDArray[np.int64]]:
        """The accounts in each slot of each interval."""
        return {
            int(interval): np.bincount(self.slots[self.intervals == interval], minlength=int(interval)).astype(np.int64)
            for interval in np.unique(self.intervals)
        }

    def due(self, minute: int) -> NDArray[np.int64]:
        """The places of the accounts that are due in a minute, owner by owner."""
        return np.flatnonzero(minute % self.intervals == self.slots)


def owner_id(number: int) -> str:
    """An owner's id; a real one is a UUID, and hashed just so."""
    return f"0b7d5ad2-5f8c-4d1b-9a55-{number:012d}"


@cache
def population(count: int) -> Population:
    """So many accounts, always the same ones."""
    rng = np.random.default_rng(SEED)
    sizes = rng.choice(list(ACCOUNTS_OF_OWNERS), count, p=list(ACCOUNTS_OF_OWNERS.values()))
    owners = np.repeat(np.arange(count, dtype=np.int32), sizes)[:count]
    phases = np.fromiter((phase(owner_id(number)) for number in range(int(owners[-1]) + 1)), np.int16)
    intervals = rng.choice(list(WANTED), count, p=list(WANTED.values())).astype(np.int16)
    intervals = np.maximum(intervals, _shortest(rng, count))
    return Population(owners, intervals, (phases[owners] % intervals).astype(np.int16))


def _shortest(rng: np.random.Generator, count: int) -> NDArray[np.int16]:
    """What the accounts' providers tolerate, in minutes."""
    shortest = {provider.id: provider.shortest_interval for provider in PROVIDERS if provider.id in PROVIDER_SHARES}
    others = 1 - sum(PROVIDER_SHARES.values())
    values = [*(shortest[provider] for provider in PROVIDER_SHARES), 1]
    return rng.choice(values, count, p=[*PROVIDER_SHARES.values(), others]).astype(np.int16)
