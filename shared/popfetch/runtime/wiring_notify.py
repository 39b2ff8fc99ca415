"""The wiring of notify: each piece is built once, on first use; what belongs to an invocation, once for each."""

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.adapters import keys
from popfetch.runtime.aws_clients import aws_client
from popfetch.runtime.owner_mail import own_mailer, owner_directory
from popfetch.runtime.settings import Settings
from popfetch.services.notify_owner import NoticeParts

if TYPE_CHECKING:
    from popfetch.adapters.accounts_table import AccountsTable

NOTICE_IS_REMEMBERED = timedelta(days=30)
"""Longer than an event can come again: dead letters are kept for 14 days."""


def notice_parts(context: LambdaContext) -> NoticeParts:
    """What the notice of one invocation is made and sent with."""
    from popfetch.adapters.once import OnceTable

    return NoticeParts(
        accounts=_accounts(),
        owners=owner_directory(),
        sent=OnceTable(
            aws_client("dynamodb"),
            Settings.from_environment().require("table_name"),
            context,
            partition=keys.NOTICES,
            prefix=keys.NOTICE,
            kept_for=NOTICE_IS_REMEMBERED,
        ),
        mailer=own_mailer(),
    )


@cache
def _accounts() -> "AccountsTable":
    from popfetch.adapters.accounts_table import AccountsTable

    return AccountsTable(aws_client("dynamodb"), Settings.from_environment().require("table_name"))
