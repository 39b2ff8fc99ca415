"""The wiring of reading: each piece is built once, on first use."""

from datetime import UTC, datetime
from functools import cache

from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.extracted_files import AttachmentBucket
from popfetch.adapters.mail_bucket import MailBucket
from popfetch.adapters.message_index import MessageIndexTable
from popfetch.adapters.sanitising_process import HtmlSanitiser
from popfetch.ports.invocation import Journal
from popfetch.runtime.aws_clients import aws_client
from popfetch.runtime.settings import Settings
from popfetch.services.reading import Reading


@cache
def reading(journal: Journal) -> Reading:
    """The verbs that read, on the stack's table and bucket."""
    settings = Settings.from_environment()
    table, bucket = settings.require("table_name"), settings.require("mail_bucket_name")
    s3, dynamodb = aws_client("s3"), aws_client("dynamodb")
    return Reading(
        accounts=AccountsTable(dynamodb, table, wheel_shards=settings.wheel_shards),
        index=MessageIndexTable(dynamodb, table),
        mail=MailBucket(s3, bucket),
        extracted=AttachmentBucket(s3, bucket),
        sanitiser=HtmlSanitiser(),
        journal=journal,
        clock=lambda: datetime.now(UTC),
    )
