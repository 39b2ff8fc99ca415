"""The FIFO queue of fetch requests: how they are written, read again, held, settled and set aside.

A message's group is its owner; its deduplication id is the account and the slot, so that the same minute delivered
twice is fetched once.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import batched
from typing import TYPE_CHECKING, Any

from popfetch.adapters.dynamodb_items import translated
from popfetch.adapters.fetch_state_items import instant_to_text
from popfetch.domain.errors import NotAFetchRequest, StorageUnavailable
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.ports.schedule import Delivery, Erasure

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ENTRIES_PER_CALL = 10
SENDERS = 16
"""Calls under way at once where many requests are sent."""

LANE = 10 * ENTRIES_PER_CALL
"""Requests that are sent one call after the other: few enough to keep all senders busy, many enough to fill calls."""

_ATTEMPTS = 4
_ERASE = "erase"
_ID = re.compile(r"[A-Za-z0-9_.:@=+-]{1,128}", re.ASCII)


class SqsFetchQueue:
    """``FetchQueue`` and ``Deliveries`` on SQS."""

    def __init__(self, client: "SQSClient", queue_url: str, dead_letter_queue_url: str = "") -> None:
        self._client = client
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url

    # --- sending ----------------------------------------------------------------------------------------------

    def send(self, requests: Sequence[FetchRequest]) -> None:
        """Send requests; those of one owner keep their order. Raises StorageUnavailable when any was not taken."""
        lanes = list(_lanes(requests))
        if len(lanes) == 1:
            self._send_in_order(lanes[0])
            return
        with ThreadPoolExecutor(SENDERS, thread_name_prefix="queue") as senders:
            for _ in senders.map(self._send_in_order, lanes):
                pass

    def _send_in_order(self, lane: Sequence[FetchRequest]) -> None:
        for group in batched(lane, ENTRIES_PER_CALL, strict=False):
            self._send_entries(
                [
                    {
                        "Id": str(index),
                        "MessageGroupId": request.owner_id,
                        "MessageDeduplicationId": request.deduplication_id,
                        "MessageBody": _request_to_body(request),
                    }
                    for index, request in enumerate(group)
                ]
            )

    def send_erasure(self, owner_id: str, account_id: str, erase_mail: bool) -> None:
        """Ask, behind whatever is under way for this owner, that a removed account's remains be erased."""
        body = {"owner_id": owner_id, "account_id": account_id, "reason": _ERASE, "erase_mail": erase_mail}
        self._send_entries(
            [
                {
                    "Id": "0",
                    "MessageGroupId": owner_id,
                    "MessageDeduplicationId": f"{account_id}.{_ERASE}",
                    "MessageBody": json.dumps(body),
                }
            ]
        )

    def _send_entries(self, entries: list[dict[str, str]]) -> None:
        waiting = entries
        for _ in range(_ATTEMPTS):
            with translated("Queueing fetch requests"):
                answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=waiting)  # type: ignore[arg-type]
            failed = {failure["Id"] for failure in answer.get("Failed", [])}
            # a repeated entry is recognised by its deduplication id
            waiting = [entry for entry in waiting if entry["Id"] in failed]
            if not waiting:
                return
        raise StorageUnavailable(
            f"The queue did not take {len(waiting)} of {len(entries)} fetch requests; they are sent again."
        )

    # --- receiving --------------------------------------------------------------------------------------------

    def read(self, delivery: Delivery) -> FetchRequest | Erasure:
        """What a delivery asks for. Raises NotAFetchRequest."""
        try:
            body = json.loads(delivery.body)
        except (ValueError, RecursionError) as error:
            raise NotAFetchRequest("The message's body is no JSON.") from error
        if not isinstance(body, dict):
            raise NotAFetchRequest("The message's body is no JSON object.")
        owner_id, account_id = _identifier(body, "owner_id"), _identifier(body, "account_id")
        if owner_id != delivery.group:
            raise NotAFetchRequest("The message's group is not the owner that its body names.")
        if body.get("reason") == _ERASE:
            if not isinstance(body.get("erase_mail"), bool):
                raise NotAFetchRequest("erase_mail must be true or false.")
            return Erasure(owner_id, account_id, body["erase_mail"])
        try:
            reason = Reason(str(body.get("reason")))
        except ValueError as error:
            raise NotAFetchRequest("reason must be schedule, catch_up, check_now or erase.") from error
        # requests that were written before there was one are carried out all the same
        correlation_id = _identifier(body, "correlation_id") if "correlation_id" in body else ""
        return FetchRequest(owner_id, account_id, reason, _instant(body), correlation_id)

    async def hold(self, deliveries: Sequence[Delivery], seconds: int) -> None:
        """Keep deliveries invisible for ``seconds`` from now, no more and no less. Raises StorageUnavailable."""
        for group in batched(deliveries, ENTRIES_PER_CALL, strict=False):
            with translated("Holding queue messages"):
                await asyncio.to_thread(
                    self._client.change_message_visibility_batch,
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": delivery.receipt, "VisibilityTimeout": seconds}
                        for index, delivery in enumerate(group)
                    ],
                )

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Delete deliveries that are done, so that their owners' next requests need not wait for the batch."""
        for group in batched(deliveries, ENTRIES_PER_CALL, strict=False):
            with translated("Settling queue messages"):
                await asyncio.to_thread(
                    self._client.delete_message_batch,
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": delivery.receipt} for index, delivery in enumerate(group)
                    ],
                )

    async def set_aside(self, delivery: Delivery, why: str) -> None:
        """Put a delivery that is none of ours into the dead-letter queue, with the reason beside it."""
        with translated("Setting a queue message aside"):
            await asyncio.to_thread(
                self._client.send_message,
                QueueUrl=self._dead_letter_queue_url,
                MessageBody=delivery.body or "(empty)",
                MessageGroupId=delivery.group or "unknown",
                MessageDeduplicationId=delivery.delivery_id,
                MessageAttributes={"why": {"DataType": "String", "StringValue": why}},
            )


def _lanes(requests: Sequence[FetchRequest]) -> Iterator[list[FetchRequest]]:
    """Requests in runs that can be sent side by side: all of an owner's are in one run, in their order."""
    by_owner: dict[str, list[FetchRequest]] = {}
    for request in requests:
        by_owner.setdefault(request.owner_id, []).append(request)
    lane: list[FetchRequest] = []
    for of_owner in by_owner.values():
        if lane and len(lane) + len(of_owner) > LANE:
            yield lane
            lane = []
        lane += of_owner
    if lane:
        yield lane


def _request_to_body(request: FetchRequest) -> str:
    body = {
        "owner_id": request.owner_id,
        "account_id": request.account_id,
        "reason": str(request.reason),
        "due_at": instant_to_text(request.due_at),
    }
    if _ID.fullmatch(request.correlation_id):  # one that could not be read again is left out
        body["correlation_id"] = request.correlation_id
    return json.dumps(body)


def _identifier(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise NotAFetchRequest(f"{name} must be 1 to 128 letters, digits and the signs that identifiers have.")
    return value


def _instant(body: dict[str, Any]) -> datetime:
    try:
        instant = datetime.fromisoformat(body["due_at"])
        if instant.tzinfo is None:
            raise NotAFetchRequest("due_at must name its zone.")
        return instant.astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise NotAFetchRequest("due_at must be an ISO 8601 instant.") from error
