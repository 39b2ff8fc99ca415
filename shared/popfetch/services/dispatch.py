"""Dispatch: which accounts are due in this minute, asked for in their owners' order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.domain.wheel import due_slots, instant_of, minute_of
from popfetch.ports import DueAccount, FetchQueue, Journal, Wheel


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What one minute's dispatch did: requests sent, and minutes caught up that an earlier event should have done."""

    minute: int
    requests: int
    minutes_caught_up: int


def dispatch_due_accounts(at: datetime, wheel: Wheel, queue: FetchQueue, journal: Journal) -> Dispatched:
    """Send a fetch request for every account that is due at ``at`` or was missed since the last dispatch.

    The event's own time decides, so that a late or repeated event does no harm. Progress is kept only after every
    request was taken: what raises here is made good by the next minute. Raises StorageUnavailable.
    """
    minute = minute_of(at)
    last = wheel.last_minute()
    requests = [_request(account, due) for account, due in _in_owners_order(minute, last, wheel)]
    queue.send(requests)
    if last is None or last < minute:
        wheel.advance_to(minute)
    caught_up = max(0, minute - last - 1) if last is not None else 0
    if caught_up:
        journal.warning("dispatch caught up on minutes that were missed", minutes=caught_up)
    journal.count("AccountsDispatched", len(requests))
    return Dispatched(minute, len(requests), caught_up)


def _in_owners_order(minute: int, last: int | None, wheel: Wheel) -> Iterator[tuple[DueAccount, int]]:
    due = [
        (account, due_minute)
        for interval, slot, due_minute in due_slots(minute, last)
        for account in wheel.due(interval, slot)
    ]
    yield from sorted(due, key=lambda row: (row[0].owner_id, row[0].position, row[0].account_id))


def _request(account: DueAccount, due_minute: int) -> FetchRequest:
    return FetchRequest(account.owner_id, account.account_id, Reason.SCHEDULE, instant_of(due_minute))
