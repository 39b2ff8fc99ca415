"""The wiring of accounts: each piece is built once, on first use."""

import secrets
from datetime import UTC, datetime
from functools import cache

from popfetch.adapters.account_remains import AccountRemains
from popfetch.domain.mailbox import ACCOUNT_ID_ALPHABET, ACCOUNT_ID_LENGTH
from popfetch.runtime.aws_clients import aws_client
from popfetch.runtime.settings import Settings
from popfetch.services.accounts import Accounts


def new_account_id() -> str:
    """A fresh account id: 100 random bits."""
    return "".join(secrets.choice(ACCOUNT_ID_ALPHABET) for _ in range(ACCOUNT_ID_LENGTH))


@cache
def accounts_service() -> Accounts:
    """The verbs over accounts, on the stack's table, key, bucket and queue."""
    from popfetch.adapters.accounts_table import AccountsTable
    from popfetch.adapters.credential_vault import CredentialVault
    from popfetch.adapters.fetch_queue import SqsFetchQueue
    from popfetch.adapters.host_guard import HostGuard
    from popfetch.adapters.pop3_dialer import Pop3Dialer

    settings = Settings.from_environment()
    table_name = settings.require("table_name")
    return Accounts(
        store=AccountsTable(aws_client("dynamodb"), table_name, wheel_shards=settings.wheel_shards),
        vault=CredentialVault(
            aws_client("kms"), aws_client("dynamodb"), table_name, settings.require("credentials_key_id")
        ),
        dialer=Pop3Dialer(HostGuard(allow_private=settings.allow_private_hosts), ca_file=settings.ca_file or None),
        remains=account_remains(),
        queue=SqsFetchQueue(aws_client("sqs"), settings.require("fetch_queue_url")),
        clock=lambda: datetime.now(UTC),
        new_account_id=new_account_id,
    )


@cache
def account_remains() -> AccountRemains:
    """What erases the remains of removed accounts, on the stack's table and bucket."""
    settings = Settings.from_environment()
    return AccountRemains(
        aws_client("dynamodb"),
        settings.require("table_name"),
        aws_client("s3"),
        settings.require("mail_bucket_name"),
    )
