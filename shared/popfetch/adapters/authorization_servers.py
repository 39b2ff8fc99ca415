"""The endpoints of authorization servers, by oauthlib and httpx: fulfils the port ``AuthorizationServers``.

oauthlib makes the requests and reads the answers, httpx carries them. The addresses are popfetch's own or the
operator's, so that no guard is asked; TLS is verified, redirects are not followed, size and time are bounded. What a
server says may hold a token: none of its words leave this module but the codes that RFC 6749 defines.
"""

import asyncio
import json
import logging
import re
import ssl
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from popfetch.adapters.mail_sockets import UnreadableBundle, client_context
from popfetch.domain.errors import (
    AuthorizationPending,
    ConsentRefused,
    GrantInvalid,
    OAuthClientRefused,
    OAuthFlowInvalid,
    PopfetchError,
    TokensUnavailable,
)
from popfetch.domain.oauth import USUAL_LIFETIME, ClientAuth, DeviceOffer, OAuthClient, TokenAnswer
from popfetch.domain.secret import Secret
from popfetch.ports.invocation import Clock

if TYPE_CHECKING:
    from oauthlib.oauth2 import WebApplicationClient

WHOLE_SECONDS = 6.0
"""How long one request may take, from the connection to the last octet."""

MOST_OCTETS = 64 * 1024
"""The size of an answer; Microsoft's have about 5 KB."""

LONGEST_TOKEN = 8_000
"""Octets of a token that mail servers can be sent."""

LONGEST_CODE = 2_000
"""Characters of what a person reads or opens to consent elsewhere."""

USUAL_POLL_SECONDS = 5
"""How often a device code is asked for where the server does not say (RFC 8628, section 3.2)."""

SLOWER_BY_SECONDS = 5
"""By how much a server that says ``slow_down`` is asked less often (RFC 8628, section 3.5)."""

LONGEST_DEVICE_SECONDS = 30 * 60
LONGEST_LIFETIME_SECONDS = 400 * 24 * 60 * 60

_GRANT_IS_GONE = frozenset(
    {
        "invalid_grant",
        "interaction_required",
        "login_required",
        "consent_required",
        "access_denied",
        "admin_policy_enforced",
        "org_internal",
    }
)
"""What only a person can mend: RFC 6749, OpenID Connect Core, and Google where an administrator forbids it."""

_PASSES = frozenset({"temporarily_unavailable", "server_error", "slow_down", "rate_limit_exceeded"})
"""What time alone mends."""

_WORD = re.compile(r"[a-z0-9_]{1,40}")
_VISIBLE = re.compile(r"[\x21-\x7e]+")

# They note addresses of requests, and the second whole answers.
for _noisy in ("httpx", "httpcore", "oauthlib"):
    logging.getLogger(_noisy).setLevel(logging.WARNING)


