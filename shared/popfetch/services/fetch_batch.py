"""A batch of queue deliveries, carried out side by side: owners at once, an owner's accounts in their order.

The batch holds its deliveries by a short lease that it renews while it runs, so that a crash delays an owner by
two minutes and not by the queue's long timeout. When a batch runs long because of one slow server, the deliveries
of owners that are done are settled at once: nobody waits for somebody else's server.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from popfetch.domain.errors import NotAFetchRequest, PopfetchError, StorageUnavailable
from popfetch.domain.fetch_request import FetchRequest
from popfetch.ports.invocation import Journal
from popfetch.ports.metrics import Metric
from popfetch.ports.schedule import Deliveries, Delivery, Erasure

LEASE_SECONDS = 120
RENEW_EVERY_SECONDS = 40
LONG_BATCH_SECONDS = 20
"""After this long, a delivery that is done is settled at once rather than with the batch."""

type Carry = Callable[[FetchRequest | Erasure], Awaitable[None]]


async def carry_out(batch: Sequence[Delivery], deliveries: Deliveries, carry: Carry, journal: Journal) -> list[str]:
    """Carry out every delivery; returns the ids of those that are to come again, with all behind them in their group.

    What is no request of ours goes to the dead letters at once. A failure that time may heal, or that nobody
    foresaw, sends the delivery back; the queue's own count ends that.
    """
    groups: dict[str, list[Delivery]] = {}
    for delivery in batch:
        groups.setdefault(delivery.group, []).append(delivery)
    await _hold(batch, deliveries, journal)
    began = asyncio.get_running_loop().time()
    open_deliveries = set(batch)
    lease = asyncio.create_task(_keep_lease(open_deliveries, deliveries, journal))
    try:
        failed = await asyncio.gather(
            *(_carry_group(group, began, open_deliveries, deliveries, carry, journal) for group in groups.values())
        )
    finally:
        lease.cancel()
    return [delivery.delivery_id for group in failed for delivery in group]


async def _carry_group(
    group: list[Delivery],
    began: float,
    open_deliveries: set[Delivery],
    deliveries: Deliveries,
    carry: Carry,
    journal: Journal,
) -> list[Delivery]:
    """Carry out an owner's deliveries in order; returns those from the first failure on."""
    for index, delivery in enumerate(group):
        if not await _carry_one(delivery, deliveries, carry, journal):
            return group[index:]
        open_deliveries.discard(delivery)
        if asyncio.get_running_loop().time() - began > LONG_BATCH_SECONDS:
            await _settle(delivery, deliveries, journal)
    return []


async def _carry_one(delivery: Delivery, deliveries: Deliveries, carry: Carry, journal: Journal) -> bool:
    whose: dict[str, object] = {"delivery_id": delivery.delivery_id}
    try:
        try:
            request = deliveries.read(delivery)
        except NotAFetchRequest as error:
            journal.error(
                "a queue message is no fetch request; it is in the dead-letter queue now",
                delivery_id=delivery.delivery_id,
                group=delivery.group,
                reason=error.message,
            )
            journal.count(Metric.DELIVERIES_SET_ASIDE)
            await deliveries.set_aside(delivery, error.message)
            return True
        whose |= {"owner_id": request.owner_id, "account_id": request.account_id}
        if isinstance(request, FetchRequest):
            whose |= {"correlation_id": request.correlation_id}
        await carry(request)
    except PopfetchError as error:
        journal.error("a fetch request goes back to the queue", **whose, error=error.code, reason=error.message)
    except Exception:  # noqa: BLE001 - the edge of the batch: whatever it is, the other owners are served
        journal.error("a fetch request failed in a way nobody foresaw", **whose)
    else:
        return True
    journal.count(Metric.DELIVERIES_RETURNED)
    return False


async def _keep_lease(open_deliveries: set[Delivery], deliveries: Deliveries, journal: Journal) -> None:
    while True:
        await asyncio.sleep(RENEW_EVERY_SECONDS)
        await _hold(sorted(open_deliveries, key=lambda held: held.delivery_id), deliveries, journal)


async def _hold(batch: Sequence[Delivery], deliveries: Deliveries, journal: Journal) -> None:
    try:
        await deliveries.hold(batch, LEASE_SECONDS)
    except StorageUnavailable as error:
        # the deliveries keep the longer timeout they came with, or come twice, which commits tell apart
        journal.warning("the lease on a batch could not be renewed", reason=error.message)


async def _settle(delivery: Delivery, deliveries: Deliveries, journal: Journal) -> None:
    try:
        await deliveries.settle([delivery])
    except StorageUnavailable as error:
        # it is settled with the batch then
        journal.warning("a delivery could not be settled early", reason=error.message)
