"""The accounts of owners in the table: order, default role, and what happens when two change at once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from popfetch.adapters import account_items, fetch_state_items, keys
from popfetch.adapters.account_items import Profile
from popfetch.adapters.accounts_table import AccountsTable, write_standing
from popfetch.adapters.dynamodb_items import from_wire, to_wire
from popfetch.domain.account import (
    INTERVAL_MENU,
    Account,
    AfterFetch,
    AuthMethod,
    FetchSettings,
    Grant,
    Order,
    Security,
    Standing,
)
from popfetch.domain.errors import (
    AccountAlreadyAdded,
    AccountChanged,
    AccountNotFound,
    AccountOutdated,
    InvalidOrder,
    StorageUnavailable,
    TooManyAccounts,
)
from popfetch.domain.fetch_state import FailureCounts, FetchState, Progress
from popfetch.domain.mailbox import MAX_ACCOUNTS_PER_OWNER
from popfetch.domain.visits import Visit
from popfetch.domain.wheel import slot_of
from tests.builders.accounts import NOON, OTHER_OWNER, OWNER, a_server, an_account, an_account_id
from tests.builders.aws import Aws, aws, empty


@pytest.fixture(scope="module")
def built() -> Iterator[Aws]:
    with aws() as stack:
        yield stack


@pytest.fixture
def stack(built: Aws) -> Aws:
    empty(built)
    return built


@pytest.fixture
def table(stack: Aws) -> AccountsTable:
    return AccountsTable(stack.dynamodb, stack.table, sleep=lambda _: None)


def item_of(stack: Aws, key: keys.Key) -> dict[str, Any] | None:
    found = stack.dynamodb.get_item(TableName=stack.table, Key=to_wire(key)).get("Item")
    return from_wire(found) if found else None


def visits_in(stack: Aws) -> set[str]:
    """The accounts of which visits are kept."""
    return set(item_of(stack, keys.visits(OWNER)) or {}) - {keys.PARTITION, keys.SORT}


def on_the_wheel(stack: Aws) -> list[str]:
    """The accounts that are on the wheel; those off it are in a slot that is never due."""
    items = stack.dynamodb.scan(TableName=stack.table, IndexName="wheel")["Items"]
    return [item["sk"]["S"] for item in items if not item["wheel_slot"]["S"].startswith("STOPPED#")]


def just_before_the_next_write(stack: Aws, happens: Callable[[], object]) -> None:
    """Let something happen between what the next transaction read and its write; once."""
    pending = [happens]

    def interrupt(**_: Any) -> None:
        if pending:
            pending.pop()()

    stack.dynamodb.meta.events.register("before-call.dynamodb.TransactWriteItems", interrupt)


class TestItems:
    def test_an_account_survives_the_way_through_its_item(self) -> None:
        plain = an_account(position=3)
        full = an_account(
            outgoing=a_server(host="smtp.example.com", port=587, security=Security.STARTTLS),
            outgoing_secret=b"\x00sealed too",
            incoming=a_server(auth=AuthMethod.OAUTH2, security=Security.NONE, port=110),
            incoming_secret=None,
            grant=Grant("grant-1", "google", NOON),
            fetch=FetchSettings(
                interval_minutes=60,
                max_messages_per_cycle=20,
                catch_up=False,
                start="2026-01-31",
                order=Order.NEWEST_FIRST,
                after_fetch=AfterFetch.DELETE_AFTER_DAYS,
                delete_after_days=14,
            ),
            standing=Standing.PAUSED,
            version=7,
        )
        for account in (plain, full):
            wire = to_wire(account_items.to_item(account, wheel_shards=1))
            assert account_items.from_item(from_wire(wire)) == account

    @pytest.mark.parametrize("standing", list(Standing))
    def test_only_an_active_account_is_in_a_slot_that_is_ever_due(self, standing: Standing) -> None:
        slot = account_items.to_item(an_account(standing=standing), wheel_shards=4)["wheel_slot"]
        due = {
            keys.wheel_slot(interval, number, shard)
            for interval in INTERVAL_MENU
            for number in range(interval)
            for shard in range(4)
        }
        assert (slot in due) == (standing is Standing.ACTIVE)
        assert (slot in {keys.stopped_slot(standing, shard) for shard in range(4)}) == (standing is not Standing.ACTIVE)

    def test_the_slot_is_the_owners_phase_in_the_accounts_interval(self) -> None:
        account = an_account(fetch=FetchSettings(interval_minutes=15), position=2)
        item = account_items.to_item(account, wheel_shards=1)
        assert item["wheel_slot"] == f"15#{slot_of(OWNER, 15)}#0"
        assert item["wheel_order"] == f"{OWNER}#000002#{account.account_id}"


class TestAdding:
    def test_the_first_account_is_the_default_and_the_second_is_not(self, table: AccountsTable) -> None:
        first, second = table.add(an_account(1)), table.add(an_account(2))
        assert (first.is_default, second.is_default) == (True, False)
        assert (first.account.position, second.account.position) == (1, 2)
        assert table.of_owner(OWNER) == [first, second]
        assert table.get(OWNER, second.account.account_id) == second

    def test_a_fresh_fetch_state_is_added_with_it(self, table: AccountsTable, stack: Aws) -> None:
        added = table.add(an_account())
        item = item_of(stack, keys.fetch_state(OWNER, added.account.account_id))
        assert fetch_state_items.from_item(item) == added.state == FetchState()
        assert item is not None

    def test_it_joins_the_wheel(self, table: AccountsTable, stack: Aws) -> None:
        added = table.add(an_account())
        assert on_the_wheel(stack) == [f"ACCOUNT#{added.account.account_id}"]

    def test_two_owners_have_an_order_and_a_default_each(self, table: AccountsTable) -> None:
        mine, theirs = table.add(an_account(1)), table.add(an_account(2, owner_id=OTHER_OWNER))
        assert mine.is_default
        assert theirs.is_default
        assert table.of_owner(OWNER) == [mine]
        assert table.of_owner(OTHER_OWNER) == [theirs]

    @pytest.mark.parametrize(
        "same", [{}, {"host": "POP.Example.COM"}, {"security": Security.STARTTLS}], ids=["same", "case", "security"]
    )
    def test_the_same_mailbox_is_not_added_twice(self, table: AccountsTable, same: dict[str, Any]) -> None:
        table.add(an_account(1, incoming=a_server()))
        with pytest.raises(AccountAlreadyAdded, match=an_account_id(1)):
            table.add(an_account(2, incoming=a_server(**same)))
        assert len(table.of_owner(OWNER)) == 1

    @pytest.mark.parametrize("other", [{"port": 110}, {"username": "Anna@example.com"}, {"host": "pop.example.org"}])
    def test_another_port_user_or_host_is_another_mailbox(self, table: AccountsTable, other: dict[str, Any]) -> None:
        table.add(an_account(1, incoming=a_server()))
        table.add(an_account(2, incoming=a_server(**other)))
        assert len(table.of_owner(OWNER)) == 2

    def test_two_owners_may_have_the_same_mailbox(self, table: AccountsTable) -> None:
        table.add(an_account(1, incoming=a_server()))
        table.add(an_account(2, incoming=a_server(), owner_id=OTHER_OWNER))

    def test_a_removed_mailbox_can_be_added_again(self, table: AccountsTable) -> None:
        table.add(an_account(1, incoming=a_server()))
        table.remove(OWNER, an_account_id(1))
        assert table.add(an_account(2, incoming=a_server())).is_default

    def test_there_is_a_bound_on_accounts(self, table: AccountsTable, stack: Aws) -> None:
        almost_full = Profile(
            OWNER, version=1, mailboxes={an_account_id(n): bytes([n]) for n in range(1, MAX_ACCOUNTS_PER_OWNER)}
        )
        stack.dynamodb.put_item(TableName=stack.table, Item=to_wire(account_items.profile_to_item(almost_full)))
        table.add(an_account(100))
        with pytest.raises(TooManyAccounts, match=str(MAX_ACCOUNTS_PER_OWNER)):
            table.add(an_account(101))
        assert [record.account.account_id for record in table.of_owner(OWNER)] == [an_account_id(100)]

    def test_the_accounts_of_many_pages_are_all_listed(self, table: AccountsTable) -> None:
        big = b"x" * 300_000  # a page is 1 MB at most
        for number in range(1, 9):
            table.add(an_account(number, incoming_secret=big))
        assert [record.account.position for record in table.of_owner(OWNER)] == list(range(1, 9))


class TestTwoAtOnce:
    def test_two_first_accounts_never_give_two_defaults_nor_lose_one(self, table: AccountsTable, stack: Aws) -> None:
        just_before_the_next_write(stack, lambda: table.add(an_account(1)))
        late = table.add(an_account(2))
        assert not late.is_default
        assert late.account.position == 2
        assert [record.is_default for record in table.of_owner(OWNER)] == [True, False]

    def test_the_same_mailbox_added_twice_at_once_is_added_once(self, table: AccountsTable, stack: Aws) -> None:
        just_before_the_next_write(stack, lambda: table.add(an_account(1, incoming=a_server())))
        with pytest.raises(AccountAlreadyAdded):
            table.add(an_account(2, incoming=a_server()))
        assert [record.account.account_id for record in table.of_owner(OWNER)] == [an_account_id(1)]

    def test_the_default_role_is_not_passed_to_an_account_that_just_went(
        self, table: AccountsTable, stack: Aws
    ) -> None:
        for number in (1, 2, 3):
            table.add(an_account(number))
        just_before_the_next_write(stack, lambda: table.remove(OWNER, an_account_id(2)))
        table.remove(OWNER, an_account_id(1))
        (left,) = table.of_owner(OWNER)
        assert left.account.account_id == an_account_id(3)
        assert left.is_default

    def test_removing_twice_at_once_finds_nothing_the_second_time(self, table: AccountsTable, stack: Aws) -> None:
        table.add(an_account(1))
        just_before_the_next_write(stack, lambda: table.remove(OWNER, an_account_id(1)))
        with pytest.raises(AccountNotFound):
            table.remove(OWNER, an_account_id(1))

    def test_it_gives_up_after_a_bounded_number_of_lost_races(self, stack: Aws) -> None:
        pauses: list[float] = []
        table = AccountsTable(stack.dynamodb, stack.table, sleep=pauses.append)

        def always_beaten(**_: Any) -> None:
            stack.dynamodb.update_item(
                TableName=stack.table,
                Key=to_wire(keys.profile(OWNER)),
                UpdateExpression="ADD version :one SET next_position = :one, mailboxes = :none",
                ExpressionAttributeValues=to_wire({":one": 1, ":none": {}}),
            )

        events = stack.dynamodb.meta.events
        events.register("before-call.dynamodb.TransactWriteItems", always_beaten)
        with pytest.raises(AccountChanged):
            table.add(an_account(1))
        events.unregister("before-call.dynamodb.TransactWriteItems", always_beaten)
        assert len(pauses) == 7
        assert max(pauses) <= 0.2
        assert table.of_owner(OWNER) == []


class TestReading:
    def test_another_owners_account_is_not_found(self, table: AccountsTable) -> None:
        table.add(an_account(1))
        with pytest.raises(AccountNotFound):
            table.get(OTHER_OWNER, an_account_id(1))
        with pytest.raises(AccountNotFound):
            table.remove(OTHER_OWNER, an_account_id(1))
        assert len(table.of_owner(OWNER)) == 1

    @pytest.mark.parametrize("account_id", ["", "#", f"{an_account_id(1)}#STATE", "x" * 5000, "ACCOUNT", "ä" * 20])
    def test_what_is_no_account_id_never_reaches_a_key(self, table: AccountsTable, account_id: str) -> None:
        table.add(an_account(1))
        with pytest.raises(AccountNotFound):
            table.get(OWNER, account_id)
        with pytest.raises(AccountNotFound):
            table.remove(OWNER, account_id)

    def test_the_state_that_a_cycle_wrote_comes_along(self, table: AccountsTable, stack: Aws) -> None:
        table.add(an_account(1))
        state = FetchState(version=4, start_applied=True)
        stack.dynamodb.put_item(
            TableName=stack.table, Item=to_wire(fetch_state_items.to_item(OWNER, an_account_id(1), state))
        )
        assert table.get(OWNER, an_account_id(1)).state == state
        assert table.of_owner(OWNER)[0].state == state

    def test_a_failing_table_is_storage_unavailable(self, stack: Aws) -> None:
        table = AccountsTable(stack.dynamodb, "no-such-table")
        for call in (
            lambda: table.of_owner(OWNER),
            lambda: table.get(OWNER, an_account_id(1)),
            lambda: table.add(an_account(1)),
        ):
            with pytest.raises(StorageUnavailable) as failure:
                call()
            assert isinstance(failure.value.__cause__, ClientError)


class TestRemoving:
    def test_account_and_state_go_together_and_leave_the_wheel(self, table: AccountsTable, stack: Aws) -> None:
        added = table.add(an_account(1))
        assert table.remove(OWNER, an_account_id(1)) == added
        assert item_of(stack, keys.account(OWNER, an_account_id(1))) is None
        assert item_of(stack, keys.fetch_state(OWNER, an_account_id(1))) is None
        assert on_the_wheel(stack) == []
        with pytest.raises(AccountNotFound):
            table.get(OWNER, an_account_id(1))

    def test_the_default_passes_to_the_first_one_left(self, table: AccountsTable) -> None:
        for number in (1, 2, 3):
            table.add(an_account(number))
        table.remove(OWNER, an_account_id(1))
        assert [record.is_default for record in table.of_owner(OWNER)] == [True, False]

    def test_removing_another_one_leaves_the_default_alone(self, table: AccountsTable) -> None:
        for number in (1, 2):
            table.add(an_account(number))
        table.remove(OWNER, an_account_id(2))
        assert [record.is_default for record in table.of_owner(OWNER)] == [True]

    def test_positions_are_not_given_out_again(self, table: AccountsTable) -> None:
        for number in (1, 2):
            table.add(an_account(number))
        table.remove(OWNER, an_account_id(2))
        assert table.add(an_account(3)).account.position == 3


class TestVisiting:
    def test_a_visit_comes_along_with_its_account_and_no_other(self, table: AccountsTable) -> None:
        for number in (1, 2):
            table.add(an_account(number), FetchState(stored_total=9))
        table.visit(OWNER, an_account_id(1), Visit(NOON, 7))
        assert table.get(OWNER, an_account_id(1)).visit == Visit(NOON, 7)
        assert [(record.visit, record.unread) for record in table.of_owner(OWNER)] == [(Visit(NOON, 7), 2), (None, 9)]

    def test_a_later_visit_takes_the_place_of_the_one_before(self, table: AccountsTable) -> None:
        table.add(an_account())
        for seen in (3, 3, 5):
            later = NOON + timedelta(minutes=seen)
            table.visit(OWNER, an_account_id(), Visit(later, seen))
            assert table.get(OWNER, an_account_id()).visit == Visit(later, seen)

    def test_one_that_has_seen_less_and_is_written_late_changes_nothing(self, table: AccountsTable) -> None:
        table.add(an_account())
        table.visit(OWNER, an_account_id(), Visit(NOON, 5))
        table.visit(OWNER, an_account_id(), Visit(NOON, 4))
        assert table.get(OWNER, an_account_id()).visit == Visit(NOON, 5)

    def test_no_version_changes(self, table: AccountsTable) -> None:
        added = table.add(an_account())
        table.visit(OWNER, an_account_id(), Visit(NOON, 0))
        assert table.get(OWNER, an_account_id()) == replace(added, visit=Visit(NOON, 0))

    def test_a_change_of_the_account_keeps_it(self, table: AccountsTable) -> None:
        table.add(an_account())
        table.visit(OWNER, an_account_id(), Visit(NOON, 0))
        changed = table.change(OWNER, an_account_id(), lambda account, state: (replace(account, name="x"), state))
        assert changed.visit == table.get(OWNER, an_account_id()).visit == Visit(NOON, 0)

    def test_it_goes_with_its_account_and_leaves_the_others(self, table: AccountsTable, stack: Aws) -> None:
        for number in (1, 2):
            table.add(an_account(number))
            table.visit(OWNER, an_account_id(number), Visit(NOON, number))
        table.remove(OWNER, an_account_id(1))
        assert item_of(stack, keys.visits(OWNER)) is not None
        assert visits_in(stack) == {an_account_id(2)}

    def test_one_that_came_after_its_account_had_gone_goes_with_the_next_account(
        self, table: AccountsTable, stack: Aws
    ) -> None:
        for number in (1, 2):
            table.add(an_account(number))
        table.remove(OWNER, an_account_id(1))
        table.visit(OWNER, an_account_id(1), Visit(NOON, 0))
        assert [record.account.account_id for record in table.of_owner(OWNER)] == [an_account_id(2)]
        table.remove(OWNER, an_account_id(2))
        assert visits_in(stack) == set()

    def test_one_that_comes_between_is_gone_too_or_with_the_next(self, table: AccountsTable, stack: Aws) -> None:
        table.add(an_account())
        table.visit(OWNER, an_account_id(), Visit(NOON, 1))
        just_before_the_next_write(stack, lambda: table.visit(OWNER, an_account_id(), Visit(NOON, 2)))
        table.remove(OWNER, an_account_id())
        assert visits_in(stack) == set()

    def test_accounts_that_were_never_visited_leave_nothing_to_forget(self, table: AccountsTable, stack: Aws) -> None:
        table.add(an_account())
        table.remove(OWNER, an_account_id())
        assert item_of(stack, keys.visits(OWNER)) is None

    def test_a_failing_table_is_storage_unavailable(self, stack: Aws) -> None:
        with pytest.raises(StorageUnavailable):
            AccountsTable(stack.dynamodb, "no-such-table").visit(OWNER, an_account_id(), Visit(NOON, 0))


class TestStanding:
    def test_leaving_and_joining_the_wheel(self, table: AccountsTable, stack: Aws) -> None:
        account = table.add(an_account(1)).account
        left = replace(account, standing=Standing.AUTH_FAILED)
        assert write_standing(stack.dynamodb, stack.table, account_items.change_standing(left, 1))
        stored = table.get(OWNER, account.account_id).account
        assert stored == replace(left, version=account.version + 1)
        assert on_the_wheel(stack) == []
        back = replace(stored, standing=Standing.ACTIVE)
        assert write_standing(stack.dynamodb, stack.table, account_items.change_standing(back, 1))
        written = account_items.to_item(replace(back, version=3), wheel_shards=1)
        assert item_of(stack, keys.account(OWNER, account.account_id)) == from_wire(to_wire(written))
        assert on_the_wheel(stack) == [f"ACCOUNT#{account.account_id}"]

    def test_a_change_in_between_is_not_overwritten(self, table: AccountsTable, stack: Aws) -> None:
        account = table.add(an_account(1)).account
        update = account_items.change_standing(replace(account, standing=Standing.PAUSED), 1)
        assert write_standing(stack.dynamodb, stack.table, update)
        assert not write_standing(stack.dynamodb, stack.table, update)
        assert not write_standing(stack.dynamodb, stack.table, account_items.change_standing(account, 1))
        assert table.get(OWNER, account.account_id).account.standing is Standing.PAUSED

    def test_a_removed_account_does_not_come_back(self, table: AccountsTable, stack: Aws) -> None:
        account = table.add(an_account(1)).account
        table.remove(OWNER, account.account_id)
        assert not write_standing(stack.dynamodb, stack.table, account_items.change_standing(account, 1))
        assert table.of_owner(OWNER) == []


def with_failures(number: int) -> FetchState:
    return FetchState(failures=FailureCounts(authentication=number))


class TestChanging:
    def test_what_changes_is_written_with_new_versions(self, table: AccountsTable) -> None:
        table.add(an_account())
        changed = table.change(
            OWNER, an_account_id(), lambda account, state: (replace(account, name="Work"), with_failures(3))
        )
        assert (changed.account.name, changed.account.version) == ("Work", 2)
        assert changed.state == replace(with_failures(3), version=1)
        assert changed == table.get(OWNER, an_account_id())

    def test_what_does_not_change_is_not_written(self, table: AccountsTable) -> None:
        before = table.add(an_account())
        assert table.change(OWNER, an_account_id(), lambda account, state: (account, state)) == before
        assert table.get(OWNER, an_account_id()) == before

    def test_it_is_applied_again_to_what_somebody_else_made_of_the_account(
        self, stack: Aws, table: AccountsTable
    ) -> None:
        table.add(an_account())

        def rename(to: str) -> None:
            table.change(OWNER, an_account_id(), lambda account, state: (replace(account, name=to), state))

        just_before_the_next_write(stack, lambda: rename("Somebody else's"))
        changed = table.change(
            OWNER, an_account_id(), lambda account, state: (replace(account, email="new@example.com"), state)
        )
        assert (changed.account.name, changed.account.email) == ("Somebody else's", "new@example.com")
        assert changed.account.version == 3

    def test_a_state_is_merged_with_what_a_cycle_wrote_meanwhile_and_overtakes_it(
        self, stack: Aws, table: AccountsTable
    ) -> None:
        table.add(an_account(), replace(with_failures(9), next_segment=1))

        def a_cycle_commits() -> None:
            state = replace(with_failures(9), version=7, next_segment=2, fresh_segments=1)
            item = fetch_state_items.to_item(OWNER, an_account_id(), state)
            stack.dynamodb.put_item(TableName=stack.table, Item=to_wire(item))

        just_before_the_next_write(stack, a_cycle_commits)
        table.change(OWNER, an_account_id(), lambda account, state: (account, replace(state, failures=FailureCounts())))
        assert table.get(OWNER, an_account_id()).state == FetchState(version=8, next_segment=2, fresh_segments=1)

    def test_a_cycle_that_is_overtaken_leaves_no_progress_behind(self, table: AccountsTable) -> None:
        under_way = Progress(NOON, NOON, listed=100, remaining=40, stored=60)
        table.add(an_account(), replace(with_failures(9), stored_total=60, progress=under_way))
        table.change(OWNER, an_account_id(), lambda account, state: (account, replace(state, failures=FailureCounts())))
        assert table.get(OWNER, an_account_id()).state == FetchState(version=1, stored_total=60)

    def test_another_mailbox_takes_the_place_of_the_old_one(self, table: AccountsTable) -> None:
        for number in (1, 2):
            table.add(an_account(number))

        def move(number: int, username: str) -> None:
            table.change(
                OWNER,
                an_account_id(number),
                lambda account, state: (replace(account, incoming=a_server(username=username)), state),
            )

        with pytest.raises(AccountAlreadyAdded):
            move(1, "anna2@example.com")
        move(1, "anna3@example.com")
        move(2, "anna1@example.com")
        with pytest.raises(AccountAlreadyAdded):
            table.add(an_account(4, incoming=a_server(username="anna3@example.com")))

    def test_two_that_move_to_the_same_mailbox_at_once_do_not_both_get_it(
        self, stack: Aws, table: AccountsTable
    ) -> None:
        for number in (1, 2):
            table.add(an_account(number))

        def move(number: int) -> None:
            table.change(
                OWNER,
                an_account_id(number),
                lambda account, state: (replace(account, incoming=a_server(username="one")), state),
            )

        just_before_the_next_write(stack, lambda: move(2))
        with pytest.raises(AccountAlreadyAdded):
            move(1)

    def test_an_account_on_the_wheel_moves_with_its_interval_and_leaves_with_its_standing(
        self, stack: Aws, table: AccountsTable
    ) -> None:
        table.add(an_account())
        for standing, there in ((Standing.PAUSED, []), (Standing.ACTIVE, [f"ACCOUNT#{an_account_id()}"])):
            table.change(
                OWNER,
                an_account_id(),
                lambda account, state, standing=standing: (replace(account, standing=standing), state),  # type: ignore[misc]
            )
            assert on_the_wheel(stack) == there

    def test_what_refuses_changes_nothing(self, table: AccountsTable) -> None:
        before = table.add(an_account())

        def refuse(account: Account, state: FetchState) -> tuple[Account, FetchState]:
            raise AccountOutdated(account.account_id, account.version)

        with pytest.raises(AccountOutdated):
            table.change(OWNER, an_account_id(), refuse)
        assert table.get(OWNER, an_account_id()) == before

    @pytest.mark.parametrize("owner_id", [OWNER, OTHER_OWNER])
    def test_an_account_that_is_not_there_or_anothers_is_not_found(self, table: AccountsTable, owner_id: str) -> None:
        table.add(an_account(owner_id=OTHER_OWNER if owner_id == OWNER else OWNER))
        with pytest.raises(AccountNotFound):
            table.change(owner_id, an_account_id(), lambda account, state: (account, state))

    def test_an_account_that_is_removed_meanwhile_is_not_found(self, stack: Aws, table: AccountsTable) -> None:
        table.add(an_account())
        just_before_the_next_write(stack, lambda: table.remove(OWNER, an_account_id()))
        with pytest.raises(AccountNotFound):
            table.change(OWNER, an_account_id(), lambda account, _: (replace(account, name="Work"), with_failures(1)))
        assert item_of(stack, keys.account(OWNER, an_account_id())) is None
        assert item_of(stack, keys.fetch_state(OWNER, an_account_id())) is None


class TestOrdering:
    def test_as_many_accounts_as_an_owner_can_have_are_ordered_at_once(self, table: AccountsTable) -> None:
        ids = [table.add(an_account(number)).account.account_id for number in range(1, MAX_ACCOUNTS_PER_OWNER + 1)]
        backwards = ids[::-1]
        assert [record.account.account_id for record in table.reorder(OWNER, backwards)] == backwards
        assert [record.account.account_id for record in table.of_owner(OWNER)] == backwards

    def test_an_account_that_comes_meanwhile_makes_the_order_incomplete(self, stack: Aws, table: AccountsTable) -> None:
        for number in (1, 2):
            table.add(an_account(number))
        just_before_the_next_write(stack, lambda: table.add(an_account(3)))
        with pytest.raises(InvalidOrder):
            table.reorder(OWNER, [an_account_id(2), an_account_id(1)])
        assert [r.account.account_id for r in table.of_owner(OWNER)] == [an_account_id(n) for n in (1, 2, 3)]

    def test_a_change_meanwhile_is_kept(self, stack: Aws, table: AccountsTable) -> None:
        for number in (1, 2):
            table.add(an_account(number))

        def rename() -> None:
            table.change(OWNER, an_account_id(1), lambda account, state: (replace(account, name="Work"), state))

        just_before_the_next_write(stack, rename)
        table.reorder(OWNER, [an_account_id(2), an_account_id(1)])
        second, first = table.of_owner(OWNER)
        assert (first.account.name, first.account.position, second.account.position) == ("Work", 2, 1)


class TestTheDefaultRole:
    def test_it_goes_to_the_one_that_is_named_even_when_the_holder_goes_meanwhile(
        self, stack: Aws, table: AccountsTable
    ) -> None:
        for number in (1, 2, 3):
            table.add(an_account(number))
        just_before_the_next_write(stack, lambda: table.remove(OWNER, an_account_id(1)))
        table.make_default(OWNER, an_account_id(3))
        assert [record.is_default for record in table.of_owner(OWNER)] == [False, True]

    def test_it_cannot_go_to_one_that_goes_meanwhile(self, stack: Aws, table: AccountsTable) -> None:
        for number in (1, 2):
            table.add(an_account(number))
        just_before_the_next_write(stack, lambda: table.remove(OWNER, an_account_id(2)))
        with pytest.raises(AccountNotFound):
            table.make_default(OWNER, an_account_id(2))
        assert [record.is_default for record in table.of_owner(OWNER)] == [True]
