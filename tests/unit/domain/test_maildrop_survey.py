"""Surveys against a model: a maildrop that changes as maildrops do, and a ledger that follows."""

from datetime import timedelta
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.domain.account import AfterFetch, FetchSettings, Order
from popfetch.domain.fetch_state import Checkpoint, ServerTraits, Trouble
from popfetch.domain.ledger import Disposition, Ledger, LedgerEntry, day_number, uid_print
from popfetch.domain.maildrop_survey import (
    Probe,
    Row,
    Survey,
    pruned,
    read_probe,
    sizes_digest,
    survey_all,
    survey_tail,
    trouble_key,
    troubled_last,
)
from tests.builders.accounts import NOON

TODAY = day_number(NOON)
UIDS = st.binary(min_size=1, max_size=3)
ROWS = st.lists(st.tuples(UIDS, st.integers(min_value=1, max_value=3)), max_size=12).map(
    lambda pairs: [Row(number, uid, octets) for number, (uid, octets) in enumerate(pairs, 1)]
)


def rows(*uids: bytes) -> list[Row]:
    return [Row(number, uid, 100) for number, uid in enumerate(uids, 1)]


def ledger_of(*listed: Row, disposition: Disposition = Disposition.STORED, day: int = TODAY) -> Ledger:
    ledger = Ledger()
    ledger.extend(LedgerEntry(row.print, row.octets, b"", day, disposition) for row in listed)
    return ledger


def surveyed(listing: list[Row], ledger: Ledger, **settings: object) -> Survey:
    return survey_all(listing, 0, ledger, None, ServerTraits(), FetchSettings(**settings), NOON)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("checkpoint", "count", "octets", "uid", "verdict"),
    [
        (Checkpoint(3, uid_print(b"c"), 300), 3, 300, b"c", Probe.NOTHING_NEW),
        (Checkpoint(3, uid_print(b"c"), 300), 5, 500, b"c", Probe.NEW_AT_THE_END),
        (Checkpoint(3, uid_print(b"c"), None), 5, 500, b"c", Probe.NEW_AT_THE_END),
        (Checkpoint(3, uid_print(b"c"), 300), 3, 301, b"c", Probe.UNCLEAR),
        (Checkpoint(3, uid_print(b"c"), None), 3, 300, b"c", Probe.UNCLEAR),
        (Checkpoint(3, uid_print(b"c"), 300), 3, 300, b"x", Probe.UNCLEAR),
        (Checkpoint(3, uid_print(b"c"), 300), 3, 300, b"", Probe.UNCLEAR),
        (Checkpoint(3, uid_print(b"c"), 300), 2, 200, b"c", Probe.UNCLEAR),
        (Checkpoint(0, b"", 0), 0, 0, b"", Probe.NOTHING_NEW),
        (Checkpoint(0, b"", 0), 2, 200, b"", Probe.NEW_AT_THE_END),
        (Checkpoint(3, b"", 300, b"digest"), 3, 300, b"", Probe.NOTHING_NEW),
        (Checkpoint(3, b"", 300, b"digest"), 4, 400, b"", Probe.UNCLEAR),
    ],
)
def test_what_a_probe_tells(checkpoint: Checkpoint, count: int, octets: int, uid: bytes, verdict: Probe) -> None:
    assert read_probe(checkpoint, count, octets, uid) is verdict


def test_octets_that_never_hold_still_are_not_compared() -> None:
    checkpoint = Checkpoint(3, uid_print(b"c"), 300)
    assert read_probe(checkpoint, 3, 301, b"c", sizes_unstable=True) is Probe.NOTHING_NEW


@given(ROWS)
def test_with_an_empty_ledger_everything_is_taken_once_in_order(listing: list[Row]) -> None:
    assert surveyed(listing, Ledger()).unsettled == listing


@given(ROWS, st.data())
def test_each_entry_settles_one_row_and_every_other_row_is_taken(listing: list[Row], data: st.DataObject) -> None:
    known = data.draw(st.lists(st.sampled_from(listing), unique=True) if listing else st.just([]))
    survey = surveyed(listing, ledger_of(*known))
    assert len(survey.settled) == len(known)
    assert len(survey.unsettled) == len(listing) - len(known)
    assert {row.number for row in survey.unsettled}.isdisjoint(survey.settled)


@given(ROWS)
def test_a_survey_of_what_was_just_taken_finds_nothing(listing: list[Row]) -> None:
    assert surveyed(listing, ledger_of(*listing)).remaining == 0


@given(ROWS, st.data())
def test_a_checkpoint_is_the_same_however_often_it_was_asked_for_before(
    listing: list[Row], data: st.DataObject
) -> None:
    asked, fresh = (survey_all(listing, 7, Ledger(), None, ServerTraits(), FetchSettings(), NOON) for _ in range(2))
    for number in data.draw(st.permutations([row.number for row in listing])):
        asked.settle(number)
        asked.checkpoint()
        if data.draw(st.booleans()):
            asked.deleted = fresh.deleted = asked.deleted | {number}
            asked.checkpoint()
    fresh.settled = set(asked.settled)
    assert asked.checkpoint() == fresh.checkpoint()


