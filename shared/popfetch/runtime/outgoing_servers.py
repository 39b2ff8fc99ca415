"""The wiring of what gets in at accounts' outgoing servers, to send what owners write or what popfetch does."""

from datetime import UTC, datetime

from popfetch.adapters.accounts_table import AccountsTable
from popfetch.ports.invocation import Journal
from popfetch.runtime.aws_clients import aws_client
from popfetch.runtime.event_loop import event_loop
from popfetch.runtime.mail_servers import sign_in_secrets, submission_dialer
from popfetch.runtime.settings import Settings
from popfetch.services.account_mail import AccountMail
from popfetch.services.outgoing_sessions import OutgoingSessions


def outgoing_sessions(journal: Journal) -> OutgoingSessions:
    """What signs in at accounts' outgoing servers."""
    settings = Settings.from_environment()
    return OutgoingSessions(
        accounts=AccountsTable(
            aws_client("dynamodb"), settings.require("table_name"), wheel_shards=settings.wheel_shards
        ),
        secrets=sign_in_secrets(journal),
        dialer=submission_dialer(),
        journal=journal,
        clock=lambda: datetime.now(UTC),
    )


def account_mail(journal: Journal) -> AccountMail:
    """What sends mail of popfetch's own in accounts' names."""
    return AccountMail(outgoing_sessions(journal), clock=lambda: datetime.now(UTC), run=event_loop().run)
