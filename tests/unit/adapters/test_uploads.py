"""Files that owners put into the bucket: an address for one size, and read back by their owner alone."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from popfetch.adapters import keys
from popfetch.adapters.uploads import UploadBucket
from popfetch.domain.errors import InvalidMail
from tests.builders.accounts import NOON, OTHER_OWNER, OWNER
from tests.builders.aws import Aws


def test_an_offer_is_signed_for_one_object_of_one_size(aws: Aws) -> None:
    offer = UploadBucket(aws.s3, aws.bucket).offer(OWNER, 5, NOON)
    address = urlsplit(offer.url)
    query = parse_qs(address.query)
    assert address.path.endswith(f"/uploads/{OWNER}/{offer.upload_id}")
    assert query["X-Amz-Expires"] == ["900"]
    assert set(query["X-Amz-SignedHeaders"][0].split(";")) == {"content-length", "content-type", "host"}


def test_offers_differ(aws: Aws) -> None:
    uploads = UploadBucket(aws.s3, aws.bucket)
    assert uploads.offer(OWNER, 5, NOON).upload_id != uploads.offer(OWNER, 5, NOON).upload_id


def test_an_upload_is_read_by_its_owner(aws: Aws) -> None:
    uploads = UploadBucket(aws.s3, aws.bucket)
    upload_id = uploads.offer(OWNER, 5, NOON).upload_id
    aws.s3.put_object(Bucket=aws.bucket, Key=keys.upload_object(OWNER, upload_id), Body=b"large")
    assert asyncio.run(uploads.read(OWNER, upload_id, 5)) == b"large"
    with pytest.raises(InvalidMail, match="no upload"):
        asyncio.run(uploads.read(OTHER_OWNER, upload_id, 5))


def test_one_that_is_too_large_is_not_read(aws: Aws) -> None:
    uploads = UploadBucket(aws.s3, aws.bucket)
    aws.s3.put_object(Bucket=aws.bucket, Key=keys.upload_object(OWNER, "x" * 22), Body=b"larger")
    with pytest.raises(InvalidMail, match="too large"):
        asyncio.run(uploads.read(OWNER, "x" * 22, 5))


@pytest.mark.parametrize("upload_id", ["", "x", "../" * 7 + "x", "x" * 21 + "/", "x" * 23, "\r\n" * 11])
def test_what_is_no_upload_reaches_no_key(aws: Aws, upload_id: str) -> None:
    with pytest.raises(InvalidMail):
        asyncio.run(UploadBucket(aws.s3, "no-such-bucket").read(OWNER, upload_id, 5))
