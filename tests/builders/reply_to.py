"""The service over reply addresses on moto's stack, with mailers that keep what they are given."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from popfetch.adapters.rate_limits import RateLimitsTable
from popfetch.adapters.reply_to_links import ReplyToLinksTable
from popfetch.domain.account import Account
from popfetch.domain.notice import Mail
from popfetch.domain.secret import TOKEN_OCTETS
from popfetch.ports.accounts import AccountStore
from popfetch.ports.invocation import Journal
from popfetch.ports.owners import Mailer
from popfetch.ports.rate_limits import RateLimits
from popfetch.ports.reply_to import ReplyToLinks
from popfetch.services.reply_to import ReplyToAddresses
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.notices import FakeOwners, RecordingMailer

_TOKEN = re.compile(r"/reply-to/confirm\?token=([A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])")


@dataclass
class RecordingAccountMailer:
    """A mailer through accounts' own servers that remembers what it sent, and fails with each of ``failures`` first."""

    failures: list[Exception] = field(default_factory=list)
    sent: list[tuple[Account, str, Mail]] = field(default_factory=list)

    def send(self, account: Account, address: str, mail: Mail) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((account, address, mail))


@dataclass
class AskedAddresses:
    """What reply addresses are asked with; ``before_sending`` happens while a mail is on its way."""

    kept: KeptAccounts
    journal: Journal
    mailer: RecordingMailer | None = field(default_factory=RecordingMailer)
    account_mailer: RecordingAccountMailer = field(default_factory=RecordingAccountMailer)
    owners: FakeOwners = field(default_factory=FakeOwners)
    tokens: list[str] = field(default_factory=list)
    before_sending: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        stack = self.kept.stack
        self.store: AccountStore = self.kept.table
        self.links: ReplyToLinks = ReplyToLinksTable(stack.dynamodb, stack.table)
        self.limits: RateLimits = RateLimitsTable(stack.dynamodb, stack.table, sleep=lambda _: None)

    @property
    def service(self) -> ReplyToAddresses:
        """The verbs."""
        return ReplyToAddresses(
            store=self.store,
            links=self.links,
            limits=self.limits,
            owners=self.owners,
            mailer=_Slow(self.mailer, self.before_sending) if self.mailer else None,
            account_mailer=self.account_mailer,
            journal=self.journal,
            clock=lambda: self.kept.now,
            new_token=self._new_token,
        )

    def _new_token(self) -> str:
        self.tokens.append(secrets.token_urlsafe(TOKEN_OCTETS))
        return self.tokens[-1]


@dataclass
class _Slow:
    mailer: Mailer
    before_sending: Callable[[], None]

    def send(self, address: str, mail: Mail) -> str:
        self.before_sending()
        return self.mailer.send(address, mail)


def token_of(mail: Mail) -> str:
    """The token in a mail's one link, which is the same in both its forms."""
    (token,) = set(_TOKEN.findall(mail.text))
    assert set(_TOKEN.findall(mail.html)) == {token}
    return str(token)
