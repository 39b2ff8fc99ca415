"""Clients of AWS services as functions have them."""

from urllib.parse import parse_qs, urlsplit

import pytest

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
