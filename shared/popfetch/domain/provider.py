"""A mail provider that popfetch knows: its servers, how one signs in, and the trap that its users fall into."""

from dataclasses import dataclass
from enum import StrEnum

from popfetch.domain.account import INTERVAL_MENU, RECOMMENDED_INTERVAL, Security


class SignInMethod(StrEnum):
    """What a provider accepts as proof of identity."""

    PASSWORD = "password"  # noqa: S105 - the word, not a password
    APP_PASSWORD = "app_password"  # noqa: S105
    AUTHORIZATION_CODE = "authorization_code"
    OAUTH2 = "oauth2"


class OAuthProvider(StrEnum):
    """Who gives out access tokens for mailboxes."""

    GOOGLE = "google"
    MICROSOFT = "microsoft"
    FASTMAIL = "fastmail"


class UsernameForm(StrEnum):
    """What of the address one signs in with."""

    FULL_ADDRESS = "full_address"
    LOCAL_PART = "local_part"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where a server is and how the connection to it is protected."""

    host: str
    port: int
    security: Security


@dataclass(frozen=True, slots=True)
class Provider:
    """What is known of a provider.

    ``domains`` are those of its addresses; one without any keeps the mail of its customers' own domains. ``incoming``
    is ``None`` where there is no POP at all. ``mail_exchangers`` are domains that its MX hosts lie in.
    ``country_label`` is the name it has below every country's domain: ``yahoo`` for yahoo.de and yahoo.co.uk.
    ``other_hosts`` are further names of its incoming server that are in use. ``shortest_interval`` is the minutes
    between two sign-ins that it tolerates, 1 where nothing is known. ``help`` tells the mailbox's owner what to do.
    """

    id: str
    name: str
    incoming: MailServer | None
    outgoing: MailServer | None
    help: str
    domains: tuple[str, ...] = ()
    username: UsernameForm = UsernameForm.FULL_ADDRESS
    sign_in_methods: tuple[SignInMethod, ...] = (SignInMethod.PASSWORD,)
    oauth_provider: OAuthProvider | None = None
    shortest_interval: int = 1
    mail_exchangers: tuple[str, ...] = ()
    country_label: str = ""
    other_hosts: tuple[str, ...] = ()

    @property
    def recommended_interval(self) -> int:
        """The minutes between two fetches that suit this provider, from the menu."""
        return recommended_above(self.shortest_interval)

    def username_of(self, email: str) -> str:
        """What the owner of ``email`` signs in as."""
        return email.rpartition("@")[0] if self.username is UsernameForm.LOCAL_PART else email


def recommended_above(shortest: int) -> int:
    """The smallest interval of the menu that is neither below ``shortest`` nor below what is recommended anyway."""
    least = max(RECOMMENDED_INTERVAL, shortest)
    return next((interval for interval in INTERVAL_MENU if interval >= least), INTERVAL_MENU[-1])
