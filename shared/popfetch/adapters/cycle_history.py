"""The history of an account's finished cycles, page by page from the table."""

from typing import TYPE_CHECKING, Any

from popfetch.adapters import keys
from popfetch.adapters.cursors import from_cursor, to_cursor
from popfetch.adapters.cycle_items import finished_cycle_from_item
from popfetch.adapters.dynamodb_items import from_wire, to_wire, translated
from popfetch.domain.errors import InvalidCursor
from popfetch.ports.accounts import HistoryPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class CycleHistoryTable:
    """``CycleHistory`` on the table."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table = table_name

    def page(self, account_id: str, *, limit: int, cursor: str | None = None) -> HistoryPage:
        """One page of the history, the newest cycle first. Raises InvalidCursor."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": f"{keys.PARTITION} = :account AND begins_with({keys.SORT}, :cycles)",
            "ExpressionAttributeValues": to_wire(
                {":account": keys.account_partition(account_id), ":cycles": keys.CYCLES}
            ),
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if cursor is not None:
            request["ExclusiveStartKey"] = to_wire(_key_of(account_id, cursor))
        with translated("Reading the history"):
            answer = self._client.query(**request)
        items = [from_wire(wire) for wire in answer["Items"]]
        more = answer.get("LastEvaluatedKey")
        return HistoryPage(
            cycles=[finished_cycle_from_item(item) for item in items],
            cursor=to_cursor(keys.finished_cycle_name(from_wire(more)[keys.SORT])) if more else None,
        )


def _key_of(account_id: str, cursor: str) -> keys.Key:
    """The key that a cursor stands for, always in the account's own partition."""
    try:
        return keys.finished_cycle_named(account_id, from_cursor(cursor))
    except ValueError as error:
        raise InvalidCursor from error
