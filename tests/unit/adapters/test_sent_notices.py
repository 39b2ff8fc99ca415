"""Remembering what was sent: once means once, and a failure means not yet."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import from_wire, to_wire
from popfetch.adapters.sent_notices import KEPT_FOR, SentNoticesTable
from popfetch.domain.errors import MailUnavailable, NoticeUnderWay, StorageUnavailable
from tests.builders.aws import Aws

NOTICE = "aaaaaaaaaaaaaaaaaaa3#2026-11-23T12:00:00+00:00"


def sent_notices(aws: Aws, table: str = "", milliseconds: int = 60_000) -> SentNoticesTable:
    """As a new invocation would have them."""
    layer = DynamoDBPersistenceLayer(
        table_name=table or aws.table,
        key_attr=keys.PARTITION,
        sort_key_attr=keys.SORT,
        static_pk_value=keys.NOTICES,
        expiry_attr=keys.EXPIRES_AT,
        boto3_client=aws.dynamodb,
    )
    context: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: milliseconds)
    return SentNoticesTable(layer, context)


def items(aws: Aws) -> list[dict[str, Any]]:
    found = aws.dynamodb.query(
        TableName=aws.table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=to_wire({":pk": keys.NOTICES}),
    )
    return [from_wire(item) for item in found["Items"]]


def unexpected() -> str:
    raise AssertionError("sent again")


def test_a_notice_is_sent_once_whoever_asks(aws: Aws) -> None:
    assert sent_notices(aws).once(NOTICE, lambda: "m1") == "m1"
    assert sent_notices(aws).once(NOTICE, unexpected) is None


def test_another_notice_is_another(aws: Aws) -> None:
    sent_notices(aws).once(NOTICE, lambda: "m1")
    assert sent_notices(aws).once(f"{NOTICE}x", lambda: "m2") == "m2"


def test_a_failed_notice_is_not_remembered(aws: Aws) -> None:
    def fail() -> str:
        raise MailUnavailable("busy")

    with pytest.raises(MailUnavailable):
        sent_notices(aws).once(NOTICE, fail)
    assert items(aws) == []
    assert sent_notices(aws).once(NOTICE, lambda: "m1") == "m1"


def test_what_is_remembered_names_nobody_and_expires_after_the_dead_letters(aws: Aws) -> None:
    sent_notices(aws).once(NOTICE, lambda: "m1")
    (item,) = items(aws)
    assert item["sk"].startswith(f"{keys.NOTICE}#")
    assert NOTICE not in str(item)
    assert item[keys.EXPIRES_AT] == pytest.approx(time.time() + KEPT_FOR.total_seconds(), abs=60)
    assert KEPT_FOR.days > 14


def test_two_at_once_send_one(aws: Aws) -> None:
    def meanwhile() -> str:
        with pytest.raises(NoticeUnderWay):
            sent_notices(aws).once(NOTICE, unexpected)
        return "m1"

    assert sent_notices(aws).once(NOTICE, meanwhile) == "m1"


def test_an_invocation_that_died_leaves_the_notice_free_once_its_time_is_over(aws: Aws) -> None:
    def die() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sent_notices(aws, milliseconds=0).once(NOTICE, die)
    time.sleep(0.01)
    assert sent_notices(aws).once(NOTICE, lambda: "m1") == "m1"


def test_a_table_that_does_not_answer_is_to_be_asked_again(aws: Aws) -> None:
    with pytest.raises(StorageUnavailable):
        sent_notices(aws, table="no-such-table").once(NOTICE, unexpected)
