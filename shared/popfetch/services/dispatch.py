"""Dispatch: which accounts are due in this minute, asked for in their owners' order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from popfetch.domain.errors import StorageUnavailable
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.domain.wheel import due_slots, instant_of, minute_of
from popfetch.ports.invocation import Journal
from popfetch.ports.metrics import STOPPED, Metric
from popfetch.ports.schedule import DueAccount, FetchQueue, Wheel

SECONDS_TO_BEGIN = 30.0
"""With less time left no further minute is begun: what is missed yet is left to the next event."""

COUNTS_STOPPED_EVERY = 60
"""Minutes between two counts of the accounts that are off the wheel."""


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What one event's dispatch did: requests sent, missed minutes caught up, and minutes left to the next event."""

    minute: int
    requests: int
    minutes_caught_up: int
    minutes_left: int


def dispatch_due_accounts(
    at: datetime,
    wheel: Wheel,
    queue: FetchQueue,
    journal: Journal,
    seconds_left: Callable[[], float],
    correlation_id: str = "",
) -> Dispatched:
    """Send a fetch request for every account that is due at ``at`` or was missed since the last dispatch.

    The event's own time decides, so that a late or repeated event does no harm. Minutes are dispatched one after the
    other, the oldest first, and progress is kept after each, once every request of it was taken: what raises here, or
    is killed, is made good by the next event, and no backlog is too long to get on with. ``correlation_id``, the
    event's, travels with the requests. Raises StorageUnavailable.
    """
    minute = minute_of(at)
    last = wheel.last_minute()
    sent, on_schedule, done = 0, 0, minute
    for due, slots in due_slots(minute, last):
        accounts = sorted(wheel.due(slots), key=_place)
        requests = [_request(account, due, correlation_id) for account in accounts]
        queue.send(requests)
        sent, done = sent + len(requests), due
        on_schedule += sum(account.interval_minutes for account in accounts)
        ends = due == minute or seconds_left() < SECONDS_TO_BEGIN
        if requests or ends:
            wheel.advance_to(due)
        if ends:
            break
    journal.count(Metric.ACCOUNTS_DISPATCHED, sent)
    journal.count(Metric.ACCOUNTS_ON_SCHEDULE, on_schedule)
    journal.count(Metric.DISPATCH_MINUTES_BEHIND, max(0, minute - last - 1) if last is not None else 0)
    if sent:
        journal.info("dispatched", correlation_id=correlation_id, minute=minute, requests=sent)
    caught_up = 0 if last is None else max(0, min(done, minute - 1) - last)
    if caught_up:
        journal.warning("dispatch caught up on minutes that were missed", minutes=caught_up, minutes_left=minute - done)
    if minute % COUNTS_STOPPED_EVERY == 0:
        _count_stopped(wheel, journal)
    return Dispatched(minute, sent, caught_up, minute - done)


def _count_stopped(wheel: Wheel, journal: Journal) -> None:
    try:
        for standing, metric in STOPPED.items():
            journal.measure(metric, wheel.stopped(standing))
    except StorageUnavailable as error:
        # all requests are sent: a number for people is no reason to send them again
        journal.warning("stopped accounts could not be counted", reason=error.message)


def _place(account: DueAccount) -> tuple[str, int, str]:
    return account.owner_id, account.position, account.account_id


def _request(account: DueAccount, due_minute: int, correlation_id: str) -> FetchRequest:
    return FetchRequest(account.owner_id, account.account_id, Reason.SCHEDULE, instant_of(due_minute), correlation_id)