class OAuthEndpoints:
    """The endpoints of authorization servers; ``ca_file`` is a PEM bundle trusted beside the public authorities."""

    def __init__(self, clock: Clock, *, ca_file: str | None = None, whole_seconds: float = WHOLE_SECONDS) -> None:
        self._clock = clock
        self._ca_file = ca_file
        self._whole_seconds = whole_seconds

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return client_context(self._ca_file)

    def consent_address(
        self, client: OAuthClient, *, redirect_uri: str, state: str, code_verifier: Secret, login_hint: str
    ) -> str:
        """Where a person consents in their browser; the code challenge is made from the verifier (RFC 7636, S256)."""
        library = _library(client)
        address: str = library.prepare_request_uri(
            client.server.authorize_url,
            redirect_uri=redirect_uri,
            scope=list(client.server.scopes),
            state=state,
            code_challenge=library.create_code_challenge(code_verifier.reveal(), "S256"),
            code_challenge_method="S256",
            login_hint=login_hint,
            **client.server.asks,
        )
        return address

    async def exchange(
        self, client: OAuthClient, code: Secret, *, redirect_uri: str, code_verifier: Secret
    ) -> TokenAnswer:
        """Exchange the code of a consent for tokens. Raises GrantInvalid."""
        body = _library(client).prepare_request_body(
            code=code.reveal(),
            redirect_uri=redirect_uri,
            code_verifier=code_verifier.reveal(),
            include_client_id=False,
        )
        return await self._tokens(client, body)

    async def renew(self, client: OAuthClient, refresh_token: Secret) -> TokenAnswer:
        """Get a new access token, and maybe a new refresh token. Raises GrantInvalid."""
        return await self._tokens(client, _library(client).prepare_refresh_body(refresh_token=refresh_token.reveal()))

    async def offer_device(self, client: OAuthClient) -> DeviceOffer:
        """Ask for a code that a person enters in any browser."""
        from oauthlib.common import add_params_to_qs

        body = add_params_to_qs("", [("scope", " ".join(client.server.scopes))])
        status, answer = await self._post(client, client.server.device_url, body)
        if status != HTTPStatus.OK:
            raise _refusal(client, status, answer)
        try:
            user_code, address = answer["user_code"], answer.get("verification_uri") or answer["verification_url"]
            complete = answer.get("verification_uri_complete")
            seconds = int(answer.get("expires_in") or 0)
            poll_seconds = int(answer.get("interval") or USUAL_POLL_SECONDS)
            device_code = _token(answer["device_code"])
        except (KeyError, TypeError, ValueError):
            device_code = None
        if device_code is None or not _fit_to_show(user_code) or not _is_https(address) or seconds <= 0:
            raise _senseless(client)
        return DeviceOffer(
            device_code=device_code,
            user_code=user_code,
            verification_uri=address,
            verification_uri_complete=complete if _is_https(complete) else None,
            expires_at=self._clock() + timedelta(seconds=min(seconds, LONGEST_DEVICE_SECONDS)),
            poll_seconds=max(1, min(poll_seconds, LONGEST_DEVICE_SECONDS)),
        )

    async def poll_device(self, client: OAuthClient, device_code: Secret) -> TokenAnswer:
        """Ask whether the code was entered. Raises AuthorizationPending, ConsentRefused, and OAuthFlowInvalid."""
        from oauthlib.oauth2 import DeviceClient

        body = DeviceClient(client.client_id).prepare_request_body(device_code.reveal())
        return await self._tokens(client, body, by_device=True)

    async def revoke(self, client: OAuthClient, refresh_token: Secret) -> None:
        """Give a grant back, where the server takes it back; there is nothing to be done where it does not."""
        if not client.server.revoke_url:
            return
        _, _, body = _library(client).prepare_token_revocation_request(
            client.server.revoke_url, refresh_token.reveal(), "refresh_token"
        )
        await self._post(client, client.server.revoke_url, body)

    async def _tokens(self, client: OAuthClient, body: str, *, by_device: bool = False) -> TokenAnswer:
        asked_at = self._clock()
        status, answer = await self._post(client, client.server.token_url, body)
        if status != HTTPStatus.OK or "error" in answer:
            raise (_at_device_poll(client, answer) if by_device else None) or _refusal(client, status, answer)
        access_token = _token(answer.get("access_token"))
        if access_token is None or str(answer.get("token_type", "")).lower() != "bearer":
            raise _senseless(client)
        scope = answer.get("scope")
        return TokenAnswer(
            access_token=access_token,
            expires_at=asked_at + _lifetime(answer.get("expires_in")),
            refresh_token=_token(answer.get("refresh_token")),
            scope=scope if isinstance(scope, str) and scope.strip() else None,
        )

    async def _post(self, client: OAuthClient, url: str, body: str) -> tuple[int, Mapping[str, Any]]:
        """The status and the JSON object of an answer, which is empty where it holds none."""
        # Renewals are an hour apart; whatever else fetches starts without these.
        from httpx import AsyncClient, HTTPError

        failure = ""
        try:
            async with (
                asyncio.timeout(self._whole_seconds),
                AsyncClient(verify=self._tls, trust_env=False, timeout=self._whole_seconds) as web,
                web.stream("POST", url, **_proof(client, body)) as response,
            ):
                content = bytearray()
                async for part in response.aiter_bytes():
                    content += part
                    if len(content) > MOST_OCTETS:
                        raise _senseless(client)
                return response.status_code, _object(bytes(content))
        except (HTTPError, OSError, UnreadableBundle) as error:
            failure = type(error).__name__
        # outside of the handling: a request that is named by an exception holds a secret
        raise TokensUnavailable(
            f"{client.server.name} does not answer when popfetch asks for a token ({failure}); it is tried again."
        )


