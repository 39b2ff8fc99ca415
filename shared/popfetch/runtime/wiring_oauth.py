"""The wiring of sign-in by OAuth 2: each piece is built once, on first use."""

from datetime import UTC, datetime
from functools import cache

from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.consents_table import ConsentsTable
from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.ports.invocation import Journal
from popfetch.runtime.aws_clients import aws_client
from popfetch.runtime.event_loop import event_loop
from popfetch.runtime.mail_servers import oauth_endpoints, sign_in_secrets, sign_in_tester
from popfetch.runtime.settings import Settings
from popfetch.services.consent import Consent
from popfetch.services.grants import Grants


@cache
def consent(journal: Journal) -> Consent:
    """The verbs over consent, on the stack's table, key, queue and registrations."""
    settings = Settings.from_environment()
    client, table = aws_client("dynamodb"), settings.require("table_name")
    store = AccountsTable(client, table, wheel_shards=settings.wheel_shards)
    secrets = sign_in_secrets(journal)
    grants = Grants(
        store=store,
        tokens=secrets.tokens,
        tester=sign_in_tester(),
        queue=SqsFetchQueue(aws_client("sqs"), settings.require("fetch_queue_url")),
        journal=journal,
        clock=_now,
        run=event_loop().run,
    )
    return Consent(
        store=store,
        pending=ConsentsTable(client, table),
        secrets=secrets,
        servers=oauth_endpoints(),
        grants=grants,
        journal=journal,
        clock=_now,
        run=event_loop().run,
    )


def _now() -> datetime:
    return datetime.now(UTC)
