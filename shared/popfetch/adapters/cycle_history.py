"""The history of an account's finished cycles, page by page from the table."""

import base64
import binascii
from typing import TYPE_CHECKING, Any

from popfetch.adapters import keys
from popfetch.adapters.cycle_items import finished_cycle_from_item
from popfetch.adapters.dynamodb_items import from_wire, to_wire, translated
from popfetch.domain.errors import InvalidCursor
from popfetch.ports import HistoryPage

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
            cursor=_cursor_of(from_wire(more)[keys.SORT]) if more else None,
        )


def _cursor_of(sort: str) -> str:
    return base64.urlsafe_b64encode(keys.finished_cycle_name(sort).encode()).decode().rstrip("=")


def _key_of(account_id: str, cursor: str) -> keys.Key:
    """The key that a cursor stands for, always in the account's own partition."""
    try:
        name = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        return keys.finished_cycle_named(account_id, name)
    except (ValueError, binascii.Error) as error:
        raise InvalidCursor from error
