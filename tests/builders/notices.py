"""Stops of accounts, and fakes of what notices are sent with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from popfetch.domain.account import Standing
from popfetch.domain.errors import PopfetchError
from popfetch.domain.notice import Mail, StoppedAccount
from popfetch.ports import OwnerContact
from tests.builders.accounts import NOON, OWNER, an_account_id

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
class RememberedNotices:
    """``SentNotices`` in memory."""

    known: set[str] = field(default_factory=set)

    def once(self, notice_id: str, send: Callable[[], str]) -> str | None:
        if notice_id in self.known:
            return None
        message_id = send()
        self.known.add(notice_id)
        return message_id