def _library(client: OAuthClient) -> "WebApplicationClient":
    from oauthlib.oauth2 import WebApplicationClient

    return WebApplicationClient(client.client_id)


def _proof(client: OAuthClient, body: str) -> dict[str, Any]:
    """The request that proves which client it is (RFC 6749, section 2.3.1), as httpx takes it."""
    from urllib.parse import parse_qsl, quote_plus

    from httpx import BasicAuth

    fields = dict(parse_qsl(body, keep_blank_values=True))
    secret = client.client_secret
    request: dict[str, Any] = {"headers": {"Accept": "application/json"}}
    if client.server.client_auth is ClientAuth.BASIC and secret is not None:
        request["auth"] = BasicAuth(quote_plus(client.client_id), quote_plus(secret.reveal()))
        fields.pop("client_id", None)
    else:
        fields["client_id"] = client.client_id
        if secret is not None:
            fields["client_secret"] = secret.reveal()
    return {**request, "data": fields}


def _at_device_poll(client: OAuthClient, answer: Mapping[str, Any]) -> PopfetchError | None:
    """The error that an answer to a device code is (RFC 8628, section 3.5); ``None`` where it is none of its own."""
    match _code(answer):
        case "authorization_pending":
            return AuthorizationPending(0)
        case "slow_down":
            return AuthorizationPending(SLOWER_BY_SECONDS)
        case "expired_token" | "bad_verification_code":
            return OAuthFlowInvalid()
        case "access_denied" | "authorization_declined":
            return ConsentRefused(f"The sign-in at {client.server.name} was declined; start it again to consent.")
        case _:
            return None


def _refusal(client: OAuthClient, status: int, answer: Mapping[str, Any]) -> PopfetchError:
    """The error that an answer without tokens is."""
    name = client.server.name
    code = _code(answer)
    if code in _GRANT_IS_GONE:
        return GrantInvalid(f"{name} does not honour this sign-in any more ({code}).")
    troubled = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
    if troubled or code in _PASSES or not code:
        return TokensUnavailable(
            f"{name} cannot give a token at the moment (status {status}{', ' + code if code else ''}); it is tried"
            " again."
        )
    return OAuthClientRefused.by(name, code)


def _code(answer: Mapping[str, Any]) -> str:
    """The error code of an answer; empty where it has none that is a word."""
    said = answer.get("error")
    return said if isinstance(said, str) and _WORD.fullmatch(said) else ""


def _senseless(client: OAuthClient) -> TokensUnavailable:
    return TokensUnavailable(f"{client.server.name} gives an answer that makes no sense; it is tried again.")


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _token(value: object) -> Secret | None:
    """A token that mail servers and token endpoints can be sent; ``None`` for anything else."""
    if isinstance(value, str) and len(value) <= LONGEST_TOKEN and _VISIBLE.fullmatch(value):
        return Secret(value)
    return None


def _lifetime(value: object) -> timedelta:
    """How long a token is good for; some servers write the number as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:12])
    if isinstance(value, int | float) and 0 < value < LONGEST_LIFETIME_SECONDS:
        return timedelta(seconds=value)
    return USUAL_LIFETIME


def _fit_to_show(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_CODE and value.isprintable()


def _is_https(value: object) -> bool:
    return _fit_to_show(value) and str(value).startswith("https://") and bool(_VISIBLE.fullmatch(str(value)))
