"""A stand-in for DynamoDB and SQS inside boto3's own client: answers are made up where a socket would be opened.

What a client does by itself (validating, writing, signing, parsing, retrying) is all done; a server's work is not, nor
are TLS and the kernel. Each request may take a given time, as one to AWS does, which passes without the processor.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import to_wire

PAGE_OCTETS = 1_000_000
"""What a page of a query holds at most, measured by the items as the index keeps them."""

type Answer = dict[str, Any]


class _Body:
    """An answer's octets as botocore reads them."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._octets


@dataclass
class StandIn:
    """Wheel, dispatch's progress and fetch queue, held in memory; ``latency`` is what each request takes, in seconds.

    ``slots`` has the sort keys of each index partition. ``sent`` has what the queue took: (group, deduplication id).
    ``processor`` is how much processor time, in seconds, making up the answers took: it is none of the client's.
    """

    slots: dict[str, list[str]]
    latency: float = 0.0
    minute: int | None = None
    requests: Counter[str] = field(default_factory=Counter)
    sent: list[tuple[str, str]] = field(default_factory=list)
    under_way: int = 0
    at_once: int = 0
    processor: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def attach(self, *clients: Any) -> None:
        """Answer these clients from now on."""
        for client in clients:
            client.meta.events.register("before-send", self._answer, unique_id="stand-in")

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        began = time.thread_time()
        target, body = request.headers["X-Amz-Target"], request.body
        assert isinstance(target, bytes)
        assert isinstance(body, bytes)
        operation = target.decode().rpartition(".")[2]
        answers: dict[str, Callable[[Answer], Answer]] = {
            "Query": self._query,
            "GetItem": self._get_item,
            "PutItem": self._put_item,
            "SendMessageBatch": self._send_message_batch,
        }
        with self._lock:
            self.requests[operation] += 1
            self.under_way += 1
            self.at_once = max(self.at_once, self.under_way)
            answer = answers[operation](json.loads(body))
        octets = _Body(json.dumps(answer).encode())
        took = time.thread_time() - began
        if self.latency:
            time.sleep(self.latency)
        with self._lock:
            self.under_way -= 1
            self.processor += took
        headers = HTTPHeaders()
        headers["Content-Type"] = "application/x-amz-json-1.0"
        return AWSResponse(request.url, 200, headers, octets)

    def _query(self, asked: Answer) -> Answer:
        partition = asked["ExpressionAttributeValues"][":slot"]["S"]
        orders = self.slots.get(partition, [])
        start = int(asked["ExclusiveStartKey"]["at"]["N"]) if "ExclusiveStartKey" in asked else 0
        page = orders[start : start + accounts_per_page(partition, orders)]
        answer: Answer = {"Items": [{keys.WHEEL_ORDER: {"S": order}} for order in page], "Count": len(page)}
        if start + len(page) < len(orders):
            answer["LastEvaluatedKey"] = {"at": {"N": str(start + len(page))}}
        return answer

    def _get_item(self, _: Answer) -> Answer:
        if self.minute is None:
            return {}
        return {"Item": to_wire({**keys.dispatch_progress(), "minute": self.minute})}

    def _put_item(self, asked: Answer) -> Answer:
        self.minute = max(self.minute or 0, int(asked["Item"]["minute"]["N"]))
        return {}

    def _send_message_batch(self, asked: Answer) -> Answer:
        entries = asked["Entries"]
        self.sent += [(entry["MessageGroupId"], entry["MessageDeduplicationId"]) for entry in entries]
        taken = [{"Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": "0" * 32} for entry in entries]
        return {"Successful": taken}


def accounts_per_page(partition: str, orders: Sequence[str]) -> int:
    """How many of a partition's accounts come in one page: the index keeps both keys of the table beside its own."""
    if not orders:
        return 1
    owner_id, account_id, _ = keys.read_wheel_order(orders[0])
    item: dict[str, str] = {
        **keys.account(owner_id, account_id),
        keys.WHEEL_SLOT: partition,
        keys.WHEEL_ORDER: orders[0],
    }
    return max(1, PAGE_OCTETS // sum(len(name) + len(value) for name, value in item.items()))
