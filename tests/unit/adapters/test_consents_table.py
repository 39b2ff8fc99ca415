"""Consents that are waited for, in the table: found by their state's hash, taken once, swept away."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from popfetch.adapters.consents_table import ConsentsTable, from_item, to_item
from popfetch.domain.errors import StorageUnavailable
from popfetch.domain.oauth import Flow, PendingConsent
from tests.builders.accounts import NOON, OWNER, an_account_id
from tests.builders.aws import Aws, aws, empty, template_properties

HASH = b"\x01" * 32
IN_BROWSER = PendingConsent(
    OWNER, an_account_id(1), "example", Flow.CODE, b"proof", NOON, "https://x/cb", browser_hash=b"\x02" * 32
)
BY_DEVICE = PendingConsent(
    OWNER, an_account_id(1), "example", Flow.DEVICE, b"proof", NOON, poll_seconds=5, poll_after=NOON
)


@pytest.fixture(scope="module")
def stack() -> Iterator[Aws]:
    with aws() as built:
        yield built


@pytest.fixture
def consents(stack: Aws) -> ConsentsTable:
    empty(stack)
    return ConsentsTable(stack.dynamodb, stack.table)


@pytest.mark.parametrize("pending", [IN_BROWSER, BY_DEVICE], ids=["browser", "device"])
def test_an_item_holds_all_of_it_and_is_swept_away(pending: PendingConsent) -> None:
    item = to_item(HASH, pending)
    assert from_item(item) == pending
    ttl = template_properties("Table")["TimeToLiveSpecification"]["AttributeName"]
    assert item[ttl] == NOON.timestamp()


def test_it_is_found_until_it_is_taken_and_taken_once(consents: ConsentsTable) -> None:
    consents.keep(HASH, IN_BROWSER)
    assert consents.find(HASH) == IN_BROWSER
    assert consents.find(b"\x09" * 32) is None
    assert consents.take(HASH)
    assert not consents.take(HASH)
    assert consents.find(HASH) is None


def test_one_of_two_gets_the_next_turn(consents: ConsentsTable) -> None:
    consents.keep(HASH, BY_DEVICE)
    later = replace(BY_DEVICE, poll_after=NOON + timedelta(seconds=5))
    assert consents.postpone(HASH, BY_DEVICE, later)
    assert not consents.postpone(HASH, BY_DEVICE, later)
    assert consents.find(HASH) == later


def test_one_that_was_taken_is_not_brought_back(consents: ConsentsTable) -> None:
    consents.keep(HASH, BY_DEVICE)
    consents.take(HASH)
    assert not consents.postpone(HASH, BY_DEVICE, replace(BY_DEVICE, poll_after=NOON + timedelta(seconds=5)))
    assert consents.find(HASH) is None


def test_a_failing_table_is_storage_unavailable(stack: Aws) -> None:
    elsewhere = ConsentsTable(stack.dynamodb, "no-such-table")
    with pytest.raises(StorageUnavailable):
        elsewhere.find(HASH)
    with pytest.raises(StorageUnavailable):
        elsewhere.keep(HASH, IN_BROWSER)
    with pytest.raises(StorageUnavailable):
        elsewhere.take(HASH)
    with pytest.raises(StorageUnavailable):
        elsewhere.postpone(HASH, BY_DEVICE, BY_DEVICE)
