"""A real OAuth 2 provider on loopback: ``oidc-provider`` over HTTPS, in a process of its own.

Whoever signs in there is who he says he is, with any password. Codes come only with PKCE; a refresh token, which
``offline_access`` with ``prompt=consent`` brings, is good for one use, and one that comes again ends the whole grant::

    with OidcProvider(redirect_uris=[callback]) as provider:
        landed = provider.consent(url, "anna")          # a person's consent, by the forms; see ``browser`` for Chromium
        provider.revoke("anna")                         # as a person does on the account page
        provider.trouble(UNAVAILABLE)                   # until ``recover``
        assert provider.counters().reuses == 0

The scopes are ``mail.pop`` and ``mail.smtp``. Mail servers ask with a client of their own whether a token is good: see
``Dovecot(oauth2=...)``.
"""

import contextlib
import json
import secrets
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import requests

from tests.real.dovecot import write_certificate
from tests.real.real_server import RealServer
from tests.real.scripted_browser import ScriptedBrowser

FOLDER = Path(__file__).parent / "oidc"
REDIRECT_URI = "https://popfetch.example/callback"
"""Where redirects lead unless a test says otherwise; nothing is there."""

_SECONDS = 20


def missing() -> str | None:
    """Why this provider cannot be started here; ``None`` where it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (FOLDER / "node_modules" / "oidc-provider").exists():
        return "oidc-provider is not installed; infra/install_real_servers.sh does it"
    return None


class ClientAuth(StrEnum):
    """How the client shows its secret."""

    POST = "client_secret_post"
    BASIC = "client_secret_basic"


class Endpoint(StrEnum):
    """What of the provider can be in trouble."""

    TOKEN = "token"
    REVOCATION = "revocation"
    INTROSPECTION = "introspection"
    DEVICE_AUTHORIZATION = "device_authorization"


@dataclass(frozen=True)
class Trouble:
    """What an endpoint does in place of its answer, after ``delay_seconds``.

    With a ``status`` it answers that, and ``error`` as OAuth errors are written; it ``hangs`` until the trouble is
    over; or it ``loses_answer``: it does what was asked, and the connection ends without a word. With none of these
    it is only slow.
    """

    status: int = 0
    error: str = ""
    retry_after: int = 0
    delay_seconds: float = 0.0
    hangs: bool = False
    loses_answer: bool = False


UNAVAILABLE = Trouble(status=503)
TOO_MANY_REQUESTS = Trouble(status=429, retry_after=7)
CLIENT_REFUSED = Trouble(status=401, error="invalid_client")
HANGS = Trouble(hangs=True)
ANSWER_LOST = Trouble(loses_answer=True)


@dataclass(frozen=True)
class Counters:
    """What happened at the provider so far.

    ``reuses`` are uses of a refresh token that had been used, each of them among ``refused_refreshes``;
    ``concurrent`` is the most refreshes of one grant that were under way at once.
    """

    code_exchanges: int
    refreshes: int
    refused_refreshes: int
    reuses: int
    concurrent: int
    device_polls: int
    introspections: int
    revocations: int


@dataclass(frozen=True)
class Issued:
    """Every secret that passed through the provider, in the order they came; ``verifiers`` are the client's own."""

    access_tokens: tuple[str, ...]
    refresh_tokens: tuple[str, ...]
    id_tokens: tuple[str, ...]
    codes: tuple[str, ...]
    device_codes: tuple[str, ...]
    user_codes: tuple[str, ...]
    verifiers: tuple[str, ...]

    def all(self) -> frozenset[str]:
        """All of them, for a search in logs."""
        return frozenset(secret for kind in asdict(self).values() for secret in kind)


