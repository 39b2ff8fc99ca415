"""Addresses that S3 has signed: whoever has one gets that one file, for a few minutes, as a file to keep."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from popfetch.adapters.dynamodb_items import translated
from popfetch.domain.file_names import as_attachment
from popfetch.ports.stored_mail import FileLink

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LINK_STANDS = timedelta(minutes=5)


def download_link(
    client: "S3Client", bucket_name: str, key: str, *, filename: str, content_type: str, now: datetime
) -> FileLink:
    """The address of an object, which a browser keeps under ``filename`` and never opens by itself."""
    with translated("Preparing a download"):
        url = client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": bucket_name,
                "Key": key,
                "ResponseContentDisposition": as_attachment(filename),
                "ResponseContentType": content_type,
                "ResponseCacheControl": "private, no-store",
            },
            ExpiresIn=int(LINK_STANDS.total_seconds()),
        )
    return FileLink(url, now + LINK_STANDS)
