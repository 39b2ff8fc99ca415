"""Asking authorization servers, over HTTPS on this machine: what is sent, what is made of every kind of answer."""

import asyncio
import json
import logging
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from popfetch.adapters.authorization_servers import MOST_OCTETS, OAuthEndpoints
from popfetch.domain.errors import (
    AuthorizationPending,
    ConsentRefused,
    GrantInvalid,
    OAuthClientRefused,
    OAuthFlowInvalid,
    PopfetchError,
    TokensUnavailable,
)
from popfetch.domain.oauth import USUAL_LIFETIME, ClientAuth, OAuthClient
from popfetch.domain.secret import Secret
from tests.builders.accounts import NOON
from tests.builders.https_server import Hang, HttpsServer, Page, Raw, moved
from tests.builders.oauth import REDIRECT_URI, a_client, an_authorization_server

TOKEN = "ya29.access-t0ken"
REFRESH = "1//refresh-t0ken"
GOOD = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3599, "refresh_token": REFRESH}
VERIFIER = Secret("v" * 43)
SECRETS = (TOKEN, REFRESH, "code-1", VERIFIER.reveal(), "cl1ent-Geheimnis", "device-t0ken")

type Ask = Callable[[OAuthEndpoints, OAuthClient], Awaitable[Any]]


def page(answer: Any, status: str = "200 OK") -> Page:
    return Page(json.dumps(answer).encode(), status, ("Content-Type: application/json",))


def error(code: str, status: str = "400 Bad Request", **more: str) -> Page:
    return page({"error": code, **more}, status)


async def exchange(endpoints: OAuthEndpoints, client: OAuthClient) -> Any:
    return await endpoints.exchange(client, Secret("code-1"), redirect_uri=REDIRECT_URI, code_verifier=VERIFIER)


async def renew(endpoints: OAuthEndpoints, client: OAuthClient) -> Any:
    return await endpoints.renew(client, Secret(REFRESH))


async def poll(endpoints: OAuthEndpoints, client: OAuthClient) -> Any:
    return await endpoints.poll_device(client, Secret("device-t0ken"))


async def offer(endpoints: OAuthEndpoints, client: OAuthClient) -> Any:
    return await endpoints.offer_device(client)


@pytest.fixture
def asking(ca_file: str) -> Callable[..., Any]:
    async def ask(what: Ask, answer: Page | Hang | Raw, *, seconds: float = 5.0, **client: Any) -> tuple[Any, Any]:
        """What comes of asking, and the request as the server got it."""
        paths = ("token", "device", "revoke")
        async with HttpsServer(dict.fromkeys((f"127.0.0.1/{path}" for path in paths), answer)) as server:
            base = f"https://127.0.0.1:{server.port}"
            addresses = {f"{path}_url": f"{base}/{path}" for path in paths}
            endpoints = OAuthEndpoints(lambda: NOON, ca_file=ca_file, whole_seconds=seconds)
            try:
                found: Any = await what(endpoints, a_client(**{**addresses, **client}))
            except PopfetchError as failure:
                found = failure
            return found, server.requests[0] if server.requests else None

    return ask


def fields(request: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}


