"""The stack is deployed anew while a mailbox is being emptied: nothing stands still, is lost, or is there twice."""

from email.message import EmailMessage

import pytest

from infra.local.api import account_body
from infra.local.demo_server import DemoServer
from infra.local.stack import Stack
from infra.local.up import parameters
from tests.flow.conftest import LocalStack
from tests.flow.waiting import wait_for

pytestmark = pytest.mark.flow

MESSAGES = 300
A_CYCLE = 20


def mail(number: int) -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "ben@example.net", f"Message {number}"
    message["Message-ID"] = f"<{number}@example.net>"
    message.set_content(f"This is number {number}.\n")
    return message.as_bytes().replace(b"\n", b"\r\n")


def version_of(stack: LocalStack) -> str:
    """The version of fetch that requests go to."""
    functions = stack.clients.functions()
    return functions.get_alias(FunctionName=stack.outputs["FetchFunctionName"], Name="live")["FunctionVersion"]


def test_cycles_that_are_under_way_end_and_the_next_go_on_with_the_new_version(local_stack: LocalStack) -> None:
    server = DemoServer(local_stack.workspace, name="updating", username="busy@busy.example")
    server.start()
    try:
        server.deliver([mail(number) for number in range(MESSAGES)])
        body = account_body(
            email=server.username, name="Busy", host=server.host, port=server.port, password=server.password
        )
        body["fetch"]["max_messages_per_cycle"] = A_CYCLE
        owner = local_stack.another_owner("busy-owner@example.com")
        account = local_stack.api_of(owner).post("/accounts", body)
        stored = local_stack.stored(owner, account["id"])
        local_stack.api_of(owner).post(f"/accounts/{account['id']}/fetch", {})
        wait_for("Beginning to collect", lambda: len(stored.objects()) > 0, local_stack)
        before = version_of(local_stack)
        assert len(stored.objects()) < MESSAGES

        assert Stack(local_stack.workspace).deploy({**parameters(local_stack.workspace), "FetchMemory": "640"})

        assert version_of(local_stack) != before
        wait_for("Collecting all of it", lambda: stored.item_counts().get("message", 0) >= MESSAGES, local_stack)
        assert sorted(map(stored.content, (item.key for item in stored.objects()))) == sorted(server.messages())
        assert stored.item_counts()["message"] == MESSAGES
        sqs = local_stack.clients.sqs()
        letters = sqs.get_queue_attributes(
            QueueUrl=local_stack.outputs["DeadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
        )
        assert letters["Attributes"]["ApproximateNumberOfMessages"] == "0"
    finally:
        server.stop()
