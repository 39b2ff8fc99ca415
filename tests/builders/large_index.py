"""A message index of any size in memory, read by the project's own adapter.

An engine that looks at every item of a partition for each query takes many seconds for a page of a large mailbox, where
DynamoDB finds the place at once; this finds it at once too.
"""

from bisect import bisect_left, bisect_right
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from popfetch.adapters import cycle_items, keys
from popfetch.adapters.dynamodb_items import from_wire, to_wire
from popfetch.adapters.message_index import MessageIndexTable
from popfetch.domain.message import StoredMessage
from popfetch.domain.message_identity import id_of_sent
from tests.builders.accounts import NOON

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class LargeIndex:
    """The index of an account with ``count`` messages, a minute apart; number 0 is the newest."""

    def __init__(self, owner_id: str, account_id: str, count: int) -> None:
        self._owner_id = owner_id
        self._account_id = account_id
        self._count = count
        self._sorts = [keys.message_sort(self._id(number)) for number in reversed(range(count))]

    @property
    def table(self) -> MessageIndexTable:
        """The index as the API reads it."""
        return MessageIndexTable(cast("DynamoDBClient", self), "large")

    def message(self, number: int) -> StoredMessage:
        """A message of the index."""
        at = NOON - timedelta(minutes=number)
        message_id = self._id(number)
        return StoredMessage(
            owner_id=self._owner_id,
            account_id=self._account_id,
            message_id=message_id,
            key=keys.mail_object(self._owner_id, self._account_id, message_id, at),
            uid=b"",
            octets=2_000,
            sha256=b"",
            dated=at,
            arrived=at,
            stored_at=NOON,
            sender=f"Sender {number % 97} <sender{number % 97}@example.org>",
            subject=f"Message {number}",
        )

    def query(self, **request: Any) -> dict[str, Any]:
        """Answer a query as DynamoDB does, newest first."""
        assert request["ScanIndexForward"] is False
        values = from_wire(request["ExpressionAttributeValues"])
        first, after = bisect_left(self._sorts, values[":oldest"]), bisect_right(self._sorts, values[":newest"])
        if start := request.get("ExclusiveStartKey"):
            after = bisect_left(self._sorts, start[keys.SORT]["S"])
        last = max(first, after - request["Limit"])
        found = [self.message(self._count - 1 - place) for place in reversed(range(last, after))]
        items = [to_wire(cycle_items.message_to_item(message)) for message in found]
        if last == first:
            return {"Items": items}
        return {"Items": items, "LastEvaluatedKey": {name: items[-1][name] for name in (keys.PARTITION, keys.SORT)}}

    def _id(self, number: int) -> str:
        return id_of_sent(NOON - timedelta(minutes=number), number.to_bytes(10))