class OidcProvider(RealServer):
    """A running provider; use it as a context manager.

    ``client_id`` and ``client_secret`` are popfetch's; ``introspection_id`` and ``introspection_secret`` those of the
    mail servers. Access tokens have ``access_token_length`` characters, 2,600 at most: Microsoft's are about that long.
    With ``rotates`` off, a refresh token stays good and no new one comes.
    """

    name = "oidc"
    log_name = "output"

    client_id = "popfetch"
    introspection_id = "mail-server"

    def __init__(
        self,
        *,
        redirect_uris: Sequence[str] = (REDIRECT_URI,),
        client_auth: ClientAuth = ClientAuth.POST,
        access_token_seconds: int = 3600,
        access_token_length: int = 43,
        poll_seconds: int = 1,
        rotates: bool = True,
        names: Sequence[str] = ("localhost", "127.0.0.1"),
    ) -> None:
        self._names = names
        self._settings: dict[str, Any] = {
            "redirectUris": list(redirect_uris),
            "clientAuth": client_auth,
            "accessTokenSeconds": access_token_seconds,
            "accessTokenLength": access_token_length,
            "pollSeconds": poll_seconds,
            "rotates": rotates,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._channel = ""
        self._channel_secret = secrets.token_urlsafe()
        self._session = requests.Session()
        # otherwise the environment's bundle is used in place of ours
        self._session.trust_env = False
        self._endpoints: Mapping[str, Any] = {}
        self.client_secret = secrets.token_urlsafe()
        self.introspection_secret = secrets.token_urlsafe()
        self.ca_file = ""

    # --- What clients know of it ------------------------------------------------------------------------------

    @property
    def issuer(self) -> str:
        return str(self._endpoints["issuer"])

    @property
    def authorize_url(self) -> str:
        return str(self._endpoints["authorization_endpoint"])

    @property
    def token_url(self) -> str:
        return str(self._endpoints["token_endpoint"])

    @property
    def device_url(self) -> str:
        """Where a device asks for its codes (RFC 8628, section 3.1)."""
        return str(self._endpoints["device_authorization_endpoint"])

    @property
    def revoke_url(self) -> str:
        return str(self._endpoints["revocation_endpoint"])

    @property
    def introspection_url(self) -> str:
        return str(self._endpoints["introspection_endpoint"])

    @property
    def client_auth(self) -> ClientAuth:
        return ClientAuth(self._settings["clientAuth"])

    # --- What people do there ---------------------------------------------------------------------------------

    def consent(self, url: str, user: str, *, without: Collection[str] = ()) -> str:
        """Sign in as ``user`` and allow what is asked, except the scopes in ``without``; returns the callback.

        The callback is not followed. The person has a fresh browser each time.
        """
        with self._person() as person:
            return person.consent(url, user, without=without)

    def deny(self, url: str, user: str) -> str:
        """Sign in as ``user`` and allow nothing; returns the callback, which is not followed."""
        with self._person() as person:
            return person.deny(url, user)

    def approve_device(self, verification_uri: str, user_code: str, user: str) -> None:
        """Enter the code that a device shows, sign in as ``user``, and allow what it asks."""
        with self._person() as person:
            person.approve_device(verification_uri, user_code, user)

    def deny_device(self, verification_uri: str, user_code: str, user: str) -> None:
        """Enter the code that a device shows, sign in as ``user``, and allow nothing."""
        with self._person() as person:
            person.deny_device(verification_uri, user_code, user)

    def revoke(self, user: str) -> int:
        """Take back all that ``user`` has granted, as on the account page; returns how many grants there were."""
        return int(self._tell("revoke", user=user)["grants"])

    # --- What tests change and ask ----------------------------------------------------------------------------

    def set_redirect_uris(self, *uris: str) -> None:
        """Let the client's redirects lead to ``uris`` and nowhere else, from now on."""
        self._set(redirectUris=list(uris))

    def set_client_auth(self, method: ClientAuth) -> None:
        """Let the client show its secret by ``method`` alone, from now on."""
        self._set(clientAuth=method)

    def set_access_token_seconds(self, seconds: int) -> None:
        """Let access tokens that are issued from now on be good for so long."""
        self._set(accessTokenSeconds=seconds)

    def expire_access_tokens(self, user: str = "") -> None:
        """Let the access tokens of ``user``, or of everybody, be over at once."""
        self._tell("expire", user=user)

    def trouble(self, trouble: Trouble, at: Endpoint = Endpoint.TOKEN) -> None:
        """Let an endpoint be in trouble until ``recover``."""
        words = asdict(trouble)
        renamed = {"retryAfter": "retry_after", "delaySeconds": "delay_seconds", "losesAnswer": "loses_answer"}
        words.update({new: words.pop(old) for new, old in renamed.items()})
        self._tell("trouble", at=at, trouble=words)

    def recover(self) -> None:
        """Let all endpoints answer again; what hangs ends without an answer."""
        self._tell("recover")

    def counters(self) -> Counters:
        """What happened so far."""
        told = self._tell("counters")
        return Counters(
            code_exchanges=told["codeExchanges"],
            refreshes=told["refreshes"],
            refused_refreshes=told["refusedRefreshes"],
            reuses=told["reuses"],
            concurrent=told["concurrent"],
            device_polls=told["devicePolls"],
            introspections=told["introspections"],
            revocations=told["revocations"],
        )

    def issued(self) -> Issued:
        """Every token and code so far, whether it is still good or not."""
        told = self._tell("issued")
        return Issued(
            access_tokens=tuple(told["AccessToken"]),
            refresh_tokens=tuple(told["RefreshToken"]),
            id_tokens=tuple(told["idTokens"]),
            codes=tuple(told["AuthorizationCode"]),
            device_codes=tuple(told["DeviceCode"]),
            user_codes=tuple(told["userCodes"]),
            verifiers=tuple(told["verifiers"]),
        )

    def _person(self) -> ScriptedBrowser:
        return ScriptedBrowser(self.issuer, self.ca_file)

    def _set(self, **changes: Any) -> None:
        self._settings.update(changes)
        self._tell("set", **changes)

    def _tell(self, verb: str, **arguments: Any) -> dict[str, Any]:
        answer = self._session.post(
            f"{self._channel}/{verb}",
            json=arguments,
            headers={"Authorization": f"Bearer {self._channel_secret}"},
            timeout=_SECONDS,
        )
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    # --- Running ----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.folder.chmod(0o755)
        self.ca_file = write_certificate(self.folder, self._names)
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                ["node", str(FOLDER / "server.js")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # it may have ended before it read them
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(self._start_settings()).encode() + b"\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line.startswith(b"{"), f"the provider did not start:\n{line.decode()}{self.log}"
        started = json.loads(line)
        self._channel = started["admin"]
        answer = self._session.get(
            f"{started['issuer']}/.well-known/openid-configuration", verify=self.ca_file, timeout=_SECONDS
        )
        answer.raise_for_status()
        self._endpoints = answer.json()

    def _start_settings(self) -> dict[str, Any]:
        return {
            **self._settings,
            "certificate": str(self.folder / "server.pem"),
            "key": str(self.folder / "server.key"),
            "adminSecret": self._channel_secret,
            "clientId": self.client_id,
            "clientSecret": self.client_secret,
            "introspectionId": self.introspection_id,
            "introspectionSecret": self.introspection_secret,
        }

    def _stop(self) -> None:
        self._session.close()
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            # the end of its input is what ends it
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
            self._process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
