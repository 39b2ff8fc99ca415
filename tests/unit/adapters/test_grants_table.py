"""The tokens of grants in the table: one item each, and one process at a time that renews them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from popfetch.adapters.grants_table import GrantsTable, from_item, to_item
from popfetch.domain.errors import StorageUnavailable
from popfetch.domain.oauth import StoredTokens
from tests.builders.accounts import NOON, OWNER, an_account_id
from tests.builders.aws import Aws, aws, empty

ACCOUNT = an_account_id(1)
SOON = NOON + timedelta(seconds=30)


@pytest.fixture(scope="module")
def stack() -> Iterator[Aws]:
    with aws() as built:
        yield built


@pytest.fixture
def grants(stack: Aws) -> GrantsTable:
    empty(stack)
    return GrantsTable(stack.dynamodb, stack.table)


def some_tokens(**changes: object) -> StoredTokens:
    tokens = StoredTokens(
        owner_id=OWNER,
        account_id=ACCOUNT,
        grant_id="grant-1",
        server_id="example",
        client_print=b"print",
        is_public=False,
        refresh_token=b"refresh",
        access_token=b"access",
        access_expires_at=NOON,
    )
    return replace(tokens, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("tokens", [some_tokens(), some_tokens(renewing_until=SOON, version=7, is_public=True)])
def test_an_item_holds_all_of_it(tokens: StoredTokens) -> None:
    assert from_item(to_item(tokens)) == tokens


def test_what_is_added_is_found_under_its_account_and_grant_only(grants: GrantsTable) -> None:
    grants.add(some_tokens())
    assert grants.load(ACCOUNT, "grant-1") == some_tokens()
    assert grants.load(ACCOUNT, "grant-2") is None
    assert grants.load(an_account_id(2), "grant-1") is None


def test_all_that_an_account_has_left_behind_is_found(grants: GrantsTable) -> None:
    elsewhere = an_account_id(2)
    for left in (some_tokens(), some_tokens(grant_id="grant-2"), some_tokens(account_id=elsewhere)):
        grants.add(left)
    assert {left.grant_id for left in grants.of_account(ACCOUNT)} == {"grant-1", "grant-2"}
    assert grants.of_account(an_account_id(3)) == []


def test_one_of_two_takes_the_lease(grants: GrantsTable) -> None:
    grants.add(some_tokens())
    taken = grants.take(some_tokens(), SOON)
    assert taken == some_tokens(renewing_until=SOON, version=2)
    assert grants.take(some_tokens(), SOON) is None
    assert grants.load(ACCOUNT, "grant-1") == taken


def test_who_holds_the_lease_keeps_new_tokens_and_gives_it_back(grants: GrantsTable) -> None:
    grants.add(some_tokens())
    taken = grants.take(some_tokens(), SOON)
    assert taken
    assert grants.keep(taken, replace(taken, refresh_token=b"newer"))
    assert grants.load(ACCOUNT, "grant-1") == some_tokens(refresh_token=b"newer", version=3)


def test_who_lost_the_lease_keeps_nothing(grants: GrantsTable) -> None:
    grants.add(some_tokens())
    slow = grants.take(some_tokens(), SOON)
    assert slow
    quick = grants.take(slow, SOON + timedelta(minutes=1))
    assert quick
    assert not grants.keep(slow, replace(slow, refresh_token=b"late"))
    grants.release(slow)
    assert grants.load(ACCOUNT, "grant-1") == quick


def test_a_lease_is_given_back(grants: GrantsTable) -> None:
    grants.add(some_tokens())
    taken = grants.take(some_tokens(), SOON)
    assert taken
    grants.release(taken)
    assert grants.load(ACCOUNT, "grant-1") == some_tokens(version=3)


def test_tokens_that_were_removed_do_not_come_back(grants: GrantsTable) -> None:
    grants.add(some_tokens())
    taken = grants.take(some_tokens(), SOON)
    assert taken
    grants.remove(ACCOUNT, "grant-1")
    assert not grants.keep(taken, taken)
    assert grants.take(some_tokens(), SOON) is None
    assert grants.load(ACCOUNT, "grant-1") is None


def test_a_failing_table_is_storage_unavailable(stack: Aws) -> None:
    elsewhere = GrantsTable(stack.dynamodb, "no-such-table")
    for call in (
        lambda: elsewhere.add(some_tokens()),
        lambda: elsewhere.load(ACCOUNT, "grant-1"),
        lambda: elsewhere.of_account(ACCOUNT),
        lambda: elsewhere.take(some_tokens(), SOON),
        lambda: elsewhere.remove(ACCOUNT, "grant-1"),
    ):
        with pytest.raises(StorageUnavailable):
            call()
