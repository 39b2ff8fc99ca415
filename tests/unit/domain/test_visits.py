"""What is unread: the messages that were stored since the last visit, and never fewer than none."""

from hypothesis import given
from hypothesis import strategies as st

from popfetch.domain.visits import Visit, unread
from tests.builders.accounts import NOON


def test_everything_is_unread_before_the_first_visit() -> None:
    assert unread(7, None) == 7


def test_what_a_visit_has_seen_is_not_unread() -> None:
    assert unread(7, Visit(NOON, 5)) == 2
    assert unread(7, Visit(NOON, 7)) == 0


@given(st.integers(min_value=0), st.none() | st.integers(min_value=0))
def test_it_is_never_negative_whatever_the_counts_have_come_to(stored_total: int, seen: int | None) -> None:
    assert unread(stored_total, None if seen is None else Visit(NOON, seen)) >= 0


@given(st.lists(st.integers(min_value=1, max_value=200) | st.just("visit")))
def test_it_is_what_was_stored_since_the_last_visit(history: list[int | str]) -> None:
    stored_total, since, visit = 0, 0, None
    for step in history:
        if isinstance(step, int):
            stored_total, since = stored_total + step, since + step
        else:
            visit, since = Visit(NOON, stored_total), 0
        assert unread(stored_total, visit) == since
