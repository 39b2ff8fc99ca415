"""Accounts and what belongs to them, with defaults: a test names only what it is about."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from popfetch.domain.account import Account, Security, Server
from popfetch.domain.fetch_request import FetchRequest
from popfetch.domain.rate_limit import NO_WAIT, Limit
from popfetch.domain.secret import Secret
from popfetch.pop3.errors import Pop3Error
from popfetch.ports.maildrop import DialAdvice, Maildrop

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OWNER = "0b7d5ad2-5f8c-4d1b-9a55-1d1f5c5a7e01"
OTHER_OWNER = "9c1e6f7a-0d3b-4c77-8a0e-6a2f0d9b4c02"
PASSWORD = "tr0ub4dor-und-Söhne"
SMTP_PASSWORD = "smtp-Geheimnis-7"


def an_account_id(number: int = 1) -> str:
    digits = "234567"
    text = ""
    while number:
        number, digit = divmod(number, len(digits))
        text = digits[digit] + text
    return text.rjust(20, "a")


def a_server(**changes: Any) -> Server:
    defaults: dict[str, Any] = {
        "host": "pop.example.com",
        "port": 995,
        "security": Security.TLS,
        "username": "anna@example.com",
    }
    return Server(**{**defaults, **changes})


def an_account(number: int = 1, **changes: Any) -> Account:
    """Account ``number`` of an owner; its mailbox is its own."""
    defaults: dict[str, Any] = {
        "owner_id": OWNER,
        "account_id": an_account_id(number),
        "email": f"anna{number}@example.com",
        "name": f"Mailbox {number}",
        "position": 0,
        "incoming": a_server(username=f"anna{number}@example.com"),
        "incoming_secret": b"sealed",
        "created_at": NOON,
    }
    return Account(**{**defaults, **changes})


class SignedIn:
    """A maildrop of which only the ending is of interest, and how often one may sign in."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.login_delay = 0

    async def quit(self) -> bool:
        self.calls.append("quit")
        return True

    async def abandon(self) -> None:
        self.calls.append("abandon")


@dataclass
class ScriptedDialer:
    """A dialer that remembers whom it was asked to call, and lets in or fails as it is told."""

    failure: Pop3Error | Exception | None = None
    calls: list[tuple[Server, Secret]] = field(default_factory=list)
    maildrop: SignedIn = field(default_factory=SignedIn)

    async def open(self, server: Server, secret: Secret, advice: DialAdvice, deadline: float) -> Maildrop:
        self.calls.append((server, secret))
        if self.failure:
            raise self.failure
        return self.maildrop  # type: ignore[return-value]


@dataclass
class ScriptedSubmission:
    """An outgoing server's dialer, likewise."""

    failure: Exception | None = None
    calls: list[tuple[Server, Secret]] = field(default_factory=list)

    async def sign_in(self, server: Server, secret: Secret, deadline: float) -> None:
        self.calls.append((server, secret))
        if self.failure:
            raise self.failure


@dataclass
class OpenHosts:
    """A check that lets every host pass, and remembers which were asked for."""

    asked: list[tuple[str, int]] = field(default_factory=list)

    async def check(self, host: str, port: int) -> None:
        self.asked.append((host, port))


@dataclass
class OpenLimits:
    """Limits that let everything pass, and remember what was counted."""

    counted: list[tuple[str, str]] = field(default_factory=list)

    def take(self, what: str, who: str, limit: Limit, now: datetime) -> timedelta:
        self.counted.append((what, who))
        return NO_WAIT


@dataclass
class RecordingQueue:
    """A fetch queue that remembers what it was asked for."""

    requests: list[FetchRequest] = field(default_factory=list)
    erasures: list[tuple[str, str, bool]] = field(default_factory=list)

    def send(self, requests: Sequence[FetchRequest]) -> None:
        self.requests += requests

    def send_erasure(self, owner_id: str, account_id: str, erase_mail: bool) -> None:
        self.erasures.append((owner_id, account_id, erase_mail))
