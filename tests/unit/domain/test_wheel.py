from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from popfetch.domain.account import INTERVAL_MENU
from popfetch.domain.wheel import due_slots, instant_of, minute_of, phase, shard_of, slot_of

MINUTES = st.integers(min_value=20_000_000, max_value=40_000_000)
INTERVALS = st.sampled_from(INTERVAL_MENU)


def due(owner_id: str, interval: int, minute: int, last: int | None) -> list[int]:
    """The minutes an account is dispatched for by one event."""
    place = (interval, slot_of(owner_id, interval))
    return [at for at, slots in due_slots(minute, last) if place in slots]


@given(st.text(min_size=1), INTERVALS, MINUTES)
def test_an_account_is_due_once_in_every_interval(owner_id: str, interval: int, start: int) -> None:
    times = [minute for minute in range(start, start + interval) if due(owner_id, interval, minute, minute - 1)]
    assert len(times) == 1


@given(st.text(min_size=1), MINUTES)
def test_longer_intervals_meet_the_shorter_ones_that_divide_them(owner_id: str, minute: int) -> None:
    if due(owner_id, 10, minute, minute - 1):
        assert due(owner_id, 5, minute, minute - 1)


@given(st.text(min_size=1), INTERVALS, MINUTES, st.integers(min_value=1, max_value=5000))
def test_minutes_missed_are_caught_up_once(owner_id: str, interval: int, last: int, gap: int) -> None:
    caught_up = due(owner_id, interval, last + gap, last)
    alone = [at for at in range(last + 1, last + gap + 1) if due(owner_id, interval, at, at - 1)]
    assert caught_up == alone[-1:]


@given(st.text(min_size=1), INTERVALS, MINUTES, st.integers(min_value=0, max_value=100))
def test_a_late_or_repeated_event_names_its_own_minute(owner_id: str, interval: int, minute: int, late: int) -> None:
    assert due(owner_id, interval, minute, minute + late) == due(owner_id, interval, minute, minute - 1)


@given(MINUTES)
def test_before_the_first_dispatch_only_the_minute_itself_is_due(minute: int) -> None:
    assert list(due_slots(minute, None)) == [(minute, [(n, minute % n) for n in INTERVAL_MENU])]


@given(MINUTES, st.integers(min_value=1, max_value=5000))
def test_minutes_come_in_their_order_and_the_minute_itself_last(minute: int, gap: int) -> None:
    minutes = [at for at, _ in due_slots(minute, minute - gap)]
    assert minutes == list(range(minute - min(gap, 1440) + 1, minute + 1))


@given(st.text(min_size=1), INTERVALS, MINUTES, st.integers(min_value=1, max_value=3000), st.data())
def test_catching_up_in_two_parts_misses_nobody(
    owner_id: str, interval: int, last: int, gap: int, data: st.DataObject
) -> None:
    """The first event's dispatch ends somewhere on its way; the next event goes on from there."""
    reached = data.draw(st.integers(min_value=last, max_value=last + gap))
    first = [at for at in due(owner_id, interval, last + gap, last) if at <= reached]
    second = due(owner_id, interval, last + gap + 1, reached)
    wanted = max(
        at for at in range(last + gap + 2 - interval, last + gap + 2) if at % interval == slot_of(owner_id, interval)
    )
    assert not first + second if wanted <= last else (first + second)[-1] == wanted
    assert len(first) <= 1
    assert len(second) <= 1


def test_owners_spread_over_the_minutes_and_shards() -> None:
    phases = Counter(phase(f"owner-{number}") % 5 for number in range(5000))
    assert min(phases.values()) > 850
    shards = Counter(shard_of(f"owner-{number}", 4) for number in range(4000))
    assert min(shards.values()) > 850


def test_minutes_and_instants_are_each_others_inverse() -> None:
    instant = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)
    assert instant_of(minute_of(instant)) == instant
    assert minute_of(instant.replace(second=59)) == minute_of(instant)


def test_every_interval_divides_a_day() -> None:
    assert all(1440 % interval == 0 for interval in INTERVAL_MENU)
