"""What was attached to messages, taken out of them so that it can be downloaded.

The bucket's lifecycle removes it after a day. It is put there anew each time, under the same key, so that one that is
about to be removed is never what an address leads to.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from popfetch.adapters import keys
from popfetch.adapters.download_links import download_link
from popfetch.adapters.dynamodb_items import translated
from popfetch.domain.message import StoredMessage
from popfetch.domain.message_reading import AttachedFile
from popfetch.ports.stored_mail import FileLink

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OPAQUE = "application/octet-stream"
INERT = frozenset(
    {"application/pdf", "application/zip", "image/bmp", "image/gif", "image/jpeg", "image/png", "image/webp"}
    | {"text/csv", "text/plain"}
)
"""Types that are told as they are, since nothing runs in them; all others are octets to whoever asks."""


class AttachmentBucket:
    """``ExtractedFiles`` on S3."""

    def __init__(self, client: "S3Client", bucket_name: str) -> None:
        self._client = client
        self._bucket = bucket_name

    def link(self, message: StoredMessage, attachment_id: str, file: AttachedFile, now: datetime) -> FileLink:
        """Put a file where it can be had, and give its address. Raises StorageUnavailable."""
        key = keys.attachment_object(message.owner_id, message.account_id, message.message_id, attachment_id)
        content_type = file.content_type if file.content_type in INERT else OPAQUE
        with translated("Taking out an attachment"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=file.content, ContentType=content_type)
        return download_link(
            self._client, self._bucket, key, filename=file.filename, content_type=content_type, now=now
        )
