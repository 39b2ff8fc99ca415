"""Dispatch: which accounts are due in this minute, asked for in their owners' order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.domain.wheel import due_slots, instant_of, minute_of
from popfetch.ports.invocation import Journal
from popfetch.ports.schedule import DueAccount, FetchQueue, Wheel

SECONDS_TO_BEGIN = 30.0
"""With less time left no further minute is begun: what is missed yet is left to the next event."""


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What one event's dispatch did: requests sent, missed minutes caught up, and minutes left to the next event."""

    minute: int
    requests: int
    minutes_caught_up: int
    minutes_left: int


def dispatch_due_accounts(
    at: datetime, wheel: Wheel, queue: FetchQueue, journal: Journal, seconds_left: Callable[[], float]
) -> Dispatched:
    """Send a fetch request for every account that is due at ``at`` or was missed since the last dispatch.

    The event's own time decides, so that a late or repeated event does no harm. Minutes are dispatched one after the
    other, the oldest first, and progress is kept after each, once every request of it was taken: what raises here, or
    is killed, is made good by the next event, and no backlog is too long to get on with. Raises StorageUnavailable.
    """
    minute = minute_of(at)
    last = wheel.last_minute()
    sent, done = 0, minute
    for due, slots in due_slots(minute, last):
        requests = [_request(account, due) for account in sorted(wheel.due(slots), key=_place)]
        queue.send(requests)
        sent, done = sent + len(requests), due
        ends = due == minute or seconds_left() < SECONDS_TO_BEGIN
        if requests or ends:
            wheel.advance_to(due)
        if ends:
            break
    journal.count("AccountsDispatched", sent)
    caught_up = 0 if last is None else max(0, min(done, minute - 1) - last)
    if caught_up:
        journal.warning("dispatch caught up on minutes that were missed", minutes=caught_up, minutes_left=minute - done)
    return Dispatched(minute, sent, caught_up, minute - done)


def _place(account: DueAccount) -> tuple[str, int, str]:
    return account.owner_id, account.position, account.account_id


def _request(account: DueAccount, due_minute: int) -> FetchRequest:
    return FetchRequest(account.owner_id, account.account_id, Reason.SCHEDULE, instant_of(due_minute))
