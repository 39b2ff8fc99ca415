"""Access tokens for accounts that are signed in to by OAuth 2: kept until shortly before their end, renewed by one.

A server may replace the refresh token at each use, and take the second use of one for a theft that costs the grant. So
whoever renews holds the lease of the grant's tokens, and the new refresh token is kept before the access token that
came with it is used; whoever finds the lease taken waits for what comes of it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
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
from popfetch.domain.oauth import OAuthClient, StoredTokens, TokenAnswer, is_usable, shares_consent
from popfetch.domain.secret import Secret, TokenUse
from popfetch.ports.accounts import AccountRecord
from popfetch.ports.credentials import AuthorizationServers, CredentialVault, GrantStore, OAuthClients
from popfetch.ports.invocation import Clock, Journal, Pause
from popfetch.ports.metrics import Metric

LEASE = timedelta(seconds=60)
"""How long a renewal may take; after that it is taken for dead."""

LATEST_USE = timedelta(seconds=40)
"""How long after the lease was asked for the refresh token may still be used: well before somebody else may."""

RENEWAL_SECONDS = 8.0
"""What a renewal may take of the caller's time; none begins that could not end."""

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

    async def token_of(
        self, account: Account, *, refused: Secret | None = None, deadline: float | None = None
    ) -> Secret:
        """An access token for an account's servers; never ``refused``, which a server did not accept.

        No renewal begins that could not end by ``deadline`` (``asyncio`` loop time). Raises ConsentNeeded,
        OAuthNotConfigured, OAuthClientRefused, TokensUnavailable and StorageUnavailable.
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
            if deadline is not None and asyncio.get_running_loop().time() + RENEWAL_SECONDS > deadline:
                raise TokensUnavailable("There is no time left to renew the account's access token; try again.")
            if stored.renewing_until is None or stored.renewing_until <= self.clock():
                renewed = await self._renew(account, grant, stored)
                if renewed is not None:
                    return renewed
            await self.pause(LOOK_AGAIN_SECONDS)
        raise TokensUnavailable("Another request is renewing the access token of this account; it is tried again.")

    async def keep_first(self, account: Account, grant: Grant, client: OAuthClient, answer: TokenAnswer) -> None:
        """Keep the tokens of a grant that ``client`` was just given. Raises StorageUnavailable."""
        assert answer.refresh_token is not None
        refresh, access = await self._sealed(account, answer.refresh_token, answer.access_token)
        tokens = StoredTokens(
            owner_id=account.owner_id,
            account_id=account.account_id,
            grant_id=grant.grant_id,
            server_id=grant.server_id,
            client_print=client.fingerprint,
            is_public=client.client_secret is None,
            refresh_token=refresh,
            access_token=access,
            access_expires_at=answer.expires_at,
        )
        await asyncio.to_thread(self.grants.add, tokens)

    async def give_back(self, account: Account, of_owner: Iterable[AccountRecord]) -> None:
        """Forget all tokens that an account has left behind; again does no harm.

        The authorization servers are told, where they want to know and no other account ``of_owner`` would lose its
        consent by that; whatever they make of it, the tokens are gone here. Raises StorageUnavailable.
        """
        tell = not shares_consent(account, (record.account for record in of_owner))
        for stored in await asyncio.to_thread(self.grants.of_account, account.account_id):
            if tell:
                await self._revoke(account, stored)
            await asyncio.to_thread(self.grants.remove, account.account_id, stored.grant_id)

    def tell_operator(self, server_id: str, error: PopfetchError) -> None:
        """Note that only the operator can mend what keeps everybody from a server's tokens."""
        self.journal.error(
            "popfetch gets no tokens of an authorization server", provider=server_id, reason=error.message
        )
        self.journal.count(Metric.OAUTH_CLIENTS_REFUSED)

    def forget(self, account: Account, grant: Grant) -> None:
        """Remove the tokens of a grant that nothing leads to any more; what cannot be removed goes with the account."""
        try:
            self.grants.remove(account.account_id, grant.grant_id)
        except StorageUnavailable as error:
            self.note_left_behind(account, error)

    def note_left_behind(self, account: Account, error: StorageUnavailable) -> None:
        """Note tokens that could not be removed; nothing leads to them any more, and they go with the account."""
        self.journal.warning("tokens are left behind", **whose(account), reason=error.message)

    async def _revoke(self, account: Account, stored: StoredTokens) -> None:
        try:
            client = await asyncio.to_thread(self._client_of, account, stored)
            await self.servers.revoke(client, await self._open(account, stored.refresh_token, TokenUse.REFRESH_TOKEN))
        except StorageUnavailable:
            raise
        except PopfetchError as error:
            self.journal.warning("a grant was not given back at its server", **whose(account), error=error.code)

    def _client_of(self, account: Account, stored: StoredTokens) -> OAuthClient:
        """The client that tokens were given to. Raises ConsentNeeded where popfetch is another one there by now."""
        client = self.clients.client(stored.server_id)
        if client.fingerprint != stored.client_print:
            raise ConsentNeeded(account.email, client.server.name)
        return client.without_secret() if stored.is_public else client

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

    async def _renew(self, account: Account, grant: Grant, stored: StoredTokens) -> Secret | None:
        """Renew the access token under the lease; ``None`` where somebody else took it first."""
        # all that may take its time comes before the lease, or before the refresh token is used
        client = await asyncio.to_thread(self._client_of, account, stored)
        before = await self._open(account, stored.refresh_token, TokenUse.REFRESH_TOKEN)
        await self._sealed(account, before, before)
        asked_at = self.clock()
        taken = await asyncio.to_thread(self.grants.take, stored, asked_at + LEASE)
        if taken is None:
            return None
        if self.clock() > asked_at + LATEST_USE:
            await asyncio.to_thread(self._give_lease_back, account, taken)
            raise TokensUnavailable("Taking the lease of the account's tokens took too long; it is tried again.")
        try:
            answer = await self.servers.renew(client, before)
        except BaseException as error:
            await asyncio.to_thread(self._give_lease_back, account, taken)
            if isinstance(error, GrantInvalid):
                self.journal.warning("a consent is gone", **whose(account), provider=grant.server_id)
                raise ConsentNeeded(account.email, client.server.name) from error
            if isinstance(error, OAuthClientRefused):
                self.tell_operator(grant.server_id, error)
            raise
        if not await self._keep(account, taken, answer, before):
            raise TokensUnavailable("The account's sign-in was changed while its access token was renewed; try again.")
        self.journal.info(
            "an access token was renewed",
            **whose(account),
            provider=grant.server_id,
            refresh_token_replaced=answer.refresh_token is not None,
        )
        self.warm.put(grant.grant_id, answer.access_token, answer.expires_at)
        return answer.access_token

    async def _keep(self, account: Account, taken: StoredTokens, answer: TokenAnswer, before: Secret) -> bool:
        """Seal and keep what a server has given, several times if need be; ``False`` where the lease was lost."""
        for attempt in range(1, TRIES_TO_KEEP + 1):
            try:
                refresh, access = await self._sealed(account, answer.refresh_token or before, answer.access_token)
                renewed = replace(
                    taken, refresh_token=refresh, access_token=access, access_expires_at=answer.expires_at
                )
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
            self.journal.warning("a lease on tokens was not given back", **whose(account), error=error.code)

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
            self.journal.error("a token does not open", **whose(account), use=str(use), reason=error.message)
            raise await self._consent_needed(account) from error


def whose(account: Account) -> dict[str, object]:
    """Which account a line of the journal is about."""
    return {"owner_id": account.owner_id, "account_id": account.account_id}
