"""The people who own accounts, and mail to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from popfetch.domain.account import Account
    from popfetch.domain.notice import Mail
    from popfetch.domain.secret import Secret
    from popfetch.domain.session import Challenge, Challenged, Session


@dataclass(frozen=True, slots=True)
class OwnerContact:
    """How an owner is reached: a verified address, and the language they prefer where they said so (RFC 5646)."""

    address: str = field(repr=False)
    locale: str = ""


class OwnerDirectory(Protocol):
    """The people who own accounts."""

    def contact(self, owner_id: str) -> OwnerContact | None:
        """How to reach an owner; ``None`` when they are gone, disabled or have no verified address.

        Raises StorageUnavailable.
        """


class OwnerSessions(Protocol):
    """Where owners sign in, and stay so by a refresh token. Every verb may raise TooManyTries, StorageUnavailable."""

    def sign_in(self, email: str, password: Secret) -> Session | Challenged:
        """Sign in with a password. Raises OwnerSignInRefused and PasswordResetRequired."""

    def answer(self, email: str, challenge: Challenge, session: Secret, answer: Secret) -> Session | Challenged:
        """Answer what a sign-in was asked for. Raises OwnerSignInRefused, CodeRefused and PasswordTooWeak."""

    def renew(self, refresh_token: Secret) -> Session:
        """A new id token. Raises SignedOut."""

    def revoke(self, refresh_token: Secret) -> None:
        """End a session for good; one that is not known is none."""

    def send_code(self, email: str) -> None:
        """Send a user a code by which they can choose a new password. Raises OwnerSignInRefused where none is sent."""

    def reset_password(self, email: str, code: Secret, password: Secret) -> None:
        """Choose a new password with a code. Raises CodeRefused and PasswordTooWeak."""


class Mailer(Protocol):
    """Sends mail in popfetch's own name."""

    def send(self, address: str, mail: Mail) -> str:
        """Send a mail to one address; returns the mail service's id of it. Raises MailRefused and MailUnavailable."""


class AccountMailer(Protocol):
    """Sends mail in an account's own name, through its outgoing server."""

    def send(self, account: Account, address: str, mail: Mail) -> None:
        """Send a mail to one address; returns once the server has taken it.

        Raises NoOutgoingServer, HostRefused, and errors that say what the server said.
        """
