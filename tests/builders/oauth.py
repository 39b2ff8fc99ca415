"""Sign-in by OAuth 2 for tests: an authorization server in memory, popfetch's registrations, and grants.

The server in memory is as strict as a good one: a code is good once, for its redirect URI and its verifier; a refresh
token is good once, and its second use ends the grant. It remembers who asked for what in ``asked``, and with which
client secret in ``shown``. ``tests/real`` has a real one.
"""

import itertools
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from popfetch.adapters.authorization_servers import OAuthEndpoints
from popfetch.adapters.grants_table import GrantsTable
from popfetch.domain.account import Account, Grant
from popfetch.domain.authorization_servers import AUTHORIZATION_SERVERS
from popfetch.domain.errors import (
    AuthorizationPending,
    GrantInvalid,
    OAuthFlowInvalid,
    OAuthNotConfigured,
    PopfetchError,
)
from popfetch.domain.oauth import AuthorizationServer, CallbackAnswer, DeviceOffer, OAuthClient, TokenAnswer
from popfetch.domain.secret import Secret
from popfetch.ports.credentials import CredentialVault
from popfetch.ports.invocation import Clock, Journal
from popfetch.services.access_tokens import AccessTokens, WarmTokens
from popfetch.services.sign_in_secrets import SignInSecrets
from tests.builders.accounts import NOON
from tests.builders.aws import Aws
from tests.builders.journals import RecordingJournal

REDIRECT_URI = "https://api.example.net/v1/oauth/callback"


def an_authorization_server(**changes: Any) -> AuthorizationServer:
    """Example Ltd's, for pop.example.com and smtp.example.com."""
    defaults: dict[str, Any] = {
        "id": "example",
        "name": "Example Ltd",
        "authorize_url": "https://id.example.com/authorize",
        "token_url": "https://id.example.com/token",
        "device_url": "https://id.example.com/device",
        "revoke_url": "https://id.example.com/revoke",
        "issuer": "https://id.example.com",
        "scopes": ("mail.pop", "mail.smtp", "offline_access"),
        "hosts": frozenset({"pop.example.com", "smtp.example.com", "localhost", "127.0.0.1"}),
    }
    return AuthorizationServer(**{**defaults, **changes})


def a_registration() -> dict[str, dict[str, Any]]:
    """The same as an operator keeps it: popfetch's registration at Example Ltd."""
    server, client = an_authorization_server(), a_client()
    assert client.client_secret is not None
    urls = {
        name: getattr(server, name) for name in ("authorize_url", "token_url", "device_url", "revoke_url", "issuer")
    }
    return {
        server.id: {
            "client_id": client.client_id,
            "client_secret": client.client_secret.reveal(),
            "name": server.name,
            "scopes": list(server.scopes),
            "hosts": sorted(server.hosts),
            **urls,
        }
    }


def a_client(**changes: Any) -> OAuthClient:
    """popfetch at Example Ltd."""
    return OAuthClient(an_authorization_server(**changes), "popfetch", Secret("cl1ent-Geheimnis"))


def a_grant(number: int = 1, **changes: Any) -> Grant:
    """Consent ``number``, given at Example Ltd."""
    return Grant(**{"grant_id": f"grant-{number}", "server_id": "example", "granted_at": NOON, **changes})


@dataclass
class RegisteredClients:
    """popfetch's registrations, beside the servers that it knows anyway."""

    clients: list[OAuthClient] = field(default_factory=lambda: [a_client()])
    failure: PopfetchError | None = None
    wrong: list[str] = field(default_factory=list)

    def servers(self) -> Sequence[AuthorizationServer]:
        if self.failure:
            raise self.failure
        return [*AUTHORIZATION_SERVERS, *(client.server for client in self.clients)]

    def client(self, server_id: str) -> OAuthClient:
        if self.failure:
            raise self.failure
        for client in self.clients:
            if client.server.id == server_id:
                return client
        raise OAuthNotConfigured(f"Nobody has registered popfetch at {server_id}.")

    def is_registered(self, server_id: str) -> bool:
        return any(client.server.id == server_id for client in self.clients)

    def mistakes(self) -> Sequence[str]:
        return self.wrong


