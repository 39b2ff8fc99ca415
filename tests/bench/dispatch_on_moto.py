"""The dispatch handler on moto: 100,000 accounts in its table, its queue, and what arrived there."""

from collections import Counter
from typing import Any
from unittest import mock

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.sqs.models import Message, Queue

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import to_wire
from popfetch.domain.account import Account
from popfetch.domain.wheel import slot_of
from popfetch.runtime.aws_clients import aws_client
from tests.bench.dispatch import FIRST, Run, due_in, invoke, wired
from tests.builders import aws as stack
from tests.builders.aws import Aws


def with_moto(populations: dict[int, list[Account]]) -> dict[int, Run]:
    """Dispatch a minute of each population, one after the other, in the same table."""
    with (
        stack.aws() as built,
        wired(POPFETCH_TABLE_NAME=built.table, POPFETCH_FETCH_QUEUE_URL=built.queue_url) as handler,
    ):
        return {interval: _one(built, handler, accounts) for interval, accounts in populations.items()}


def _one(built: Aws, handler: Any, accounts: list[Account]) -> Run:
    _fill(built.table, accounts)
    sent: list[str] = []
    requests: Counter[str] = Counter()

    def count(model: Any, **_: object) -> None:
        requests[model.name] += 1

    for client in (aws_client("dynamodb"), aws_client("sqs")):
        client.meta.events.register("before-call", count, unique_id="count")
    aws_client("dynamodb").delete_item(TableName=built.table, Key=to_wire(keys.dispatch_progress()))
    requests.clear()
    with _kept_apart(sent):
        _, wall, processor = invoke(handler, FIRST)
    owed = due_in(accounts, range(FIRST, FIRST + 1))
    missed, twice = len(owed - set(sent)), len(sent) - len(set(sent))
    for client in (aws_client("dynamodb"), aws_client("sqs")):
        client.meta.events.unregister("before-call", unique_id="count")
    return Run(len(owed), wall, processor, requests, missed, twice)


def _fill(table_name: str, accounts: list[Account]) -> None:
    """Put what the index has of accounts straight into moto's table; what was there under their keys goes."""
    table = dynamodb_backends[DEFAULT_ACCOUNT_ID][stack.REGION].tables[table_name]
    for account in accounts:
        interval = account.fetch.interval_minutes
        slot = keys.wheel_slot(interval, slot_of(account.owner_id, interval), 0)
        whole = {
            **keys.account(account.owner_id, account.account_id),
            keys.WHEEL_SLOT: slot,
            keys.WHEEL_ORDER: keys.wheel_order(account.owner_id, account.position, account.account_id),
        }
        wire = to_wire(whole)
        item = Item(DynamoType(wire[keys.PARTITION]), DynamoType(wire[keys.SORT]), wire)
        table.items[item.hash_key][item.range_key] = item


def _kept_apart(arrived: list[str]) -> Any:
    """moto looks through a queue's messages for each new one; the new ones' deduplication ids are kept elsewhere."""

    def add_message(_: Queue, message: Message) -> None:
        arrived.append(str(message.deduplication_id))

    return mock.patch.object(Queue, "add_message", add_message)
