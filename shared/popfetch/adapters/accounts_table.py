"""The accounts of owners, in the table.

Adding and removing are one transaction each over the owner's profile, the account and its fetch state. The
profile's version decides between two that happen at once: the later one reads again and repeats::

    add      read profile -> check -> [ profile UNCHANGED | account ABSENT    | state ABSENT         ]
    change   read account -> apply -> [ profile UNCHANGED | account UNCHANGED | state PRESENT, merged ]
    reorder  read owner   -> check -> [ profile UNCHANGED | accounts UNCHANGED                        ]
    default  read owner   -> check -> [ profile UNCHANGED                                             ]
    remove   read owner   ---------> [ profile UNCHANGED | account PRESENT   | state | visits        ]

A change writes the profile only where the mailbox becomes another, and the state only where that changes. A cycle
that is under way writes the state all the time: a change does not wait for it, it sets its own attributes and moves
the version on, by which the cycle learns that it was overtaken. A visit is no change: it is an update of its own item,
and no version moves.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from popfetch.adapters import account_items, fetch_state_items, keys, visit_items
from popfetch.adapters.account_items import UNCHANGED, VERSION, Profile, UpdateRequest
from popfetch.adapters.dynamodb_items import Item, condition_held, error_code, from_wire, to_wire, translated
from popfetch.domain.account import Account
from popfetch.domain.errors import AccountChanged, AccountNotFound, StorageUnavailable
from popfetch.domain.fetch_state import FetchState
from popfetch.domain.mailbox import check_can_add, check_not_held, check_order, is_account_id, mailbox_print
from popfetch.domain.visits import Visit
from popfetch.ports.accounts import AccountRecord, ChangeOfRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ABSENT = f"attribute_not_exists({keys.PARTITION})"
PRESENT = f"attribute_exists({keys.PARTITION})"

ATTEMPTS = 8
_LONGEST_PAUSE = 0.2
_LOST_RACE = {"None", "ConditionalCheckFailed", "TransactionConflict"}


class AccountsTable:
    """``AccountStore`` on the table."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table_name: str,
        *,
        wheel_shards: int = 1,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._table = table_name
        self._wheel_shards = wheel_shards
        self._sleep = sleep

    def add(self, account: Account, state: FetchState | None = None) -> AccountRecord:
        """Add an account at the end of its owner's order; the first becomes the default.

        Raises AccountAlreadyAdded and TooManyAccounts, and AccountChanged when others kept coming first.
        """
        state = state or FetchState()
        for _ in self._attempts():
            profile = self._profile(account.owner_id)
            check_can_add(account.incoming, profile.mailboxes)
            placed = replace(account, position=profile.next_position)
            after = profile.with_account(placed)
            if self._commit(
                "Adding the account",
                self._put_profile(profile, after),
                self._put_new(account_items.to_item(placed, self._wheel_shards)),
                self._put_new(fetch_state_items.to_item(placed.owner_id, placed.account_id, state)),
            ):
                return AccountRecord(placed, state, is_default=after.default_account_id == placed.account_id)
        raise _changed_too_often()

    def get(self, owner_id: str, account_id: str) -> AccountRecord:
        """One account. Raises AccountNotFound."""
        return self._account(owner_id, account_id)[1]

    def of_owner(self, owner_id: str) -> list[AccountRecord]:
        """All accounts of an owner, in the owner's order."""
        return self._owner(owner_id)[1]

    def change(self, owner_id: str, account_id: str, change: ChangeOfRecord) -> AccountRecord:
        """Write what ``change`` makes of an account and its state, both as they are at that moment.

        Raises AccountNotFound, AccountAlreadyAdded, AccountChanged, and what ``change`` raises.
        """
        for _ in self._attempts():
            profile, record = self._account(owner_id, account_id)
            account, state = change(record.account, record.state)
            if (account, state) == (record.account, record.state):
                return record
            changed = replace(account, version=record.account.version + 1)
            writes = [self._put_account(changed, seen_version=record.account.version)]
            if state != record.state:
                # the cycle under way is overtaken, and its progress with it
                state = replace(state, version=record.state.version + 1, progress=None)
                writes.append(self._merge_state(changed, record.state, state))
            if mailbox_print(account.incoming) != profile.mailboxes.get(account_id):
                others = {held: mailbox for held, mailbox in profile.mailboxes.items() if held != account_id}
                check_not_held(account.incoming, others)
                writes.append(self._put_profile(profile, profile.with_mailbox_of(account)))
            if self._commit("Changing the account", *writes):
                return replace(record, account=changed, state=state)
        raise _changed_too_often()

    def reorder(self, owner_id: str, account_ids: Sequence[str]) -> list[AccountRecord]:
        """Give the accounts this order, which names each of them once. Raises InvalidOrder and AccountChanged."""
        for _ in self._attempts():
            profile, records = self._owner(owner_id)
            held = {record.account.account_id: record for record in records}
            check_order(account_ids, held.keys())
            ordered = [
                replace(held[account_id], account=replace(held[account_id].account, position=position))
                for position, account_id in enumerate(account_ids, start=1)
            ]
            moved = {r.account.account_id for r in ordered if r.account != held[r.account.account_id].account}
            if not moved:
                return ordered
            ordered = [_next_version(r) if r.account.account_id in moved else r for r in ordered]
            if self._commit(
                "Storing the order",
                self._put_profile(profile, profile.with_positions_up_to(len(ordered))),
                *(
                    self._put_account(record.account, seen_version=record.account.version - 1)
                    for record in ordered
                    if record.account.account_id in moved
                ),
            ):
                return ordered
        raise _changed_too_often()

    def make_default(self, owner_id: str, account_id: str) -> list[AccountRecord]:
        """Make an account the default one, in place of the one that was. Raises AccountNotFound, AccountChanged."""
        for _ in self._attempts():
            profile, records = self._owner(owner_id)
            if account_id not in {record.account.account_id for record in records}:
                raise AccountNotFound(account_id)
            if profile.default_account_id == account_id or self._commit(
                "Storing the default account", self._put_profile(profile, profile.with_default(account_id))
            ):
                return [replace(r, is_default=r.account.account_id == account_id) for r in records]
        raise _changed_too_often()

    def visit(self, owner_id: str, account_id: str, visit: Visit) -> None:
        """Remember that an account was visited, unless a visit is known that has seen more. Raises StorageUnavailable.

        Of an account that goes meanwhile it is forgotten when the next one goes.
        """
        update = visit_items.visited(owner_id, account_id, visit)
        with translated("Storing the visit"):
            condition_held(lambda: self._client.update_item(TableName=self._table, **update))

    def remove(self, owner_id: str, account_id: str) -> AccountRecord:
        """Remove the account and its state together; the default passes to the first one left.

        Raises AccountNotFound, and AccountChanged when others kept coming first.
        """
        for _ in self._attempts():
            items = self._owner_items(owner_id)
            profile, records = _records(owner_id, items)
            left = [record.account.account_id for record in records if record.account.account_id != account_id]
            removed = next((record for record in records if record.account.account_id == account_id), None)
            if removed is None:
                raise AccountNotFound(account_id)
            after = profile.without_account(account_id, left[0] if left else None)
            visits_to_none = _visits(owner_id, items).keys() - left
            if self._commit(
                "Removing the account",
                self._put_profile(profile, after),
                self._delete(keys.account(owner_id, account_id), PRESENT),
                self._delete(keys.fetch_state(owner_id, account_id)),
                *([self._update(visit_items.forgotten(owner_id, visits_to_none))] if visits_to_none else []),
            ):
                return removed
        raise _changed_too_often()

    def _account(self, owner_id: str, account_id: str) -> tuple[Profile, AccountRecord]:
        if not is_account_id(account_id):
            raise AccountNotFound(account_id)
        account_key = keys.account(owner_id, account_id)
        items = self._read(
            keys.profile(owner_id), account_key, keys.fetch_state(owner_id, account_id), keys.visits(owner_id)
        )
        if account_key[keys.SORT] not in items:
            raise AccountNotFound(account_id)
        profile, (record,) = _records(owner_id, items)
        return profile, record

    def _owner(self, owner_id: str) -> tuple[Profile, list[AccountRecord]]:
        return _records(owner_id, self._owner_items(owner_id))

    def _owner_items(self, owner_id: str) -> dict[str, Item]:
        """All items of an owner's partition, by sort key."""
        items: dict[str, Item] = {}
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": f"{keys.PARTITION} = :owner",
            "ExpressionAttributeValues": to_wire({":owner": keys.owner_partition(owner_id)}),
            "ConsistentRead": True,
        }
        with translated("Reading the accounts"):
            while True:
                page = self._client.query(**request)
                for wire in page["Items"]:
                    item = from_wire(wire)
                    items[item[keys.SORT]] = item
                if not page.get("LastEvaluatedKey"):
                    return items
                request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _profile(self, owner_id: str) -> Profile:
        key = keys.profile(owner_id)
        with translated("Reading the profile"):
            found = self._client.get_item(TableName=self._table, Key=to_wire(key), ConsistentRead=True).get("Item")
        return account_items.profile_from_item(owner_id, from_wire(found) if found else None)

    def _read(self, *wanted: keys.Key) -> dict[str, Item]:
        """The items of some keys of one partition, by sort key, in one request."""
        items: dict[str, Item] = {}
        request: Mapping[str, Any] = {self._table: {"Keys": [to_wire(key) for key in wanted], "ConsistentRead": True}}
        with translated("Reading the account"):
            for _ in self._attempts():
                answer = self._client.batch_get_item(RequestItems=request)
                for wire in answer["Responses"].get(self._table, []):
                    item = from_wire(wire)
                    items[item[keys.SORT]] = item
                request = answer.get("UnprocessedKeys") or {}
                if not request:
                    return items
        raise StorageUnavailable("The table is busy and did not give the whole account; ask again.")

    def _put_profile(self, before: Profile, after: Profile) -> Item:
        put = self._put_new(account_items.profile_to_item(after))
        if before.version:
            put["Put"]["ConditionExpression"] = UNCHANGED
            put["Put"]["ExpressionAttributeValues"] = to_wire({":seen_version": before.version})
        return put

    def _put_account(self, account: Account, *, seen_version: int) -> Item:
        return {
            "Put": {
                "TableName": self._table,
                "Item": to_wire(account_items.to_item(account, self._wheel_shards)),
                "ConditionExpression": UNCHANGED,
                "ExpressionAttributeValues": to_wire({":seen_version": seen_version}),
            }
        }

    def _merge_state(self, account: Account, before: FetchState, after: FetchState) -> Item:
        """Set and remove what differs, whatever a cycle has done to the other attributes, and move the version on."""
        key = keys.fetch_state(account.owner_id, account.account_id)
        old = fetch_state_items.to_item(account.owner_id, account.account_id, before)
        new = fetch_state_items.to_item(account.owner_id, account.account_id, after)
        altered = sorted(name for name in old.keys() | new.keys() if name != VERSION and old.get(name) != new.get(name))
        to_set = [name for name in altered if new.get(name) is not None]
        to_remove = [name for name in altered if new.get(name) is None]
        sets = [f"#{name} = :{name}" for name in to_set] + [f"#{VERSION} = #{VERSION} + :one"]
        removes = f" REMOVE {', '.join(f'#{name}' for name in to_remove)}" if to_remove else ""
        return {
            "Update": {
                "TableName": self._table,
                "Key": to_wire(key),
                "UpdateExpression": f"SET {', '.join(sets)}{removes}",
                "ConditionExpression": PRESENT,
                "ExpressionAttributeNames": {f"#{name}": name for name in [*altered, VERSION]},
                "ExpressionAttributeValues": to_wire({":one": 1, **{f":{name}": new[name] for name in to_set}}),
            }
        }

    def _put_new(self, item: Item) -> Item:
        return {"Put": {"TableName": self._table, "Item": to_wire(item), "ConditionExpression": ABSENT}}

    def _update(self, update: UpdateRequest) -> Item:
        return {"Update": {"TableName": self._table, **update}}

    def _delete(self, key: keys.Key, condition: str | None = None) -> Item:
        delete: Item = {"TableName": self._table, "Key": to_wire(key)}
        if condition:
            delete["ConditionExpression"] = condition
        return {"Delete": delete}

    def _commit(self, operation: str, *actions: Item) -> bool:
        """Write all or nothing; ``False`` when someone else came first."""
        with translated(operation):
            try:
                self._client.transact_write_items(TransactItems=actions)  # type: ignore[arg-type]
            except ClientError as error:
                if not _lost_race(error):
                    raise
                return False
        return True

    def _attempts(self) -> Iterator[int]:
        """Count the attempts, with a growing random pause between them."""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(SystemRandom().uniform(0, min(_LONGEST_PAUSE, 0.01 * 2**attempt)))
            yield attempt


