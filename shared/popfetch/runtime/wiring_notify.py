"""The wiring of notify: each piece is built once, on first use; what belongs to an invocation, once for each."""

from functools import cache
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.adapters import keys
from popfetch.runtime.aws_clients import aws_client
from popfetch.runtime.owner_mail import own_mailer, owner_directory
from popfetch.runtime.settings import Settings
from popfetch.services.notify_owner import NoticeParts

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

    from popfetch.adapters.accounts_table import AccountsTable


def notice_parts(context: LambdaContext) -> NoticeParts:
    """What the notice of one invocation is made and sent with."""
    from popfetch.adapters.sent_notices import SentNoticesTable

    return NoticeParts(
        accounts=_accounts(),
        owners=owner_directory(),
        sent=SentNoticesTable(_layer(), context),
        mailer=own_mailer(),
    )


@cache
def _accounts() -> "AccountsTable":
    from popfetch.adapters.accounts_table import AccountsTable

    return AccountsTable(aws_client("dynamodb"), Settings.from_environment().require("table_name"))


@cache
def _layer() -> "DynamoDBPersistenceLayer":
    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

    return DynamoDBPersistenceLayer(
        table_name=Settings.from_environment().require("table_name"),
        key_attr=keys.PARTITION,
        sort_key_attr=keys.SORT,
        static_pk_value=keys.NOTICES,
        expiry_attr=keys.EXPIRES_AT,
        boto3_client=aws_client("dynamodb"),
    )
