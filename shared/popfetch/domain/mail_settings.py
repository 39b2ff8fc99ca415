"""The settings found for an address: where they come from, and what its owner should know before using them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from popfetch.domain.account import Security
from popfetch.domain.provider import MailServer, OAuthProvider, Provider, SignInMethod
from popfetch.domain.providers import (
    is_providers_host,
    lies_below,
    provider_of_host,
    recommended_interval,
    shortest_interval,
)


class Source(StrEnum):
    """Where settings were found."""

    OPERATOR = "operator"
    PRESET = "preset"
    SRV = "srv"
    MX = "mx"
    AUTOCONFIG = "autoconfig"


@dataclass(frozen=True, slots=True)
class MailAddress:
    """An e-mail address as its owner writes it, and its domain as the DNS has it: in ASCII."""

    text: str
    domain: str

    @property
    def local_part(self) -> str:
        """What stands before the @."""
        return self.text.rpartition("@")[0]


@dataclass(frozen=True, slots=True)
class FoundServer:
    """A server, and the user name that the address's owner has there."""

    host: str
    port: int
    security: Security
    username: str

    @classmethod
    def of(cls, server: MailServer, username: str) -> Self:
        """``server`` with the user name filled in."""
        return cls(server.host, server.port, server.security, username)


@dataclass(frozen=True, slots=True)
class FoundSettings:
    """What was found for an address; nothing at all where ``source`` is ``None``.

    ``incoming`` is ``None`` where there is no POP server. ``needs_confirmation`` where a server is neither below the
    address's own domain nor a known provider's: its owner has to agree to it first (RFC 6186, section 6).
    """

    source: Source | None
    help: str
    provider: Provider | None = None
    incoming: FoundServer | None = None
    outgoing: FoundServer | None = None
    sign_in_methods: tuple[SignInMethod, ...] = ()
    needs_confirmation: bool = False

    @property
    def oauth_provider(self) -> OAuthProvider | None:
        """Who gives out access tokens for this mailbox."""
        return self.provider.oauth_provider if self.provider else None

    @property
    def shortest_interval(self) -> int | None:
        """The minutes between two sign-ins that the incoming server tolerates."""
        return shortest_interval(self.incoming.host) if self.incoming else None

    @property
    def recommended_interval(self) -> int | None:
        """The minutes between two fetches that suit the incoming server."""
        return recommended_interval(self.incoming.host) if self.incoming else None


NOTHING_FOUND = FoundSettings(
    source=None,
    help=(
        "No settings were found for this address. Ask the provider for its POP server, or look for POP in the settings"
        " of the mailbox: it may have to be switched on."
    ),
)

_IF_REFUSED = (
    "If the sign-in is refused, see whether POP has to be switched on in the settings of the mailbox, or an app"
    " password to be made."
)
_UNPROTECTED = (
    "This server is named without encryption, so that anyone on the way could read the password: ask the provider for"
    " one with TLS."
)
_NO_POP = (
    "{domain} offers no POP for its mailboxes, so that their mail cannot be collected. Ask the provider whether POP can"
    " be switched on, or let the mail be forwarded to a mailbox that has it."
)


def settings_of_provider(provider: Provider, address: MailAddress, source: Source) -> FoundSettings:
    """A known provider's settings, filled in for ``address``."""
    username = provider.username_of(address.text)
    return FoundSettings(
        source=source,
        help=provider.help,
        provider=provider,
        incoming=FoundServer.of(provider.incoming, username) if provider.incoming else None,
        outgoing=FoundServer.of(provider.outgoing, username) if provider.outgoing else None,
        sign_in_methods=provider.sign_in_methods,
    )


def settings_of_servers(
    source: Source,
    address: MailAddress,
    incoming: FoundServer,
    outgoing: FoundServer | None,
    sign_in_methods: tuple[SignInMethod, ...] = (SignInMethod.PASSWORD,),
) -> FoundSettings:
    """What the address's domain, or the operator, says of its servers; where they are a known provider's, its facts
    hold. What the operator says is for them to know, and needs nobody's agreement.
    """
    provider = provider_of_host(incoming.host, own_domain=True)
    if provider and provider.outgoing and outgoing is None:
        outgoing = FoundServer.of(provider.outgoing, provider.username_of(address.text))
    strange = [] if source is Source.OPERATOR else _strange_hosts(address, incoming, outgoing)
    return FoundSettings(
        source=source,
        help=_advice(address, incoming, provider, strange),
        provider=provider,
        incoming=incoming,
        outgoing=outgoing,
        sign_in_methods=provider.sign_in_methods if provider else sign_in_methods,
        needs_confirmation=bool(strange),
    )


def settings_without_pop(source: Source, address: MailAddress, outgoing: FoundServer | None) -> FoundSettings:
    """What there is for a domain that says itself that it offers no POP."""
    return FoundSettings(
        source=source,
        help=_NO_POP.format(domain=address.domain),
        outgoing=outgoing,
        sign_in_methods=(SignInMethod.PASSWORD,) if outgoing else (),
        needs_confirmation=bool(_strange_hosts(address, outgoing)),
    )


def settings_for_sending(source: Source, address: MailAddress, outgoing: FoundServer) -> FoundSettings:
    """What there is where a server for sending was found, but nothing about collecting."""
    return FoundSettings(
        source=source,
        help=(
            "Only a server for sending was found for this address. Ask the provider for its POP server, or look for POP"
            " in the settings of the mailbox: it may have to be switched on."
        ),
        outgoing=outgoing,
        sign_in_methods=(SignInMethod.PASSWORD,),
        needs_confirmation=bool(_strange_hosts(address, outgoing)),
    )


def _strange_hosts(address: MailAddress, *servers: FoundServer | None) -> list[str]:
    hosts = dict.fromkeys(server.host for server in servers if server)
    return [host for host in hosts if not lies_below(host, address.domain) and not is_providers_host(host)]


def _advice(address: MailAddress, incoming: FoundServer, provider: Provider | None, strange: list[str]) -> str:
    """The help line: what to make sure of first, what to do after."""
    advice = []
    if strange:
        advice.append(
            f"{' and '.join(strange)} is no part of {address.domain}: go on only if you know that your provider keeps"
            " its servers there, as they get your password."
        )
    if incoming.security is Security.NONE:
        advice.append(_UNPROTECTED)
    advice.append(provider.help if provider else _IF_REFUSED)
    return " ".join(advice)
