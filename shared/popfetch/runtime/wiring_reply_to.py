"""The wiring of reply addresses: each piece is built once, on first use."""

import secrets
from datetime import UTC, datetime
from functools import cache

from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.rate_limits import RateLimitsTable
from popfetch.adapters.reply_to_links import ReplyToLinksTable
from popfetch.domain.secret import TOKEN_OCTETS
from popfetch.ports.invocation import Journal
from popfetch.runtime.aws_clients import aws_client
from popfetch.runtime.outgoing_servers import account_mail
from popfetch.runtime.owner_mail import own_mailer, owner_directory
from popfetch.runtime.settings import Settings
from popfetch.services.reply_to import ReplyToAddresses


@cache
def reply_to_addresses(journal: Journal) -> ReplyToAddresses:
    """The verbs over reply addresses, on the stack's table, users and sender."""
    settings = Settings.from_environment()
    client, table = aws_client("dynamodb"), settings.require("table_name")
    return ReplyToAddresses(
        store=AccountsTable(client, table, wheel_shards=settings.wheel_shards),
        links=ReplyToLinksTable(client, table),
        limits=RateLimitsTable(client, table),
        owners=owner_directory(),
        mailer=own_mailer(),
        account_mailer=account_mail(journal),
        journal=journal,
        clock=lambda: datetime.now(UTC),
        new_token=lambda: secrets.token_urlsafe(TOKEN_OCTETS),
    )