class TestWhatIsSent:
    async def test_a_code_goes_with_its_verifier_and_the_client(self, asking: Any) -> None:
        answer, request = await asking(exchange, page(GOOD))
        assert fields(request) == {
            "grant_type": "authorization_code",
            "code": "code-1",
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER.reveal(),
            "client_id": "popfetch",
            "client_secret": "cl1ent-Geheimnis",
        }
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert "?" not in request.target
        assert answer.access_token.reveal() == TOKEN

    async def test_a_refresh_token_goes_alone(self, asking: Any) -> None:
        _, request = await asking(renew, page(GOOD))
        sent = fields(request)
        assert (sent["grant_type"], sent["refresh_token"]) == ("refresh_token", REFRESH)
        assert "scope" not in sent

    async def test_by_basic_the_secret_is_in_the_header_alone(self, asking: Any) -> None:
        _, request = await asking(renew, page(GOOD), client_auth=ClientAuth.BASIC)
        scheme, _, proof = request.headers["authorization"].partition(" ")
        assert (scheme, b64decode(proof).decode()) == ("Basic", "popfetch:cl1ent-Geheimnis")
        assert not {"client_id", "client_secret"} & fields(request).keys()

    async def test_a_public_client_has_no_secret(self, ca_file: str) -> None:
        async with HttpsServer({"127.0.0.1/token": page(GOOD)}) as server:
            public = OAuthClient(
                an_authorization_server(token_url=f"https://127.0.0.1:{server.port}/token"), "popfetch"
            )
            await renew(OAuthEndpoints(lambda: NOON, ca_file=ca_file), public)
            assert fields(server.requests[0]).get("client_secret") is None
            assert fields(server.requests[0])["client_id"] == "popfetch"

    async def test_a_device_code_is_asked_for_with_the_scopes(self, asking: Any) -> None:
        _, request = await asking(offer, error("server_error"))
        assert fields(request)["scope"] == "mail.pop mail.smtp offline_access"

    async def test_a_device_code_is_polled_with(self, asking: Any) -> None:
        _, request = await asking(poll, page(GOOD))
        assert fields(request)["grant_type"] == "urn:ietf:params:oauth:grant-type:device_code"
        assert fields(request)["device_code"] == "device-t0ken"

    async def test_a_grant_is_given_back_by_its_refresh_token(self, asking: Any) -> None:
        async def revoke(endpoints: OAuthEndpoints, client: OAuthClient) -> None:
            await endpoints.revoke(client, Secret(REFRESH))

        _, request = await asking(revoke, Page())
        assert (fields(request)["token"], fields(request)["token_type_hint"]) == (REFRESH, "refresh_token")
        _, request = await asking(revoke, Page(), revoke_url="")
        assert request is None

    def test_the_consent_page_gets_the_challenge_and_not_the_verifier(self) -> None:
        address = OAuthEndpoints(lambda: NOON).consent_address(
            a_client(asks={"prompt": "consent"}),
            redirect_uri=REDIRECT_URI,
            state="s" * 43,
            code_verifier=VERIFIER,
            login_hint="anna+x@example.com",
        )
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        digest = sha256(VERIFIER.reveal().encode()).digest()
        assert query["code_challenge"] == urlsafe_b64encode(digest).decode().rstrip("=")
        assert (query["prompt"], query["login_hint"]) == ("consent", "anna+x@example.com")
        assert VERIFIER.reveal() not in address
        assert "cl1ent" not in address


class TestTokens:
    async def test_all_of_it_is_read(self, asking: Any) -> None:
        answer, _ = await asking(renew, page({**GOOD, "scope": "mail.pop mail.smtp"}))
        assert answer.expires_at == NOON + timedelta(seconds=3599)
        assert answer.refresh_token.reveal() == REFRESH
        assert answer.scope == "mail.pop mail.smtp"
        for secret in SECRETS:
            assert secret not in repr(answer)

    @pytest.mark.parametrize("lifetime", [None, 0, -1, "soon", "", 1e12, True, [], {}, "1e3", "٣٦٠٠"])
    async def test_a_lifetime_that_makes_no_sense_is_a_short_one(self, asking: Any, lifetime: Any) -> None:
        answer, _ = await asking(renew, page({**GOOD, "expires_in": lifetime}))
        assert answer.expires_at <= NOON + USUAL_LIFETIME

    async def test_a_lifetime_may_be_text(self, asking: Any) -> None:
        answer, _ = await asking(renew, page({**GOOD, "expires_in": "3600"}))
        assert answer.expires_at == NOON + timedelta(hours=1)

    @pytest.mark.parametrize(
        "change",
        [
            {"access_token": None},
            {"access_token": ""},
            {"access_token": "with space"},
            {"access_token": "line\r\nbreak"},
            {"access_token": "x" * 9000},
            {"access_token": ["x"]},
            {"access_token": "ünïcode"},
            {"token_type": "mac"},
            {"token_type": None},
        ],
    )
    async def test_a_token_that_mail_servers_cannot_be_sent_is_none(self, asking: Any, change: dict[str, Any]) -> None:
        failure, _ = await asking(renew, page({**GOOD, **change}))
        assert isinstance(failure, TokensUnavailable)

    async def test_a_refresh_token_that_makes_no_sense_is_none(self, asking: Any) -> None:
        answer, _ = await asking(renew, page({**GOOD, "refresh_token": "a b"}))
        assert answer.refresh_token is None


