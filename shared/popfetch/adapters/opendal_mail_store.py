"""Raw messages into the bucket by Apache OpenDAL: what cycles store with.

A put through boto3 takes several times the processor time of all else that is done with a message; OpenDAL's client, in
Rust and with threads of its own, takes a tenth of that. It signs, sums, keeps connections and asks again by itself.
Messages larger than a part go up in parts through boto3: they are rare, and their processor time is in their octets.
"""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from popfetch.adapters import keys
from popfetch.adapters.bucket_place import BucketPlace, SigningKey
from popfetch.adapters.mail_bucket import CONTENT_TYPE, PART_OCTETS, MailBucket, MultipartUpload
from popfetch.domain.errors import StorageUnavailable

if TYPE_CHECKING:
    from opendal import AsyncOperator

PUT_SECONDS = 30.0
"""The longest that one put takes, all its attempts together."""

ATTEMPT_SECONDS = 12.0
"""The longest that one attempt takes."""

RETRIES = 4
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 3.0
"""Seconds before an attempt is repeated; they double, and vary, so that many puts do not come back at once."""

CONNECTIONS = 48
"""Puts that are under way at once."""


class OpendalMailStore:
    """``MailStore`` on S3. ``bucket`` is asked for when the first large message comes, ``signing_key`` at each put."""

    part_octets = PART_OCTETS

    def __init__(
        self, place: BucketPlace, signing_key: Callable[[], SigningKey], bucket: Callable[[], MailBucket]
    ) -> None:
        self._place = place
        self._signing_key = signing_key
        self._bucket = bucket
        self._signed: tuple[SigningKey, AsyncOperator] | None = None

    def key(self, owner_id: str, account_id: str, message_id: str, dated: datetime | None) -> str:
        """The key that a message lies under, by the day of its own Date header."""
        return keys.mail_object(owner_id, account_id, message_id, dated)

    async def begin_upload(self, key: str, metadata: dict[str, str]) -> MultipartUpload:
        """Begin to store a message that is larger than ``part_octets``. Raises StorageUnavailable."""
        return await self._bucket().begin_upload(key, metadata)

    async def put(self, key: str, content: bytes, sha256: bytes, metadata: dict[str, str]) -> None:
        """Store a whole message; returns when the bucket has acknowledged it. Raises StorageUnavailable.

        S3 compares what it got with its CRC-32C, and keeps that as the object's checksum; ``sha256`` is kept with the
        metadata.
        """
        try:
            async with asyncio.timeout(PUT_SECONDS):
                await self._client().write(
                    key, content, content_type=CONTENT_TYPE, user_metadata={**metadata, "sha256": sha256.hex()}
                )
        except TimeoutError as error:
            raise _unavailable("Timeout") from error
        except Exception as error:
            # OpenDAL's errors have no ancestor but this one.
            raise _unavailable(_reason(error)) from error

    def _client(self) -> "AsyncOperator":
        """The client that signs with the key of now: a new one, with connections of its own, every few hours."""
        key = self._signing_key()
        if self._signed is None or self._signed[0] != key:
            self._signed = key, _client(self._place, key)
        return self._signed[1]


def _client(place: BucketPlace, key: SigningKey) -> "AsyncOperator":
    # Imported when the first message comes: a poll that finds nothing new needs none of it.
    from opendal import AsyncOperator
    from opendal.layers import ConcurrentLimitLayer, RetryLayer, TimeoutLayer

    options = {
        "bucket": place.bucket,
        "region": place.region,
        "endpoint": place.service,
        "enable_virtual_host_style": str(place.has_own_host).lower(),
        "access_key_id": key.access_key,
        "secret_access_key": key.secret_key,
        "checksum_algorithm": "crc32c",
        # Nothing that lies about in the environment or in files is to sign instead.
        "disable_config_load": "true",
        "disable_ec2_metadata": "true",
    }
    if key.token:
        options["session_token"] = key.token
    return (
        AsyncOperator("s3", **options)
        .layer(TimeoutLayer(timeout=ATTEMPT_SECONDS, io_timeout=ATTEMPT_SECONDS))
        .layer(RetryLayer(max_times=RETRIES, min_delay=FIRST_PAUSE, max_delay=LONGEST_PAUSE, jitter=True))
        .layer(ConcurrentLimitLayer(CONNECTIONS))
    )


_S3_CODE = re.compile(r'S3Error \{ code: "(\w[\w.]*)"')


def _reason(error: Exception) -> str:
    """What S3 says is wrong, or else what OpenDAL calls it; its own words are long, and tell of requests."""
    code = _S3_CODE.search(str(error))
    return code[1][:80] if code else type(error).__name__


def _unavailable(reason: str) -> StorageUnavailable:
    return StorageUnavailable(f"Storing a message failed ({reason}); it is tried again with the next request.")