def write_standing(client: "DynamoDBClient", table_name: str, update: UpdateRequest) -> bool:
    """Carry out ``change_standing``; ``False`` when the account changed or went meanwhile."""
    with translated("Storing the account's standing"):
        return condition_held(lambda: client.update_item(TableName=table_name, **update))


def _records(owner_id: str, items: Mapping[str, Item]) -> tuple[Profile, list[AccountRecord]]:
    """The profile and the accounts, in order, among the items of one owner's partition by sort key."""
    profile = account_items.profile_from_item(owner_id, items.get(keys.profile(owner_id)[keys.SORT]))
    visits = _visits(owner_id, items)
    records = []
    for sort, item in items.items():
        account_id = item.get("account_id", "")
        if sort != keys.account(owner_id, account_id)[keys.SORT]:
            continue
        state = items.get(keys.fetch_state(owner_id, account_id)[keys.SORT])
        records.append(
            AccountRecord(
                account_items.from_item(item),
                fetch_state_items.from_item(state),
                is_default=account_id == profile.default_account_id,
                visit=visits.get(account_id),
            )
        )
    records.sort(key=lambda record: (record.account.position, record.account.account_id))
    return profile, records


def _visits(owner_id: str, items: Mapping[str, Item]) -> dict[str, Visit]:
    """The last visits to an owner's accounts, among the items of one owner's partition by sort key."""
    return visit_items.from_item(items.get(keys.visits(owner_id)[keys.SORT]))


def _next_version(record: AccountRecord) -> AccountRecord:
    return replace(record, account=replace(record.account, version=record.account.version + 1))


def _lost_race(error: ClientError) -> bool:
    if error_code(error) != "TransactionCanceledException":
        return False
    reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return bool(reasons) and {str(reason.get("Code")) for reason in reasons} <= _LOST_RACE


def _changed_too_often() -> AccountChanged:
    return AccountChanged("Your accounts are being changed by several requests at once; try again.")