class TestRefusals:
    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (error("invalid_grant"), GrantInvalid),
            (error("invalid_grant", error_description="AADSTS700082: expired due to inactivity"), GrantInvalid),
            (error("interaction_required"), GrantInvalid),
            (error("consent_required"), GrantInvalid),
            (error("admin_policy_enforced"), GrantInvalid),
            (error("access_denied"), GrantInvalid),
            (error("slow_down"), TokensUnavailable),
            (error("authorization_pending"), OAuthClientRefused),
            (error("invalid_client", "401 Unauthorized"), OAuthClientRefused),
            (error("unauthorized_client"), OAuthClientRefused),
            (error("invalid_scope"), OAuthClientRefused),
            (error("invalid_request"), OAuthClientRefused),
            (error("temporarily_unavailable"), TokensUnavailable),
            (error("server_error", "500 Internal Server Error"), TokensUnavailable),
            (error("invalid_client", "503 Service Unavailable"), TokensUnavailable),
            (error("too_many", "429 Too Many Requests"), TokensUnavailable),
            (Page(b"<html>Bad gateway</html>", "502 Bad Gateway"), TokensUnavailable),
            (Page(b"Forbidden", "403 Forbidden"), TokensUnavailable),
            (page(GOOD | {"error": "invalid_grant"}), GrantInvalid),
        ],
    )
    async def test_each_has_its_kind(self, asking: Any, answer: Page, kind: type[PopfetchError]) -> None:
        failure, _ = await asking(renew, answer)
        assert type(failure) is kind
        assert "Example Ltd" in failure.message

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("authorization_pending", AuthorizationPending),
            ("slow_down", AuthorizationPending),
            ("expired_token", OAuthFlowInvalid),
            ("access_denied", ConsentRefused),
            ("authorization_declined", ConsentRefused),
        ],
    )
    async def test_a_device_code_has_some_of_its_own(self, asking: Any, code: str, kind: type[PopfetchError]) -> None:
        failure, _ = await asking(poll, error(code))
        assert type(failure) is kind
        if isinstance(failure, AuthorizationPending):
            assert failure.seconds == (5 if code == "slow_down" else 0)

    async def test_a_servers_words_are_not_passed_on(self, asking: Any, caplog: pytest.LogCaptureFixture) -> None:
        """They may hold what it was sent, or terminal escapes."""
        caplog.set_level(logging.DEBUG)
        echoing = error("invalid_grant", error_description=f"{REFRESH} is bad \x1b[31m", hint="cl1ent-Geheimnis")
        failure, _ = await asking(renew, echoing)
        told = str(failure) + repr(failure) + repr(failure.__cause__) + repr(failure.__context__) + caplog.text
        for secret in (*SECRETS, "\x1b", "is bad"):
            assert secret not in told

    async def test_an_error_that_is_no_word_is_not_passed_on(self, asking: Any) -> None:
        failure, _ = await asking(renew, error(f"<b>{REFRESH}</b>"))
        assert isinstance(failure, TokensUnavailable)
        assert REFRESH not in failure.message


