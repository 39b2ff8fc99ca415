"""moto's table, bucket, key and queue, made from the properties in our own template, so that they cannot drift."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

import boto3
import yaml
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
REGION: Final = "eu-central-1"
TABLE = "popfetch-table"
BUCKET = "popfetch-mail"


_ONE_AT_A_TIME = RLock()
_process_request = BotocoreStubber.process_request


def _process_alone(stubber: BotocoreStubber, request: "AWSPreparedRequest") -> Any:
    """A request, while no other is under way: moto looks at a condition and writes in two steps, DynamoDB in one."""
    with _ONE_AT_A_TIME:
        return _process_request(stubber, request)


BotocoreStubber.process_request = _process_alone  # type: ignore[method-assign, assignment]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as plain values."""


def _short_form(loader: yaml.Loader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _short_form)


@cache
def template_properties(logical_id: str) -> dict[str, Any]:
    """The properties of a resource of the template."""
    template = yaml.load(TEMPLATE.read_text(), _Loader)
    properties: dict[str, Any] = template["Resources"][logical_id]["Properties"]
    return properties


@dataclass(frozen=True)
class Aws:
    """The stack's storage under moto, with a client for each part."""

    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    kms: "KMSClient"
    sqs: "SQSClient"
    key_id: str
    queue_url: str
    table: str = TABLE
    bucket: str = BUCKET


@contextmanager
def aws() -> Iterator[Aws]:
    """An empty stack, with credentials that open nothing real."""
    fake = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    before = {name: os.environ.get(name) for name in fake}
    os.environ.update(fake)
    try:
        with mock_aws():
            yield _build()
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def empty(stack: Aws) -> None:
    """Take everything out of the table and the bucket, so that tests can share what is slow to build."""
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName=stack.table, ProjectionExpression="pk, sk")
    for item in [item for page in pages for item in page["Items"]]:
        stack.dynamodb.delete_item(TableName=stack.table, Key=item)
    for page in stack.s3.get_paginator("list_objects_v2").paginate(Bucket=stack.bucket):
        for found in page.get("Contents", []):
            stack.s3.delete_object(Bucket=stack.bucket, Key=found["Key"])


@cache
def _client(service: Any) -> Any:
    """A client for all tests of a process: making one takes longer than most tests."""
    return boto3.client(service)


def _build(table: str = TABLE, bucket: str = BUCKET, queue: str = "popfetch.fifo") -> Aws:
    dynamodb = _client("dynamodb")
    properties = template_properties("Table")
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    dynamodb.create_table(TableName=table, **{name: properties[name] for name in wanted})
    s3 = _client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    if "VersioningConfiguration" in template_properties("MailBucket"):
        s3.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration=template_properties("MailBucket")["VersioningConfiguration"]
        )
    kms = _client("kms")
    sqs = _client("sqs")
    fifo = {
        name: str(template_properties("FetchQueue")[name]).lower()
        if isinstance(template_properties("FetchQueue")[name], bool)
        else str(template_properties("FetchQueue")[name])
        for name in ("FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")
    }
    return Aws(
        dynamodb=dynamodb,
        s3=s3,
        kms=kms,
        sqs=sqs,
        key_id=kms.create_key()["KeyMetadata"]["KeyId"],
        queue_url=sqs.create_queue(QueueName=queue, Attributes=fifo)["QueueUrl"],
        table=table,
        bucket=bucket,
    )
