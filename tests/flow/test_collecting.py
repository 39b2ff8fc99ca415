"""A mailbox elsewhere is added over the API, and the scheduled rule brings its mail: the whole flow, nothing faked.

The tests build on each other, in their order: waiting for the rule takes up to a minute each time.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from infra.local.api import Api, ApiRefused, account_body
from infra.local.demo_server import DemoServer
from infra.local.mailbox import first_delivery, later_delivery
from infra.local.stored import StoredAccount
from infra.local.workspace import STACK_NAME
from tests.flow.conftest import LocalStack
from tests.flow.waiting import wait_for

pytestmark = pytest.mark.flow


@dataclass(frozen=True)
class Collected:
    """An account whose first mail has been collected."""

    account: dict[str, Any]
    stored: StoredAccount


@pytest.fixture(scope="module")
def collected(local_stack: LocalStack, demo_server: DemoServer) -> Collected:
    """The demo mailbox, added over the API and collected by the rule."""
    demo_server.deliver(first_delivery())
    account = local_stack.api.post("/accounts", body_for(demo_server))
    stored = local_stack.stored(local_stack.owner, account["id"])
    wanted = len(demo_server.messages())
    wait_for(
        "Collecting the first delivery",
        lambda: len(stored.objects()) >= wanted and bool(stored.state().get("last_fetch")),
        local_stack,
    )
    return Collected(account, stored)


def body_for(server: DemoServer, password: str | None = None) -> dict[str, Any]:
    return account_body(
        email=server.username,
        name="Personal",
        host=server.host,
        port=server.port,
        password=password or server.password,
    )


def test_wrong_password_is_refused_before_anything_is_stored(local_stack: LocalStack, demo_server: DemoServer) -> None:
    other = local_stack.another_owner("careless@example.com")
    with pytest.raises(ApiRefused) as refusal:
        local_stack.api_of(other).post("/accounts", body_for(demo_server, "not the password"))
    assert 400 <= refusal.value.status < 500
    assert refusal.value.code
    assert "not the password" not in str(refusal.value)
    assert local_stack.api_of(other).accounts() == []


def test_stored_mail_is_octet_for_octet_what_the_server_has(collected: Collected, demo_server: DemoServer) -> None:
    contents = [collected.stored.content(item.key) for item in collected.stored.objects()]
    assert sorted(contents) == sorted(demo_server.messages())


def test_keys_are_by_owner_account_and_day(local_stack: LocalStack, collected: Collected) -> None:
    prefix = f"mail/{local_stack.owner.owner_id}/{collected.account['id']}/2026/"
    for item in collected.stored.objects():
        assert item.key.startswith(prefix)
        assert item.key.endswith(".eml")


def test_a_message_leads_to_its_cycle_and_the_cycle_to_what_asked_for_it(
    local_stack: LocalStack, collected: Collected
) -> None:
    logs = local_stack.clients.logs()

    def lines(function: str, field: str, value: str) -> list[dict[str, Any]]:
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{STACK_NAME}-{function}")["events"]
        found = [json.loads(event["message"]) for event in events if f'"{field}":"{value}"' in event["message"]]
        return [line for line in found if line.get(field) == value]

    key = collected.stored.objects()[0].key
    head = local_stack.clients.s3().head_object(Bucket=local_stack.outputs["MailBucketName"], Key=key)
    (finished,) = [
        line for line in lines("fetch", "cycle_id", head["Metadata"]["cycle"]) if line["message"] == "cycle finished"
    ]
    asked = finished["correlation_id"]
    assert [line["message"] for line in lines("dispatch", "correlation_id", asked)] == ["dispatched"]


def test_state_and_index_agree_with_the_bucket(collected: Collected) -> None:
    count = len(collected.stored.objects())
    assert collected.stored.item_counts()["message"] == count
    assert collected.stored.state()["checkpoint"]["count"] == count


def test_owner_sees_how_the_account_does(local_stack: LocalStack, collected: Collected) -> None:
    (account,) = local_stack.api.accounts()
    assert account["id"] == collected.account["id"]
    assert account["status"] == "active"
    assert account["last_fetch"]["error"] is None
    assert "password" not in account["incoming"]


def test_another_owner_sees_nothing_of_it(local_stack: LocalStack, collected: Collected) -> None:
    other = local_stack.api_of(local_stack.another_owner("another@example.com"))
    assert other.accounts() == []
    for method in ("GET", "DELETE"):
        with pytest.raises(ApiRefused) as refusal:
            other.call(method, f"/accounts/{collected.account['id']}")
        assert refusal.value.status == 404


@pytest.mark.parametrize("token", ["", "not-a-token"])
def test_without_a_token_nobody_is_let_in(local_stack: LocalStack, token: str) -> None:
    with pytest.raises(ApiRefused) as refusal:
        Api(local_stack.outputs["ApiUrl"], token).accounts()
    assert refusal.value.status in {401, 403}


def test_only_new_mail_is_fetched_later(local_stack: LocalStack, collected: Collected, demo_server: DemoServer) -> None:
    before = {item.key for item in collected.stored.objects()}
    new = later_delivery(demo_server.delivered)
    demo_server.deliver(new)
    wait_for(
        "Collecting the later delivery",
        lambda: len(collected.stored.objects()) >= len(before) + len(new),
        local_stack,
    )
    added = {item.key for item in collected.stored.objects()} - before
    assert sorted(collected.stored.content(key) for key in added) == sorted(new)


def test_nothing_is_left_in_the_queues(local_stack: LocalStack, collected: Collected) -> None:
    sqs = local_stack.clients.sqs()
    for queue in ("FetchQueueUrl", "DeadLetterQueueUrl"):
        attributes = sqs.get_queue_attributes(
            QueueUrl=local_stack.outputs[queue], AttributeNames=["ApproximateNumberOfMessages"]
        )
        assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "0", queue


def test_deleted_account_leaves_nothing_when_its_mail_is_to_go(local_stack: LocalStack, collected: Collected) -> None:
    local_stack.api.delete(f"/accounts/{collected.account['id']}?mail=delete")
    assert local_stack.api.accounts() == []
    wait_for(
        "Erasing the account",
        lambda: not collected.stored.objects() and not collected.stored.item_counts(),
        local_stack,
    )
