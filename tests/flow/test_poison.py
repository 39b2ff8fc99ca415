"""Poison in the queue: it lands where an operator sees it, with the reason, and can be replayed and thrown away."""

import json

import pytest

from infra import dead_letters
from infra.dead_letters import FETCH
from infra.local.workspace import REGION
from tests.flow.conftest import LocalStack
from tests.flow.waiting import wait_for

pytestmark = pytest.mark.flow

POISON = "password=hunter2-and-more"
MALFORMED = json.dumps(
    {"owner_id": "somebody", "account_id": "gone", "reason": "whim", "due_at": "2026-11-23T12:00:00Z"}
)


@pytest.fixture
def tool(local_stack: LocalStack) -> "Tool":
    return Tool(local_stack)


class Tool:
    """The command line, on the local stack."""

    def __init__(self, stack: LocalStack) -> None:
        self._chosen = ["--endpoint-url", stack.workspace.endpoint_url, "--region", REGION]

    def __call__(self, *arguments: str) -> str:
        said: list[str] = []
        assert dead_letters.main([*arguments, *self._chosen], said.append) == 0
        return "\n".join(said)

    def letters(self) -> dict[str, str]:
        """What lies in the dead letters of fetch: ids, and what is said of each."""
        _, *letters = self("show", "--queue", FETCH).split(f"{FETCH} ")
        return {said.partition(",")[0]: said for said in letters}


def test_poison_is_seen_replayed_and_thrown_away_and_holds_up_nobody(local_stack: LocalStack, tool: Tool) -> None:
    sqs = local_stack.clients.sqs()
    for number, body in enumerate((POISON, MALFORMED)):
        sqs.send_message(
            QueueUrl=local_stack.outputs["FetchQueueUrl"],
            MessageBody=body,
            MessageGroupId="somebody",
            MessageDeduplicationId=f"poison-{number}",
        )
    wait_for("Setting poison aside", lambda: len(tool.letters()) == 2, local_stack)
    first = tool.letters()
    told = "\n".join(first.values())
    assert "is no JSON" in told
    assert "reason must be" in told
    assert "hunter2" not in told

    assert "2 dead letters replayed" in tool("replay", "--queue", FETCH)
    wait_for("Setting poison aside again", lambda: len(tool.letters()) == 2, local_stack)
    again = tool.letters()
    assert not set(first) & set(again), "each is a letter of its own, and nothing goes round by itself"

    assert "2 dead letters discarded" in tool("discard", *again)
    assert tool.letters() == {}
