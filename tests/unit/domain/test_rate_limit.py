"""So many times within any stretch of time."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from popfetch.domain.rate_limit import NO_WAIT, Limit
from tests.builders.accounts import NOON

DAY = timedelta(days=1)
LIMIT = Limit(3, within=DAY)


def test_the_first_time_need_not_wait() -> None:
    assert LIMIT.wait([], NOON) == NO_WAIT


def test_one_too_many_waits_until_the_oldest_that_counts_is_old_enough() -> None:
    times = [NOON, NOON + timedelta(hours=5), NOON + timedelta(hours=6)]
    assert LIMIT.wait(times, NOON + timedelta(hours=7)) == timedelta(hours=17)
    assert LIMIT.wait(times, NOON + DAY) == NO_WAIT


@given(st.lists(st.integers(0, 4 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes)), max_size=60))
def test_however_often_it_is_tried_no_day_has_more(tries: list[datetime]) -> None:
    done: list[datetime] = []
    for now in sorted(tries):
        wait = LIMIT.wait(done, now)
        if not wait:
            done = [*LIMIT.counting(done, now), now]
            assert len(done) <= LIMIT.at_most
        else:
            # so long and no longer
            assert LIMIT.wait(done, now + wait) == NO_WAIT
            assert LIMIT.wait(done, now + wait - timedelta(microseconds=1)) > NO_WAIT
