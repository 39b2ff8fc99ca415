"""Dispatch and fetch as Lambda calls them: real wiring, the stack's names from the environment, AWS under moto."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.dispatch import handler as dispatch
from functions.fetch import handler as fetch
from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.credential_vault import CredentialVault
from popfetch.domain.account import Account, Direction, FetchSettings
from popfetch.domain.errors import NotAQueueBatch, NotAScheduledEvent
from popfetch.domain.secret import Secret
from popfetch.runtime.settings import Settings
from tests.builders import aws as stack
from tests.builders.accounts import OWNER, PASSWORD, a_server, an_account
from tests.builders.aws import Aws
from tests.builders.journals import log_of
from tests.builders.wiring import forget_wiring

EVENTS = Path(__file__).parents[3] / "infra" / "events"


def an_event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def a_context(seconds: int = 300) -> Any:
    return SimpleNamespace(
        function_name="popfetch",
        memory_limit_in_mb=512,
        invoked_function_arn="arn",
        aws_request_id="request",
        get_remaining_time_in_millis=lambda: seconds * 1000,
    )


def a_record(number: int, body: str, group: str = OWNER) -> dict[str, Any]:
    return {
        "messageId": f"delivery-{number}",
        "receiptHandle": f"receipt-{number}",
        "attributes": {"MessageGroupId": group},
        "body": body,
    }


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with stack.aws() as built:
        bus = "popfetch-bus"
        stack._client("events").create_event_bus(Name=bus)
        letters = built.sqs.create_queue(QueueName="letters.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        environment = {
            "POPFETCH_TABLE_NAME": built.table,
            "POPFETCH_MAIL_BUCKET_NAME": built.bucket,
            "POPFETCH_FETCH_QUEUE_URL": built.queue_url,
            "POPFETCH_DEAD_LETTER_QUEUE_URL": letters,
            "POPFETCH_EVENT_BUS_NAME": bus,
            "POPFETCH_CREDENTIALS_KEY_ID": built.key_id,
            "POPFETCH_OAUTH_CLIENTS_PARAMETER": "/popfetch/oauth-clients",
            "POPFETCH_ALLOW_PRIVATE_HOSTS": "true",
            "POWERTOOLS_SERVICE_NAME": "popfetch",
            "POWERTOOLS_METRICS_NAMESPACE": "popfetch",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for function in (dispatch, fetch):
            monkeypatch.setattr(function.journal.metrics.provider, "namespace", "popfetch")
            monkeypatch.setattr(function.journal.metrics.provider, "service", "popfetch")
        forget_wiring()
        yield built
    forget_wiring()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    return log_of(monkeypatch, dispatch, fetch)


def add_account(aws: Aws, number: int = 1) -> Account:
    """An account on a port where nobody listens."""
    vault = CredentialVault(aws.kms, aws.dynamodb, aws.table, aws.key_id)
    account = an_account(number)
    sealed = vault.seal(Secret(PASSWORD), OWNER, account.account_id, Direction.INCOMING)
    incoming = a_server(host="127.0.0.1", port=1, username=f"anna{number}")
    added = an_account(number, incoming=incoming, incoming_secret=sealed, fetch=FetchSettings(interval_minutes=1))
    return AccountsTable(aws.dynamodb, aws.table).add(added).account


class TestDispatch:
    def test_the_console_event_asks_for_the_accounts_of_its_minute(self, aws: Aws) -> None:
        account = add_account(aws)
        answer = dispatch.handler(an_event("dispatch"), a_context())
        assert answer["requests"] == 1
        (message,) = aws.sqs.receive_message(QueueUrl=aws.queue_url, AttributeNames=["All"])["Messages"]
        assert json.loads(message["Body"])["account_id"] == account.account_id
        assert message["Attributes"]["MessageGroupId"] == OWNER
        assert json.loads(message["Body"])["correlation_id"] == an_event("dispatch")["id"]

    def test_an_event_without_an_id_is_known_by_the_invocation(self, aws: Aws) -> None:
        add_account(aws)
        dispatch.handler({"time": an_event("dispatch")["time"]}, a_context())
        (message,) = aws.sqs.receive_message(QueueUrl=aws.queue_url)["Messages"]
        assert json.loads(message["Body"])["correlation_id"] == a_context().aws_request_id

    @pytest.mark.parametrize("event", [{}, [], None, {"time": None}, {"time": "noon"}, {"time": 7}])
    def test_what_is_no_scheduled_event_is_refused_in_clear_words(self, aws: Aws, event: Any) -> None:
        with pytest.raises(NotAScheduledEvent, match=r"infra/events/dispatch\.json"):
            dispatch.handler(event, a_context())


class TestFetch:
    def test_what_dispatch_asked_for_is_fetched_and_acknowledged(self, aws: Aws, log: io.StringIO) -> None:
        add_account(aws)
        dispatch.handler(an_event("dispatch"), a_context())
        (message,) = aws.sqs.receive_message(QueueUrl=aws.queue_url)["Messages"]
        answer = fetch.handler({"Records": [a_record(1, message["Body"])]}, a_context())
        assert answer == {"batchItemFailures": []}
        lines = [json.loads(line) for line in log.getvalue().splitlines()]
        (told,) = [line for line in lines if line.get("message") == "cycle failed"]
        assert (told["error"], told["level"]) == ("network", "WARNING")
        assert told["correlation_id"] == an_event("dispatch")["id"]
        assert PASSWORD not in log.getvalue()

    def test_the_console_event_of_an_unknown_account_does_no_harm(self, aws: Aws, log: io.StringIO) -> None:
        assert fetch.handler(an_event("fetch"), a_context()) == {"batchItemFailures": []}
        assert "account_is_gone" in log.getvalue()

    def test_a_message_that_is_not_ours_is_in_the_dead_letters_with_the_reason(
        self, aws: Aws, log: io.StringIO
    ) -> None:
        answer = fetch.handler({"Records": [a_record(1, "what is this?", group="stranger")]}, a_context())
        assert answer == {"batchItemFailures": []}
        letters = Settings.from_environment().dead_letter_queue_url
        (letter,) = aws.sqs.receive_message(QueueUrl=letters, MessageAttributeNames=["All"])["Messages"]
        assert letter["Body"] == "what is this?"
        assert letter["MessageAttributes"]["why"]["StringValue"]
        assert "is no fetch request" in log.getvalue()

    def test_a_secret_that_does_not_open_is_told_and_stops_nothing(self, aws: Aws, log: io.StringIO) -> None:
        first, second = add_account(aws, 1), add_account(aws, 2)
        aws.dynamodb.update_item(
            TableName=aws.table,
            Key={"pk": {"S": f"OWNER#{OWNER}"}, "sk": {"S": f"ACCOUNT#{first.account_id}"}},
            UpdateExpression="SET incoming_secret = :other",
            ExpressionAttributeValues={":other": {"B": second.incoming_secret}},
        )
        body = json.dumps(
            {
                "owner_id": OWNER,
                "account_id": first.account_id,
                "reason": "check_now",
                "due_at": "2026-11-23T12:00:00Z",
            }
        )
        assert fetch.handler({"Records": [a_record(1, body)]}, a_context()) == {"batchItemFailures": []}
        assert "secret_unreadable" in log.getvalue()

    def test_a_table_that_is_gone_sends_the_request_back(
        self, aws: Aws, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("POPFETCH_TABLE_NAME", "no-such-table")
        answer = fetch.handler(an_event("fetch"), a_context())
        assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == [
            an_event("fetch")["Records"][0]["messageId"]
        ]
        assert "storage_unavailable" in log.getvalue()

    @pytest.mark.parametrize("event", [{}, [], None, {"Records": [{}]}, {"Records": None}, {"Records": ["x"]}])
    def test_what_is_no_batch_is_refused_in_clear_words(self, aws: Aws, event: Any) -> None:
        with pytest.raises(NotAQueueBatch, match=r"infra/events/fetch\.json"):
            fetch.handler(event, a_context())

    def test_an_erasure_is_published(self, aws: Aws, log: io.StringIO) -> None:
        body = json.dumps({"owner_id": OWNER, "account_id": "gone", "reason": "erase", "erase_mail": False})
        assert fetch.handler({"Records": [a_record(1, body)]}, a_context()) == {"batchItemFailures": []}
