"""A second opinion: a small client of the provider that shares no code with popfetch.

    request = AuthorizationRequest(provider)
    tokens = request.redeem(provider.consent(request.url, "anna"))
    newer = refreshed(provider, tokens.refresh_token)

``tokens_of`` is all of it at once.
"""

import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tests.real.oidc_provider import REDIRECT_URI, ClientAuth, OidcProvider

SCOPE = "mail.pop mail.smtp offline_access"
_SECONDS = 20


class TokensRefused(Exception):
    """The provider said no; ``error`` is its word for why (RFC 6749, section 5.2)."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(f"{status} {error}")
        self.status = status
        self.error = error


@dataclass(frozen=True)
class Tokens:
    """What the token endpoint gave."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    scope: str
    expires_in: int


class AuthorizationRequest:
    """A request for consent and, once that is there, for tokens; ``url`` is what the person opens."""

    def __init__(self, provider: OidcProvider, *, scope: str = SCOPE, redirect_uri: str = REDIRECT_URI) -> None:
        self._provider = provider
        self._redirect_uri = redirect_uri
        self._verifier = secrets.token_urlsafe(48)
        self.state = secrets.token_urlsafe()
        challenge = urlsafe_b64encode(sha256(self._verifier.encode()).digest()).rstrip(b"=").decode()
        words = {
            "client_id": provider.client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "scope": scope,
            "state": self.state,
            "prompt": "consent",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        self.url = f"{provider.authorize_url}?{urlencode(words)}"

    def answer(self, callback: str) -> dict[str, str]:
        """What a callback carries, which must be this request's."""
        assert callback.startswith(f"{self._redirect_uri}?"), callback
        carried = {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}
        assert carried.pop("state") == self.state
        assert carried.pop("iss") == self._provider.issuer
        return carried

    def redeem(self, callback: str) -> Tokens:
        """The tokens for a callback's code. Raises TokensRefused."""
        return _ask(
            self._provider,
            grant_type="authorization_code",
            code=self.answer(callback)["code"],
            redirect_uri=self._redirect_uri,
            code_verifier=self._verifier,
        )


def tokens_of(provider: OidcProvider, user: str, *, scope: str = SCOPE, without: Collection[str] = ()) -> Tokens:
    """Fresh tokens of ``user``, who allows all of ``scope`` except what is in ``without``."""
    request = AuthorizationRequest(provider, scope=scope)
    return request.redeem(provider.consent(request.url, user, without=without))


def refreshed(provider: OidcProvider, refresh_token: str) -> Tokens:
    """The tokens that follow. Raises TokensRefused."""
    return _ask(provider, grant_type="refresh_token", refresh_token=refresh_token)


@dataclass(frozen=True)
class DeviceCodes:
    """What a device shows, and what it asks with meanwhile (RFC 8628, section 3.2)."""

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    interval: int


def device_codes(provider: OidcProvider, *, scope: str = SCOPE) -> DeviceCodes:
    """Codes for a device."""
    given = _post(provider, provider.device_url, scope=scope).json()
    return DeviceCodes(given["device_code"], given["user_code"], given["verification_uri"], given["interval"])


def device_tokens(provider: OidcProvider, codes: DeviceCodes) -> Tokens:
    """The tokens of a device, asked for once. Raises TokensRefused."""
    return _ask(provider, grant_type="urn:ietf:params:oauth:grant-type:device_code", device_code=codes.device_code)


def revoke_token(provider: OidcProvider, token: str) -> None:
    """Give a token back (RFC 7009); a refresh token takes its grant with it."""
    assert _post(provider, provider.revoke_url, token=token).status_code == 200


def wait_until_over(tokens: Tokens) -> None:
    """Wait until an access token that was just issued is over; for lifetimes of a second or two."""
    time.sleep(tokens.expires_in + 1)


def _ask(provider: OidcProvider, **form: str) -> Tokens:
    answer = _post(provider, provider.token_url, **form)
    if answer.status_code != 200:
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        raise TokensRefused(answer.status_code, answer.json()["error"] if is_json and answer.content else "")
    given = answer.json()
    assert given["token_type"] == "Bearer"
    return Tokens(given["access_token"], given.get("refresh_token", ""), given["scope"], given["expires_in"])


def _post(provider: OidcProvider, url: str, **form: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        if provider.client_auth is ClientAuth.BASIC:
            session.auth = (provider.client_id, provider.client_secret)
        else:
            form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
        return session.post(url, data=form, verify=provider.ca_file, timeout=_SECONDS)
