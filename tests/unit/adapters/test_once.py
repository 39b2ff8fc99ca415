"""Remembering what was done: once means once, a failure means not yet, and what is done stays done."""

import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyPersistenceLayerError

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import from_wire, to_wire
from popfetch.adapters.once import OnceTable
from popfetch.domain.errors import KeyReused, MailUnavailable, StorageUnavailable, UnderWay
from tests.builders.aws import Aws

NAME = "aaaaaaaaaaaaaaaaaaa3#2026-11-23T12:00:00+00:00"
KEPT_FOR = timedelta(days=30)


def a_table(aws: Aws, *, table: str = "", milliseconds: int = 60_000, partition: str = keys.NOTICES) -> OnceTable:
    """As a new invocation would have it."""
    context: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: milliseconds)
    return OnceTable(
        aws.dynamodb, table or aws.table, context, partition=partition, prefix=keys.NOTICE, kept_for=KEPT_FOR
    )


def items(aws: Aws) -> list[dict[str, Any]]:
    found = aws.dynamodb.query(
        TableName=aws.table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=to_wire({":pk": keys.NOTICES}),
    )
    return [from_wire(item) for item in found["Items"]]


def unexpected() -> str:
    raise AssertionError("done again")


def test_what_was_done_is_not_done_again_and_has_the_same_result(aws: Aws) -> None:
    assert a_table(aws).once(NAME, lambda: "m1") == ("m1", True)
    assert a_table(aws).once(NAME, unexpected) == ("m1", False)


def test_another_name_is_another(aws: Aws) -> None:
    a_table(aws).once(NAME, lambda: "m1")
    assert a_table(aws).once(f"{NAME}x", lambda: "m2") == ("m2", True)


def test_another_partition_is_another(aws: Aws) -> None:
    a_table(aws).once(NAME, lambda: "m1")
    assert a_table(aws, partition=keys.account_partition("a" * 20)).once(NAME, lambda: "m2") == ("m2", True)


def test_the_same_name_for_something_else_is_refused(aws: Aws) -> None:
    a_table(aws).once(NAME, lambda: "m1", "this")
    with pytest.raises(KeyReused):
        a_table(aws).once(NAME, unexpected, "that")
    assert a_table(aws).once(NAME, unexpected, "this") == ("m1", False)


def test_what_failed_is_not_remembered(aws: Aws) -> None:
    def fail() -> str:
        raise MailUnavailable("busy")

    with pytest.raises(MailUnavailable):
        a_table(aws).once(NAME, fail)
    assert items(aws) == []
    assert a_table(aws).once(NAME, lambda: "m1") == ("m1", True)


def test_what_is_remembered_names_nobody_and_expires(aws: Aws) -> None:
    a_table(aws).once(NAME, lambda: "m1")
    (item,) = items(aws)
    assert item["sk"].startswith(f"{keys.NOTICE}#")
    assert NAME not in str(item)
    assert item[keys.EXPIRES_AT] == pytest.approx(time.time() + KEPT_FOR.total_seconds(), abs=60)


def test_of_two_at_once_one_does_it(aws: Aws) -> None:
    def meanwhile() -> str:
        with pytest.raises(UnderWay):
            a_table(aws).once(NAME, unexpected)
        return "m1"

    assert a_table(aws).once(NAME, meanwhile) == ("m1", True)


def test_an_invocation_that_died_leaves_the_name_free_once_its_time_is_over(aws: Aws) -> None:
    def die() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        a_table(aws, milliseconds=-1).once(NAME, die)
    assert a_table(aws).once(NAME, lambda: "m1") == ("m1", True)


def test_what_is_done_stays_done_though_it_cannot_be_noted(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    table = a_table(aws)

    def fail(*_: object, **__: object) -> None:
        raise IdempotencyPersistenceLayerError("no")

    monkeypatch.setattr(table._layer, "save_success", fail)
    assert table.once(NAME, lambda: "m1") == ("m1", True)


def test_a_table_that_does_not_answer_is_to_be_asked_again(aws: Aws) -> None:
    with pytest.raises(StorageUnavailable):
        a_table(aws, table="no-such-table").once(NAME, unexpected)
