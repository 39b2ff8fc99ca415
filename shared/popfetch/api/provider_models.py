"""Providers and found settings, on their way out."""

from typing import Self

from pydantic import BaseModel, Field

from popfetch.domain.account import Security
from popfetch.domain.host_names import ascii_name
from popfetch.domain.mail_settings import FoundServer, FoundSettings, MailAddress, Source
from popfetch.domain.provider import MailServer, OAuthProvider, Provider, SignInMethod, UsernameForm


def address_of(email: str) -> MailAddress:
    """A checked address with its domain as the DNS has it."""
    return MailAddress(email, ascii_name(email.rpartition("@")[2]))


class MailServerOut(BaseModel):
    """Where a provider's server is."""

    host: str
    port: int
    security: Security

    @classmethod
    def of(cls, server: MailServer) -> Self:
        """The server as it is shown."""
        return cls(host=server.host, port=server.port, security=server.security)


class ProviderOut(BaseModel):
    """What is known of a provider."""

    id: str
    name: str
    domains: list[str] = Field(description="Of its addresses; none for a provider of its customers' own domains.")
    incoming: MailServerOut | None = Field(description="None where the provider offers no POP.")
    outgoing: MailServerOut | None
    username: UsernameForm = Field(description="What of the address one signs in with.")
    sign_in_methods: list[SignInMethod] = Field(description="What the provider accepts; none where there is no server.")
    oauth_provider: OAuthProvider | None = Field(
        description="Who gives out the tokens for oauth2; /oauth/providers says whether popfetch is registered there."
    )
    shortest_interval_minutes: int = Field(description="Between two sign-ins; 1 where nothing is known.")
    recommended_interval_minutes: int
    help: str = Field(description="What the mailbox's owner has to do first.")

    @classmethod
    def of(cls, provider: Provider, help_text: str) -> Self:
        """The provider as it is shown, with its help in the language of who asks."""
        return cls(
            id=provider.id,
            name=provider.name,
            domains=list(provider.domains),
            incoming=MailServerOut.of(provider.incoming) if provider.incoming else None,
            outgoing=MailServerOut.of(provider.outgoing) if provider.outgoing else None,
            username=provider.username,
            sign_in_methods=list(provider.sign_in_methods),
            oauth_provider=provider.oauth_provider,
            shortest_interval_minutes=provider.shortest_interval,
            recommended_interval_minutes=provider.recommended_interval,
            help=help_text,
        )


class ProvidersOut(BaseModel):
    """The providers that popfetch knows."""

    providers: list[ProviderOut]


class FoundServerOut(BaseModel):
    """A server with the user name that goes with the address."""

    host: str
    port: int
    security: Security
    username: str

    @classmethod
    def of(cls, server: FoundServer) -> Self:
        """The server as it is proposed."""
        return cls(host=server.host, port=server.port, security=server.security, username=server.username)


class KnownProviderOut(BaseModel):
    """Which of the providers it is."""

    id: str
    name: str


class FoundSettingsOut(BaseModel):
    """The settings found for an address."""

    email: str
    source: Source | None = Field(description="Where they were found; null where nothing was.")
    provider: KnownProviderOut | None
    incoming: FoundServerOut | None = Field(description="Null where there is no POP server; help says what to do.")
    outgoing: FoundServerOut | None
    sign_in_methods: list[SignInMethod]
    oauth_provider: OAuthProvider | None = Field(
        description="Who gives out the tokens for oauth2; /oauth/providers says whether popfetch is registered there."
    )
    shortest_interval_minutes: int | None = Field(description="Between two sign-ins; 1 where nothing is known.")
    recommended_interval_minutes: int | None
    help: str = Field(description="What the mailbox's owner should know or do first.")
    needs_confirmation: bool = Field(
        description="A server is neither in the address's own domain nor a known provider's: ask before using it."
    )

    @classmethod
    def of(cls, email: str, found: FoundSettings) -> Self:
        """What was found, as it is proposed."""
        return cls(
            email=email,
            source=found.source,
            provider=KnownProviderOut(id=found.provider.id, name=found.provider.name) if found.provider else None,
            incoming=FoundServerOut.of(found.incoming) if found.incoming else None,
            outgoing=FoundServerOut.of(found.outgoing) if found.outgoing else None,
            sign_in_methods=list(found.sign_in_methods),
            oauth_provider=found.oauth_provider,
            shortest_interval_minutes=found.shortest_interval,
            recommended_interval_minutes=found.recommended_interval,
            help=found.help,
            needs_confirmation=found.needs_confirmation,
        )
