"""The wiring of what functions reach mail servers by: which hosts may be connected to, the dialers, the secrets."""

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from popfetch.adapters.authorization_servers import OAuthEndpoints
from popfetch.adapters.credential_vault import CredentialVault
from popfetch.adapters.grants_table import GrantsTable
from popfetch.adapters.host_guard import POP3_PORTS, SUBMISSION_PORTS, HostGuard
from popfetch.adapters.oauth_clients import SsmOAuthClients
from popfetch.adapters.pop3_dialer import Pop3Dialer
from popfetch.domain.account import Direction
from popfetch.ports.invocation import Journal
from popfetch.runtime.aws_clients import aws_client
from popfetch.runtime.event_loop import event_loop
from popfetch.runtime.settings import Settings
from popfetch.services.access_tokens import AccessTokens, WarmTokens
from popfetch.services.sign_in_secrets import SignInSecrets

if TYPE_CHECKING:
    from popfetch.adapters.smtp_dialer import SmtpDialer
    from popfetch.services.sign_in_trial import SignInTester

_PORTS = {Direction.INCOMING: POP3_PORTS, Direction.OUTGOING: SUBMISSION_PORTS}


@cache
def host_guard(direction: Direction) -> HostGuard:
    """Which hosts may be connected to, and on which ports."""
    return HostGuard(allow_private=Settings.from_environment().allow_private_hosts, ports=_PORTS[direction])


@cache
def maildrop_dialer() -> Pop3Dialer:
    """What opens POP3 sessions."""
    return Pop3Dialer(host_guard(Direction.INCOMING), ca_file=Settings.from_environment().ca_file or None)


@cache
def submission_dialer() -> "SmtpDialer":
    """What opens conversations with submission servers."""
    # fetch never sends
    from popfetch.adapters.smtp_dialer import SmtpDialer

    return SmtpDialer(host_guard(Direction.OUTGOING), ca_file=Settings.from_environment().ca_file or None)


@cache
def credential_vault() -> CredentialVault:
    """What seals passwords and opens them."""
    settings = Settings.from_environment()
    return CredentialVault(
        aws_client("kms"),
        aws_client("dynamodb"),
        settings.require("table_name"),
        settings.require("credentials_key_id"),
    )


@cache
def oauth_endpoints() -> OAuthEndpoints:
    """What asks authorization servers for tokens."""
    return OAuthEndpoints(lambda: datetime.now(UTC), ca_file=Settings.from_environment().ca_file or None)


@cache
def oauth_clients() -> SsmOAuthClients:
    """popfetch as it is registered at authorization servers."""
    return SsmOAuthClients(lambda: aws_client("ssm"), Settings.from_environment().require("oauth_clients_parameter"))


@cache
def _warm_tokens() -> WarmTokens:
    return WarmTokens()


@cache
def sign_in_tester() -> "SignInTester":
    """What tries to sign in before anything is kept."""
    # fetch tries nothing out
    from popfetch.services.sign_in_trial import SignInTester

    return SignInTester(
        maildrops=maildrop_dialer(),
        submissions=submission_dialer(),
        hosts={direction: host_guard(direction) for direction in Direction},
        run=event_loop().run,
    )


def sign_in_secrets(journal: Journal) -> SignInSecrets:
    """What accounts are signed in to with: passwords and access tokens."""
    settings = Settings.from_environment()
    vault = credential_vault()
    return SignInSecrets(
        vault,
        oauth_clients(),
        AccessTokens(
            grants=GrantsTable(aws_client("dynamodb"), settings.require("table_name")),
            vault=vault,
            clients=oauth_clients(),
            servers=oauth_endpoints(),
            journal=journal,
            clock=lambda: datetime.now(UTC),
            warm=_warm_tokens(),
        ),
    )
