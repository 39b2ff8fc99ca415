"""The wiring of accounts: each piece is built once, on first use."""

import secrets
from datetime import UTC, datetime
from functools import cache

from popfetch.adapters.account_remains import AccountRemains
from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.adapters.rate_limits import RateLimitsTable
from popfetch.domain.mailbox import ACCOUNT_ID_ALPHABET, ACCOUNT_ID_LENGTH
from popfetch.ports.invocation import Journal
from popfetch.runtime.aws_clients import aws_client
from popfetch.runtime.mail_servers import sign_in_secrets, sign_in_tester
from popfetch.runtime.settings import Settings
from popfetch.services.account_changes import AccountChanges
from popfetch.services.accounts import Accounts
from popfetch.services.trial_limits import TrialLimits


def new_account_id() -> str:
    """A fresh account id: 100 random bits."""
    return "".join(secrets.choice(ACCOUNT_ID_ALPHABET) for _ in range(ACCOUNT_ID_LENGTH))


@cache
def accounts_service(journal: Journal) -> Accounts:
    """The verbs over accounts, on the stack's table, key, bucket and queue."""
    from popfetch.adapters.cycle_history import CycleHistoryTable

    return Accounts(
        store=_store(),
        secrets=sign_in_secrets(journal),
        tester=sign_in_tester(),
        trial_limits=_trial_limits(),
        remains=account_remains(),
        history=CycleHistoryTable(aws_client("dynamodb"), Settings.from_environment().require("table_name")),
        queue=_queue(),
        clock=_now,
        new_account_id=new_account_id,
    )


@cache
def account_changes(journal: Journal) -> AccountChanges:
    """The verbs that change accounts, on the stack's table, key and queue."""
    return AccountChanges(
        store=_store(),
        secrets=sign_in_secrets(journal),
        tester=sign_in_tester(),
        trial_limits=_trial_limits(),
        queue=_queue(),
        clock=_now,
    )


def _trial_limits() -> TrialLimits:
    table = Settings.from_environment().require("table_name")
    return TrialLimits(RateLimitsTable(aws_client("dynamodb"), table), _now)


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _store() -> AccountsTable:
    settings = Settings.from_environment()
    return AccountsTable(aws_client("dynamodb"), settings.require("table_name"), wheel_shards=settings.wheel_shards)


@cache
def _queue() -> SqsFetchQueue:
    return SqsFetchQueue(aws_client("sqs"), Settings.from_environment().require("fetch_queue_url"))


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
