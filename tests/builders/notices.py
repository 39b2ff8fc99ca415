"""Stops of accounts, and fakes of what notices are sent with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from popfetch.domain.account import Grant, Standing
from popfetch.domain.errors import (
    ConsentNeeded,
    PopfetchError,
)
from popfetch.domain.notice import Mail, ReplyToQuestion, StoppedAccount
from popfetch.ports.owners import OwnerContact
from tests.builders.accounts import NOON, OWNER, an_account_id

A_GRANT = Grant("a-grant", "google", NOON)
REFUSAL = "pop.example.com does not accept this user name and password; check both. It says: no"


def a_stop(**changes: Any) -> StoppedAccount:
    defaults: dict[str, Any] = {
        "owner_id": OWNER,
        "account_id": an_account_id(1),
        "standing": Standing.AUTH_FAILED,
        "code": "authentication",
        "message": REFUSAL,
        "server_said": "no",
        "stopped_at": NOON,
    }
    return StoppedAccount(**{**defaults, **changes})


TOKEN_REFUSED = a_stop(message="pop.example.com does not accept the sign-in by OAuth 2 for anna. It says: no")
UNREACHABLE = a_stop(
    standing=Standing.CONNECTION_FAILED, code="network", message="pop.example.com did not answer.", server_said=""
)
UNREADABLE = a_stop(
    code="secret_unreadable", message="The incoming password of account x does not open.", server_said=""
)
OUT_OF_ORDER = a_stop(
    code="permanent",
    message="pop.example.com has a problem. It says: mailbox disabled",
    server_said="mailbox disabled",
)
CONSENT_GONE = a_stop(
    code="consent_needed", message=ConsentNeeded("anna@example.com", "Google").message, server_said=""
)
STOPS = [a_stop(), UNREACHABLE, UNREADABLE, OUT_OF_ORDER, CONSENT_GONE]
"""One for each letter that there is."""


def a_question(**changes: Any) -> ReplyToQuestion:
    defaults: dict[str, Any] = {
        "address": "anna.private@example.org",
        "account_email": "anna.work@example.com",
        "link": "https://abc123.execute-api.eu-central-1.amazonaws.com/live/reply-to/answer/x-_0?a=1&b=2",
        "expires_at": NOON,
    }
    return ReplyToQuestion(**{**defaults, **changes})


@dataclass
class FakeOwners:
    """A directory of one owner."""

    known: OwnerContact | None = field(default_factory=lambda: OwnerContact("owner@example.com"))

    def contact(self, owner_id: str) -> OwnerContact | None:
        return self.known if owner_id == OWNER else None


@dataclass
class RecordingMailer:
    """A mailer that remembers what it sent, and fails with each of ``failures`` first."""

    failures: list[PopfetchError] = field(default_factory=list)
    sent: list[tuple[str, Mail]] = field(default_factory=list)

    def send(self, address: str, mail: Mail) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((address, mail))
        return f"message-{len(self.sent)}"


@dataclass
class Remembered:
    """``Once`` in memory."""

    known: dict[str, str] = field(default_factory=dict)

    def once(self, name: str, work: Callable[[], str], fingerprint: str = "") -> tuple[str, bool]:
        if name in self.known:
            return self.known[name], False
        self.known[name] = work()
        return self.known[name], True
