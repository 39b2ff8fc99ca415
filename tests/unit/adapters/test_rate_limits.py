"""Rate limits in the table: counted without races, and no address to be read there."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from popfetch.adapters import rate_limits
from popfetch.adapters.dynamodb_items import from_wire
from popfetch.adapters.rate_limits import RateLimitsTable
from popfetch.domain.errors import StorageUnavailable
from popfetch.domain.rate_limit import NO_WAIT, Limit
from tests.builders.accounts import NOON
from tests.builders.aws import Aws

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
LIMIT = Limit(2, within=DAY)


@pytest.fixture
def limits(aws: Aws) -> RateLimitsTable:
    return RateLimitsTable(aws.dynamodb, aws.table, sleep=lambda _: None)


def test_it_counts_each_who_and_what_apart(limits: RateLimitsTable) -> None:
    assert [limits.take("MAILS", "anna", LIMIT, NOON) for _ in range(3)] == [NO_WAIT, NO_WAIT, DAY]
    assert limits.take("MAILS", "ben", LIMIT, NOON) == NO_WAIT
    assert limits.take("CALLS", "anna", LIMIT, NOON) == NO_WAIT


def test_what_was_refused_does_not_count(limits: RateLimitsTable) -> None:
    for minutes in (0, 1):
        assert limits.take("MAILS", "anna", LIMIT, NOON + minutes * MINUTE) == NO_WAIT
    for minutes in range(2, 60, 7):
        assert limits.take("MAILS", "anna", LIMIT, NOON + minutes * MINUTE) == DAY - minutes * MINUTE
    assert limits.take("MAILS", "anna", LIMIT, NOON + DAY) == NO_WAIT
    assert limits.take("MAILS", "anna", LIMIT, NOON + DAY) == MINUTE


def test_the_item_names_nobody_and_goes_away(aws: Aws, limits: RateLimitsTable) -> None:
    limits.take("MAILS", "anna@example.com", LIMIT, NOON)
    (item,) = [from_wire(wire) for wire in aws.dynamodb.scan(TableName=aws.table)["Items"]]
    assert "anna" not in repr(item)
    assert item["pk"].startswith("LIMIT#MAILS#")
    assert item["expires_at"] == (NOON + DAY).timestamp()


def test_of_many_at_once_no_more_get_through_than_may(aws: Aws) -> None:
    unhurried = Limit(3, within=DAY)
    limits = RateLimitsTable(aws.dynamodb, aws.table)
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: limits.take("MAILS", "anna", unhurried, NOON), range(8)))
    assert waits.count(NO_WAIT) == 3


def test_who_is_always_overtaken_is_told_to_try_again(limits: RateLimitsTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_write", lambda *_: False)
    with pytest.raises(StorageUnavailable):
        limits.take("MAILS", "anna", LIMIT, NOON)


def test_a_table_that_fails_is_no_permission(aws: Aws) -> None:
    limits = RateLimitsTable(aws.dynamodb, "another-table")
    with pytest.raises(StorageUnavailable) as raised:
        limits.take("MAILS", "anna", LIMIT, NOON)
    assert isinstance(raised.value.__cause__, ClientError)
    assert rate_limits.ATTEMPTS > 1
