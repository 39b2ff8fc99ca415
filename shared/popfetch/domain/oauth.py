"""Access to mailboxes by OAuth 2 (RFC 6749): who gives it, what a person's consent brings, what a token is good for.

An access token opens a whole mailbox to whoever has it, so it only ever goes to hosts of the authorization server that
gave it, and only over TLS. Consent belongs to an account: it serves both of the account's servers.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from urllib.parse import urlsplit

from popfetch.domain.account import Account, AuthMethod, Direction, Grant, Security, Server
from popfetch.domain.errors import InvalidAccount, OAuthFlowInvalid
from popfetch.domain.host_names import plain_name
from popfetch.domain.secret import Secret, hash_of_token

FLOW_LIFETIME = timedelta(minutes=10)
"""How long a person has for their consent."""

USED_UNTIL = timedelta(minutes=2)
"""How long before its end an access token is not used any more: a cycle may sign in again for two minutes."""

USUAL_LIFETIME = timedelta(minutes=5)
"""How long an access token counts whose server does not say how long it is good for (RFC 6749, section 5.1)."""

TOKENS_OFFLINE = frozenset({"offline_access", "openid", "email", "profile"})
"""Scopes that are asked for and that servers do not name again; none of them opens a mailbox."""

_TENANT = "{tenantid}"
_ANY_TENANT = "[0-9a-f-]{36}"


class Flow(StrEnum):
    """How a person consents: in the browser they use popfetch with, or with a code in any other."""

    CODE = "code"
    DEVICE = "device"


class ClientAuth(StrEnum):
    """How popfetch proves to the token endpoint which client it is (RFC 6749, section 2.3.1)."""

    BODY = "body"
    BASIC = "basic"


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """Who gives out tokens, and for which mail hosts.

    ``issuer`` is what it calls itself in its answers (RFC 9207), with ``{tenantid}`` where any tenant may stand; empty
    where it is not known. ``asks`` are parameters that its consent page wants beside the usual ones. ``device_url``
    and ``revoke_url`` are empty where it has no such endpoint. ``devices_are_public`` where it takes whoever asks for a
    device code for a client without a secret, then and whenever its tokens are renewed (RFC 6749, section 2.1).
    """

    id: str
    name: str
    authorize_url: str
    token_url: str
    scopes: tuple[str, ...]
    hosts: frozenset[str]
    device_url: str = ""
    revoke_url: str = ""
    issuer: str = ""
    asks: Mapping[str, str] = field(default_factory=dict)
    client_auth: ClientAuth = ClientAuth.BODY
    devices_are_public: bool = False

    @property
    def flows(self) -> tuple[Flow, ...]:
        """The ways to consent."""
        return (Flow.CODE, Flow.DEVICE) if self.device_url else (Flow.CODE,)

    def serves(self, server: Server) -> bool:
        """Whether its tokens may be sent to a mail server."""
        return plain_name(server.host) in self.hosts

    def is_issuer(self, said: str | None) -> bool:
        """Whether an answer that names ``said`` as its issuer, or none, may be its own (RFC 9207, section 2.4)."""
        return said is None or not self.issuer or self.is_called(said)

    def is_called(self, said: str) -> bool:
        """Whether ``said`` is what it calls itself."""
        return bool(self.issuer) and bool(
            re.fullmatch(re.escape(self.issuer).replace(re.escape(_TENANT), _ANY_TENANT), said)
        )

    def scopes_missing(self, granted: str | None) -> tuple[str, ...]:
        """The scopes that a mailbox needs and that were not granted; a server that says nothing has granted all.

        Servers that are asked by a resource's address may answer by the name within it, and in another case.
        """
        if granted is None:
            return ()
        given = set(map(_name_of_scope, granted.split()))
        needed = (scope for scope in self.scopes if scope not in TOKENS_OFFLINE)
        return tuple(scope for scope in needed if _name_of_scope(scope) not in given)


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """popfetch as the operator has registered it at an authorization server."""

    server: AuthorizationServer
    client_id: str
    client_secret: Secret | None = None

    def without_secret(self) -> "OAuthClient":
        """The same client as one that cannot keep a secret."""
        return replace(self, client_secret=None)

    @property
    def fingerprint(self) -> bytes:
        """What tells whether tokens were given to this client by this server: no other is ever sent them."""
        place = urlsplit(self.server.token_url).netloc
        return sha256(f"{self.server.id}\0{place}\0{self.client_id}".encode()).digest()[:16]


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What a token endpoint has given; ``scope`` is ``None`` where it did not say: then it is what was asked for."""

    access_token: Secret
    expires_at: datetime
    refresh_token: Secret | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class StoredTokens:
    """The tokens of a grant as they are kept, sealed; ``version`` grows with each change.

    ``client_print`` is the fingerprint of the client that they were given to, ``is_public`` whether it showed no
    secret. ``renewing_until`` is set while one process renews the access token: a refresh token that is used twice may
    cost the whole grant.
    """

    owner_id: str
    account_id: str
    grant_id: str
    server_id: str
    client_print: bytes
    is_public: bool
    refresh_token: bytes = field(repr=False)
    access_token: bytes = field(repr=False)
    access_expires_at: datetime
    renewing_until: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class PendingConsent:
    """A consent that was asked for and not given yet, of either flow.

    ``proof`` is sealed: the code verifier (RFC 7636) or the device code (RFC 8628). ``browser_hash`` is the hash of the
    secret that only the browser has in which the flow began. A device code is asked for no sooner than ``poll_after``.
    """

    owner_id: str
    account_id: str
    server_id: str
    flow: Flow
    proof: bytes = field(repr=False)
    expires_at: datetime
    redirect_uri: str = ""
    browser_hash: bytes = field(default=b"", repr=False)
    poll_seconds: int = 0
    poll_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeviceOffer:
    """What a person does to consent elsewhere: open ``verification_uri`` and enter ``user_code`` (RFC 8628, 3.2)."""

    device_code: Secret
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_at: datetime
    poll_seconds: int


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What an authorization server sends a browser back with (RFC 6749, section 4.1.2; RFC 9207)."""

    state: str = field(repr=False)
    code: Secret | None = None
    error: str = ""
    issuer: str | None = None


def _name_of_scope(scope: str) -> str:
    return scope.rstrip("/").rpartition("/")[2].lower()


def hash_of(secret_text: str) -> bytes:
    """What is kept of a state or of a browser's secret (SHA-256). Raises OAuthFlowInvalid for a text that is none."""
    hashed = hash_of_token(secret_text)
    if hashed is None:
        raise OAuthFlowInvalid
    return hashed


