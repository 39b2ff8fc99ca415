from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.domain.ledger import (
    ENTRY_OCTETS,
    Disposition,
    Ledger,
    LedgerEntry,
    content_print,
    day_number,
    pack,
    uid_print,
    unpack,
)

ENTRIES = st.builds(
    LedgerEntry,
    uid=st.binary(min_size=12, max_size=12),
    octets=st.integers(min_value=0, max_value=2**32 - 1),
    content=st.binary(min_size=8, max_size=8),
    day=st.integers(min_value=0, max_value=65535),
    disposition=st.sampled_from(Disposition),
)


@given(st.lists(ENTRIES))
def test_what_is_packed_is_unpacked(entries: list[LedgerEntry]) -> None:
    packed = pack(entries)
    assert len(packed) == len(entries) * ENTRY_OCTETS
    assert list(unpack(packed)) == entries


@given(st.lists(ENTRIES), st.lists(ENTRIES))
def test_segments_joined_are_a_segment(left: list[LedgerEntry], right: list[LedgerEntry]) -> None:
    assert list(unpack(pack(left) + pack(right))) == left + right


def test_a_torn_segment_is_an_error() -> None:
    with pytest.raises(ValueError, match="no whole number"):
        list(unpack(b"x" * (ENTRY_OCTETS + 1)))


def test_sizes_beyond_four_gigabytes_are_cut() -> None:
    (entry,) = unpack(pack([LedgerEntry(b"u" * 12, 10**12, b"", 0)]))
    assert entry.octets == 2**32 - 1


@given(st.lists(ENTRIES))
def test_a_ledger_keeps_every_entry(entries: list[LedgerEntry]) -> None:
    ledger = Ledger()
    ledger.extend(entries)
    assert len(ledger) == len(entries)
    assert sorted(ledger.entries(), key=repr) == sorted(entries, key=repr)


@given(st.lists(ENTRIES), st.integers(min_value=0))
def test_entries_are_found_by_uid_and_by_content(entries: list[LedgerEntry], which: int) -> None:
    ledger = Ledger()
    ledger.extend(entries)
    assert ledger.uids == {entry.uid for entry in entries}
    if entries:
        wanted = entries[which % len(entries)]
        assert ledger.of_uid(wanted.uid) == [entry for entry in reversed(entries) if entry.uid == wanted.uid]
        assert ledger.of_content(wanted.content) == [entry for entry in entries if entry.content == wanted.content]


def test_content_is_found_at_its_own_place_only() -> None:
    ledger = Ledger()
    ledger.add(LedgerEntry(b"contentXuids", 0, b"contentY", 0))
    ledger.add(LedgerEntry(b"uid of other", 0, b"contentX", 0))
    assert [entry.uid for entry in ledger.of_content(b"contentX")] == [b"uid of other"]


def test_prints_tell_uids_apart_whatever_their_length() -> None:
    uids = [b"", b"a", b"a" * 70, b"a" * 71, b"\xff", b"\x00"]
    assert len({uid_print(uid) for uid in uids}) == len(uids)
    assert {len(uid_print(uid)) for uid in uids} == {12}
    assert content_print(b"0123456789abcdef") == b"01234567"


def test_days_count_in_utc() -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    entry = LedgerEntry(b"", 0, b"", day_number(noon))
    assert not entry.settled_before(noon + timedelta(days=6, hours=11), 7)
    assert entry.settled_before(noon + timedelta(days=7), 7)
