"""What a removed account leaves in the table and in the bucket, and its erasure.

Deletes run in a few threads side by side, never more than a bounded number under way. Erasing again what is
gone does nothing, so an erasure that was cut short is simply begun anew.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import to_wire, translated
from popfetch.ports.invocation import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

WORKERS = 8
_RECORDS_A_BATCH = 25
_OBJECTS_A_BATCH = 1000
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0


class AccountRemains:
    """``AccountRemains`` on the table and the bucket."""

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        table_name: str,
        s3: "S3Client",
        bucket_name: str,
        *,
        clock: Clock = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table_name
        self._s3 = s3
        self._bucket = bucket_name
        self._clock = clock
        self._sleep = sleep

    def erase_records(self, account_id: str, until: datetime) -> bool:
        """Erase tokens, ledger, index, quarantine, history; ``False`` when ``until`` came first and some are left."""
        partitions = (keys.grants_partition(account_id), keys.account_partition(account_id))
        records = chain.from_iterable(map(self._records, partitions))
        return self._erase(records, self._delete_records, until)

    def erase_mail(self, owner_id: str, account_id: str, until: datetime) -> bool:
        """Erase the stored messages; ``False`` when ``until`` came first and some are left."""
        return self._erase(self._objects(owner_id, account_id), self._delete_objects, until)

    def _erase[Named](
        self,
        batches: Iterator[Sequence[Named]],
        delete: Callable[[Sequence[Named]], Sequence[Named]],
        until: datetime,
    ) -> bool:
        """Delete all batches side by side; ``True`` when nothing is left and time did not run out."""

        def delete_all(batch: Sequence[Named]) -> bool:
            pause = _FIRST_PAUSE
            while self._clock() < until:
                batch = delete(batch)
                if not batch:
                    return True
                self._sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            return False

        erased = self._clock() < until
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            under_way: set[Future[bool]] = set()
            while erased and (batch := next(batches, None)) is not None:
                under_way.add(pool.submit(delete_all, batch))
                if len(under_way) >= 2 * WORKERS:
                    done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    erased = all(finished.result() for finished in done)
                erased = erased and self._clock() < until
            return all(finished.result() for finished in under_way) and erased

    def _records(self, partition: str) -> Iterator[Sequence[dict[str, Any]]]:
        """The keys of the records of a partition, in batches."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": f"{keys.PARTITION} = :partition",
            "ExpressionAttributeValues": to_wire({":partition": partition}),
            "ProjectionExpression": f"{keys.PARTITION}, {keys.SORT}",
            "ConsistentRead": True,
        }
        while True:
            with translated("Listing the account's records"):
                page = self._dynamodb.query(**request)
            yield from _batches(page["Items"], _RECORDS_A_BATCH)
            if not page.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _delete_records(self, record_keys: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        """Delete up to 25 records; returns the keys of those that the table put off."""
        with translated("Erasing the account's records"):
            answer = self._dynamodb.batch_write_item(
                RequestItems={self._table: [{"DeleteRequest": {"Key": key}} for key in record_keys]}
            )
        put_off = answer.get("UnprocessedItems", {}).get(self._table, [])
        return [request["DeleteRequest"]["Key"] for request in put_off]

    def _objects(self, owner_id: str, account_id: str) -> Iterator[Sequence[str]]:
        """The keys of an account's messages, in batches."""
        request: dict[str, Any] = {"Bucket": self._bucket, "Prefix": keys.mail_prefix(owner_id, account_id)}
        while True:
            with translated("Listing the account's mail"):
                page = self._s3.list_objects_v2(**request)
            yield from _batches([found["Key"] for found in page.get("Contents", [])], _OBJECTS_A_BATCH)
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def _delete_objects(self, object_keys: Sequence[str]) -> Sequence[str]:
        """Delete up to 1,000 objects; returns the keys of those that the bucket did not delete."""
        with translated("Erasing the account's mail"):
            answer = self._s3.delete_objects(
                Bucket=self._bucket,
                Delete={"Objects": [{"Key": key} for key in object_keys], "Quiet": True},
            )
        return [failed["Key"] for failed in answer.get("Errors", [])]


def _batches[Named](named: Sequence[Named], size: int) -> Iterator[Sequence[Named]]:
    for start in range(0, len(named), size):
        yield named[start : start + size]
