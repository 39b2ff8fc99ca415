"""Deliveries of the fetch queue, and a queue that remembers what was done with them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.domain.errors import StorageUnavailable
from popfetch.domain.fetch_request import FetchRequest
from popfetch.ports.schedule import Delivery, Erasure
from tests.builders.aws import REGION, Aws


def a_delivery(number: int, owner: str = "anna", body: str | None = None, *, account_id: str = "") -> Delivery:
    """Delivery ``number``; what it asks for is that its account is fetched, where nothing else is said."""
    if body is None:
        body = (
            f'{{"owner_id": "{owner}", "account_id": "{account_id or number}", "reason": "schedule",'
            ' "due_at": "2026-11-23T12:00:00Z"}'
        )
    return Delivery(f"delivery-{number}", f"receipt-{number}", owner, body)


def next_event(aws: Aws, *, at_most: int = 10) -> dict[str, Any] | None:
    """The queue's next messages as Lambda hands them over; they stay in the queue until they are deleted."""
    answer = aws.sqs.receive_message(
        QueueUrl=aws.queue_url, MaxNumberOfMessages=at_most, MessageSystemAttributeNames=["All"]
    )
    records = [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
        }
        for message in answer.get("Messages", [])
    ]
    return {"Records": records} if records else None


def let_leases_end() -> None:
    """Show every message of moto's queues again, as if the time had passed for which they are held."""
    backends: Any = get_backend("sqs")[DEFAULT_ACCOUNT_ID]
    for queue in backends[REGION].queues.values():
        queue.pending_messages.clear()
        for message in list(queue._messages):
            message.visible_at = 0


@dataclass
class RecordingDeliveries:
    """Deliveries that remember what was done with them."""

    held: list[list[str]] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    set_aside_for: dict[str, str] = field(default_factory=dict)
    hold_fails: bool = False
    held_alone: asyncio.Event = field(default_factory=asyncio.Event)

    def read(self, delivery: Delivery) -> FetchRequest | Erasure:
        return SqsFetchQueue.read(None, delivery)  # type: ignore[arg-type]

    async def hold(self, deliveries: Sequence[Delivery], seconds: int) -> None:
        if self.hold_fails:
            raise StorageUnavailable("no")
        self.held.append([delivery.delivery_id for delivery in deliveries])
        if len(deliveries) == 1:
            self.held_alone.set()

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        self.settled += [delivery.delivery_id for delivery in deliveries]

    async def set_aside(self, delivery: Delivery, why: str) -> None:
        self.set_aside_for[delivery.delivery_id] = why
