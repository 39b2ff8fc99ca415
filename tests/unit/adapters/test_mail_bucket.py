import asyncio
from hashlib import sha256
from threading import Lock
from typing import Any

import pytest

from popfetch.adapters import mail_bucket
from popfetch.adapters.mail_bucket import PART_OCTETS, MailBucket
from popfetch.adapters.per_loop import PerLoop
from popfetch.domain.errors import StorageUnavailable
from tests.builders.aws import Aws


@pytest.fixture
def bucket(aws: Aws) -> MailBucket:
    return MailBucket(aws.s3, aws.bucket)


async def test_a_message_is_stored_with_type_and_metadata(aws: Aws, bucket: MailBucket) -> None:
    octets = b"octets\x00\xff"
    await bucket.put("mail/a/b/undated/1.eml", octets, sha256(octets).digest(), {"uid": "1"})
    found = aws.s3.get_object(Bucket=aws.bucket, Key="mail/a/b/undated/1.eml")
    assert found["Body"].read() == octets
    assert found["ContentType"] == "message/rfc822"
    assert found["Metadata"] == {"uid": "1", "sha256": sha256(octets).hexdigest()}


async def test_a_large_message_exists_only_once_it_is_complete(aws: Aws, bucket: MailBucket) -> None:
    parts = [b"a" * PART_OCTETS, b"b" * PART_OCTETS, b"c" * 10]
    upload = await bucket.begin_upload("mail/large", {"uid": "1"})
    for part in parts:
        await upload.write(part)
    assert "Contents" not in aws.s3.list_objects_v2(Bucket=aws.bucket)
    await upload.complete()
    assert aws.s3.get_object(Bucket=aws.bucket, Key="mail/large")["Body"].read() == b"".join(parts)


async def test_an_aborted_message_leaves_nothing(aws: Aws, bucket: MailBucket) -> None:
    upload = await bucket.begin_upload("mail/large", {})
    await upload.write(b"a" * PART_OCTETS)
    await upload.abort()
    await upload.abort()
    assert "Uploads" not in aws.s3.list_multipart_uploads(Bucket=aws.bucket)
    assert "Contents" not in aws.s3.list_objects_v2(Bucket=aws.bucket)


async def test_a_part_that_failed_fails_the_message(aws: Aws, bucket: MailBucket) -> None:
    upload = await bucket.begin_upload("mail/large", {})
    await upload.write(b"too small to be a part that others follow")
    await upload.write(b"the last")
    with pytest.raises(StorageUnavailable):
        await upload.complete()


async def test_a_bucket_that_is_gone_is_storage_unavailable(aws: Aws) -> None:
    with pytest.raises(StorageUnavailable, match="NoSuchBucket"):
        await MailBucket(aws.s3, "no-such-bucket").put("k", b"", sha256().digest(), {})


async def test_of_all_large_messages_together_a_few_parts_go_up_at_once(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn, at_once, most = Lock(), 0, 0
    upload_part = aws.s3.upload_part

    def counted(**request: Any) -> Any:
        nonlocal at_once, most
        with turn:
            at_once += 1
            most = max(most, at_once)
        try:
            return upload_part(**request)
        finally:
            with turn:
                at_once -= 1

    monkeypatch.setattr(aws.s3, "upload_part", counted)
    monkeypatch.setattr(mail_bucket, "_room_for_all", PerLoop(lambda: asyncio.Semaphore(1)))
    bucket = MailBucket(aws.s3, aws.bucket)

    async def store(number: int) -> None:
        upload = await bucket.begin_upload(f"mail/large-{number}.eml", {})
        for _ in range(2):
            await upload.write(b"x" * PART_OCTETS)
        await upload.complete()

    await asyncio.gather(*map(store, range(2)))
    assert most == 1
    assert len(aws.s3.list_objects_v2(Bucket=aws.bucket)["Contents"]) == 2
