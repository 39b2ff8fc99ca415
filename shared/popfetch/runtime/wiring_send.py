"""The wiring of sending: each piece is built once, on first use; what belongs to an invocation, once for each."""

from datetime import UTC, datetime, timedelta
from functools import cache

from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.adapters import keys
from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.mail_bucket import MailBucket
from popfetch.adapters.once import OnceTable
from popfetch.adapters.sent_mail import SentMailStore
from popfetch.adapters.uploads import UploadBucket
from popfetch.ports.invocation import Journal, Once
from popfetch.runtime.aws_clients import aws_client
from popfetch.runtime.event_loop import event_loop
from popfetch.runtime.outgoing_servers import outgoing_sessions
from popfetch.runtime.settings import Settings
from popfetch.services.sending import Sending

KEY_IS_KEPT = timedelta(days=1)
"""How long the same Idempotency-Key with another mail is told from the first."""


@cache
def sending(journal: Journal) -> Sending:
    """The verbs that send, on the stack's table, key and bucket."""
    settings = Settings.from_environment()
    table, bucket = settings.require("table_name"), settings.require("mail_bucket_name")
    s3, dynamodb = aws_client("s3"), aws_client("dynamodb")
    return Sending(
        accounts=AccountsTable(dynamodb, table, wheel_shards=settings.wheel_shards),
        sessions=outgoing_sessions(journal),
        sent=SentMailStore(s3, bucket, dynamodb, table),
        mail=MailBucket(s3, bucket),
        uploads=UploadBucket(s3, bucket),
        journal=journal,
        clock=lambda: datetime.now(UTC),
        run=event_loop().run,
    )


def sent_under_a_key(context: LambdaContext, account_id: str) -> Once:
    """What an account has sent under the Idempotency-Keys of its owner."""
    return OnceTable(
        aws_client("dynamodb"),
        Settings.from_environment().require("table_name"),
        context,
        partition=keys.account_partition(account_id),
        prefix=keys.ANSWER,
        kept_for=KEY_IS_KEPT,
    )
