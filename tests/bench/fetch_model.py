"""How fetching keeps up: what batches take, and the queue over a day with so many batches at once.

The queue is a flow: in each second so many requests arrive, as many batches begin as are waiting and as there is room
for, and of those that began, the share ends after each number of seconds that batches take that long.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from popfetch.pop3.limits import DEFAULT_LIMITS
from tests.bench.wheel_population import SEED, Population

BATCH = 10
"""Accounts of a batch: the template's BatchSize."""

IDLE_SECONDS, IDLE_SPREAD = 0.7, 0.4
MAIL_SHARE, MAIL_SECONDS, MAIL_SPREAD = 0.05, 2.5, 0.8
"""Of all polls, those that find mail, and the seconds it takes beside (mean, and sigma of a lognormal)."""

SLOW_SHARE, SLOW_SECONDS = 0.01, DEFAULT_LIMITS.reply_seconds
"""Of all polls, those whose server says nothing until the time for a reply is over."""

OVERHEAD_SECONDS = 0.05
"""What a batch takes beside its accounts: the lease at SQS."""

type Seconds = NDArray[np.float64]


def poll_seconds(count: int, rng: np.random.Generator, slow_share: float = SLOW_SHARE) -> Seconds:
    """What polls take."""
    seconds = _lognormal(IDLE_SECONDS, IDLE_SPREAD, count, rng)
    seconds += (rng.random(count) < MAIL_SHARE) * _lognormal(MAIL_SECONDS, MAIL_SPREAD, count, rng)
    slow: Seconds = np.where(rng.random(count) < slow_share, SLOW_SECONDS, seconds)
    return slow


def _lognormal(mean: float, sigma: float, count: int, rng: np.random.Generator) -> Seconds:
    return rng.lognormal(np.log(mean) - sigma**2 / 2, sigma, count)


def batch_seconds(people: Population, slow_share: float = SLOW_SHARE) -> Seconds:
    """What the batches of one minute take: owners side by side, an owner's accounts one after the other."""
    owners = people.owners[people.due(0)]
    owners = owners[: len(owners) // BATCH * BATCH]
    places = np.arange(len(owners))
    polls = poll_seconds(len(owners), np.random.default_rng(SEED), slow_share)
    begins = np.flatnonzero((places % BATCH == 0) | np.r_[True, owners[1:] != owners[:-1]])
    of_owners = np.add.reduceat(polls, begins)
    longest: Seconds = np.maximum.reduceat(of_owners, np.searchsorted(begins, places[::BATCH]))
    return longest + OVERHEAD_SECONDS


@dataclass(frozen=True)
class QueueDay:
    """The queue in each second of a day: requests waiting, batches at once; and the longest wait, in seconds."""

    waiting: Seconds
    at_once: Seconds
    longest_wait: float
    emptied: bool


def little(polls_per_second: float, batches: Seconds) -> float:
    """Batches at once on average: Little's law."""
    return polls_per_second / BATCH * float(batches.mean())


def queue_day(load: NDArray[np.int64], batches: Seconds, concurrency: int, sent_per_second: float) -> QueueDay:
    """A day of minutes with ``load`` requests each, sent at a rate, and at most ``concurrency`` batches at once."""
    arrivals = np.concatenate([_sent(due, sent_per_second) for due in load]) / BATCH
    ends = np.bincount(np.ceil(batches).astype(np.int64)) / len(batches)
    ending = np.zeros(len(arrivals) + len(ends))
    waiting, busy = np.zeros(len(arrivals)), np.zeros(len(arrivals))
    begun = np.zeros(len(arrivals))
    queue = at_once = 0.0
    for second, arrived in enumerate(arrivals):
        at_once -= ending[second]
        queue += arrived
        start = min(queue, concurrency - at_once)
        queue -= start
        at_once += start
        ending[second : second + len(ends)] += start * ends
        begun[second], waiting[second], busy[second] = start, queue, at_once
    came, gone = np.cumsum(arrivals), np.cumsum(begun)
    seconds = np.searchsorted(gone, came - 1e-6)
    waits = seconds - np.arange(len(arrivals))
    return QueueDay(waiting * BATCH, busy, float(waits.max()), bool(seconds[-1] < len(arrivals)))


def _sent(due: int, sent_per_second: float) -> Seconds:
    """The requests of a minute by its seconds: an even flow from its beginning on."""
    seconds = min(60, max(1, int(np.ceil(due / sent_per_second))))
    flow = np.zeros(60)
    flow[:seconds] = due / seconds
    return flow
