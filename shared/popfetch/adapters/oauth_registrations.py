"""What the operator writes down of popfetch's registrations at authorization servers, read from JSON.

It is an object with an entry for each authorization server by its id. For those that popfetch knows, an entry is the
client that was registered there; any other id is a server of the operator's own, with its addresses, scopes and mail
hosts::

    {"google":    {"client_id": "...", "client_secret": "..."},
     "microsoft": {"client_id": "...", "client_secret": "...", "tenant": "contoso.onmicrosoft.com"},
     "example":   {"client_id": "...", "name": "Example Ltd", "hosts": ["mail.example.com"], "scopes": ["mail"],
                   "authorize_url": "https://...", "token_url": "https://..."}}

An entry with a mistake takes no other down. A mail host belongs to one authorization server alone: to the one that
popfetch knows, else to the first that names it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

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
from popfetch.domain.errors import HostRefused
from popfetch.domain.host_names import ascii_name, plain_name
from popfetch.domain.oauth import AuthorizationServer, ClientAuth, OAuthClient
from popfetch.domain.secret import Secret

_KNOWN = {server.id: server for server in AUTHORIZATION_SERVERS}


_ID = re.compile(r"[a-z][a-z0-9-]{0,30}")
_PORT = re.compile(r"(?::[0-9]{1,5})?")
_SHOWN = 40


def _can_be_requested(url: str) -> bool:
    # stricter than the HTTP library, which takes a user, no host at all and ports that there are not
    if not url.startswith("https://") or "#" in url or " " in url or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        written = f"[{host}]" if ":" in host else host
        port = parts.netloc.lower().removeprefix(written)
        if not parts.netloc.isascii() or not _PORT.fullmatch(port) or parts.port == 0:
            return False
        return "xn--" not in ascii_name(host) or _is_international(url)
    except (ValueError, HostRefused):
        return False


def _is_international(url: str) -> bool:
    # rare, so that all others start without the library
    import httpx

    try:
        return bool(httpx.URL(url).host)
    except httpx.InvalidURL:
        return False


def _over_tls(url: str) -> str:
    if not _can_be_requested(url):
        raise ValueError("must be an address that begins with https:// and a host, without a user and a #")
    return url


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
_Url = Annotated[_Text, AfterValidator(_over_tls)]
_Host = Annotated[_Text, AfterValidator(plain_name)]
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
    hosts: tuple[_Host, ...] | None = None
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
            hosts=frozenset(self.hosts),
            device_url=self.device_url or "",
            revoke_url=self.revoke_url or "",
            issuer=self.issuer or "",
            asks=self.asks or {},
            client_auth=self.client_auth,
        )


_Entries = TypeAdapter(dict[str, Any])


class Unusable(Exception):
    """The text is no JSON object; it says where the mistake is, and no value."""


class _Mistake(Exception):
    """What is wrong with one entry."""


@dataclass(frozen=True, slots=True)
class Registrations:
    """The clients that can be used, and what is wrong with the other entries, by the ids of their servers.

    A problem says where the mistake is, and no value.
    """

    clients: Mapping[str, OAuthClient]
    problems: Mapping[str, str]


def read_registrations(text: str) -> Registrations:
    """What the JSON holds, each entry for itself. Raises Unusable where it is no object."""
    problem = ""
    try:
        entries = _Entries.validate_json(text)
    except ValidationError as error:
        problem = _told(error)
    else:
        return _each(entries)
    # outside of the handling: what was wrong may hold a secret
    raise Unusable(problem)


def _each(entries: Mapping[str, Any]) -> Registrations:
    clients: dict[str, OAuthClient] = {}
    problems: dict[str, str] = {}
    taken = {host: known.id for known in AUTHORIZATION_SERVERS for host in known.hosts}
    for server_id, entry in entries.items():
        try:
            client = _client(server_id, entry, taken)
        except _Mistake as mistake:
            problems[server_id] = str(mistake)
        else:
            clients[server_id] = client
            taken |= dict.fromkeys(client.server.hosts, server_id)
    return Registrations(clients, problems)


def _client(server_id: str, entry: Any, taken: Mapping[str, str]) -> OAuthClient:
    if not _ID.fullmatch(server_id):
        raise _Mistake(f"{_shown(server_id)}: an id has up to 31 small letters, digits and hyphens, a letter first")
    try:
        registration = Registration.model_validate(entry)
        client = registration.to_client(server_id)
    except ValidationError as error:
        raise _Mistake(_told(error, server_id)) from None
    except ValueError as error:
        raise _Mistake(f"{server_id}: {error}") from None
    # a token never has two servers to come from
    for index, host in enumerate(registration.hosts or ()):
        if host in taken:
            raise _Mistake(f"{server_id}.hosts.{index}: takes the tokens of {taken[host]} already")
    return client


def _told(error: ValidationError, *inside: str) -> str:
    return "; ".join(
        f"{'.'.join(map(_shown, (*inside, *found['loc']))) or 'the whole'}: {found['msg']}"
        for found in error.errors(include_input=False, include_context=False, include_url=False)[:3]
    )


def _shown(place: str | int) -> str:
    # whatever was pasted in the place of a name stays short and on one line
    text = "".join(char if char.isprintable() else "?" for char in str(place))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
