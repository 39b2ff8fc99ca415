"""Clients of AWS services as functions have them."""

from io import BytesIO
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

from popfetch.adapters.uploads import UploadBucket
from popfetch.runtime.aws_clients import aws_client
from tests.builders.accounts import NOON, OWNER
from tests.builders.wiring import forget_wiring


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-1"])
def test_an_address_for_an_upload_binds_its_length_in_every_region(
    monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    forget_wiring()
    url = UploadBucket(aws_client("s3"), "bucket").offer(OWNER, 5, NOON).url
    forget_wiring()
    assert "content-length" in parse_qs(urlsplit(url).query)["X-Amz-SignedHeaders"][0].split(";")


@pytest.mark.parametrize("service", ["sqs", "dynamodb"])
def test_requests_carry_the_trace_of_the_invocation_so_that_a_queue_hands_it_on(
    monkeypatch: pytest.MonkeyPatch, service: Literal["sqs", "dynamodb"]
) -> None:
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_LAMBDA_FUNCTION_NAME": "dispatch",
        "_X_AMZN_TRACE_ID": trace,
    }.items():
        monkeypatch.setenv(name, value)
    sent: list[str] = []

    def to_str(value: str | bytes) -> str:
        return value if isinstance(value, str) else value.decode()

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        sent.append(to_str(request.headers["X-Amzn-Trace-Id"]))
        raw = HTTPResponse(BytesIO(b"{}"), preload_content=False)
        return AWSResponse(request.url, 200, HTTPHeaders(), raw)

    forget_wiring()
    client = aws_client(service)
    client.meta.events.register(f"before-send.{service}", answer)
    if service == "sqs":
        client.send_message(QueueUrl="https://sqs.eu-central-1.amazonaws.com/1/a", MessageBody="b")
    else:
        client.list_tables()
    forget_wiring()
    assert sent == [trace]
