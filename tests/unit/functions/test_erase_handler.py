"""The erase function: an event says which account is gone; what it left is erased, or the event comes again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import ValidationError

from functions.erase import handler as function
from popfetch.adapters import keys
from popfetch.adapters.account_remains import AccountRemains
from popfetch.adapters.dynamodb_items import to_wire
from popfetch.domain.errors import StorageUnavailable
from popfetch.services.erase import ErasureUnfinished
from tests.builders.accounts import OWNER, an_account_id
from tests.builders.aws import Aws, aws
from tests.builders.journals import log_of
from tests.builders.wiring import forget_wiring

ACCOUNT = an_account_id(1)
FETCHED = f"mail/{OWNER}/{ACCOUNT}/2026/11/23/m1.eml"


@dataclass
class Context:
    milliseconds: int = 900_000
    function_name: str = "erase"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:erase:live"
    aws_request_id: str = "5f0c"

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def an_event(**changes: Any) -> dict[str, Any]:
    detail = {"owner_id": OWNER, "account_id": ACCOUNT, "erase_mail": True, **changes}
    return {"source": "popfetch", "detail-type": "AccountDeleted", "time": "2026-11-23T12:00:00Z", "detail": detail}


def erase(event: dict[str, Any], context: Context | None = None) -> None:
    function.handler(event, context or Context())  # type: ignore[arg-type]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with aws() as built:
        monkeypatch.setenv("POPFETCH_TABLE_NAME", built.table)
        monkeypatch.setenv("POPFETCH_MAIL_BUCKET_NAME", built.bucket)
        forget_wiring()
        for account_id in (ACCOUNT, an_account_id(2)):
            item = to_wire(keys.message(account_id, "m1"))
            built.dynamodb.put_item(TableName=built.table, Item=item)
        built.s3.put_object(Bucket=built.bucket, Key=FETCHED, Body=b"Subject: x")
        yield built
    forget_wiring()


def records_of(stack: Aws, account_id: str) -> int:
    return stack.dynamodb.query(
        TableName=stack.table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=to_wire({":pk": keys.account_partition(account_id)}),
    )["Count"]


def mail(stack: Aws) -> int:
    return stack.s3.list_objects_v2(Bucket=stack.bucket)["KeyCount"]


def test_records_and_mail_go_and_nothing_of_another_account(stack: Aws) -> None:
    erase(an_event())
    assert (records_of(stack, ACCOUNT), records_of(stack, an_account_id(2)), mail(stack)) == (0, 1, 0)


def test_mail_stays_unless_it_is_to_go(stack: Aws) -> None:
    erase(an_event(erase_mail=False))
    assert (records_of(stack, ACCOUNT), mail(stack)) == (0, 1)


def test_the_same_event_again_does_no_harm(stack: Aws) -> None:
    erase(an_event())
    erase(an_event())
    assert mail(stack) == 0


def test_when_time_runs_out_the_event_is_to_come_again(stack: Aws) -> None:
    with pytest.raises(ErasureUnfinished, match=ACCOUNT):
        erase(an_event(), Context(milliseconds=10_000))
    assert (records_of(stack, ACCOUNT), mail(stack)) == (1, 1)


def test_a_failure_of_storage_is_passed_on_so_that_the_event_comes_again(
    stack: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise StorageUnavailable("busy")

    monkeypatch.setattr(AccountRemains, "erase_records", fail)
    with pytest.raises(StorageUnavailable):
        erase(an_event())


@pytest.mark.parametrize(
    "changes",
    [
        {"account_id": ""},
        {"account_id": "#"},
        {"account_id": None},
        {"owner_id": ""},
        {"owner_id": "a/b"},
        {"owner_id": ".."},
        {"erase_mail": None},
    ],
    ids=str,
)
def test_an_event_that_names_no_account_erases_nothing(stack: Aws, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        erase(an_event(**changes))
    assert (records_of(stack, ACCOUNT), mail(stack)) == (1, 1)


def test_what_was_done_is_in_the_log(stack: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = log_of(monkeypatch, function)
    erase(an_event())
    (line,) = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert (line["message"], line["owner_id"], line["account_id"]) == ("account erased", OWNER, ACCOUNT)
