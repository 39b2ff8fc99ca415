"""What an earlier version wrote is read by this one: a stack is updated while items and requests of before are there.

Each file is a table and a queue as that version left them, after a cycle that stored three messages, one that failed, a
quarantined message, a sent one, and an account that was paused. A file is never changed: where this version could not
read one, stacks in use could not be updated.
"""

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from popfetch.adapters import keys
from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.cycle_history import CycleHistoryTable
from popfetch.adapters.cycle_items import message_from_item
from popfetch.adapters.dynamodb_items import from_wire
from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.adapters.wheel_table import WheelTable
from popfetch.domain.account import Standing
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.domain.fetch_state import Outcome
from popfetch.domain.message import DeliveryState
from popfetch.domain.wheel import slot_of
from popfetch.ports.schedule import Delivery, Erasure
from tests.builders.accounts import OWNER
from tests.builders.aws import Aws, empty
from tests.builders.collecting import Collection, a_message
from tests.builders.scripted_pop3_server import ScriptedServer

VERSIONS = sorted((Path(__file__).parent / "former_versions").glob("*.json"))


def octets(value: Any) -> Any:
    """JSON with its octets as octets."""
    if isinstance(value, dict):
        return b64decode(value["base64"]) if set(value) == {"base64"} else {k: octets(v) for k, v in value.items()}
    return [octets(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture(params=VERSIONS, ids=lambda file: file.stem)
def version(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = octets(json.loads(request.param.read_text()))
    return found


def put_back(aws: Aws, version: dict[str, Any]) -> None:
    empty(aws)
    for item in version["items"]:
        aws.dynamodb.put_item(TableName=aws.table, Item=item)


def test_its_accounts_and_their_states_are_read(aws: Aws, version: dict[str, Any]) -> None:
    put_back(aws, version)
    active, paused = AccountsTable(aws.dynamodb, aws.table).of_owner(OWNER)
    assert (active.account.standing, paused.account.standing) == (Standing.ACTIVE, Standing.PAUSED)
    assert active.state.last_fetch
    assert active.state.last_fetch.outcome is Outcome.FAILED
    assert active.state.failures.temporary == 1
    assert active.state.stored_total == 3
    (stored, failed) = reversed(
        CycleHistoryTable(aws.dynamodb, aws.table).page(active.account.account_id, limit=9).cycles
    )
    assert (stored.stored, failed.error_code) == (3, "temporary")


def test_its_messages_are_read(version: dict[str, Any]) -> None:
    items = [from_wire(item) for item in version["items"] if item["sk"]["S"].startswith(keys.MESSAGES)]
    messages = [message_from_item(item) for item in items]
    assert len([message for message in messages if message.delivery is None and message.uid]) == 3
    (sent,) = [message.delivery for message in messages if message.delivery]
    assert sent.state is DeliveryState.SENT


def test_its_requests_are_carried_out(version: dict[str, Any]) -> None:
    queue = SqsFetchQueue(None, "url")  # type: ignore[arg-type]
    read = [queue.read(Delivery("1", "r", OWNER, body)) for body in version["requests"]]
    assert [request.reason for request in read if isinstance(request, FetchRequest)] == list(Reason)
    assert [request for request in read if isinstance(request, Erasure)] == [Erasure(OWNER, "gone", erase_mail=True)]


def test_its_active_accounts_are_due_and_its_stopped_ones_are_not(aws: Aws, version: dict[str, Any]) -> None:
    put_back(aws, version)
    due = WheelTable(aws.dynamodb, aws.table).due([(5, slot_of(OWNER, 5))])
    active, _ = AccountsTable(aws.dynamodb, aws.table).of_owner(OWNER)
    assert [account.account_id for account in due] == [active.account.account_id]


async def test_a_cycle_goes_on_where_that_version_stopped(aws: Aws, version: dict[str, Any]) -> None:
    async with ScriptedServer([a_message(number) for number in range(4)]) as server:
        collection = Collection(aws, server)
        put_back(aws, version)
        stored = AccountsTable(aws.dynamodb, aws.table).of_owner(OWNER)[0].account
        collection.account = replace(stored, incoming=server.account_server())
        last = await collection.cycle()
    assert (last.listed, last.stored) == (4, 1)
    assert collection.contents() == [a_message(3)]
