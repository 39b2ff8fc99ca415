"""Raw messages in the bucket: small ones by one PUT, large ones by a multipart upload in equal parts; and read again.

Every request carries a checksum that S3 verifies before it acknowledges, of a whole message its SHA-256, of a part its
CRC32. Encryption is the bucket's default. Calls to boto3 block, so they run in a thread of the loop's executor.
"""

import asyncio
from base64 import b64encode
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from popfetch.adapters import keys
from popfetch.adapters.download_links import download_link
from popfetch.adapters.dynamodb_items import error_code, translated
from popfetch.adapters.per_loop import PerLoop
from popfetch.ports.stored_mail import FileLink

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

CONTENT_TYPE = "message/rfc822"
PART_OCTETS = 8 * 1024 * 1024
"""The size of a part; S3 takes 10,000 of them, 80 GB."""

PARTS_UNDER_WAY = 3
"""Parts of one message that are going up at once."""

PARTS_IN_ALL = 8
"""Parts of all messages together: ten accounts with a large message each are a batch like any other."""

_room_for_all = PerLoop(lambda: asyncio.Semaphore(PARTS_IN_ALL))

NOTHING_IN_RANGE = "InvalidRange"
"""What S3 says of a range of an empty object."""

MISSING = frozenset({"NoSuchKey", "404", "AccessDenied"})
"""What S3 says of a missing object; that access is denied to whoever may not list the bucket."""


class MailBucket:
    """``MailStore`` and ``StoredMail`` on S3."""

    part_octets = PART_OCTETS

    def __init__(self, client: "S3Client", bucket_name: str) -> None:
        self._client = client
        self._bucket = bucket_name

    def key(self, owner_id: str, account_id: str, message_id: str, dated: datetime | None) -> str:
        """The key that a message lies under, by the day of its own Date header."""
        return keys.mail_object(owner_id, account_id, message_id, dated)

    async def put(self, key: str, content: bytes, sha256: bytes, metadata: dict[str, str]) -> None:
        """Store a whole message; returns when the bucket has acknowledged it. Raises StorageUnavailable.

        S3 compares what it got with ``sha256``, and keeps that as the object's checksum.
        """
        with translated("Storing a message"):
            await asyncio.to_thread(
                self._client.put_object,
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentType=CONTENT_TYPE,
                ChecksumSHA256=b64encode(sha256).decode(),
                Metadata={**metadata, "sha256": sha256.hex()},
            )

    def read(self, key: str, longest: int | None = None) -> bytes | None:
        """A message, or its first so many octets; ``None`` where it is gone.

        Raises StorageUnavailable.
        """
        with translated("Reading a message's octets"):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=key, **_leading(longest))
            except ClientError as error:
                if error_code(error) == NOTHING_IN_RANGE:
                    return b""
                if error_code(error) not in MISSING:
                    raise
                return None
            with found["Body"] as body:
                return body.read()

    def link(self, key: str, filename: str, now: datetime) -> FileLink:
        """An address of a message, byte for byte, that a browser keeps under this name. Raises StorageUnavailable."""
        return download_link(self._client, self._bucket, key, filename=filename, content_type=CONTENT_TYPE, now=now)

    async def begin_upload(self, key: str, metadata: dict[str, str]) -> "MultipartUpload":
        """Begin to store a message that is larger than ``part_octets``. Raises StorageUnavailable."""
        with translated("Beginning to store a large message"):
            answer = await asyncio.to_thread(
                self._client.create_multipart_upload,
                Bucket=self._bucket,
                Key=key,
                ContentType=CONTENT_TYPE,
                Metadata=metadata,
                ChecksumAlgorithm="CRC32",
            )
        return MultipartUpload(self._client, self._bucket, key, answer["UploadId"])


def _leading(octets: int | None) -> dict[str, Any]:
    return {} if octets is None else {"Range": f"bytes=0-{octets - 1}"}


class MultipartUpload:
    """``PartialUpload`` on S3: a few parts under way at once, each acknowledged with its checksum."""

    def __init__(self, client: "S3Client", bucket_name: str, key: str, upload_id: str) -> None:
        self._client = client
        self._bucket = bucket_name
        self._key = key
        self._upload_id = upload_id
        self._parts: list[asyncio.Task[CompletedPartTypeDef]] = []
        self._room = asyncio.Semaphore(PARTS_UNDER_WAY)

    async def write(self, part: bytes) -> None:
        """Add a part; waits while too many are under way. Raises StorageUnavailable once one has failed."""
        await self._room.acquire()
        for sent in self._parts:
            if sent.done():
                sent.result()
        room_for_all = _room_for_all.get()
        await room_for_all.acquire()
        sending = asyncio.create_task(self._send(len(self._parts) + 1, part))
        sending.add_done_callback(lambda _: room_for_all.release())
        self._parts.append(sending)

    async def _send(self, number: int, part: bytes) -> "CompletedPartTypeDef":
        try:
            with translated("Storing a part of a large message"):
                answer = await asyncio.to_thread(
                    self._client.upload_part,
                    Bucket=self._bucket,
                    Key=self._key,
                    UploadId=self._upload_id,
                    PartNumber=number,
                    Body=part,
                    ChecksumAlgorithm="CRC32",
                )
        finally:
            self._room.release()
        completed: CompletedPartTypeDef = {"PartNumber": number, "ETag": answer["ETag"]}
        if "ChecksumCRC32" in answer:
            completed["ChecksumCRC32"] = answer["ChecksumCRC32"]
        return completed

    async def complete(self) -> None:
        """Make the object exist; returns when the bucket has acknowledged it. Raises StorageUnavailable."""
        parts = await asyncio.gather(*self._parts)
        with translated("Storing a large message"):
            await asyncio.to_thread(
                self._client.complete_multipart_upload,
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._upload_id,
                MultipartUpload={"Parts": parts},
            )

    async def abort(self) -> None:
        """Leave nothing behind; what cannot be cleared now, the bucket's lifecycle clears within days."""
        await asyncio.gather(*self._parts, return_exceptions=True)
        try:
            await asyncio.to_thread(
                self._client.abort_multipart_upload, Bucket=self._bucket, Key=self._key, UploadId=self._upload_id
            )
        except (ClientError, BotoCoreError):
            return
