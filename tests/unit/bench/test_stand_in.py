"""The stand-in answers boto3's own client as DynamoDB and SQS do, as far as dispatch asks them."""

from collections import Counter

import boto3
import pytest

from popfetch.adapters import keys
from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.adapters.wheel_table import WheelTable
from popfetch.domain.fetch_request import FetchRequest, Reason
from tests.bench.dispatch import Run, due_in, population, reach, seconds_at, with_stand_in
from tests.bench.stand_in import StandIn, accounts_per_page
from tests.builders.accounts import NOON

SLOT = keys.wheel_slot(5, 3, 0)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    return


@pytest.mark.usefixtures("credentials")
def test_a_large_partition_comes_page_by_page_and_whole() -> None:
    orders = [keys.wheel_order(f"owner{number:06}", 0, f"account{number}") for number in range(15_000)]
    aws, client = StandIn({SLOT: orders}), boto3.client("dynamodb")
    aws.attach(client)
    found = WheelTable(client, "table").due([(5, 3)])
    assert [account.account_id for account in found] == [f"account{number}" for number in range(15_000)]
    assert aws.requests["Query"] == -(-15_000 // accounts_per_page(SLOT, orders))


@pytest.mark.usefixtures("credentials")
def test_progress_is_kept_and_requests_are_taken() -> None:
    aws, table, sqs = StandIn({}), boto3.client("dynamodb"), boto3.client("sqs")
    aws.attach(table, sqs)
    wheel = WheelTable(table, "table")
    assert wheel.last_minute() is None
    wheel.advance_to(7)
    assert wheel.last_minute() == 7
    request = FetchRequest("owner", "account", Reason.SCHEDULE, NOON)
    SqsFetchQueue(sqs, "https://sqs.eu-central-1.amazonaws.com/1/queue.fifo").send([request])
    assert aws.sent == [("owner", request.deduplication_id)]


def test_dispatch_with_the_stand_in_asks_for_those_who_are_due_and_for_nobody_twice() -> None:
    run = with_stand_in(population(2_000, 5), latency=0.0, minutes=2, shards=3)
    assert 700 < run.due < 900
    assert (run.missed, run.twice) == (0, 0)


def test_the_accounts_of_all_slots_are_all_accounts() -> None:
    accounts = population(100, 5)
    assert len(due_in(accounts, range(1_000, 1_005))) == 100


def test_what_a_share_of_a_processor_means() -> None:
    run = Run(due=1000, wall=0, processor=0.25, requests=Counter(SendMessageBatch=100), missed=0, twice=0)
    assert seconds_at(run, 1769) == pytest.approx(0.25 + 100 * 0.01 / 16)
    assert seconds_at(run, 10_240) == seconds_at(run, 1769)
    assert reach(run, 512) < reach(run, 1769)
