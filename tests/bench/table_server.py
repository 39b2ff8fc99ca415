"""A table that answers as DynamoDB does what a fetch cycle asks of it: ``python -m tests.bench.table_server``.

The cycle's own adapters talk to it through botocore, over HTTP. It stands in for the engines because those take between
one and fifteen milliseconds of processor for each item that is written, on the very cores that are measured; DynamoDB's
processors are Amazon's. It keeps items in memory and knows keys, prefixes and the version condition of a commit;
an operation or a condition that it does not know is an error. Prints its port, and serves until its input ends.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from typing import Any

PARTITION, SORT = "pk", "sk"
VERSION = ":seen_version"

type Item = dict[str, Any]


class Table:
    """Items by partition and sort key."""

    def __init__(self) -> None:
        self._partitions: dict[str, dict[str, Item]] = {}
        self._operations: dict[str, Callable[[Any], Any]] = {
            "BatchWriteItem": self._batch_write,
            "DeleteItem": lambda asked: self._delete(asked["Key"]),
            "GetItem": self._get,
            "PutItem": self._put_one,
            "Query": self._query,
            "TransactWriteItems": self._transact,
        }

    def answer(self, operation: str, asked: Any) -> tuple[int, Any]:
        """Status and body of the answer to an operation."""
        try:
            return 200, self._operations[operation](asked) or {}
        except _Refused as refused:
            return 400, refused.body

    def _partition(self, key: Item) -> dict[str, Item]:
        return self._partitions.setdefault(key[PARTITION]["S"], {})

    def _put(self, item: Item) -> None:
        self._partition(item)[item[SORT]["S"]] = item

    def _delete(self, key: Item) -> None:
        self._partition(key).pop(key[SORT]["S"], None)

    def _get(self, asked: Any) -> Any:
        found = self._partition(asked["Key"]).get(asked["Key"][SORT]["S"])
        return {"Item": found} if found else {}

    def _holds(self, put: Any) -> Item | None:
        """``None`` where the condition of a put holds; the item that is in its way otherwise."""
        condition = put.get("ConditionExpression")
        if condition is None:
            return None
        there = self._partition(put["Item"]).get(put["Item"][SORT]["S"])
        values = put.get("ExpressionAttributeValues", {})
        if VERSION in values:
            return None if there is None or there.get("version", {"N": "0"}) == values[VERSION] else there
        if condition.startswith("attribute_not_exists("):
            return there
        raise AssertionError(f"a condition that no cycle has: {condition}")

    def _put_one(self, asked: Any) -> None:
        in_the_way = self._holds(asked)
        if in_the_way is not None:
            raise _Refused({"__type": "ConditionalCheckFailedException", "Item": in_the_way})
        self._put(asked["Item"])

    def _transact(self, asked: Any) -> None:
        puts = [write["Put"] for write in asked["TransactItems"] if "Put" in write]
        for in_the_way in filter(None, map(self._holds, puts)):
            reasons = [{"Code": "ConditionalCheckFailed", "Item": in_the_way}]
            raise _Refused({"__type": "TransactionCanceledException", "CancellationReasons": reasons})
        for put in puts:
            self._put(put["Item"])
        for write in asked["TransactItems"]:
            if "Delete" in write:
                self._delete(write["Delete"]["Key"])

    def _batch_write(self, asked: Any) -> Any:
        for writes in asked["RequestItems"].values():
            for write in writes:
                if "PutRequest" in write:
                    self._put(write["PutRequest"]["Item"])
                else:
                    self._delete(write["DeleteRequest"]["Key"])
        return {"UnprocessedItems": {}}

    def _query(self, asked: Any) -> Any:
        partition, *prefixes = [value["S"] for value in asked["ExpressionAttributeValues"].values()]
        prefix = prefixes[0] if prefixes else ""
        rows = self._partitions.get(partition, {})
        found = sorted(
            (sort for sort in rows if sort.startswith(prefix)), reverse=not asked.get("ScanIndexForward", True)
        )
        items = [rows[sort] for sort in found[: asked.get("Limit")]]
        return {"Items": items, "Count": len(items)}


class _Refused(Exception):
    def __init__(self, body: Any) -> None:
        super().__init__(body)
        self.body = body


async def _serve(table: Table, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection, one after the other."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
            fields = dict(line.partition(": ")[::2] for line in head[1:] if line)
            if fields.get("expect") == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            asked = json.loads(await reader.readexactly(int(fields["content-length"])))
            status, body = table.answer(_OPERATIONS[fields["x-amz-target"].rpartition(".")[2]], asked)
            octets = json.dumps(body).encode()
            writer.write(
                f"HTTP/1.1 {status} .\r\nContent-Type: application/x-amz-json-1.0\r\n"
                f"Content-Length: {len(octets)}\r\n\r\n".encode()
                + octets
            )
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


_OPERATIONS = {
    name.lower(): name for name in ("BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "TransactWriteItems")
}


async def _main() -> None:
    table = Table()
    server = await asyncio.start_server(lambda r, w: _serve(table, r, w), "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(_main())
