from dataclasses import replace
from datetime import timedelta

import pytest

from popfetch.domain.account import Standing
from popfetch.domain.admission import Dropped, admit
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.domain.fetch_state import FailureCounts, FetchState, LastFetch, Outcome
from tests.builders.accounts import NOON, OWNER, an_account

MINUTE = timedelta(minutes=1)
FETCHED = FetchState(last_fetch=LastFetch(started_at=NOON, finished_at=NOON + 3 * MINUTE, outcome=Outcome.STORED))


def request(reason: Reason, after_start: timedelta) -> FetchRequest:
    return FetchRequest(OWNER, an_account().account_id, reason, NOON + after_start)


@pytest.mark.parametrize(
    ("reason", "minutes", "dropped"),
    [
        (Reason.SCHEDULE, 0, Dropped.ANSWERED),
        (Reason.SCHEDULE, 2, Dropped.ANSWERED),
        (Reason.SCHEDULE, 3, Dropped.ANSWERED),
        (Reason.SCHEDULE, 4, None),
        (Reason.CHECK_NOW, 0, Dropped.ANSWERED),
        (Reason.CHECK_NOW, 2, None),
        (Reason.CATCH_UP, -1, Dropped.ANSWERED),
        (Reason.CATCH_UP, 3, None),
    ],
)
def test_a_request_that_a_later_cycle_has_answered_is_dropped(
    reason: Reason, minutes: int, dropped: Dropped | None
) -> None:
    assert admit(request(reason, minutes * MINUTE), an_account(), FETCHED, NOON + 5 * MINUTE) is dropped


@pytest.mark.parametrize("standing", [Standing.PAUSED, Standing.AUTH_FAILED, Standing.CONNECTION_FAILED])
def test_an_account_off_the_wheel_is_fetched_by_hand_only(standing: Standing) -> None:
    account = replace(an_account(), standing=standing)
    assert admit(request(Reason.SCHEDULE, MINUTE), account, FetchState(), NOON) is Dropped.OFF_THE_WHEEL
    assert admit(request(Reason.CHECK_NOW, MINUTE), account, FetchState(), NOON) is None


def test_an_account_that_backs_off_is_fetched_by_hand_only() -> None:
    state = FetchState(failures=FailureCounts(temporary=3, not_before=NOON + 10 * MINUTE))
    assert admit(request(Reason.SCHEDULE, MINUTE), an_account(), state, NOON) is Dropped.BACKING_OFF
    assert admit(request(Reason.CHECK_NOW, MINUTE), an_account(), state, NOON) is None
    assert admit(request(Reason.SCHEDULE, 11 * MINUTE), an_account(), state, NOON + 11 * MINUTE) is None


@pytest.mark.parametrize(
    ("reason", "pause", "dropped"),
    [
        (Reason.SCHEDULE, timedelta(minutes=5), Dropped.TOO_SOON),
        (Reason.CATCH_UP, timedelta(minutes=5), Dropped.TOO_SOON),
        (Reason.CHECK_NOW, timedelta(minutes=5), None),
        (Reason.SCHEDULE, timedelta(seconds=60), None),
        (Reason.SCHEDULE, timedelta(seconds=-1), None),
    ],
)
def test_a_server_that_wants_a_pause_gets_it_unless_a_person_asks(
    reason: Reason, pause: timedelta, dropped: Dropped | None
) -> None:
    state = FetchState(sign_in_after=NOON + pause)
    assert admit(FetchRequest("anna", "account", reason, NOON), an_account(), state, NOON) is dropped
