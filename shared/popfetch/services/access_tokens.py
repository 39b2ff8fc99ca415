"""Access tokens for accounts that are signed in to by OAuth 2: kept until shortly before their end, renewed by one.

A server may replace the refresh token at each use, and take the second use of one for a theft that costs the grant. So
whoever renews holds the lease of the grant's tokens, and the new refresh token is kept before the access token that
came with it is used; whoever finds the lease taken waits for what comes of it.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from popfetch.domain.account import Account, Grant
from popfetch.domain.errors import (
    ConsentNeeded,
    GrantInvalid,
    OAuthClientRefused,
    PopfetchError,
    SecretUnreadable,
    StorageUnavailable,
    TokensUnavailable,
)
from popfetch.domain.oauth import OAuthClient, StoredTokens, TokenAnswer, is_usable
from popfetch.domain.secret import Secret, TokenUse
from popfetch.ports import AuthorizationServers, Clock, CredentialVault, GrantStore, Journal, OAuthClients, Pause

LEASE = timedelta(seconds=30)
"""How long a renewal may take; after that it is taken for dead."""

LOOK_AGAIN_SECONDS = 0.5
LOOKS = 20
"""How often, and how many times, one looks whether somebody else's renewal is done."""

TRIES_TO_KEEP = 4
"""How often it is tried to keep tokens that a server has given: the refresh token before them may be worth nothing."""

WARM_TOKENS = 512


