"""Files that owners put into the bucket themselves: too large for a request, and sent within a day.

An owner is given an address that takes one PUT of the announced size, signed by S3's own rules, and S3 refuses any
other. The bucket's lifecycle removes what was uploaded; an upload lies below its owner's prefix, where no other
owner's id leads.
"""

import asyncio
import re
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import error_code, translated
from popfetch.adapters.mail_bucket import MISSING
from popfetch.domain.errors import InvalidMail
from popfetch.ports.stored_mail import UploadOffer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OFFER_STANDS = timedelta(minutes=15)
CONTENT_TYPE = "application/octet-stream"

_UPLOAD_ID = re.compile(r"[A-Za-z0-9_-]{22}")


class UploadBucket:
    """``Uploads`` on S3."""

    def __init__(self, client: "S3Client", bucket_name: str) -> None:
        self._client = client
        self._bucket = bucket_name

    def offer(self, owner_id: str, octets: int, now: datetime) -> UploadOffer:
        """An address that takes one file of exactly so many octets. Raises StorageUnavailable."""
        upload_id = secrets.token_urlsafe(16)
        with translated("Preparing an upload"):
            url = self._client.generate_presigned_url(
                "put_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": keys.upload_object(owner_id, upload_id),
                    "ContentLength": octets,
                    "ContentType": CONTENT_TYPE,
                },
                ExpiresIn=int(OFFER_STANDS.total_seconds()),
            )
        headers = {"Content-Type": CONTENT_TYPE, "Content-Length": str(octets)}
        return UploadOffer(upload_id, url, headers, now + OFFER_STANDS)

    async def read(self, owner_id: str, upload_id: str, longest: int) -> bytes:
        """The file. Raises InvalidMail where there is none, or it has more octets than ``longest``."""
        if not _UPLOAD_ID.fullmatch(upload_id):
            raise _no_such(upload_id)
        key = keys.upload_object(owner_id, upload_id)
        with translated("Reading an upload"):
            try:
                return await asyncio.to_thread(self._read, key, longest)
            except ClientError as error:
                if error_code(error) not in MISSING:
                    raise
                raise _no_such(upload_id) from error

    def _read(self, key: str, longest: int) -> bytes:
        found = self._client.get_object(Bucket=self._bucket, Key=key)
        with found["Body"] as body:
            if found["ContentLength"] > longest:
                raise InvalidMail("attachments: the files are too large to be sent together; send fewer of them.")
            return body.read()


def _no_such(upload_id: str) -> InvalidMail:
    shown = upload_id[:40] if upload_id.isprintable() else "that"
    return InvalidMail(f"attachments: there is no upload {shown}; upload the file first, and send it within a day.")
