"""The wiring of what functions reach mail servers by: which hosts may be connected to, the dialers, the passwords."""

from functools import cache

from popfetch.adapters.credential_vault import CredentialVault
from popfetch.adapters.host_guard import POP3_PORTS, SUBMISSION_PORTS, HostGuard
from popfetch.adapters.pop3_dialer import Pop3Dialer
from popfetch.adapters.smtp_dialer import SmtpDialer
from popfetch.domain.account import Direction
from popfetch.runtime.aws_clients import aws_client
from popfetch.runtime.settings import Settings

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
def submission_dialer() -> SmtpDialer:
    """What opens conversations with submission servers."""
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