def check_browser(pending: PendingConsent, secret_text: str) -> bool:
    """Whether the browser that comes back is the one that the flow began in."""
    hashed = hash_of_token(secret_text)
    return hashed is not None and compare_digest(pending.browser_hash, hashed)


def is_usable(tokens_end: datetime, now: datetime) -> bool:
    """Whether an access token that ends at ``tokens_end`` is still used at ``now``."""
    return now < tokens_end - USED_UNTIL


def check_token_may_go(server: Server, direction: Direction, authorization_server: AuthorizationServer) -> None:
    """Check that tokens may be sent to a mail server. Raises InvalidAccount."""
    if not authorization_server.serves(server):
        raise InvalidAccount(
            f"{direction}.host: {server.host} is no server of {authorization_server.name}, whose access tokens go "
            "nowhere else; correct the host, or use a password."
        )
    if server.security is Security.NONE:
        raise InvalidAccount(f'{direction}.security: access tokens are only sent over TLS; choose "tls" or "starttls".')


def consented(account: Account, authorization_server: AuthorizationServer, grant: Grant) -> Account:
    """The account after consent: every server that tokens go to is signed in to with them, and needs no password.

    Raises InvalidAccount where it has no such server any more, or one whose connection is not protected.
    """

    def by_token(server: Server | None, direction: Direction) -> Server | None:
        if server is None or not authorization_server.serves(server):
            return server
        check_token_may_go(server, direction, authorization_server)
        return replace(server, auth=AuthMethod.OAUTH2)

    incoming = by_token(account.incoming, Direction.INCOMING)
    outgoing = by_token(account.outgoing, Direction.OUTGOING)
    assert incoming is not None
    connected = replace(account, incoming=incoming, outgoing=outgoing, grant=grant)
    for server, _ in connected.by_token:
        if not authorization_server.serves(server):
            raise InvalidAccount(
                f"incoming.host: {server.host} is no server of {authorization_server.name}, and an account has one "
                "consent; give that server a password, or an account of its own."
            )
    if not connected.uses_oauth:
        raise InvalidAccount(
            f"incoming.host: {account.incoming.host} is no server of {authorization_server.name} any more; start again."
        )
    return replace(
        connected,
        incoming_secret=None if incoming.auth is AuthMethod.OAUTH2 else account.incoming_secret,
        outgoing_secret=None if outgoing is None or outgoing.auth is AuthMethod.OAUTH2 else account.outgoing_secret,
    )


def withdrawn(account: Account) -> Account:
    """The account without its consent; its servers wait for another one."""
    return replace(account, grant=None)


def login_hint(account: Account, server: Server | None = None) -> str:
    """Whom the consent page should propose for a server, the incoming one if none is named.

    It is the user name where that is an address, else the account's address.
    """
    username = (server or account.incoming).username.removeprefix("recent:")
    return username if "@" in username else account.email


def shares_consent(account: Account, others: Iterable[Account]) -> bool:
    """Whether another account was given consent by the same person at the same server, as far as one can tell.

    Some servers end all that a person has granted to popfetch where one token is given back. An account whose consent
    is gone does not tell whose it was.
    """
    others = [other for other in others if other.account_id != account.account_id and other.grant is not None]
    if account.grant is None:
        return bool(others)
    given_by = {login_hint(account, server).lower() for server, _ in account.by_token}
    return any(
        other.grant is not None
        and other.grant.server_id == account.grant.server_id
        and any(login_hint(other, server).lower() in given_by for server, _ in other.by_token)
        for other in others
    )