class TestHostileServers:
    @pytest.mark.parametrize(
        "answer",
        [
            Raw(b""),
            Raw(b"\x00\x01\x02"),
            Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
            Page(b"[" * 50_000),
            Page(b"{}"),
            Page(b"null"),
            Page(b'"text"'),
            Page(b"access_token=x&token_type=bearer"),
            Page(b"{" + b" " * MOST_OCTETS + b"}"),
            moved("https://evil.example/token"),
            moved("/token", "307 Temporary Redirect"),
        ],
        ids=range(11),
    )
    async def test_each_is_an_answer_that_makes_no_sense(self, asking: Any, answer: Page | Raw) -> None:
        failure, _ = await asking(renew, answer)
        assert isinstance(failure, TokensUnavailable)

    @pytest.mark.parametrize("answer", [Hang(), Page(b"x" * 1000, drip=1, pause=0.01)], ids=["silent", "dripping"])
    async def test_a_slow_one_is_given_up(self, asking: Any, answer: Page | Hang) -> None:
        async with asyncio.timeout(5):
            failure, _ = await asking(renew, answer, seconds=0.3)
        assert isinstance(failure, TokensUnavailable)

    async def test_one_without_a_trusted_certificate_gets_nothing(self) -> None:
        async with HttpsServer({"127.0.0.1/token": page(GOOD)}) as server:
            stranger = a_client(token_url=f"https://127.0.0.1:{server.port}/token")
            with pytest.raises(TokensUnavailable):
                await renew(OAuthEndpoints(lambda: NOON), stranger)
            assert server.requests == []

    async def test_a_closed_port_is_one_that_does_not_answer(self, asking: Any) -> None:
        failure, _ = await asking(renew, page(GOOD), token_url="https://127.0.0.1:1/token")
        assert isinstance(failure, TokensUnavailable)
        assert failure.__context__ is None

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        answer=st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["access_token", "token_type", "expires_in", "refresh_token", "scope", "error"]),
                    inner,
                )
            ),
            max_leaves=8,
        )
    )
    def test_no_json_breaks_it(self, asking: Any, answer: Any) -> None:
        for what in (renew, poll, offer):
            asyncio.run(asking(what, page(answer)))


OFFER = {
    "device_code": "device-t0ken",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://id.example.com/go",
    "expires_in": 900,
}


class TestADeviceOffer:
    async def test_all_of_it_is_read(self, asking: Any) -> None:
        complete = "https://id.example.com/go?user_code=WDJB-MJHT"
        found, _ = await asking(offer, page({**OFFER, "interval": 7, "verification_uri_complete": complete}))
        assert (found.user_code, found.verification_uri) == ("WDJB-MJHT", "https://id.example.com/go")
        assert found.verification_uri_complete == complete
        assert (found.poll_seconds, found.expires_at) == (7, NOON + timedelta(minutes=15))
        assert "device-t0ken" not in repr(found)

    async def test_the_pause_is_five_seconds_where_nothing_is_said(self, asking: Any) -> None:
        found, _ = await asking(offer, page(OFFER))
        assert found.poll_seconds == 5

    @pytest.mark.parametrize(
        "change",
        [
            {"device_code": None},
            {"user_code": "line\nbreak"},
            {"user_code": ""},
            {"user_code": 7},
            {"verification_uri": "http://id.example.com/go"},
            {"verification_uri": "javascript:alert(1)"},
            {"verification_uri": "https://x/\x1b[1m"},
            {"expires_in": 0},
            {"expires_in": "soon"},
            {"interval": "often"},
        ],
    )
    async def test_one_that_cannot_be_shown_is_none(self, asking: Any, change: dict[str, Any]) -> None:
        failure, _ = await asking(offer, page({**OFFER, **change}))
        assert isinstance(failure, TokensUnavailable)

    async def test_an_address_with_the_code_that_cannot_be_shown_is_left_out(self, asking: Any) -> None:
        found, _ = await asking(offer, page({**OFFER, "verification_uri_complete": "javascript:alert(1)"}))
        assert found.verification_uri_complete is None
