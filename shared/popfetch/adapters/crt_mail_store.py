"""Raw messages into the bucket by the AWS Common Runtime (CRT): what cycles store with.

A put through boto3 takes several times the processor time of all else that is done with a message; the CRT's client, in
C and with a thread of its own, takes an eighth of that. It signs, keeps connections and retries by itself. Messages
larger than a part go up in parts through boto3: they are rare, and their processor time is in their octets.
"""

import asyncio
import io
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from popfetch.adapters import keys
from popfetch.adapters.bucket_place import BucketPlace, SigningKey
from popfetch.adapters.mail_bucket import CONTENT_TYPE, PART_OCTETS, MailBucket, MultipartUpload
from popfetch.domain.errors import StorageUnavailable

if TYPE_CHECKING:
    from awscrt.s3 import S3Client, S3Request

CONNECTIONS = 48
"""Puts that are under way at once."""

PUT_SECONDS = 30.0
"""The longest that one put takes, with up to five retries by the CRT."""

CANCELLED_WITHIN_SECONDS = 2.0


class CrtMailStore:
    """``MailStore`` on S3. ``bucket`` is asked for when the first large message comes, ``signing_key`` at each put."""

    part_octets = PART_OCTETS

    def __init__(
        self, place: BucketPlace, signing_key: Callable[[], SigningKey], bucket: Callable[[], MailBucket]
    ) -> None:
        self._place = place
        self._signing_key = signing_key
        self._bucket = bucket

    def key(self, owner_id: str, account_id: str, message_id: str, dated: datetime | None) -> str:
        """The key that a message lies under, by the day of its own Date header."""
        return keys.mail_object(owner_id, account_id, message_id, dated)

    async def begin_upload(self, key: str, metadata: dict[str, str]) -> MultipartUpload:
        """Begin to store a message that is larger than ``part_octets``. Raises StorageUnavailable."""
        return await self._bucket().begin_upload(key, metadata)

    async def put(self, key: str, content: bytes, sha256: bytes, metadata: dict[str, str]) -> None:
        """Store a whole message; returns when the bucket has acknowledged it. Raises StorageUnavailable.

        S3 compares what it got with ``sha256``, and keeps that as the object's checksum.
        """
        try:
            request = self._begin(key, content, sha256, metadata)
            finished = asyncio.wrap_future(request.finished_future)
            try:
                # Whoever stops waiting must not cancel the future that the CRT is still to complete.
                async with asyncio.timeout(PUT_SECONDS):
                    await asyncio.shield(finished)
            finally:
                if not finished.done():
                    request.cancel()
                    # Nothing of it may arrive once this has returned.
                    await asyncio.wait([finished], timeout=CANCELLED_WITHIN_SECONDS)
        except TimeoutError as error:
            raise _unavailable("Timeout") from error
        except Exception as error:
            # The CRT names its own errors, and has those of the system as what Python calls them: BrokenPipeError.
            raise _unavailable(_reason(error)) from error

    def _begin(self, key: str, content: bytes, sha256: bytes, metadata: dict[str, str]) -> "S3Request":
        from awscrt.http import HttpHeaders, HttpRequest
        from awscrt.s3 import S3RequestType

        headers = HttpHeaders(
            [
                ("Host", self._place.host),
                ("Content-Length", str(len(content))),
                ("Content-Type", CONTENT_TYPE),
                ("x-amz-checksum-sha256", b64encode(sha256).decode()),
                *((f"x-amz-meta-{name}", value) for name, value in {**metadata, "sha256": sha256.hex()}.items()),
            ]
        )
        request = HttpRequest("PUT", self._place.path(key), headers, io.BytesIO(content))
        return self._client.make_request(type=S3RequestType.PUT_OBJECT, request=request)

    @cached_property
    def _client(self) -> "S3Client":
        # Made, and imported, when the first message comes: a poll that finds nothing new needs none of it.
        from awscrt.auth import AwsCredentials, AwsCredentialsProvider
        from awscrt.io import ClientBootstrap, DefaultHostResolver, EventLoopGroup
        from awscrt.s3 import S3Client, S3RequestTlsMode, create_default_s3_signing_config

        def credentials() -> AwsCredentials:
            key = self._signing_key()
            return AwsCredentials(key.access_key, key.secret_key, key.token)

        loops = EventLoopGroup(1)
        return S3Client(
            bootstrap=ClientBootstrap(loops, DefaultHostResolver(loops)),
            region=self._place.region,
            tls_mode=S3RequestTlsMode.ENABLED if self._place.is_secure else S3RequestTlsMode.DISABLED,
            signing_config=create_default_s3_signing_config(
                region=self._place.region, credential_provider=AwsCredentialsProvider.new_delegate(credentials)
            ),
            part_size=PART_OCTETS,
            # What is put here is never in parts: the octets are in memory, and their checksum covers all of them.
            multipart_upload_threshold=2 * PART_OCTETS,
            throughput_target_gbps=1,
            max_active_connections_override=CONNECTIONS,
        )


def _reason(error: Exception) -> str:
    """What S3 says is wrong, or else what the CRT calls it."""
    body: bytes = getattr(error, "body", None) or b""
    code = body.partition(b"<Code>")[2].partition(b"</Code>")[0]
    return code.decode("ascii", "replace")[:80] or str(getattr(error, "name", type(error).__name__))


def _unavailable(reason: str) -> StorageUnavailable:
    return StorageUnavailable(f"Storing a message failed ({reason}); it is tried again with the next request.")
