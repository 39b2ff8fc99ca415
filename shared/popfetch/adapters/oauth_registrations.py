"""What the operator writes down of popfetch's registrations at authorization servers, read from JSON.

It is an object with an entry for each authorization server by its id. For those that popfetch knows, an entry is the
client that was registered there; any other id is a server of the operator's own, with its addresses, scopes and mail
hosts::

    {"google":    {"client_id": "...", "client_secret": "..."},
     "microsoft": {"client_id": "...", "client_secret": "...", "tenant": "contoso.onmicrosoft.com"},
     "example":   {"client_id": "...", "name": "Example Ltd", "hosts": ["mail.example.com"], "scopes": ["mail"],
                   "authorize_url": "https://...", "token_url": "https://..."}}
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from popfetch.domain.authorization_servers import AUTHORIZATION_SERVERS, TENANT_IN_URLS
from popfetch.domain.oauth import AuthorizationServer, ClientAuth, OAuthClient
from popfetch.domain.secret import Secret

_KNOWN = {server.id: server for server in AUTHORIZATION_SERVERS}


def _over_tls(url: str) -> str:
    if not url.startswith("https://") or "#" in url or any(char.isspace() for char in url):
        raise ValueError("must be an address that begins with https://")
    return url


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
_Url = Annotated[_Text, AfterValidator(_over_tls)]
_Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
_OWN = ("name", "authorize_url", "token_url", "scopes", "hosts")
_MAY_HAVE = ("device_url", "revoke_url", "issuer", "asks")


class Registration(BaseModel):
    """An entry of the SecureString."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    client_id: _Text
    client_secret: SecretStr | None = Field(default=None, min_length=1)
    client_auth: ClientAuth = ClientAuth.BODY
    tenant: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,100}$")] | None = None
    name: _Text | None = None
    authorize_url: _Url | None = None
    token_url: _Url | None = None
    device_url: _Url | None = None
    revoke_url: _Url | None = None
    issuer: _Url | None = None
    scopes: tuple[_Text, ...] | None = None
    hosts: tuple[_Text, ...] | None = None
    asks: dict[str, str] | None = None

    @model_validator(mode="after")
    def _secret_for_basic(self) -> Self:
        if self.client_auth is ClientAuth.BASIC and self.client_secret is None:
            raise ValueError('client_auth "basic" needs client_secret')
        return self

    def to_client(self, server_id: str) -> OAuthClient:
        """The client. Raises ValueError where the entry does not fit its server."""
        secret = Secret(self.client_secret.get_secret_value()) if self.client_secret else None
        known = _KNOWN.get(server_id)
        return OAuthClient(self._of_known(known) if known else self._own(server_id), self.client_id, secret)

    def _of_known(self, known: AuthorizationServer) -> AuthorizationServer:
        if foreign := [name for name in (*_OWN, *_MAY_HAVE) if getattr(self, name) is not None]:
            raise ValueError(f"{', '.join(foreign)}: popfetch knows {known.name}'s own")
        server = replace(known, client_auth=self.client_auth)
        if self.tenant is None:
            return server
        if TENANT_IN_URLS not in known.token_url:
            raise ValueError(f"tenant: {known.name} has none")
        mine = f"/{self.tenant}/"
        return replace(
            server,
            authorize_url=known.authorize_url.replace(TENANT_IN_URLS, mine),
            token_url=known.token_url.replace(TENANT_IN_URLS, mine),
            device_url=known.device_url.replace(TENANT_IN_URLS, mine),
        )

    def _own(self, server_id: str) -> AuthorizationServer:
        if missing := [name for name in _OWN if not getattr(self, name)]:
            raise ValueError(f"{', '.join(missing)}: needed for a server that popfetch does not know")
        if self.tenant is not None:
            raise ValueError("tenant: goes with microsoft only")
        assert self.name
        assert self.authorize_url
        assert self.token_url
        assert self.scopes
        assert self.hosts
        return AuthorizationServer(
            id=server_id,
            name=self.name,
            authorize_url=self.authorize_url,
            token_url=self.token_url,
            scopes=self.scopes,
            hosts=frozenset(host.lower().removesuffix(".") for host in self.hosts),
            device_url=self.device_url or "",
            revoke_url=self.revoke_url or "",
            issuer=self.issuer or "",
            asks=self.asks or {},
            client_auth=self.client_auth,
        )


_Registrations = TypeAdapter(dict[_Id, Registration])


class Unusable(Exception):
    """The JSON is no registrations; the text says where the mistake is, and no value."""


def read_registrations(text: str) -> Mapping[str, OAuthClient]:
    """The clients of the JSON, by the ids of their servers. Raises Unusable."""
    server_id = ""
    problem = ""
    try:
        clients = {}
        for server_id, registration in _Registrations.validate_json(text).items():
            clients[server_id] = registration.to_client(server_id)
    except ValidationError as error:
        problem = "; ".join(
            f"{'.'.join(map(str, found['loc'])) or 'the whole'}: {found['msg']}"
            for found in error.errors(include_input=False, include_context=False, include_url=False)[:3]
        )
    except ValueError as error:
        problem = f"{server_id}: {error}"
    else:
        return clients
    # outside of the handling: what was wrong may hold a secret
    raise Unusable(problem)