class WarmTokens:
    """Access tokens that a process has used lately, so that a poll asks nobody for one; by grant, at most 512."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[str, tuple[Secret, datetime]] = OrderedDict()

    def get(self, grant_id: str, now: datetime) -> Secret | None:
        """The token of a grant while it is still used."""
        token, expires_at = self._tokens.get(grant_id, (None, now))
        return token if token is not None and is_usable(expires_at, now) else None

    def put(self, grant_id: str, token: Secret, expires_at: datetime) -> None:
        """Remember a token."""
        self._tokens[grant_id] = (token, expires_at)
        self._tokens.move_to_end(grant_id)
        while len(self._tokens) > WARM_TOKENS:
            self._tokens.popitem(last=False)


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Gives accounts their access tokens."""

    grants: GrantStore
    vault: CredentialVault
    clients: OAuthClients
    servers: AuthorizationServers
    journal: Journal
    clock: Clock
    pause: Pause = asyncio.sleep
    warm: WarmTokens = field(default_factory=WarmTokens)

    async def token_of(self, account: Account, *, refused: Secret | None = None) -> Secret:
        """An access token for an account's servers; never ``refused``, which a server did not accept.

        Raises ConsentNeeded, OAuthNotConfigured, OAuthClientRefused, TokensUnavailable and StorageUnavailable.
        """
        grant = account.grant
        if grant is None:
            raise await self._consent_needed(account)
        token = self.warm.get(grant.grant_id, self.clock())
        if token is not None and token != refused:
            return token
        for _ in range(LOOKS):
            stored = await asyncio.to_thread(self.grants.load, account.account_id, grant.grant_id)
            if stored is None:
                raise await self._consent_needed(account)
            token = await self._stored_token(account, stored)
            if token is not None and token != refused:
                self.warm.put(grant.grant_id, token, stored.access_expires_at)
                return token
            now = self.clock()
            if stored.renewing_until is None or stored.renewing_until <= now:
                taken = await asyncio.to_thread(self.grants.take, stored, now + LEASE)
                if taken is not None:
                    return await self._renew(account, grant, taken)
            await self.pause(LOOK_AGAIN_SECONDS)
        raise TokensUnavailable("Another request is renewing the access token of this account; it is tried again.")

    async def keep_first(self, account: Account, grant: Grant, answer: TokenAnswer) -> None:
        """Keep the tokens of a grant that is just given. Raises StorageUnavailable."""
        assert answer.refresh_token is not None
        refresh, access = await self._sealed(account, answer.refresh_token, answer.access_token)
        tokens = StoredTokens(account.owner_id, account.account_id, grant.grant_id, refresh, access, answer.expires_at)
        await asyncio.to_thread(self.grants.add, tokens)

    async def give_back(self, account: Account) -> None:
        """Forget an account's tokens, and tell the authorization server, where it wants to know.

        Whatever the server makes of that, the tokens are gone here. Raises StorageUnavailable.
        """
        grant = account.grant
        if grant is None:
            return
        stored = await asyncio.to_thread(self.grants.load, account.account_id, grant.grant_id)
        await asyncio.to_thread(self.grants.remove, account.account_id, grant.grant_id)
        if stored is None:
            return
        try:
            client = await asyncio.to_thread(self.clients.client, grant.server_id)
            await self.servers.revoke(client, await self._open(account, stored.refresh_token, TokenUse.REFRESH_TOKEN))
        except StorageUnavailable:
            raise
        except PopfetchError as error:
            self.journal.warning("a grant was not given back at its server", **_whose(account), error=error.code)

    async def _consent_needed(self, account: Account) -> ConsentNeeded:
        """The error that says where consent is to be given."""
        named = account.grant.server_id if account.grant else None
        try:
            servers = await asyncio.to_thread(self.clients.servers)
        except PopfetchError:
            servers = []
        for server in servers:
            if server.id == named or (named is None and server.serves(account.incoming)):
                return ConsentNeeded(account.email, server.name)
        return ConsentNeeded(account.email)

    async def _stored_token(self, account: Account, stored: StoredTokens) -> Secret | None:
        if not is_usable(stored.access_expires_at, self.clock()):
            return None
        return await self._open(account, stored.access_token, TokenUse.ACCESS_TOKEN)

    async def _renew(self, account: Account, grant: Grant, taken: StoredTokens) -> Secret:
        client: OAuthClient | None = None
        try:
            client = await asyncio.to_thread(self.clients.client, grant.server_id)
            before = await self._open(account, taken.refresh_token, TokenUse.REFRESH_TOKEN)
            answer = await self.servers.renew(client, before)
        except BaseException as error:
            await asyncio.to_thread(self._give_lease_back, account, taken)
            if isinstance(error, GrantInvalid):
                self.journal.warning("a consent is gone", **_whose(account), provider=grant.server_id)
                assert client is not None
                raise ConsentNeeded(account.email, client.server.name) from error
            if isinstance(error, OAuthClientRefused):
                self.journal.error(
                    "an authorization server does not accept popfetch", provider=grant.server_id, reason=error.message
                )
                self.journal.count("OAuthClientsRefused")
            raise
        refresh, access = await self._sealed(account, answer.refresh_token or before, answer.access_token)
        renewed = replace(
            taken, refresh_token=refresh, access_token=access, access_expires_at=answer.expires_at, renewing_until=None
        )
        if not await self._keep(taken, renewed):
            raise TokensUnavailable("The account's sign-in was changed while its access token was renewed; try again.")
        self.journal.info(
            "an access token was renewed",
            **_whose(account),
            provider=grant.server_id,
            refresh_token_replaced=answer.refresh_token is not None,
        )
        self.warm.put(grant.grant_id, answer.access_token, answer.expires_at)
        return answer.access_token

    async def _keep(self, taken: StoredTokens, renewed: StoredTokens) -> bool:
        for attempt in range(1, TRIES_TO_KEEP + 1):
            try:
                return await asyncio.to_thread(self.grants.keep, taken, renewed)
            except StorageUnavailable:
                if attempt == TRIES_TO_KEEP:
                    raise
                await self.pause(LOOK_AGAIN_SECONDS * attempt)
        raise AssertionError("The last try returns or raises.")

    def _give_lease_back(self, account: Account, taken: StoredTokens) -> None:
        try:
            self.grants.release(taken)
        except StorageUnavailable as error:
            # it ends by itself
            self.journal.warning("a lease on tokens was not given back", **_whose(account), error=error.code)

    async def _sealed(self, account: Account, refresh_token: Secret, access_token: Secret) -> tuple[bytes, bytes]:
        def seal() -> tuple[bytes, bytes]:
            owner_id, account_id = account.owner_id, account.account_id
            return (
                self.vault.seal(refresh_token, owner_id, account_id, TokenUse.REFRESH_TOKEN),
                self.vault.seal(access_token, owner_id, account_id, TokenUse.ACCESS_TOKEN),
            )

        return await asyncio.to_thread(seal)

    async def _open(self, account: Account, sealed: bytes, use: TokenUse) -> Secret:
        """Open a stored token; one that does not open is worth as much as none. Raises ConsentNeeded."""
        try:
            return await asyncio.to_thread(self.vault.open, sealed, account.owner_id, account.account_id, use)
        except SecretUnreadable as error:
            self.journal.error("a token does not open", **_whose(account), use=str(use), reason=error.message)
            raise await self._consent_needed(account) from error


def _whose(account: Account) -> dict[str, object]:
    return {"owner_id": account.owner_id, "account_id": account.account_id}
