"""Erasing what an account leaves behind: all of it, nothing else, and within the time that is given."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from popfetch.adapters import keys
from popfetch.adapters.account_remains import AccountRemains
from popfetch.adapters.dynamodb_items import to_wire
from popfetch.domain.errors import StorageUnavailable
from tests.builders.accounts import NOON, OTHER_OWNER, OWNER, an_account_id
from tests.builders.aws import Aws, aws, empty

MINE, OTHER = an_account_id(1), an_account_id(2)
LATER = NOON + timedelta(minutes=1)


class TickingClock:
    """A clock that moves on by ``step`` whenever it is looked at."""

    def __init__(self, step: timedelta = timedelta(0)) -> None:
        self.now = NOON
        self.step = step

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


@pytest.fixture(scope="module")
def built() -> Iterator[Aws]:
    with aws() as stack:
        yield stack


@pytest.fixture
def stack(built: Aws) -> Aws:
    empty(built)
    return built


def remains(stack: Aws, clock: TickingClock | None = None) -> AccountRemains:
    return AccountRemains(
        stack.dynamodb, stack.table, stack.s3, stack.bucket, clock=clock or TickingClock(), sleep=lambda _: None
    )


def put(stack: Aws, key: keys.Key, **attributes: Any) -> None:
    stack.dynamodb.put_item(TableName=stack.table, Item=to_wire({**key, **attributes}))


def put_records(stack: Aws, account_id: str, messages: int = 60, filler: bytes = b"") -> None:
    put(stack, keys.fresh_segment(account_id, 1), entries=b"x")
    put(stack, keys.packed_segment(account_id, 0), entries=b"x")
    put(stack, keys.quarantined(account_id, b"print"), reason="too odd")
    put(stack, keys.finished_cycle(account_id, NOON, "cycle"), stored=1)
    put(stack, keys.grant(account_id, "grant"), refresh_token=b"sealed")
    for number in range(messages):
        put(stack, keys.message(account_id, f"m{number:05d}"), filler=filler)


def put_mail(stack: Aws, owner_id: str, account_id: str, messages: int = 3) -> None:
    for number in range(messages):
        stack.s3.put_object(
            Bucket=stack.bucket, Key=keys.mail_object(owner_id, account_id, f"m{number}", NOON), Body=b"Subject: x"
        )


def records_of(stack: Aws, account_id: str) -> int:
    return sum(
        item["pk"]["S"] in {keys.account_partition(account_id), keys.grants_partition(account_id)}
        for page in stack.dynamodb.get_paginator("scan").paginate(TableName=stack.table)
        for item in page["Items"]
    )


def mail_of(stack: Aws, owner_id: str, account_id: str) -> int:
    pages = stack.s3.get_paginator("list_objects_v2").paginate(
        Bucket=stack.bucket, Prefix=keys.mail_prefix(owner_id, account_id)
    )
    return sum(len(page.get("Contents", [])) for page in pages)


class TestRecords:
    def test_everything_of_the_account_goes_and_nothing_of_another(self, stack: Aws) -> None:
        put_records(stack, MINE)
        put_records(stack, OTHER, messages=2)
        put(stack, keys.account(OWNER, MINE), name="in the owner's partition")
        assert remains(stack).erase_records(MINE, LATER)
        assert records_of(stack, MINE) == 0
        assert records_of(stack, OTHER) == 7
        assert "Item" in stack.dynamodb.get_item(TableName=stack.table, Key=to_wire(keys.account(OWNER, MINE)))

    def test_many_pages_go(self, stack: Aws) -> None:
        put_records(stack, MINE, messages=12, filler=b"x" * 300_000)  # a page is 1 MB at most
        assert remains(stack).erase_records(MINE, LATER)
        assert records_of(stack, MINE) == 0

    def test_erasing_again_does_nothing(self, stack: Aws) -> None:
        assert remains(stack).erase_records(MINE, LATER)
        assert remains(stack).erase_records(MINE, LATER)

    def test_it_stops_when_time_is_up_and_goes_on_the_next_time(self, stack: Aws) -> None:
        put_records(stack, MINE, messages=200)
        hurried = remains(stack, TickingClock(step=timedelta(seconds=10)))
        assert not hurried.erase_records(MINE, LATER)
        left = records_of(stack, MINE)
        assert 0 < left < 204
        assert not remains(stack).erase_records(MINE, NOON)
        assert records_of(stack, MINE) == left
        assert remains(stack).erase_records(MINE, LATER)
        assert records_of(stack, MINE) == 0

    def test_what_the_table_puts_off_is_tried_again(self, stack: Aws) -> None:
        key = to_wire(keys.message(MINE, "m1"))
        put_off = {stack.table: [{"DeleteRequest": {"Key": key}}]}
        pauses: list[float] = []
        with Stubber(stack.dynamodb) as stub:
            stub.add_response("query", {"Items": []})  # no tokens
            stub.add_response("query", {"Items": [key]})
            stub.add_response("batch_write_item", {"UnprocessedItems": put_off}, {"RequestItems": put_off})
            stub.add_response("batch_write_item", {"UnprocessedItems": put_off}, {"RequestItems": put_off})
            stub.add_response("batch_write_item", {"UnprocessedItems": {}}, {"RequestItems": put_off})
            erasing = AccountRemains(
                stack.dynamodb, stack.table, stack.s3, stack.bucket, clock=TickingClock(), sleep=pauses.append
            )
            assert erasing.erase_records(MINE, LATER)
            stub.assert_no_pending_responses()
        assert pauses == sorted(pauses)
        assert len(pauses) == 2

    def test_a_table_that_puts_off_for_ever_is_given_up_in_time(self, stack: Aws) -> None:
        key = to_wire(keys.message(MINE, "m1"))
        clock = TickingClock(step=timedelta(seconds=11))
        with Stubber(stack.dynamodb) as stub:
            stub.add_response("query", {"Items": []})  # no tokens
            stub.add_response("query", {"Items": [key]})
            for _ in range(10):
                stub.add_response(
                    "batch_write_item", {"UnprocessedItems": {stack.table: [{"DeleteRequest": {"Key": key}}]}}
                )
            assert not remains(stack, clock).erase_records(MINE, LATER)

    def test_a_failing_table_is_storage_unavailable(self, stack: Aws) -> None:
        elsewhere = AccountRemains(stack.dynamodb, "no-such-table", stack.s3, "no-such-bucket", clock=TickingClock())
        with pytest.raises(StorageUnavailable):
            elsewhere.erase_records(MINE, LATER)
        with pytest.raises(StorageUnavailable):
            elsewhere.erase_mail(OWNER, MINE, LATER)


class TestMail:
    def test_the_accounts_mail_goes_and_no_other(self, stack: Aws) -> None:
        put_mail(stack, OWNER, MINE, 5)
        put_mail(stack, OWNER, OTHER)
        put_mail(stack, OTHER_OWNER, MINE)
        assert remains(stack).erase_mail(OWNER, MINE, LATER)
        assert mail_of(stack, OWNER, MINE) == 0
        assert mail_of(stack, OWNER, OTHER) == 3
        assert mail_of(stack, OTHER_OWNER, MINE) == 3

    def test_more_than_one_listing_goes(self, stack: Aws) -> None:
        put_mail(stack, OWNER, MINE, 1005)
        assert remains(stack).erase_mail(OWNER, MINE, LATER)
        assert mail_of(stack, OWNER, MINE) == 0

    def test_it_stops_when_time_is_up(self, stack: Aws) -> None:
        put_mail(stack, OWNER, MINE)
        assert not remains(stack).erase_mail(OWNER, MINE, NOON)
        assert mail_of(stack, OWNER, MINE) == 3

    def test_what_the_bucket_did_not_delete_is_tried_again(self, stack: Aws) -> None:
        def deleting(*names: str) -> dict[str, Any]:
            wanted = {"Objects": [{"Key": name} for name in names], "Quiet": True}
            return {"Bucket": stack.bucket, "Delete": wanted}

        with Stubber(stack.s3) as stub:
            stub.add_response("list_objects_v2", {"Contents": [{"Key": "a"}, {"Key": "b"}], "IsTruncated": False})
            stub.add_response(
                "delete_objects", {"Errors": [{"Key": "b", "Code": "SlowDown", "Message": ""}]}, deleting("a", "b")
            )
            stub.add_response("delete_objects", {}, deleting("b"))
            assert remains(stack).erase_mail(OWNER, MINE, LATER)
            stub.assert_no_pending_responses()