@dataclass
class ServerInMemory:
    """The endpoints of an authorization server; ``failure`` is what asking for tokens raises, where it is set."""

    clock: Callable[[], datetime] = lambda: NOON
    lifetime: timedelta = timedelta(hours=1)
    rotates: bool = True
    scope: str | None = None
    gives_refresh_token: bool = True
    failure: PopfetchError | None = None
    pending_polls: int = 0
    renewals: int = 0
    reused: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    shown: list[Secret | None] = field(default_factory=list)
    given_back: list[str] = field(default_factory=list)
    issued: list[str] = field(default_factory=list)
    before_renewing: Callable[[], Any] = lambda: None
    after_renewing: Callable[[], Any] = lambda: None
    _codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    _live: dict[str, int] = field(default_factory=dict)
    _used: dict[str, int] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def consent_address(
        self, client: OAuthClient, *, redirect_uri: str, state: str, code_verifier: Secret, login_hint: str
    ) -> str:
        return OAuthEndpoints(self.clock).consent_address(
            client, redirect_uri=redirect_uri, state=state, code_verifier=code_verifier, login_hint=login_hint
        )

    def consented(self, address: str, **changes: Any) -> CallbackAnswer:
        """What comes back once a person has consented at ``address``."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"code-{next(self._numbers)}"
        self._codes[code] = (query["redirect_uri"], query["code_challenge"])
        self.issued.append(code)
        answer = {"state": query["state"], "code": Secret(code), "issuer": "https://id.example.com"}
        return CallbackAnswer(**{**answer, **changes})

    def callback(self, address: str, **changes: str) -> str:
        """The address that the browser comes back to."""
        answer = self.consented(address)
        assert answer.code
        query = {"code": answer.code.reveal(), "state": answer.state, "iss": answer.issuer, **changes}
        redirect_uri = parse_qs(urlsplit(address).query)["redirect_uri"][0]
        return f"{redirect_uri}?{urlencode({name: value for name, value in query.items() if value})}"

    async def exchange(
        self, client: OAuthClient, code: Secret, *, redirect_uri: str, code_verifier: Secret
    ) -> TokenAnswer:
        self._note("exchange", client)
        if self.failure:
            raise self.failure
        digest = sha256(code_verifier.reveal().encode()).digest()
        challenge = urlsafe_b64encode(digest).decode().rstrip("=")
        if self._codes.pop(code.reveal(), None) != (redirect_uri, challenge):
            raise GrantInvalid("Example Ltd does not honour this sign-in any more (invalid_grant).")
        return self._tokens(next(self._numbers))

    async def renew(self, client: OAuthClient, refresh_token: Secret) -> TokenAnswer:
        self._note("renew", client)
        self.renewals += 1
        self.before_renewing()
        if self.failure:
            raise self.failure
        token = refresh_token.reveal()
        if token in self._used:
            self.reused += 1
            self.revoke_all(self._used[token])
        if token not in self._live:
            raise GrantInvalid("Example Ltd does not honour this sign-in any more (invalid_grant).")
        if self.rotates:
            grant = self._used[token] = self._live.pop(token)
            answer = self._tokens(grant)
        else:
            answer = self._answer(None)
        self.after_renewing()
        return answer

    async def offer_device(self, client: OAuthClient) -> DeviceOffer:
        self._note("device", client)
        if self.failure:
            raise self.failure
        return DeviceOffer(
            Secret("device-code"),
            "WDJB-MJHT",
            "https://id.example.com/go",
            None,
            self.clock() + timedelta(minutes=15),
            5,
        )

    async def poll_device(self, client: OAuthClient, device_code: Secret) -> TokenAnswer:
        self._note("poll", client)
        if self.failure:
            raise self.failure
        if device_code.reveal() != "device-code":
            raise OAuthFlowInvalid
        if self.pending_polls:
            self.pending_polls -= 1
            raise AuthorizationPending(0)
        return self._tokens(next(self._numbers))

    async def revoke(self, client: OAuthClient, refresh_token: Secret) -> None:
        if self.failure:
            raise self.failure
        self.given_back.append(refresh_token.reveal())
        self.revoke_all(self._live.get(refresh_token.reveal(), 0))

    def revoke_all(self, grant: int | None = None) -> None:
        """End a grant, or all of them, as a person does at the provider."""
        self._live = {token: its for token, its in self._live.items() if grant is not None and its != grant}

    def _note(self, what: str, client: OAuthClient) -> None:
        self.asked.append((what, client.client_id))
        self.shown.append(client.client_secret)

    def _tokens(self, grant: int) -> TokenAnswer:
        refresh_token = f"refresh-{grant}-{next(self._numbers)}"
        self._live[refresh_token] = grant
        self.issued.append(refresh_token)
        return self._answer(Secret(refresh_token) if self.gives_refresh_token else None)

    def _answer(self, refresh_token: Secret | None) -> TokenAnswer:
        access_token = f"access-{next(self._numbers)}"
        self.issued.append(access_token)
        return TokenAnswer(Secret(access_token), self.clock() + self.lifetime, refresh_token, self.scope)


def sign_in_secrets(
    vault: CredentialVault,
    stack: Aws,
    *,
    clients: RegisteredClients | None = None,
    servers: ServerInMemory | None = None,
    journal: Journal | None = None,
    clock: Clock = lambda: NOON,
    warm: WarmTokens | None = None,
) -> SignInSecrets:
    """What accounts are signed in to with, on moto's table."""
    clients = clients or RegisteredClients()

    async def at_once(_: float) -> None:
        """Let no time pass."""

    tokens = AccessTokens(
        grants=GrantsTable(stack.dynamodb, stack.table),
        vault=vault,
        clients=clients,
        servers=servers or ServerInMemory(clock),
        journal=journal or RecordingJournal(),
        clock=clock,
        pause=at_once,
        warm=warm or WarmTokens(),
    )
    return SignInSecrets(vault, clients, tokens)


async def given(
    secrets: SignInSecrets, account: Account, grant: Grant, client: OAuthClient | None = None
) -> TokenAnswer:
    """Keep first tokens of the server in memory for a grant, given to popfetch or to ``client``; returns them."""
    servers = secrets.tokens.servers
    assert isinstance(servers, ServerInMemory)
    answer = servers._tokens(next(servers._numbers))
    await secrets.tokens.keep_first(account, grant, client or a_client(), answer)
    return answer
