"""The accounts of owners, in the table.

Adding and removing are one transaction each over the owner's profile, the account and its fetch state. The
profile's version decides between two that happen at once: the later one reads again and repeats::

    add     read profile -> check -> [ profile UNCHANGED | account ABSENT | state ABSENT ]
    remove  read owner   ---------> [ profile UNCHANGED | account PRESENT | state        ]
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from popfetch.adapters import account_items, fetch_state_items, keys
from popfetch.adapters.account_items import UNCHANGED, Profile, UpdateRequest
from popfetch.adapters.dynamodb_items import Item, error_code, from_wire, to_wire, translated
from popfetch.domain.account import Account
from popfetch.domain.errors import AccountChanged, AccountNotFound, StorageUnavailable
from popfetch.domain.fetch_state import FetchState
from popfetch.domain.mailbox import check_can_add, is_account_id
from popfetch.ports import AccountRecord

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

    def add(self, account: Account) -> AccountRecord:
        """Add an account at the end of its owner's order; the first becomes the default.

        Raises AccountAlreadyAdded and TooManyAccounts, and AccountChanged when others kept coming first.
        """
        state = FetchState()
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
        if not is_account_id(account_id):
            raise AccountNotFound(account_id)
        profile_key = keys.profile(owner_id)
        account_key = keys.account(owner_id, account_id)
        state_key = keys.fetch_state(owner_id, account_id)
        items = self._read(profile_key, account_key, state_key)
        if account_key[keys.SORT] not in items:
            raise AccountNotFound(account_id)
        return _records(owner_id, items)[1][0]

    def of_owner(self, owner_id: str) -> list[AccountRecord]:
        """All accounts of an owner, in the owner's order."""
        return self._owner(owner_id)[1]

    def remove(self, owner_id: str, account_id: str) -> AccountRecord:
        """Remove the account and its state together; the default passes to the first one left.

        Raises AccountNotFound, and AccountChanged when others kept coming first.
        """
        for _ in self._attempts():
            profile, records = self._owner(owner_id)
            left = [record for record in records if record.account.account_id != account_id]
            removed = next((record for record in records if record.account.account_id == account_id), None)
            if removed is None:
                raise AccountNotFound(account_id)
            after = profile.without_account(account_id, left[0].account.account_id if left else None)
            if self._commit(
                "Removing the account",
                self._put_profile(profile, after),
                self._delete(keys.account(owner_id, account_id), PRESENT),
                self._delete(keys.fetch_state(owner_id, account_id)),
            ):
                return removed
        raise _changed_too_often()

    def _owner(self, owner_id: str) -> tuple[Profile, list[AccountRecord]]:
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
                    return _records(owner_id, items)
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

    def _put_new(self, item: Item) -> Item:
        return {"Put": {"TableName": self._table, "Item": to_wire(item), "ConditionExpression": ABSENT}}

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
                self._sleep(random.uniform(0, min(_LONGEST_PAUSE, 0.01 * 2**attempt)))  # noqa: S311 - a pause
            yield attempt


def write_standing(client: "DynamoDBClient", table_name: str, update: UpdateRequest) -> bool:
    """Carry out ``join_wheel`` or ``leave_wheel``; ``False`` when the account changed or went meanwhile."""
    with translated("Storing the account's standing"):
        try:
            client.update_item(TableName=table_name, **update)
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
    return True


def _records(owner_id: str, items: Mapping[str, Item]) -> tuple[Profile, list[AccountRecord]]:
    """The profile and the accounts, in order, among the items of one owner's partition by sort key."""
    profile = account_items.profile_from_item(owner_id, items.get(keys.profile(owner_id)[keys.SORT]))
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
            )
        )
    records.sort(key=lambda record: (record.account.position, record.account.account_id))
    return profile, records


def _lost_race(error: ClientError) -> bool:
    if error_code(error) != "TransactionCanceledException":
        return False
    reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return bool(reasons) and {str(reason.get("Code")) for reason in reasons} <= _LOST_RACE


def _changed_too_often() -> AccountChanged:
    return AccountChanged("Your accounts are being changed by several requests at once; try again.")
