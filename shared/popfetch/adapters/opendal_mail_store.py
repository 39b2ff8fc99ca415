"""Raw messages into the bucket by Apache OpenDAL: what cycles store with.

A put through boto3 takes several times the processor time of all else that is done with a message; OpenDAL's client, in
Rust and with threads of its own, takes a quarter of that. It signs, sums, keeps connections and asks again by itself.
Messages larger than a part go up in parts through boto3: they are rare, and their processor time is in their octets.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from popfetch.adapters import keys
from popfetch.adapters.bucket_place import BucketPlace, SigningKey
from popfetch.adapters.mail_bucket import CONTENT_TYPE, PART_OCTETS, MailBucket, MultipartUpload
from popfetch.domain.errors import StorageUnavailable

if TYPE_CHECKING:
    from opendal import AsyncOperator

PUT_SECONDS = 30.0
"""The longest that one put takes, all its attempts and the wait for its turn together."""

ATTEMPT_SECONDS = 12.0
"""The longest that one attempt takes."""

RETRIES = 6
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0
"""Seconds before an attempt is repeated; they double, and vary, so that many puts do not come back at once."""

CONNECTIONS = 48
"""Puts that are under way at once."""

KEY_SECONDS = 60.0
"""How long requests are signed with a key before it is looked whether there is a newer one."""

GIVEN_UP_AFTER_SECONDS = 2.0
"""How long a put that nobody waits for any more may take to arrive; most are there at once."""


class OpendalMailStore:
    """``MailStore`` on S3. ``bucket`` is asked for when the first large message comes, ``signing_key`` now and then."""

    part_octets = PART_OCTETS

    def __init__(
        self, place: BucketPlace, signing_key: Callable[[], SigningKey], bucket: Callable[[], MailBucket]
    ) -> None:
        self._place = place
        self._signing_key = signing_key
        self._bucket = bucket
        self._signed: tuple[SigningKey, AsyncOperator] | None = None
        self._key_is_old_at = 0.0
        self._turn = Lock()

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
            client = await self._client()
            await _to_the_end(
                client.write(
                    key, content, content_type=CONTENT_TYPE, user_metadata={**metadata, "sha256": sha256.hex()}
                )
            )
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a panic is one
            # OpenDAL's errors have no ancestor but Exception, a panic in Rust not even that. What they say is long: it
            # tells of requests and of answers as they came, which belong in no log.
            raise _unavailable(_reason(error)) from None

    async def _client(self) -> "AsyncOperator":
        """The client that signs with the key of now; a new one where that has changed, every few hours."""
        signed = self._signed
        if signed is None or time.monotonic() >= self._key_is_old_at:
            # Keys are renewed by calls that block.
            signed = await asyncio.to_thread(self._renew)
        return signed[1]

    def _renew(self) -> "tuple[SigningKey, AsyncOperator]":
        with self._turn:
            if self._signed is None or time.monotonic() >= self._key_is_old_at:
                key = self._signing_key()
                if self._signed is None or self._signed[0] != key:
                    self._signed = key, _client(self._place, key)
                self._key_is_old_at = time.monotonic() + KEY_SECONDS
            return self._signed


async def _to_the_end(write: Awaitable[None]) -> None:
    """Wait for a request; where nobody does any more, let it arrive if it soon does, so that nothing comes later."""
    request = asyncio.ensure_future(write)
    try:
        await asyncio.wait([request], timeout=PUT_SECONDS)
    except asyncio.CancelledError:
        await asyncio.wait([request], timeout=GIVEN_UP_AFTER_SECONDS)
        if not request.cancel() and not request.cancelled():
            request.exception()  # is known now, though nobody asks
        raise
    if request.cancel():
        raise TimeoutError
    request.result()


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


_REASONS = (
    r'S3Error \{ code: "(\w[\w.]*)"',
    r"Parts \{ (status: \d{3})",
    r"client error \((\w+)\)",
    r"(timeout)",
)


def _reason(error: BaseException) -> str:
    """What S3 says is wrong, or else how it answered or why it did not; never OpenDAL's own words, which tell more."""
    said = str(error)
    found = next((match[1] for pattern in _REASONS if (match := re.search(pattern, said))), "")
    return found[:80] or type(error).__name__


def _unavailable(reason: str) -> StorageUnavailable:
    return StorageUnavailable(f"Storing a message failed ({reason}); it is tried again with the next request.")
