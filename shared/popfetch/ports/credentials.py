"""Secrets at rest, and signing in by OAuth 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from popfetch.domain.account import Direction
    from popfetch.domain.oauth import (
        AuthorizationServer,
        DeviceOffer,
        OAuthClient,
        PendingConsent,
        StoredTokens,
        TokenAnswer,
    )
    from popfetch.domain.secret import Secret, TokenUse


class CredentialVault(Protocol):
    """Seals secrets for one owner, account and use, and opens them for the same three only.

    A password's use is its direction; tokens have uses of their own.
    """

    def seal(self, secret: Secret, owner_id: str, account_id: str, use: Direction | TokenUse) -> bytes:
        """Encrypt a secret for rest."""

    def open(self, sealed: bytes, owner_id: str, account_id: str, use: Direction | TokenUse) -> Secret:
        """Decrypt a sealed secret. Raises SecretUnreadable."""


class OAuthClients(Protocol):
    """popfetch as it is registered at authorization servers.

    Every call raises StorageUnavailable, and OAuthNotConfigured where popfetch may not read its registrations.
    """

    def servers(self) -> Sequence[AuthorizationServer]:
        """All authorization servers that are known, those without a registration too."""

    def client(self, server_id: str) -> OAuthClient:
        """popfetch at an authorization server. Raises OAuthNotConfigured where it is not registered there."""

    def is_registered(self, server_id: str) -> bool:
        """Whether popfetch is registered at an authorization server."""

    def mistakes(self) -> Sequence[str]:
        """What is wrong with registrations that cannot be used; no text holds a value of theirs."""


class AuthorizationServers(Protocol):
    """The endpoints of authorization servers (RFC 6749, RFC 7009, RFC 8628).

    Calls that are awaited raise TokensUnavailable where no sensible answer came, and OAuthClientRefused where the
    server does not accept popfetch itself.
    """

    def consent_address(
        self, client: OAuthClient, *, redirect_uri: str, state: str, code_verifier: Secret, login_hint: str
    ) -> str:
        """Where a person consents in their browser; the code challenge is made from the verifier (RFC 7636, S256)."""

    async def exchange(
        self, client: OAuthClient, code: Secret, *, redirect_uri: str, code_verifier: Secret
    ) -> TokenAnswer:
        """Exchange the code of a consent for tokens. Raises GrantInvalid."""

    async def renew(self, client: OAuthClient, refresh_token: Secret) -> TokenAnswer:
        """Get a new access token, and maybe a new refresh token, which then takes the other's place.

        Raises GrantInvalid.
        """

    async def offer_device(self, client: OAuthClient) -> DeviceOffer:
        """Ask for a code that a person enters in any browser."""

    async def poll_device(self, client: OAuthClient, device_code: Secret) -> TokenAnswer:
        """Ask whether the code was entered. Raises AuthorizationPending, ConsentRefused, and OAuthFlowInvalid."""

    async def revoke(self, client: OAuthClient, refresh_token: Secret) -> None:
        """Give a grant back, where the server takes it back; there is nothing to be done where it does not."""


class GrantStore(Protocol):
    """The tokens of grants. Every call raises StorageUnavailable."""

    def add(self, tokens: StoredTokens) -> None:
        """Keep the tokens of a new grant."""

    def load(self, account_id: str, grant_id: str) -> StoredTokens | None:
        """The tokens of a grant; ``None`` where there are none any more."""

    def of_account(self, account_id: str) -> list[StoredTokens]:
        """The tokens of all grants that an account has left behind, the present one among them."""

    def take(self, seen: StoredTokens, until: datetime) -> StoredTokens | None:
        """Take the lease; ``None`` where somebody else changed the tokens since they were seen, or removed them."""

    def keep(self, taken: StoredTokens, renewed: StoredTokens) -> bool:
        """Keep new tokens and give the lease back; ``False`` where the lease was lost meanwhile."""

    def release(self, taken: StoredTokens) -> None:
        """Give the lease back; where it was lost, nothing happens."""

    def remove(self, account_id: str, grant_id: str) -> None:
        """Remove the tokens of a grant."""


class PendingConsents(Protocol):
    """Consents that are waited for, by the hashes of their states. Every call raises StorageUnavailable."""

    def keep(self, state_hash: bytes, pending: PendingConsent) -> None:
        """Wait for a consent until it expires."""

    def find(self, state_hash: bytes) -> PendingConsent | None:
        """The consent of a state; one that has expired may be found, and may not."""

    def take(self, state_hash: bytes) -> bool:
        """Wait for a consent no more; ``False`` where somebody else took it before."""

    def postpone(self, state_hash: bytes, seen: PendingConsent, pending: PendingConsent) -> bool:
        """Store when a device code may be asked for next; ``False`` where somebody else did, or took the consent."""
