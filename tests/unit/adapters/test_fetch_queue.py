import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from time import sleep
from typing import Any

import pytest

from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.domain.errors import StorageUnavailable
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.ports.schedule import Delivery, Erasure
from tests.builders.accounts import NOON, OWNER
from tests.builders.aws import Aws


def a_request(number: int, minutes: int = 0) -> FetchRequest:
    return FetchRequest(OWNER, f"account{number}", Reason.SCHEDULE, NOON + timedelta(minutes=minutes))


def received(aws: Aws) -> list[Delivery]:
    found = []
    while messages := aws.sqs.receive_message(
        QueueUrl=aws.queue_url, MaxNumberOfMessages=10, AttributeNames=["All"], VisibilityTimeout=0
    ).get("Messages"):
        for message in messages:
            group = message["Attributes"]["MessageGroupId"]
            found.append(Delivery(message["MessageId"], message["ReceiptHandle"], group, message["Body"]))
            aws.sqs.delete_message(QueueUrl=aws.queue_url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_what_is_sent_is_read_in_order(aws: Aws) -> None:
    queue = SqsFetchQueue(aws.sqs, aws.queue_url)
    requests = [a_request(number) for number in range(25)]
    queue.send(requests)
    assert [queue.read(delivery) for delivery in received(aws)] == requests


@dataclass
class CountingClient:
    """A queue's client that keeps what each call sent, and how many calls were under way at once."""

    calls: list[list[str]] = field(default_factory=list)
    under_way: int = 0
    at_once: int = 0

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.under_way += 1
        self.at_once = max(self.at_once, self.under_way)
        sleep(0.002)
        self.calls.append(
            [f"{entry['MessageGroupId']} {json.loads(entry['MessageBody'])['account_id']}" for entry in Entries]
        )
        self.under_way -= 1
        return {}


def test_many_requests_are_sent_side_by_side_and_an_owners_stay_in_order() -> None:
    client = CountingClient()
    requests = [
        FetchRequest(f"owner{owner}", f"account{number:03}", Reason.SCHEDULE, NOON)
        for owner in range(40)
        for number in range(1 if owner else 99)
    ] + [FetchRequest(f"owner{number}", "last", Reason.SCHEDULE, NOON) for number in range(40, 700)]
    SqsFetchQueue(client, "url").send(requests)  # type: ignore[arg-type]
    sent = [entry for call in client.calls for entry in call]
    assert sorted(sent) == sorted(f"{request.owner_id} {request.account_id}" for request in requests)
    assert client.at_once > 1
    assert [entry for entry in sent if entry.startswith("owner0 ")] == [f"owner0 account{n:03}" for n in range(99)]
    assert len(client.calls) <= len(requests) // 10 + 2


def test_one_call_that_fails_among_many_is_an_error() -> None:
    requests = [FetchRequest(f"owner{number}", "account", Reason.SCHEDULE, NOON) for number in range(300)]
    with pytest.raises(StorageUnavailable):
        SqsFetchQueue(HalfDeaf(refusals=9_999), "url").send(requests)  # type: ignore[arg-type]


def test_nothing_to_send_asks_for_nothing() -> None:
    client = CountingClient()
    SqsFetchQueue(client, "url").send([])  # type: ignore[arg-type]
    assert client.calls == []


def test_the_same_slot_twice_is_one_message(aws: Aws) -> None:
    queue = SqsFetchQueue(aws.sqs, aws.queue_url)
    queue.send([a_request(1), a_request(1, minutes=5)])
    queue.send([a_request(1)])
    assert len(received(aws)) == 2


def test_a_request_carries_the_id_of_what_asked_for_it(aws: Aws) -> None:
    queue = SqsFetchQueue(aws.sqs, aws.queue_url)
    request = replace(a_request(1), correlation_id="53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa")
    queue.send([request])
    assert [queue.read(delivery) for delivery in received(aws)] == [request]


@pytest.mark.parametrize("correlation_id", ["", "no id\nat all", "x" * 200])
def test_an_id_that_could_not_be_read_again_is_left_out(aws: Aws, correlation_id: str) -> None:
    queue = SqsFetchQueue(aws.sqs, aws.queue_url)
    queue.send([replace(a_request(1), correlation_id=correlation_id)])
    assert [queue.read(delivery) for delivery in received(aws)] == [a_request(1)]


def test_an_erasure_waits_behind_its_owners_requests(aws: Aws) -> None:
    queue = SqsFetchQueue(aws.sqs, aws.queue_url)
    queue.send([a_request(1)])
    queue.send_erasure(OWNER, "account1", erase_mail=True)
    assert [queue.read(delivery) for delivery in received(aws)] == [
        a_request(1),
        Erasure(OWNER, "account1", erase_mail=True),
    ]


class HalfDeaf:
    """A queue's client that refuses the last entry of each call, for a while."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.taken: list[str] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        refused = Entries[-1:] if self.refusals else []
        self.refusals -= bool(refused)
        self.taken += [entry["MessageDeduplicationId"] for entry in Entries if entry not in refused]
        return {"Failed": [{"Id": entry["Id"], "Code": "Throttled", "SenderFault": False} for entry in refused]}


def test_entries_that_were_refused_are_sent_again() -> None:
    client = HalfDeaf(refusals=2)
    SqsFetchQueue(client, "url").send([a_request(1), a_request(2)])  # type: ignore[arg-type]
    assert client.taken == [a_request(1).deduplication_id, a_request(2).deduplication_id]


def test_what_is_refused_for_good_is_an_error() -> None:
    with pytest.raises(StorageUnavailable, match="1 of 2"):
        SqsFetchQueue(HalfDeaf(refusals=99), "url").send([a_request(1), a_request(2)])  # type: ignore[arg-type]


async def test_deliveries_are_held_and_settled(aws: Aws) -> None:
    queue = SqsFetchQueue(aws.sqs, aws.queue_url)
    queue.send([a_request(1)])
    (message,) = aws.sqs.receive_message(QueueUrl=aws.queue_url, VisibilityTimeout=30)["Messages"]
    delivery = Delivery(message["MessageId"], message["ReceiptHandle"], OWNER, message["Body"])
    await queue.hold([delivery], 0)
    assert len(aws.sqs.receive_message(QueueUrl=aws.queue_url, VisibilityTimeout=0)["Messages"]) == 1
    await queue.settle([delivery])
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=aws.queue_url)


def test_a_deduplication_id_is_no_longer_than_sqs_allows() -> None:
    assert len(FetchRequest(OWNER, "a" * 64, Reason.CHECK_NOW, NOON).deduplication_id) <= 128
