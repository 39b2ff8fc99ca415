"""Whether a fetch request still stands when its turn comes.

A request waits in the queue behind its owner's other accounts. One that a later cycle has answered already is
dropped, so that a slow server never piles up work::

    cycle            |started ------------ finished|
    schedule due  ----- dropped ------------------>|<-- runs
    check now due --dropped->|<-- runs (it may ask for what came after the listing)

A server that wants a pause between sign-ins gets it, unless a person asks.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from popfetch.domain.account import Account, Standing
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.domain.fetch_state import FetchState


class Dropped(StrEnum):
    """Why a request is not carried out."""

    ANSWERED = "answered_by_a_later_cycle"
    OFF_THE_WHEEL = "account_is_off_the_wheel"
    BACKING_OFF = "account_is_backing_off"
    TOO_SOON = "server_wants_a_pause"


LONGEST_WAIT = timedelta(seconds=60)
"""As much of a server's LOGIN-DELAY as a cycle waits out; for a longer one, the next request is waited for."""


def may_sign_in_soon(state: FetchState, now: datetime) -> bool:
    """False when the server wants a longer pause before the next sign-in than a cycle waits out."""
    return state.sign_in_after is None or state.sign_in_after - now <= LONGEST_WAIT


def admit(request: FetchRequest, account: Account, state: FetchState, now: datetime) -> Dropped | None:
    """Why the request is dropped, or ``None`` when it runs."""
    by_hand = request.reason is Reason.CHECK_NOW
    if account.standing is not Standing.ACTIVE and not by_hand:
        return Dropped.OFF_THE_WHEEL
    if state.last_fetch:
        scheduled = request.reason is Reason.SCHEDULE
        answered_until = state.last_fetch.finished_at if scheduled else state.last_fetch.started_at
        if request.due_at <= answered_until:
            return Dropped.ANSWERED
    if not by_hand and state.failures.not_before and now < state.failures.not_before:
        return Dropped.BACKING_OFF
    if not by_hand and not may_sign_in_soon(state, now):
        return Dropped.TOO_SOON
    return None
