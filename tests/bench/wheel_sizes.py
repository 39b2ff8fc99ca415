"""What popfetch of a certain size asks of AWS: requests a second, batches at once, dollars a month."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from popfetch.adapters import keys
from popfetch.domain.wheel import shard_of
from tests.bench import quotas
from tests.bench.fetch_model import BATCH, MAIL_SHARE, SLOW_SHARE, QueueDay, Seconds, little, queue_day
from tests.bench.prices import PRICES, SECONDS_A_MONTH
from tests.bench.quotas import Quota
from tests.bench.stand_in import accounts_per_page
from tests.bench.wheel_population import Population, owner_id

FETCH_MEMORY_GB = 0.5
HEADROOM = 1.25
"""Batches at once that are allowed, in proportion to what is needed on average."""

SENT_PER_SECOND = 3_000
"""What a dispatch sends with a whole processor (tests/bench/dispatch has the figure)."""

ACCOUNTS_OF_A_SHARD = 100_000
"""A slot has so many accounts to a shard, so that its partition can be read whole in a second within its limit."""

READ_UNITS_OF_A_PAGE = 1_000_000 / 4096 / 2
"""Of a page of the index, read with eventual consistency."""

READS_OF_A_POLL, WRITES_OF_A_POLL = 1.0, 1.0
"""Units: account and state in one consistent query of up to 4 KB, a state of up to 1 KB."""

MESSAGES_OF_A_POLL_WITH_MAIL = 3
WRITES_OF_A_POLL_WITH_MAIL = MESSAGES_OF_A_POLL_WITH_MAIL * 1.0 + 4.0 + 1.0
"""Units beside: an index item a message, the commit as a transaction of two items, a line of history."""

EVENTS_OF_A_POLL_WITH_MAIL, EVENTS_OF_A_FAILED_POLL = 2, 1
CALLS_OF_A_BATCH = 4
"""To SQS: sent, received, held, deleted."""

LOG_OCTETS_OF_A_POLL_WITH_MAIL, LOG_OCTETS_OF_A_BATCH = 450, 700
DATA_KEYS, SECONDS_A_KEY_IS_WARM = 3, 900


@dataclass(frozen=True)
class Size:
    """A number of accounts, and all that follows from it."""

    accounts: int
    load: NDArray[np.int64]
    batches: Seconds
    shards: int
    hottest_shard: int
    concurrency: int
    day: QueueDay

    @property
    def per_second(self) -> float:
        """Polls a second, on average."""
        return float(self.load.mean()) / 60

    @property
    def needed(self) -> float:
        """Batches at once, on average."""
        return little(self.per_second, self.batches)

    @property
    def page_accounts(self) -> int:
        """Accounts in a page of the index."""
        return accounts_per_page("5#0#0", [keys.wheel_order(owner_id(0), 0, "a" * 20)])

    @property
    def partition_reads(self) -> float:
        """Read units of the hottest partition in the second in which it is read whole."""
        return ceil(self.hottest_shard / self.page_accounts) * READ_UNITS_OF_A_PAGE

    def uses(self) -> dict[Quota, float]:
        """What is used of each quota."""
        batches = self.per_second / BATCH
        due = float(self.load.max())
        writes = self.per_second * (WRITES_OF_A_POLL + MAIL_SHARE * WRITES_OF_A_POLL_WITH_MAIL)
        events = MAIL_SHARE * EVENTS_OF_A_POLL_WITH_MAIL + SLOW_SHARE * EVENTS_OF_A_FAILED_POLL
        return {
            quotas.DISPATCH_SMALL: due,
            quotas.CONCURRENCY: self.concurrency,
            quotas.POLLERS: self.concurrency,
            quotas.DISPATCH_LARGE: due,
            quotas.NEW_TABLE_WRITES: writes,
            quotas.PARTITION_READS: self.partition_reads * self.shards,
            quotas.IN_FLIGHT: self.concurrency * BATCH,
            quotas.PUT_EVENTS: self.per_second * events,
            quotas.TABLE_WRITES: writes,
            quotas.TABLE_READS: self.per_second * READS_OF_A_POLL,
            quotas.LOG_CALLS: batches,
            quotas.SQS_CALLS: batches,
            quotas.KMS_CALLS: self.concurrency * DATA_KEYS / SECONDS_A_KEY_IS_WARM,
        }

    def dollars(self) -> dict[str, float]:
        """USD a month, without storage, without free tiers."""
        polls = self.per_second * SECONDS_A_MONTH
        batches = polls / BATCH
        mail = polls * MAIL_SHARE
        seconds = batches * float(self.batches.mean())
        logs = mail * LOG_OCTETS_OF_A_POLL_WITH_MAIL + batches * LOG_OCTETS_OF_A_BATCH
        writes = polls * WRITES_OF_A_POLL + mail * WRITES_OF_A_POLL_WITH_MAIL
        reads = polls * READS_OF_A_POLL + polls / self.page_accounts * READ_UNITS_OF_A_PAGE
        events = mail * EVENTS_OF_A_POLL_WITH_MAIL + polls * SLOW_SHARE * EVENTS_OF_A_FAILED_POLL
        return {
            "Lambda": seconds * FETCH_MEMORY_GB * PRICES["lambda.gb_second"].each
            + batches * PRICES["lambda.request"].each,
            "DynamoDB": writes * PRICES["dynamodb.write"].each + reads * PRICES["dynamodb.read"].each,
            "SQS": batches * CALLS_OF_A_BATCH * PRICES["sqs.fifo"].each,
            "Logs": logs * PRICES["logs.octet"].each,
            "Events": events * PRICES["events.custom"].each,
            "S3": mail * MESSAGES_OF_A_POLL_WITH_MAIL * PRICES["s3.put"].each,
        }


def size(people: Population, batches: Seconds) -> Size:
    """What so many accounts ask for, with as many shards and batches at once as they are told to have."""
    load = people.load()
    slots = people.slot_counts()
    interval, slot = max(
        ((n, int(counts.argmax())) for n, counts in slots.items()), key=lambda place: slots[place[0]].max()
    )
    shards = shards_for(int(slots[interval].max()))
    concurrency = max(2, ceil(HEADROOM * little(float(load.max()) / 60, batches)))
    return Size(
        accounts=len(people),
        load=load,
        batches=batches,
        shards=shards,
        hottest_shard=_hottest(people, interval, slot, shards),
        concurrency=concurrency,
        day=queue_day(load, batches, concurrency, max(SENT_PER_SECOND, float(load.max()) / 30)),
    )


def shards_for(accounts_of_a_slot: int) -> int:
    """The shards that the fullest slot asks for."""
    return ceil(accounts_of_a_slot / ACCOUNTS_OF_A_SHARD)


def _hottest(people: Population, interval: int, slot: int, shards: int) -> int:
    """The accounts of a slot's fullest shard, by the product's own hashing."""
    owners, counts = np.unique(
        people.owners[(people.intervals == interval) & (people.slots == slot)], return_counts=True
    )
    places = np.fromiter((shard_of(owner_id(int(owner)), shards) for owner in owners), np.int64)
    return int(np.bincount(places, weights=counts).max())
