"""How often things were done, in the table: one item for each who and what, with the times that still count.

The times are read, judged, and written back on condition that nobody wrote meanwhile; who was overtaken judges anew::

    take    read -> wait? -> [ ABSENT or UNCHANGED ]
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import ceil
from random import SystemRandom
from typing import TYPE_CHECKING

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import Item, condition_held, from_wire, to_wire, translated
from popfetch.domain.errors import StorageUnavailable
from popfetch.domain.rate_limit import NO_WAIT, Limit

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

VERSION = "version"
UNSEEN = f"attribute_not_exists({keys.PARTITION})"
UNCHANGED = f"{VERSION} = :seen_version"

ATTEMPTS = 8
_LONGEST_PAUSE = 0.2
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RateLimitsTable:
    """``RateLimits`` on the table, which sweeps away what does not count any more."""

    def __init__(
        self, client: "DynamoDBClient", table_name: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._table = table_name
        self._sleep = sleep

    def take(self, what: str, who: str, limit: Limit, now: datetime) -> timedelta:
        """Count one more time at ``now`` that ``who`` does ``what``, if the limit lets it.

        Returns how long to wait, which is zero where it was counted. Raises StorageUnavailable.
        """
        key = keys.rate_limit(what, who)
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(SystemRandom().uniform(0, min(_LONGEST_PAUSE, 0.01 * 2**attempt)))
            version, times = self._read(key)
            if wait := limit.wait(times, now):
                return wait
            if self._write(key, version, [*limit.counting(times, now), now], now + limit.within):
                return NO_WAIT
        raise StorageUnavailable("Too many requests count the same thing at once; try again.")

    def _read(self, key: keys.Key) -> tuple[int, list[datetime]]:
        """The version of an item, 0 where there is none, and its times."""
        with translated("Reading a rate limit"):
            found = self._client.get_item(TableName=self._table, Key=to_wire(key), ConsistentRead=True).get("Item")
        item: Item = from_wire(found) if found else {VERSION: 0, "times": []}
        return item[VERSION], [_EPOCH + since * _MICROSECOND for since in item["times"]]

    def _write(self, key: keys.Key, seen_version: int, times: list[datetime], until: datetime) -> bool:
        """Write the times; ``False`` when someone else came first."""
        item = {
            **key,
            VERSION: seen_version + 1,
            "times": [(at - _EPOCH) // _MICROSECOND for at in times],
            keys.EXPIRES_AT: ceil(until.timestamp()),
        }
        with translated("Storing a rate limit"):
            if not seen_version:
                return condition_held(
                    lambda: self._client.put_item(TableName=self._table, Item=to_wire(item), ConditionExpression=UNSEEN)
                )
            return condition_held(
                lambda: self._client.put_item(
                    TableName=self._table,
                    Item=to_wire(item),
                    ConditionExpression=UNCHANGED,
                    ExpressionAttributeValues=to_wire({":seen_version": seen_version}),
                )
            )