@given(ROWS, st.sets(st.integers(min_value=1, max_value=12)), st.sets(st.integers(min_value=1, max_value=12)))
def test_a_checkpoint_stands_for_settled_messages_only(listing: list[Row], settled: set[int], gone: set[int]) -> None:
    survey = survey_tail(Checkpoint(0), len(listing), 1000, listing, FetchSettings())
    survey.settled |= {row.number for row in listing} & settled
    survey.deleted = survey.settled & gone
    checkpoint = survey.checkpoint()
    kept = [row for row in listing if row.number not in survey.deleted]
    assert all(row.number in survey.settled for row in kept[: checkpoint.count])
    if checkpoint.count:
        assert checkpoint.last_uid == kept[checkpoint.count - 1].print
    assert (checkpoint.octets is not None) == (checkpoint.count == len(kept))


def test_a_known_uid_of_another_size_is_looked_at_again() -> None:
    survey = surveyed([Row(1, b"a", 200)], ledger_of(Row(1, b"a", 100)))
    assert survey.look_again == {1}
    assert [row.number for row in survey.unsettled] == [1]


def test_on_a_server_of_unstable_sizes_the_uid_decides_alone() -> None:
    survey = survey_all(
        [Row(1, b"a", 200)],
        0,
        ledger_of(Row(1, b"a", 100)),
        None,
        ServerTraits(sizes_unstable=True),
        FetchSettings(),
        NOON,
    )
    assert survey.unsettled == []


def test_rows_without_uid_are_settled_by_the_sizes_before_them() -> None:
    listing = [Row(number, b"", 100 + number) for number in range(1, 6)]
    checkpoint = Checkpoint(3, b"", None, sizes_digest(listing[:3]))
    survey = survey_all(listing, 0, Ledger(), checkpoint, ServerTraits(), FetchSettings(), NOON)
    assert [row.number for row in survey.unsettled] == [4, 5]
    moved = [Row(row.number, b"", row.octets + 1) for row in listing]
    assert len(survey_all(moved, 0, Ledger(), checkpoint, ServerTraits(), FetchSettings(), NOON).unsettled) == 5


def test_newest_first_reverses_the_order() -> None:
    assert [row.number for row in surveyed(rows(b"a", b"b"), Ledger(), order=Order.NEWEST_FIRST).unsettled] == [2, 1]


@pytest.mark.parametrize(
    ("policy", "days", "age", "stale"),
    [
        (AfterFetch.KEEP, None, 100, set()),
        (AfterFetch.DELETE, None, 0, {1}),
        (AfterFetch.DELETE_AFTER_DAYS, 7, 6, set()),
        (AfterFetch.DELETE_AFTER_DAYS, 7, 7, {1}),
    ],
)
def test_what_may_go_from_the_server(policy: AfterFetch, days: int | None, age: int, stale: set[int]) -> None:
    (row,) = rows(b"a")
    survey = surveyed([row], ledger_of(row, day=TODAY - age), after_fetch=policy, delete_after_days=days)
    assert survey.stale == stale


@pytest.mark.parametrize("disposition", [Disposition.SKIPPED, Disposition.QUARANTINED])
def test_what_was_never_stored_never_goes(disposition: Disposition) -> None:
    (row,) = rows(b"a")
    assert surveyed([row], ledger_of(row, disposition=disposition), after_fetch=AfterFetch.DELETE).stale == set()


def test_a_quarantined_message_is_tried_again_a_day_later() -> None:
    (row,) = rows(b"a")
    assert surveyed([row], ledger_of(row, disposition=Disposition.QUARANTINED)).unsettled == []
    survey = surveyed([row], ledger_of(row, disposition=Disposition.QUARANTINED, day=TODAY - 1))
    assert (survey.unsettled, survey.retried) == ([row], {1})


def test_troubled_messages_hold_up_nobody() -> None:
    listing = rows(b"a", b"b", b"c")
    troubles = {trouble_key(listing[0]): Trouble(1, "it hung")}
    assert [row.number for row in troubled_last(listing, troubles)] == [2, 3, 1]


def test_what_left_the_server_is_forgotten_in_time_unless_most_of_it_left() -> None:
    listing = rows(b"a", b"b", b"c")
    ledger = ledger_of(*listing)
    absent = {listing[0].print}
    assert pruned(ledger, absent, NOON + timedelta(days=29)) is None
    kept = pruned(ledger, absent, NOON + timedelta(days=30))
    assert kept is not None
    assert len(kept) == 2
    assert pruned(ledger, {row.print for row in listing[:2]}, NOON + timedelta(days=30)) is None


def test_one_uid_for_everything_takes_no_more_time_than_others() -> None:
    """Its sizes match nothing: each entry was looked at for each row, a minute for these."""
    listed = [Row(number, b"same", 1_000_000 + number) for number in range(1, 20_001)]
    ledger = ledger_of(*(Row(number, b"same", number) for number in range(1, 20_001)))
    began = process_time()
    survey = survey_all(listed, 0, ledger, None, ServerTraits(), FetchSettings(), NOON)
    assert len(survey.look_again) == 20_000
    assert process_time() - began < 5
