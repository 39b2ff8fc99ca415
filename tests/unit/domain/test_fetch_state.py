"""Which cycle is under way: one that has said something lately, and has not concluded."""

from dataclasses import replace
from datetime import timedelta

import pytest

from popfetch.domain.fetch_state import PROGRESS_IS_CURRENT, FetchState, LastFetch, Outcome, Progress
from tests.builders.accounts import NOON

MINUTE = timedelta(minutes=1)
STATE = FetchState(progress=Progress(NOON - MINUTE, NOON, listed=900, remaining=400, stored=50))


def test_none_is_under_way_where_none_has_said_anything() -> None:
    assert FetchState().under_way(NOON) is None


def test_one_that_has_just_committed_is() -> None:
    assert STATE.under_way(NOON + PROGRESS_IS_CURRENT) == STATE.progress


def test_one_that_has_said_nothing_for_long_has_died() -> None:
    assert STATE.under_way(NOON + PROGRESS_IS_CURRENT + timedelta(seconds=1)) is None


@pytest.mark.parametrize(("finished_after", "under_way"), [(-MINUTE, True), (MINUTE, False)])
def test_one_that_a_later_one_has_come_after_has_died(finished_after: timedelta, under_way: bool) -> None:
    last = LastFetch(NOON - 2 * MINUTE, NOON + finished_after, Outcome.STORED)
    assert (replace(STATE, last_fetch=last).under_way(NOON + 2 * MINUTE) is not None) is under_way
