"""Counts what AWS bills of each request, from the request as it arrives at the server that stands for AWS.

It looks at no client: whatever language a client is written in, each of its requests passes here. Units are computed,
from items as they are before and after, by DynamoDB's published rules:

- a write takes a unit for each 1 KB of the larger of the item before and after; in a transaction twice as many
- an index entry that appears or goes is one write more, one that changes its key two; others write nothing there
- a consistent read takes a unit for each 4 KB, any other half of that; a query's items are added up first
- a condition that fails is paid for like the write
"""

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from tests.bench.prices import KB

type Item = Mapping[str, Any]
type Lookup = Callable[[Item], Item | None]
"""Finds the item as it is stored, by an item or a key that has its key attributes."""

KEYS = ("pk", "sk")
INDEX_KEYS = ("wheel_slot", "wheel_order")
_EVENT_OCTETS = 64 * KB
_MESSAGE_OCTETS = 64 * KB
_LARGEST_NUMBER = 21


def size_of(item: Item) -> int:
    """An item's octets as DynamoDB counts them: names and values, three more for each list and map."""
    return sum(len(name.encode()) + _size_of_value(value) for name, value in item.items())


def _size_of_value(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return min(_LARGEST_NUMBER, ceil(len(content.lstrip("-").replace(".", "").strip("0")) / 2) + 1)
        case "B":
            return len(content if isinstance(content, bytes) else b64decode(content))
        case "BOOL" | "NULL":
            return 1
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size_of_value(member) for name, member in content.items())
        case "L":
            return 3 + sum(1 + _size_of_value(member) for member in content)
        case _:
            return sum(_size_of_value({kind[0]: member}) for member in content)


def write_units(octets: int) -> int:
    """Units of a plain write of an item of this size."""
    return max(1, ceil(octets / KB))


def read_units(octets: int, *, consistent: bool) -> float:
    """Units of a read of this much."""
    return max(1, ceil(octets / (4 * KB))) * (1.0 if consistent else 0.5)


def index_writes(before: Item | None, after: Item | None) -> int:
    """Writes of the sparse index, which has keys alone, that a write of the table brings about."""
    old, new = _index_key(before), _index_key(after)
    if old == new:
        return 0
    return (old is not None) + (new is not None)


def _index_key(item: Item | None) -> list[Any] | None:
    if item is None or any(name not in item for name in INDEX_KEYS):
        return None
    return [item[name] for name in INDEX_KEYS]


def index_entry(item: Item) -> Item:
    """What the index has of an item."""
    return {name: value for name, value in item.items() if name in (*KEYS, *INDEX_KEYS)}


@dataclass
class Meter:
    """What was counted: ``units`` by the names of ``prices.PRICES``, and requests as ``service.Operation``."""

    units: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    item_writes: list[tuple[str, int]] = field(default_factory=list)

    def note(self, service: str, operation: str, **units: float) -> None:
        """Count one request; ``units`` are of its service."""
        self.requests[f"{service}.{operation}"] += 1
        for name, count in units.items():
            self.units[f"{service}.{name}"] += count  # type: ignore[assignment]

    # --- DynamoDB -----------------------------------------------------------------------------------------------

    def reads(self, operation: str, body: Item, answer: Item) -> None:
        """Count a read; ``answer`` has the items whole, without filter or projection."""
        if operation == "BatchGetItem":
            units = 0.0
            for table, wanted in body["RequestItems"].items():
                found = [size_of(item) for item in answer.get("Responses", {}).get(table, [])]
                found += [0] * (len(wanted["Keys"]) - len(found))
                units += sum(read_units(size, consistent=bool(wanted.get("ConsistentRead"))) for size in found)
        else:
            items = answer.get("Items", [answer["Item"]] if answer.get("Item") else [])
            sizes = [size_of(index_entry(item) if "IndexName" in body else item) for item in items]
            units = read_units(sum(sizes), consistent=bool(body.get("ConsistentRead")))
        self.note("dynamodb", operation, read=units)

    def writes(self, operation: str, before: list[Item | None], after: list[Item | None]) -> None:
        """Count a request that writes items, as they were and as they are now."""
        factor = 2 if operation == "TransactWriteItems" else 1
        units = 0
        for old, new in zip(before, after, strict=True):
            octets = max(size_of(item) if item else 0 for item in (old, new))
            units += factor * write_units(octets) + index_writes(old, new)
            self.item_writes.append((str((new or old or {}).get("sk", {}).get("S", "")), octets))
        self.note("dynamodb", operation, write=units)

    # --- the other services -------------------------------------------------------------------------------------

    def s3(self, method: str, query: str) -> None:
        """Count a request to S3."""
        names = {part.partition("=")[0] for part in query.split("&") if part}
        if method == "PUT":
            self.note("s3", "UploadPart" if "partNumber" in names else "PutObject", put=1)
        elif method == "POST" and "delete" not in names:
            self.note("s3", "CreateMultipartUpload" if "uploads" in names else "CompleteMultipartUpload", put=1)
        elif method == "GET" and ("list-type" in names or "versions" in names):
            self.note("s3", "List", put=1)
        elif method in {"DELETE", "POST"}:
            self.note("s3", "AbortMultipartUpload" if "uploadId" in names else "Delete")
        else:
            self.note("s3", "GetObject" if method == "GET" else "HeadObject", get=1)

    def sqs(self, operation: str, octets: int) -> None:
        """Count a request to a FIFO queue."""
        self.note("sqs", operation, fifo=max(1, ceil(octets / _MESSAGE_OCTETS)))

    def events(self, operation: str, body: Item) -> None:
        """Count published events."""
        sizes = [_event_octets(entry) for entry in body.get("Entries", [])]
        self.note("events", operation, custom=sum(max(1, ceil(size / _EVENT_OCTETS)) for size in sizes))


def _event_octets(entry: Item) -> int:
    timestamp = 14 if "Time" in entry else 0
    named = ("Source", "DetailType", "Detail")
    return timestamp + sum(len(str(entry.get(name, "")).encode()) for name in named)


def written_keys(operation: str, body: Item) -> list[Item]:
    """The items, or their keys, that a request of DynamoDB writes."""
    match operation:
        case "PutItem":
            return [body["Item"]]
        case "UpdateItem" | "DeleteItem":
            return [body["Key"]]
        case "BatchWriteItem":
            requests: Iterable[Any] = (request for group in body["RequestItems"].values() for request in group)
            return [r["PutRequest"]["Item"] if "PutRequest" in r else r["DeleteRequest"]["Key"] for r in requests]
        case "TransactWriteItems":
            parts = [next(iter(part.values())) for part in body["TransactItems"]]
            return [part.get("Item") or part["Key"] for part in parts]
    return []


def whole(body: Item) -> str:
    """The same read without what leaves parts out: those are read, and paid for, all the same."""
    left_out = {"ProjectionExpression", "FilterExpression"}
    kept = {name: value for name, value in body.items() if name not in left_out}
    used = str(kept.get("KeyConditionExpression", ""))
    names = {name: value for name, value in kept.pop("ExpressionAttributeNames", {}).items() if name in used}
    return json.dumps(kept | ({"ExpressionAttributeNames": names} if names else {}))
