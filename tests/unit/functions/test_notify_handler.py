"""The notify function as Lambda calls it: real wiring, AWS under moto, one mail for each stop."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from pydantic import ValidationError

from functions.notify import handler as function
from popfetch.adapters.account_items import change_standing
from popfetch.adapters.accounts_table import AccountsTable, write_standing
from popfetch.adapters.mailer import SesMailer
from popfetch.domain.account import Account, Standing
from popfetch.domain.errors import MailUnavailable, NotAStop
from tests.builders.accounts import an_account, an_account_id
from tests.builders.aws import REGION, Aws, aws
from tests.builders.journals import log_of
from tests.builders.user_pool import a_pool_with_an_owner
from tests.builders.wiring import forget_wiring

EVENTS = Path(__file__).parents[3] / "infra" / "events"
SENDER = "popfetch@example.com"


@dataclass
class Stack:
    aws: Aws
    account: Account

    def event(self, name: str = "AccountAuthFailed", **changes: Any) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((EVENTS / "notify.json").read_text())
        whose = {"owner_id": self.account.owner_id, "account_id": self.account.account_id}
        return {**event, "detail-type": name, "detail": {**event["detail"], **whose, **changes}}

    def sent(self) -> int:
        return len(ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages)


def notify(event: Any) -> str:
    context = SimpleNamespace(
        function_name="notify",
        memory_limit_in_mb=512,
        invoked_function_arn="arn",
        aws_request_id="request",
        get_remaining_time_in_millis=lambda: 60_000,
    )
    answer = json.loads(json.dumps(function.handler(event, context)))  # type: ignore[arg-type]
    return str(answer["outcome"])


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with aws() as built:
        pool, owner_id = a_pool_with_an_owner()
        boto3.client("ses").verify_email_identity(EmailAddress=SENDER)
        environment = {
            "POPFETCH_TABLE_NAME": built.table,
            "POPFETCH_USER_POOL_ID": pool,
            "POPFETCH_SENDER_ADDRESS": SENDER,
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(function.journal.metrics.provider, "namespace", "popfetch")
        monkeypatch.setattr(function.journal.metrics.provider, "service", "notify")
        forget_wiring()
        account = an_account(1, owner_id=owner_id, name="My work", standing=Standing.AUTH_FAILED)
        yield Stack(built, AccountsTable(built.dynamodb, built.table).add(account).account)
    forget_wiring()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    return log_of(monkeypatch, function)


def test_the_same_event_twice_is_one_mail(stack: Stack) -> None:
    assert [notify(stack.event()), notify(stack.event())] == ["sent", "sent_before"]
    assert stack.sent() == 1


def test_the_instant_counts_and_not_how_it_is_written(stack: Stack) -> None:
    same = ("2026-11-24T09:15:00Z", "2026-11-24T09:15:00.000000+00:00", "2026-11-24T10:15:00+01:00")
    assert [notify(stack.event(stopped_at=text)) for text in same] == ["sent", "sent_before", "sent_before"]


def test_a_later_stop_is_told_again(stack: Stack) -> None:
    notify(stack.event())
    assert notify(stack.event(stopped_at="2026-12-24T09:15:00Z")) == "sent"
    assert stack.sent() == 2


def test_a_send_that_fails_is_raised_and_the_retry_is_the_one_mail(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise MailUnavailable("busy")

    with monkeypatch.context() as patched:
        patched.setattr(SesMailer, "send", fail)
        with pytest.raises(MailUnavailable):
            notify(stack.event())
    assert notify(stack.event()) == "sent"
    assert stack.sent() == 1


def test_an_account_that_recovered_meanwhile_is_not_told_of(stack: Stack) -> None:
    recovered = replace(stack.account, standing=Standing.ACTIVE)
    assert write_standing(stack.aws.dynamodb, stack.aws.table, change_standing(recovered, 1))
    assert notify(stack.event()) == "not_needed"
    assert stack.sent() == 0


def test_an_account_stopped_for_another_reason_is_not_told_of(stack: Stack) -> None:
    assert notify(stack.event("AccountConnectionFailed")) == "not_needed"


def test_without_a_sender_nothing_is_sent(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POPFETCH_SENDER_ADDRESS", "")
    assert notify(stack.event()) == "no_sender"
    assert stack.sent() == 0
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert line["level"] == "WARNING"
    assert '"NoticesWithoutSender"' in capsys.readouterr().out


def test_a_sender_that_is_not_verified_is_an_error_in_the_log_that_names_nobody(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POPFETCH_SENDER_ADDRESS", "stranger@example.net")
    assert notify(stack.event()) == "refused"
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (line["level"], line["reason"]) == ("ERROR", "MessageRejected")
    assert "SenderAddress" in line["remedy"]
    assert "example.net" not in log.getvalue()
    assert "exception" not in line
    assert '"NoticesRefused"' in capsys.readouterr().out


def test_what_was_sent_is_in_the_log_by_its_ids_alone(
    stack: Stack, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    notify(stack.event())
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (line["owner_id"], line["account_id"]) == (stack.account.owner_id, stack.account.account_id)
    assert line["message_id"]
    for secret in ("@", "My work", "It says"):
        assert secret not in log.getvalue()
    assert '"NoticesSent"' in capsys.readouterr().out


def test_the_console_event_is_one_that_the_function_takes(stack: Stack) -> None:
    event = json.loads((EVENTS / "notify.json").read_text())
    assert notify(event) == "not_needed"


@pytest.mark.parametrize("event", [{}, [], None, {"detail-type": "AccountDeleted"}, {"detail-type": ["x"]}])
def test_what_tells_of_no_stop_is_refused_in_clear_words(stack: Stack, event: Any) -> None:
    with pytest.raises(NotAStop, match=r"infra/events/notify\.json"):
        notify(event)


@pytest.mark.parametrize(
    "changes",
    [
        {"owner_id": "a/b"},
        {"account_id": "#"},
        {"code": ""},
        {"code": "x" * 51},
        {"message": "secret" * 200},
        {"message": None},
        {"server_said": "secret" * 200},
        {"server_said": None},
        {"stopped_at": "2026-11-24T09:15:00"},
        {"stopped_at": None},
        {"stopped_at": "noon"},
    ],
    ids=str,
)
def test_a_detail_that_is_not_as_it_should_be_is_refused_without_being_quoted(
    stack: Stack, changes: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError) as refused:
        notify(stack.event(**changes))
    assert "secret" not in str(refused.value)
    assert stack.sent() == 0


def test_an_event_from_before_servers_words_were_kept_apart_is_told(stack: Stack) -> None:
    event = stack.event()
    del event["detail"]["server_said"]
    assert notify(event) == "sent"


def test_what_else_an_event_tells_is_not_looked_at(stack: Stack) -> None:
    assert notify(stack.event(account_id=an_account_id(2), more={"to": "come"})) == "not_needed"
