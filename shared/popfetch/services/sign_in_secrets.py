"""What popfetch signs in with at an account's servers: the password that is kept, or an access token."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from popfetch.domain.account import Account, AuthMethod, Direction, Grant, Server
from popfetch.domain.errors import InvalidAccount, NoOAuthProvider, OAuthNotConfigured
from popfetch.domain.oauth import AuthorizationServer, OAuthClient, check_token_may_go
from popfetch.domain.secret import Secret
from popfetch.pop3.errors import TokenRefused as Pop3TokenRefused
from popfetch.ports.credentials import CredentialVault, OAuthClients
from popfetch.services.access_tokens import RENEWAL_SECONDS, AccessTokens
from popfetch.smtp.errors import TokenRefused as SmtpTokenRefused


@dataclass(frozen=True, slots=True)
class SignInSecrets:
    """Finds the secret that goes with a server."""

    vault: CredentialVault
    clients: OAuthClients
    tokens: AccessTokens

    def client_for(self, server: Server, direction: Direction) -> OAuthClient | None:
        """popfetch at who gives the tokens for a server; ``None`` where nobody is known to.

        Raises InvalidAccount where tokens may not go there, OAuthNotConfigured and StorageUnavailable.
        """
        found = next((known for known in self.clients.servers() if known.serves(server)), None)
        if found is None:
            return None
        check_token_may_go(server, direction, found)
        return self.clients.client(found.id)

    def authorization_server_of(self, server: Server, direction: Direction) -> AuthorizationServer:
        """Who gives the tokens for a server, and at whom popfetch is registered.

        Raises NoOAuthProvider, InvalidAccount where tokens may not go there, OAuthNotConfigured and StorageUnavailable.
        """
        client = self.client_for(server, direction)
        if client is None:
            raise NoOAuthProvider(
                f"{direction}.auth: popfetch knows no sign-in by OAuth 2 for {server.host}; use a password, or an app "
                "password where the provider asks for one."
            )
        return client.server

    def check_token_may_go(self, server: Server, direction: Direction, grant: Grant) -> None:
        """Check that the tokens of a grant may be sent to a server. Raises InvalidAccount and OAuthNotConfigured."""
        check_token_may_go(server, direction, self.clients.client(grant.server_id).server)

    def check_one_giver(self, by_token: Iterable[tuple[Server, Direction]]) -> None:
        """Check that one consent can open all of an account's servers that are signed in to by OAuth 2.

        Raises what ``authorization_server_of`` raises, and InvalidAccount.
        """
        givers = {self.authorization_server_of(server, direction).id for server, direction in by_token}
        if len(givers) > 1:
            raise InvalidAccount(
                "outgoing.auth: the two servers belong to different providers, and an account has one sign-in by "
                "OAuth 2."
            )

    async def secret_for(
        self, account: Account, server: Server, direction: Direction, *, deadline: float | None = None
    ) -> Secret:
        """The secret that goes to ``server``, which may differ from the account's own in all but what it wants.

        ``deadline`` is as ``AccessTokens.token_of`` has it. Raises what that raises, InvalidAccount where a token may
        not go there, and SecretUnreadable.
        """
        if server.auth is AuthMethod.OAUTH2:
            if account.grant is not None:
                try:
                    await asyncio.to_thread(self.check_token_may_go, server, direction, account.grant)
                except OAuthNotConfigured as error:
                    self.tokens.tell_operator(account.grant.server_id, error)
                    raise
            return await self.tokens.token_of(account, deadline=deadline)
        sealed = account.incoming_secret if direction is Direction.INCOMING else account.outgoing_secret
        assert sealed is not None
        return await asyncio.to_thread(self.vault.open, sealed, account.owner_id, account.account_id, direction)

    async def signed_in[Session](
        self,
        account: Account,
        direction: Direction,
        sign_in: Callable[[Secret], Awaitable[Session]],
        *,
        again: bool,
        deadline: float,
    ) -> Session:
        """Sign in at one of an account's servers by ``deadline``.

        A token may be worthless before its end, where consent was withdrawn or a password changed. So one that the
        server does not accept is tried once more as a new one if ``again`` is set, which the caller does unless the
        attempt before this one ended the same way. Raises what ``secret_for`` and ``sign_in`` raise.
        """
        server = account.server(direction)
        assert server is not None
        secret = await self.secret_for(account, server, direction, deadline=deadline)
        try:
            return await sign_in(secret)
        except (Pop3TokenRefused, SmtpTokenRefused):
            if not again or asyncio.get_running_loop().time() + RENEWAL_SECONDS > deadline:
                raise
        return await sign_in(await self.tokens.token_of(account, refused=secret, deadline=deadline))
