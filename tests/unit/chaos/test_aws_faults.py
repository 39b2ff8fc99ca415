"""Each fault does what it says: whoever asked sees it, and what was asked for is done or not done."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError
from moto.dynamodb.models.table import Table

from tests.chaos import aws_faults
from tests.chaos.aws_faults import AwsFault, AwsPlan, Door, FaultyAws
from tests.chaos.dice import Dice

PATIENCE = 0.8
ITEM = {"id": {"S": "one"}}


class Only(AwsPlan):
    """One fault for every request."""

    def __init__(self, fault: AwsFault) -> None:
        super().__init__(Dice(1))
        self._fault = fault

    def fault(self, operation: str) -> Any:
        return self._fault, self.dice.about(operation)


class Aws:
    """A table behind a door that works and one that fails."""

    def __init__(self, faulty: FaultyAws, good: Door, bad: Door) -> None:
        self.faulty, self.bad = faulty, bad
        self.table = _client("dynamodb", good, seconds=30)
        self.failing_table = _client("dynamodb", bad, seconds=PATIENCE)

    def put(self, fault: AwsFault) -> Exception | None:
        """Put the item with a fault; returns what whoever asked sees."""
        self.bad.plan = Only(fault)
        try:
            self.failing_table.put_item(TableName="table", Item=ITEM)
        except (BotoCoreError, ClientError) as seen:
            return seen
        finally:
            self.faulty.wait_until_quiet()
        return None

    @property
    def is_done(self) -> bool:
        return "Item" in self.table.get_item(TableName="table", Key=ITEM)


def _client(service: str, door: Door, *, seconds: float) -> Any:
    config = Config(read_timeout=seconds, retries={"total_max_attempts": 1, "mode": "standard"})
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=f"http://127.0.0.1:{door.port}",
        config=config,
        region_name="eu-central-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Aws]:
    monkeypatch.setattr(aws_faults, "LONGER_THAN_PATIENCE", 2 * PATIENCE)
    faulty = FaultyAws()
    good, bad = faulty.door(), faulty.door(pid_file=tmp_path / "pid")
    found = Aws(faulty, good, bad)
    found.table.create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield found
    found.table.delete_table(TableName="table")
    good.close()
    bad.close()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (AwsFault.ERROR, "InternalServerError"),
        (AwsFault.THROTTLE, "ProvisionedThroughputExceededException"),
        (AwsFault.CONFLICT, "TransactionCanceledException"),
    ],
)
def test_a_refusal_is_an_error_and_nothing_is_done(aws: Aws, fault: AwsFault, code: str) -> None:
    seen = aws.put(fault)
    assert isinstance(seen, ClientError)
    assert seen.response["Error"]["Code"] == code
    assert not aws.is_done


@pytest.mark.parametrize(("fault", "is_done"), [(AwsFault.SILENCE, False), (AwsFault.LATE, True)])
def test_silence_is_a_timeout_and_done_later_or_not(aws: Aws, fault: AwsFault, is_done: bool) -> None:
    assert isinstance(aws.put(fault), ReadTimeoutError)
    assert aws.is_done == is_done


def test_a_lost_answer_is_a_closed_connection_and_done(aws: Aws) -> None:
    assert isinstance(aws.put(AwsFault.LOST), ConnectionClosedError)
    assert aws.is_done


def test_an_answer_cut_short_is_seen_as_one_and_done(aws: Aws) -> None:
    assert aws.put(AwsFault.CUT) is not None
    assert aws.is_done


def test_a_slow_answer_is_an_answer(aws: Aws) -> None:
    assert aws.put(AwsFault.DELAY) is None
    assert aws.is_done


def test_a_batch_done_in_part_says_what_is_left(aws: Aws) -> None:
    aws.bad.plan = Only(AwsFault.PART)
    puts = [{"PutRequest": {"Item": {"id": {"S": name}}}} for name in ("one", "two")]
    answer = aws.failing_table.batch_write_item(RequestItems={"table": puts})
    assert answer["UnprocessedItems"] == {"table": puts[1:]}
    assert aws.is_done
    assert "Item" not in aws.table.get_item(TableName="table", Key={"id": {"S": "two"}})


@pytest.mark.parametrize(("fault", "is_done"), [(AwsFault.KILLED_BEFORE, False), (AwsFault.KILLED_AFTER, True)])
def test_a_kill_ends_the_process_before_or_after_it_is_done(
    aws: Aws, tmp_path: Path, fault: AwsFault, is_done: bool
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        (tmp_path / "pid").write_text(str(process.pid))
        try:
            assert aws.put(fault) is not None
            assert process.wait(10) == -signal.SIGKILL
        finally:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
    assert aws.is_done == is_done


class TestPlans:
    def test_the_same_seed_draws_the_same_faults_whoever_overtakes_whom(self) -> None:
        one, other = AwsPlan(Dice(5), rate=0.5), AwsPlan(Dice(5), rate=0.5)
        asked = ["PutItem", "Query"] * 50
        drawn = [(name, one.fault(name)[0]) for name in asked]
        swapped = [(name, other.fault(name)[0]) for name in reversed(asked)]
        assert [fault for name, fault in drawn if name == "Query"] == [f for name, f in swapped if name == "Query"]
        assert {fault for _, fault in drawn} > {None, AwsFault.LOST}

    def test_an_operation_that_is_down_fails_each_time(self) -> None:
        plan = AwsPlan(Dice(5), down=frozenset({"PutObject"}))
        assert None not in {plan.fault("PutObject")[0] for _ in range(20)}
        assert {plan.fault("PutItem")[0] for _ in range(20)} == {None}

    def test_a_kill_meets_one_request(self) -> None:
        plan = AwsPlan(Dice(5), kill=(2, AwsFault.KILLED_AFTER))
        assert [plan.fault("Query")[0] for _ in range(3)] == [None, AwsFault.KILLED_AFTER, None]


def test_moto_is_as_it_was_once_a_request_is_done(aws: Aws) -> None:
    aws.table.put_item(TableName="table", Item=ITEM)
    assert not hasattr(Table, "__deepcopy__")


def test_a_transaction_that_fails_leaves_everything_as_it_was(aws: Aws) -> None:
    before = [{"id": {"S": name}, "said": {"S": "before"}} for name in ("altered", "deleted")]
    for item in before:
        aws.table.put_item(TableName="table", Item=item)
    altered, deleted = ({"TableName": "table", "Key": {"id": item["id"]}} for item in before)
    update: Any = {"UpdateExpression": "SET said = :now", "ExpressionAttributeValues": {":now": {"S": "now"}}}
    never: Any = {"Key": {"id": {"S": "nobody"}}, "ConditionExpression": "attribute_exists(id)"}
    with pytest.raises(aws.table.exceptions.TransactionCanceledException):
        aws.table.transact_write_items(
            TransactItems=[
                {"Update": altered | update},
                {"Delete": deleted},
                {"Put": {"TableName": "table", "Item": ITEM}},
                {"ConditionCheck": {"TableName": "table"} | never},
            ]
        )
    assert sorted(aws.table.scan(TableName="table")["Items"], key=str) == before
