"""Listings: how to ask for them, and what their rows say."""

import pytest

from popfetch.adapters.pop3_listing import asks_one_by_one, merged_listing
from popfetch.pop3.errors import ProtocolViolation
from popfetch.ports.maildrop import ListedMessage


class TestMergedListing:
    def test_lets_uidl_decide_and_list_add_sizes(self) -> None:
        rows = merged_listing([b"2 b", b"1 a", b"", b"2 again"], [b"1 10", b"3 30", b"2 huh", b"1 99"])
        assert rows == [ListedMessage(1, b"a", 10), ListedMessage(2, b"b", 0)]

    def test_lets_list_decide_without_uidl(self) -> None:
        assert merged_listing(None, [b"2 20", b"1 10"]) == [ListedMessage(1, b"", 10), ListedMessage(2, b"", 20)]

    def test_refuses_rows_without_number(self) -> None:
        with pytest.raises(ProtocolViolation):
            merged_listing([b"uid"], None)


@pytest.mark.parametrize(
    ("wanted", "count", "pipelines", "one_by_one"),
    [
        (1, 100_000, True, True),
        (64, 1000, True, True),
        (65, 1000, True, False),
        (2000, 100_000, True, True),
        (2001, 100_000, True, False),
        (3, 3, True, False),
        (5, 0, True, True),
        (1, 100_000, False, True),
        (64, 1000, False, False),
        (1, 0, False, False),
    ],
)
def test_asking_one_by_one_is_weighed_against_asking_for_all(
    wanted: int, count: int, pipelines: bool, one_by_one: bool
) -> None:
    assert asks_one_by_one(wanted, count, pipelines=pipelines) is one_by_one
