"""The wheel in the table's sparse index, and how far dispatch has come."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import condition_held, from_wire, to_wire, translated
from popfetch.domain.account import Standing
from popfetch.ports.schedule import DueAccount

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MINUTE = "minute"
LATER = f"attribute_not_exists({keys.PARTITION}) OR #minute < :minute"
"""The named condition of progress: it only goes forward."""

READERS = 16
"""Partitions that are read at once."""


class WheelTable:
    """``Wheel`` on the table."""

    def __init__(self, client: "DynamoDBClient", table_name: str, *, shards: int = 1) -> None:
        self._client = client
        self._table = table_name
        self._shards = shards

    def due(self, slots: Sequence[tuple[int, int]]) -> list[DueAccount]:
        """The active accounts of slots (interval, slot), all shards, in no order; partitions are read side by side."""
        partitions = [(interval, slot, shard) for interval, slot in slots for shard in range(self._shards)]
        with ThreadPoolExecutor(READERS, thread_name_prefix="wheel") as readers:
            return [account for found in readers.map(self._partition, partitions) for account in found]

    def _partition(self, partition: tuple[int, int, int]) -> list[DueAccount]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=keys.WHEEL_INDEX,
            KeyConditionExpression=f"{keys.WHEEL_SLOT} = :slot",
            ExpressionAttributeValues=to_wire({":slot": keys.wheel_slot(*partition)}),
            ProjectionExpression=keys.WHEEL_ORDER,
        )
        with translated("Reading the wheel"):
            return [
                DueAccount(*keys.read_wheel_order(item[keys.WHEEL_ORDER]["S"]), interval_minutes=partition[0])
                for page in pages
                for item in page["Items"]
            ]

    def stopped(self, standing: Standing) -> int:
        """How many accounts are off the wheel with this standing, all shards."""
        counted = 0
        for shard in range(self._shards):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName=keys.WHEEL_INDEX,
                Select="COUNT",
                KeyConditionExpression=f"{keys.WHEEL_SLOT} = :slot",
                ExpressionAttributeValues=to_wire({":slot": keys.stopped_slot(standing, shard)}),
            )
            with translated("Counting stopped accounts"):
                counted += sum(page["Count"] for page in pages)
        return counted

    def last_minute(self) -> int | None:
        """The last minute (since the epoch) that was dispatched whole; ``None`` before the first."""
        with translated("Reading dispatch's progress"):
            answer = self._client.get_item(
                TableName=self._table, Key=to_wire(keys.dispatch_progress()), ConsistentRead=True
            )
        return from_wire(answer["Item"])[MINUTE] if "Item" in answer else None

    def advance_to(self, minute: int) -> None:
        """Remember that everything up to ``minute`` was dispatched; never goes back."""
        with translated("Keeping dispatch's progress"):
            condition_held(
                lambda: self._client.put_item(
                    TableName=self._table,
                    Item=to_wire({**keys.dispatch_progress(), MINUTE: minute}),
                    ConditionExpression=LATER,
                    ExpressionAttributeNames={"#minute": MINUTE},
                    ExpressionAttributeValues=to_wire({":minute": minute}),
                )
            )
