"""The meter counts as DynamoDB, S3, SQS and EventBridge bill."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.bench.metered_aws import Metered
from tests.bench.metering import Meter, index_writes, read_units, size_of, whole, write_units, written_keys
from tests.builders.aws import template_properties

KEY = {"pk": {"S": "OWNER#1"}, "sk": {"S": "ACCOUNT#2"}}
ON_THE_WHEEL = {**KEY, "wheel_slot": {"S": "5#1#0"}, "wheel_order": {"S": "1#000000#2"}}


def test_an_item_is_its_names_and_values() -> None:
    assert size_of({"pk": {"S": "Ä"}}) == 2 + 2
    assert size_of({"n": {"N": "0"}}) == 1 + 1
    assert size_of({"n": {"N": "-1200"}}) == 1 + 2
    assert size_of({"n": {"N": "12345"}}) == 1 + 4
    assert size_of({"b": {"B": "AAAA"}}) == size_of({"b": {"B": b"abc"}}) == 1 + 3
    assert size_of({"t": {"BOOL": True}, "z": {"NULL": True}}) == 4
    assert size_of({"m": {"M": {"a": {"S": "bc"}}}}) == 1 + 3 + 1 + 1 + 2
    assert size_of({"l": {"L": [{"S": "a"}, {"S": "b"}]}}) == 1 + 3 + 2 * 2
    assert size_of({"s": {"SS": ["ab", "c"]}}) == 1 + 3


@pytest.mark.parametrize(("octets", "units"), [(0, 1), (1, 1), (1024, 1), (1025, 2), (2760, 3)])
def test_a_write_takes_a_unit_for_each_kilobyte(octets: int, units: int) -> None:
    assert write_units(octets) == units


@pytest.mark.parametrize(("octets", "units"), [(0, 1), (4096, 1), (4097, 2)])
def test_a_read_takes_a_unit_for_each_four_and_half_of_it_where_it_may_be_old(octets: int, units: int) -> None:
    assert read_units(octets, consistent=True) == units
    assert read_units(octets, consistent=False) == units / 2


@pytest.mark.parametrize(
    ("before", "after", "writes"),
    [
        (None, KEY, 0),
        (KEY, KEY, 0),
        (None, ON_THE_WHEEL, 1),
        (ON_THE_WHEEL, ON_THE_WHEEL, 0),
        (ON_THE_WHEEL, {**ON_THE_WHEEL, "name": {"S": "other"}}, 0),
        (ON_THE_WHEEL, {**ON_THE_WHEEL, "wheel_slot": {"S": "1#0#0"}}, 2),
        (ON_THE_WHEEL, None, 1),
    ],
)
def test_the_index_is_written_where_its_keys_change(before: Any, after: Any, writes: int) -> None:
    assert index_writes(before, after) == writes


def test_the_index_has_keys_alone_as_the_meter_takes_it_to_have() -> None:
    (index,) = template_properties("Table")["GlobalSecondaryIndexes"]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_a_transaction_takes_twice_as_much_and_the_larger_of_before_and_after() -> None:
    meter = Meter()
    large = {**KEY, "a": {"S": "x" * 1100}}
    meter.writes("TransactWriteItems", [None, KEY], [KEY, large])
    assert meter.units["dynamodb.write"] == 2 + 4
    meter.writes("DeleteItem", [large], [None])
    assert meter.units["dynamodb.write"] == 6 + 2


def test_a_query_adds_up_what_it_read() -> None:
    meter = Meter()
    meter.reads("Query", {"ConsistentRead": True}, {"Items": [{**KEY, "a": {"S": "x" * 2000}}] * 3})
    assert meter.units["dynamodb.read"] == 2
    meter.reads("BatchGetItem", {"RequestItems": {"t": {"Keys": [KEY] * 3}}}, {"Responses": {"t": [KEY]}})
    assert meter.units["dynamodb.read"] == 2 + 1.5


@pytest.mark.parametrize(
    ("method", "query", "operation", "puts"),
    [
        ("PUT", "", "PutObject", 1),
        ("POST", "uploads", "CreateMultipartUpload", 1),
        ("PUT", "partNumber=1&uploadId=u", "UploadPart", 1),
        ("POST", "uploadId=u", "CompleteMultipartUpload", 1),
        ("DELETE", "uploadId=u", "AbortMultipartUpload", 0),
        ("GET", "list-type=2", "List", 1),
        ("GET", "", "GetObject", 0),
        ("POST", "delete", "Delete", 0),
    ],
)
def test_requests_to_s3_are_told_apart(method: str, query: str, operation: str, puts: int) -> None:
    meter = Meter()
    meter.s3(method, query)
    assert meter.requests == {f"s3.{operation}": 1}
    assert meter.units["s3.put"] == puts


def test_large_events_and_queue_messages_count_by_64_kilobytes() -> None:
    meter = Meter()
    meter.events("PutEvents", {"Entries": [{"Detail": "x"}, {"Detail": "x" * 65536, "Source": "popfetch"}]})
    meter.sqs("SendMessageBatch", 65537)
    assert (meter.units["events.custom"], meter.units["sqs.fifo"]) == (3, 2)


def test_what_a_request_writes_is_found_in_each_form() -> None:
    assert written_keys("PutItem", {"Item": KEY}) == [KEY]
    assert written_keys("UpdateItem", {"Key": KEY}) == [KEY]
    batch = {"RequestItems": {"t": [{"PutRequest": {"Item": KEY}}, {"DeleteRequest": {"Key": KEY}}]}}
    assert written_keys("BatchWriteItem", batch) == [KEY, KEY]
    assert written_keys("TransactWriteItems", {"TransactItems": [{"Put": {"Item": KEY}}]}) == [KEY]
    assert written_keys("Query", {}) == []


def test_what_a_projection_leaves_out_is_read_all_the_same() -> None:
    asked = {"KeyConditionExpression": "pk = :p", "ProjectionExpression": "#s", "ExpressionAttributeNames": {"#s": "x"}}
    assert json.loads(whole(asked)) == {"KeyConditionExpression": "pk = :p"}


class TestTheServer:
    @contextmanager
    def asked(self, metered: Metered, **environ: Any) -> Iterator[tuple[str, bytes]]:
        said = []
        usual = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "QUERY_STRING": ""}
        body = b"".join(metered({**usual, **environ}, lambda status, _: said.append(status)))
        yield said[0], body

    def test_it_passes_on_counts_and_begins_anew_once_it_told(self) -> None:
        def inner(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            start_response("200 OK", [])
            return [environ["REQUEST_METHOD"].encode()]

        metered = Metered(inner, lambda *_: None)
        with self.asked(metered, REQUEST_METHOD="PUT") as (status, body):
            assert (status, body) == ("200 OK", b"PUT")
        with self.asked(metered, PATH_INFO="/_meter") as (_, body):
            assert json.loads(body)["units"] == {"s3.put": 1}
        with self.asked(metered, PATH_INFO="/_meter") as (_, body):
            assert json.loads(body)["units"] == {}
