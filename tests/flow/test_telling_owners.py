"""An account stops, and its owner is told: over the bus, by the deployed function within its role, once."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from infra.local.api import account_body
from infra.local.outbox import SentMail, sent_mail
from infra.local.up import SENDER_ADDRESS
from popfetch.adapters import keys
from tests.flow.conftest import LocalStack
from tests.flow.waiting import wait_for

pytestmark = pytest.mark.flow


@dataclass(frozen=True)
class Stopped:
    """An account that is not collected any more."""

    stack: LocalStack
    account: dict[str, Any]

    def tell(self, stopped_at: str) -> None:
        """Publish that it stopped, as a cycle does."""
        detail = {
            "owner_id": self.stack.owner.owner_id,
            "account_id": self.account["id"],
            "code": "authentication",
            "message": "mail.example.com does not accept this user name and password; check both. It says: no",
            "server_said": "no",
            "stopped_at": stopped_at,
        }
        answer = self.stack.clients.events().put_events(
            Entries=[
                {
                    "EventBusName": self.stack.outputs["EventBusName"],
                    "Source": "popfetch",
                    "DetailType": "AccountAuthFailed",
                    "Detail": json.dumps(detail),
                }
            ]
        )
        assert answer["FailedEntryCount"] == 0

    def told(self) -> list[SentMail]:
        """The mails about it."""
        mails = sent_mail(self.stack.outputs["EndpointUrl"])
        return [mail for mail in mails if self.account["email"] in mail.subject]


@pytest.fixture
def stopped(local_stack: LocalStack) -> Stopped:
    body = account_body(email="stopped@example.com", name="My work", host="127.0.0.1", port=9, password="x")
    account = local_stack.api.post("/accounts", {**body, "verify": False})
    local_stack.clients.dynamodb().Table(local_stack.outputs["TableName"]).update_item(
        Key=dict(keys.account(local_stack.owner.owner_id, account["id"])),
        UpdateExpression=f"SET standing = :standing REMOVE {keys.WHEEL_SLOT}, {keys.WHEEL_ORDER}",
        ExpressionAttributeValues={":standing": "auth_failed"},
    )
    return Stopped(local_stack, account)


def test_the_owner_is_told_once_of_each_stop(stopped: Stopped) -> None:
    for _ in range(2):
        stopped.tell("2026-11-24T09:15:00Z")
    wait_for("Telling the owner", lambda: len(stopped.told()) >= 1, stopped.stack)
    stopped.tell("2026-12-24T09:15:00Z")
    wait_for("Telling the owner again", lambda: len(stopped.told()) >= 2, stopped.stack)
    first, second = stopped.told()
    assert first.sender == SENDER_ADDRESS
    assert first.recipients == (stopped.stack.owner.email,)
    assert first.subject == "popfetch: My work (stopped@example.com) needs your password"
    assert "24 November 2026" in first.text
    assert "24 November 2026" in first.html
    assert "24 December 2026" in second.text
