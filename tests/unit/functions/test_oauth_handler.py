"""Sign-in by OAuth 2 over the API: what owners ask, what browsers bring back, and what is refused on the way."""

import asyncio
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from functions.accounts import handler as accounts_function
from functions.oauth import handler as function
from popfetch.domain.account import Account, Standing
from popfetch.domain.errors import OAuthClientRefused, OAuthNotConfigured, StorageUnavailable, TokensUnavailable
from popfetch.domain.fetch_state import FetchState, Stop
from popfetch.domain.oauth import FLOW_LIFETIME
from popfetch.pop3.errors import ConnectionFailed, PopNotEnabled, SignInRefused
from popfetch.smtp.errors import PasswordSignInOff
from tests.builders.accounts import OTHER_OWNER, OWNER, an_account_id
from tests.builders.api import Answer, ApiClient, a_body, an_event, lines_of
from tests.builders.aws import Aws, empty
from tests.builders.journals import log_of
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.oauth import a_client, an_authorization_server
from tests.builders.wiring import forget_wiring

API = "https://abc.execute-api.eu-central-1.amazonaws.com/v1"
HOSTILE = ["", "short", "x" * 43, "x" * 5000, "../../../etc", "é" * 43, "a b", "\r\nSet-Cookie: x=y"]

client = ApiClient(function)
accounts = ApiClient(accounts_function)


@pytest.fixture(autouse=True)
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    return log_of(monkeypatch, function, accounts_function)


@pytest.fixture
def kept(stack: Aws, monkeypatch: pytest.MonkeyPatch, log: io.StringIO) -> Iterator[KeptAccounts]:
    empty(stack)
    kept = KeptAccounts(stack)
    monkeypatch.setattr(accounts_function, "accounts_service", lambda _: kept.accounts)
    monkeypatch.setattr(accounts_function, "account_changes", lambda _: kept.changes)
    monkeypatch.setattr(function, "consent", lambda _: kept.consent)
    monkeypatch.setattr(function.journal.metrics.provider, "namespace", "popfetch")
    yield kept
    told = log.getvalue() + str(kept.journal.lines)
    for secret in kept.servers.issued:
        assert secret not in told


@pytest.fixture
def account(kept: KeptAccounts) -> dict[str, Any]:
    """An account that waits for consent, with both of its servers."""
    body = a_body(
        incoming__auth="oauth2",
        incoming__password=None,
        outgoing__auth="oauth2",
        outgoing__password=None,
    )
    found: dict[str, Any] = accounts.request("POST", "/accounts", body).json
    return found


def call(method: str, path: str, body: Any = None, **changes: Any) -> Answer:
    event = an_event(method, path, body, **changes)
    event["requestContext"]["domainName"] = "abc.execute-api.eu-central-1.amazonaws.com"
    event["resource"] = event["path"]
    return client.call(event)


def start(account: dict[str, Any], body: Any = None, **changes: Any) -> Answer:
    return call("POST", f"/accounts/{account['id']}/oauth/start", {} if body is None else body, **changes)


def cookie_of(answer: Answer) -> tuple[str, str, str]:
    """Name, value and attributes of the cookie that an answer sets."""
    pair, _, attributes = answer.headers["Set-Cookie"].partition(";")
    name, _, value = pair.partition("=")
    return name, value, attributes


def come_back(callback: str, cookie: str = "", **headers: str) -> Answer:
    query = parse_qs(urlsplit(callback).query, keep_blank_values=True)
    event = an_event("GET", "/oauth/callback")
    event["requestContext"] = {
        "requestId": "r",
        "stage": "v1",
        "path": "/v1/oauth/callback",
        "domainName": "abc.execute-api.eu-central-1.amazonaws.com",
    }
    event["multiValueQueryStringParameters"] = query
    event["queryStringParameters"] = {name: values[-1] for name, values in query.items()}
    event["headers"] = {"Cookie": cookie, **headers} if cookie else headers
    event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
    return client.call(event)


def begun(kept: KeptAccounts, account: dict[str, Any]) -> tuple[str, str]:
    """A sign-in that was started and consented to: the way back, and the browser's cookie."""
    answer = start(account)
    name, value, _ = cookie_of(answer)
    return kept.servers.callback(answer.json["authorization_url"]), f"{name}={value}"


def tokens_in(stack: Aws, *prefixes: str) -> list[str]:
    """The keys of all tokens that the table holds, or of what else the prefixes say."""
    items = stack.dynamodb.scan(TableName=stack.table)["Items"]
    return [item["pk"]["S"] for item in items if item["pk"]["S"].startswith(prefixes or "GRANT#")]


def shown(account: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = accounts.request("GET", f"/accounts/{account['id']}").json
    return found


def to_console(answer: Answer) -> dict[str, str]:
    assert answer.status == 303
    assert answer.headers["Location"].startswith(f"{API}/?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


class TestTheProviders:
    def test_those_without_a_registration_are_shown_as_not_configured(self, kept: KeptAccounts) -> None:
        answer = call("GET", "/oauth/providers")
        assert answer.status == 200
        found = {provider["id"]: provider for provider in answer.json["providers"]}
        assert {name: provider["configured"] for name, provider in found.items()} == {
            "google": False,
            "microsoft": False,
            "fastmail": False,
            "example": True,
        }
        assert found["microsoft"]["flows"] == ["code", "device"]
        assert found["google"]["flows"] == ["code"]
        assert "pop.gmail.com" in found["google"]["hosts"]
        assert found["google"]["redirect_uri"] == f"{API}/oauth/callback"

    def test_only_owners_see_them(self, kept: KeptAccounts) -> None:
        assert call("GET", "/oauth/providers", owner="").status == 401

    def test_no_client_id_or_secret_is_shown(self, kept: KeptAccounts) -> None:
        shown = call("GET", "/oauth/providers").text
        assert "Geheimnis" not in shown
        assert "client" not in shown


class TestStarting:
    def test_the_consent_page_is_told_all_that_it_needs(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        answer = start(account)
        assert answer.status == 201
        address = urlsplit(answer.json["authorization_url"])
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        assert f"{address.scheme}://{address.netloc}{address.path}" == "https://id.example.com/authorize"
        assert query.pop("state") != query.pop("code_challenge")
        assert query == {
            "response_type": "code",
            "client_id": "popfetch",
            "redirect_uri": f"{API}/oauth/callback",
            "scope": "mail.pop mail.smtp offline_access",
            "code_challenge_method": "S256",
            "login_hint": "anna@example.com",
        }
        assert answer.headers["Cache-Control"] == "no-store"

    def test_the_cookie_is_for_this_host_and_this_way_back_alone(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        name, value, attributes = cookie_of(start(account))
        assert name.startswith("__Host-popfetch-consent-")
        assert len(value) == 43
        parts = {part.strip() for part in attributes.split(";")}
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=600"} == parts

    def test_the_body_may_be_left_out(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        assert call("POST", f"/accounts/{account['id']}/oauth/start").status == 201

    def test_the_host_header_does_not_choose_where_it_comes_back_to(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        answer = start(account, headers={"Host": "evil.example", "Content-Type": "application/json"})
        assert "evil" not in answer.json["authorization_url"]

    @pytest.mark.parametrize("body", [{"flow": "implicit"}, {"redirect_uri": "https://evil.example"}, [], "x"])
    def test_nothing_else_can_be_asked_for(self, kept: KeptAccounts, account: dict[str, Any], body: Any) -> None:
        assert start(account, body).status in {400, 422}
        assert kept.servers.asked == []

    def test_an_account_of_another_owner_is_not_found(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        assert start(account, owner=OTHER_OWNER).status == 404
        assert start({"id": an_account_id(9)}).status == 404

    def test_a_provider_without_a_registration_is_a_conflict_with_words(self, kept: KeptAccounts) -> None:
        body = a_body(incoming__host="pop.gmail.com", verify=False)
        gmail = accounts.request("POST", "/accounts", body).json
        answer = start(gmail)
        assert (answer.status, answer.error["code"]) == (409, "oauth_not_configured")

    def test_a_server_that_nobody_gives_tokens_for_is_refused(self, kept: KeptAccounts) -> None:
        other = accounts.request("POST", "/accounts", a_body(incoming__host="pop.example.org")).json
        kept.clients.clients = [a_client(hosts=frozenset({"elsewhere.example.com"}))]
        answer = start(other)
        assert (answer.status, answer.error["code"]) == (422, "no_oauth_provider")
        kept.clients.wrong = ["What the operator has put there cannot be used (elsewhere.token_url)."]
        answer = start(other)
        assert (answer.status, answer.error["message"]) == (409, kept.clients.wrong[0])

    def test_the_server_that_takes_no_password_says_who_is_asked(self, kept: KeptAccounts) -> None:
        """The other one may belong to a provider that popfetch knows too, and have a password of its own."""
        mixed = a_body(incoming__host="pop.gmail.com", outgoing__auth="oauth2", outgoing__password=None)
        answer = start(accounts.request("POST", "/accounts", mixed).json)
        assert answer.status == 201
        assert answer.json["authorization_url"].startswith("https://id.example.com/")

    def test_a_registration_that_cannot_be_used_is_told_to_the_operator(self, kept: KeptAccounts) -> None:
        kept.clients.failure = OAuthNotConfigured("What the operator has put there cannot be used.")
        answer = call("GET", "/oauth/providers")
        assert (answer.status, answer.error["code"]) == (409, "oauth_not_configured")


class TestComingBack:
    def test_consent_opens_the_mailbox_and_the_browser_goes_on_to_the_console(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        callback, cookie = begun(kept, account)
        answer = come_back(callback, cookie)
        assert to_console(answer) == {"oauth": "connected", "account": account["id"]}
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        now = shown(account)
        assert (now["status"], now["incoming"]["auth"], now["outgoing"]["auth"]) == ("active", "oauth2", "oauth2")
        assert now["oauth"] == {
            "provider": "example",
            "connected": True,
            "connected_at": now["oauth"]["connected_at"],
        }
        assert [request.account_id for request in kept.queue.requests] == [account["id"]]
        (_, token), (_, same) = kept.dialer.calls + kept.submission.calls
        assert token == same
        assert token.reveal() in kept.servers.issued

    def test_the_cookie_is_taken_away(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        callback, cookie = begun(kept, account)
        name, value, attributes = cookie_of(come_back(callback, cookie))
        assert (name, value) == (cookie.partition("=")[0], "")
        assert "Max-Age=0" in attributes

    def test_an_account_with_passwords_is_turned_over(self, kept: KeptAccounts) -> None:
        former = accounts.request("POST", "/accounts", a_body()).json
        callback, cookie = begun(kept, former)
        assert to_console(come_back(callback, cookie))["oauth"] == "connected"
        stored = kept.table.get(OWNER, former["id"]).account
        assert (stored.incoming_secret, stored.outgoing_secret) == (None, None)
        assert shown(former)["incoming"]["auth"] == "oauth2"

    def test_two_at_once_in_one_browser_both_come_back(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        other = accounts.request("POST", "/accounts", a_body(incoming__username="bert")).json
        first, first_cookie = begun(kept, account)
        second, second_cookie = begun(kept, other)
        both = f"{first_cookie}; theme=dark; {second_cookie}"
        assert to_console(come_back(first, both))["account"] == account["id"]
        assert to_console(come_back(second, both))["account"] == other["id"]

    def test_a_paused_account_stays_paused(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        accounts.request("POST", f"/accounts/{account['id']}/pause")
        callback, cookie = begun(kept, account)
        come_back(callback, cookie)
        assert shown(account)["status"] == "paused"
        assert kept.queue.requests == []

    def test_signing_in_again_replaces_the_tokens_before(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        come_back(*begun(kept, account))
        first = kept.table.get(OWNER, account["id"]).account.grant
        kept.now += timedelta(days=1)
        come_back(*begun(kept, account))
        second = kept.table.get(OWNER, account["id"]).account.grant
        assert first
        assert second
        assert first.grant_id != second.grant_id
        assert kept.secrets.tokens.grants.load(account["id"], first.grant_id) is None
        assert kept.secrets.tokens.grants.load(account["id"], second.grant_id) is not None

    def test_what_is_kept_is_sealed(self, kept: KeptAccounts, account: dict[str, Any], stack: Aws) -> None:
        come_back(*begun(kept, account))
        begun(kept, account)
        pages = stack.dynamodb.get_paginator("scan").paginate(TableName=stack.table)
        table = str([item for page in pages for item in page["Items"]])
        assert kept.servers.issued
        for secret in kept.servers.issued:
            assert secret not in table


class TestAnAttack:
    def test_another_browser_is_refused_and_uses_nothing_up(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        """Whoever consents on a link that was sent to them does not open their mailbox to the sender."""
        callback, cookie = begun(kept, account)
        for wrong in ("", "theme=dark", f"{cookie.partition('=')[0]}={'x' * 43}", f"x{cookie}", cookie[:-1]):
            answer = come_back(callback, wrong)
            assert answer.status == 403
            assert answer.headers["Content-Type"].startswith("text/html")
        assert kept.servers.asked == []
        assert shown(account)["oauth"]["connected"] is False
        assert to_console(come_back(callback, cookie))["oauth"] == "connected"

    def test_the_cookie_of_another_sign_in_is_no_use(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        callback, cookie = begun(kept, account)
        _, other = begun(kept, account)
        swapped = f"{cookie.partition('=')[0]}={other.partition('=')[2]}"
        assert come_back(callback, swapped).status == 403

    def test_a_state_is_good_once(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        callback, cookie = begun(kept, account)
        come_back(callback, cookie)
        again = come_back(callback, cookie)
        assert again.status == 410
        assert kept.servers.asked == [("exchange", "popfetch")]

    def test_a_state_ends_after_ten_minutes(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        callback, cookie = begun(kept, account)
        kept.now += FLOW_LIFETIME
        assert come_back(callback, cookie).status == 410
        assert kept.servers.asked == []

    @pytest.mark.parametrize("state", HOSTILE)
    def test_an_invented_state_is_refused(self, kept: KeptAccounts, account: dict[str, Any], state: str) -> None:
        _, cookie = begun(kept, account)
        query = urlencode({"code": "x", "state": state})
        answer = come_back(f"{API}/oauth/callback?{query}", cookie)
        assert answer.status == 410
        assert kept.servers.asked == []

    @pytest.mark.parametrize("query", ["", "code=x", "error=access_denied", "state=&code=&error="])
    def test_a_way_back_without_a_state_is_refused(self, kept: KeptAccounts, query: str) -> None:
        assert come_back(f"{API}/oauth/callback?{query}").status == 410

    def test_a_state_that_is_there_twice_counts_as_none(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        callback, cookie = begun(kept, account)
        assert come_back(f"{callback}&state={'x' * 43}", cookie).status == 410

    def test_a_code_of_another_sign_in_is_worth_nothing(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        """Codes are bound to the verifier of the sign-in that they came from (RFC 7636)."""
        stolen, _ = begun(kept, account)
        mine, cookie = begun(kept, account)
        code = parse_qs(urlsplit(stolen).query)["code"][0]
        state = parse_qs(urlsplit(mine).query)["state"][0]
        answer = come_back(f"{API}/oauth/callback?{urlencode({'code': code, 'state': state})}", cookie)
        assert to_console(answer) == {"oauth": "failed", "account": account["id"], "code": "consent_refused"}
        assert shown(account)["oauth"]["connected"] is False

    @pytest.mark.parametrize(
        "issuer", ["https://evil.example", "https://id.example.com/", "", "https://accounts.google.com"]
    )
    def test_an_answer_of_another_server_is_refused(
        self, kept: KeptAccounts, account: dict[str, Any], issuer: str
    ) -> None:
        """Mix-up: the code is not even sent to the server that was asked (RFC 9207)."""
        callback, cookie = begun(kept, account)
        mixed_up = callback.replace(urlencode({"iss": "https://id.example.com"}), urlencode({"iss": issuer}))
        assert to_console(come_back(mixed_up, cookie))["code"] == "consent_refused"
        assert kept.servers.asked == []
        assert "a consent came back from another server than was asked" in kept.journal.messages

    def test_one_that_does_not_say_its_name_is_not_another_whose_name_is_known(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        kept.clients.clients = [a_client(issuer="")]
        callback, cookie = begun(kept, account)
        named = urlencode({"iss": "https://id.example.com"})
        other = callback.replace(named, urlencode({"iss": "https://accounts.google.com"}))
        assert to_console(come_back(other, cookie))["code"] == "consent_refused"
        callback, cookie = begun(kept, account)
        assert to_console(come_back(callback, cookie))["oauth"] == "connected"

    def test_the_way_on_cannot_be_chosen(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        callback, cookie = begun(kept, account)
        answer = come_back(f"{callback}&return_to=https://evil.example&redirect_uri=https://evil.example", cookie)
        assert "evil" not in answer.headers["Location"]
        assert to_console(answer)["oauth"] == "connected"

    def test_a_denied_consent_is_used_up(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        answer = start(account)
        name, value, _ = cookie_of(answer)
        state = parse_qs(urlsplit(answer.json["authorization_url"]).query)["state"][0]
        denied = f"{API}/oauth/callback?{urlencode({'error': 'access_denied', 'state': state})}"
        assert to_console(come_back(denied, f"{name}={value}"))["code"] == "consent_refused"
        assert come_back(denied, f"{name}={value}").status == 410

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            ("access_denied", "consent_refused"),
            ("login_required", "consent_refused"),
            ("<script>", "consent_refused"),
            ("server_error", "token_endpoint_unavailable"),
            ("temporarily_unavailable", "token_endpoint_unavailable"),
            ("unauthorized_client", "oauth_client_refused"),
            ("invalid_scope", "oauth_client_refused"),
        ],
    )
    def test_each_refusal_of_a_consent_page_is_told_as_what_it_is(
        self, kept: KeptAccounts, account: dict[str, Any], error: str, code: str
    ) -> None:
        callback, cookie = begun(kept, account)
        (state,) = parse_qs(urlsplit(callback).query)["state"]
        answer = come_back(f"{API}/oauth/callback?{urlencode({'error': error, 'state': state})}", cookie)
        assert to_console(answer) == {"oauth": "failed", "account": account["id"], "code": code}
        assert kept.servers.asked == []

    def test_a_denial_cannot_be_sent_by_another_browser(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        callback, cookie = begun(kept, account)
        state = parse_qs(urlsplit(callback).query)["state"][0]
        assert come_back(f"{API}/oauth/callback?error=access_denied&state={state}").status == 403
        assert to_console(come_back(callback, cookie))["oauth"] == "connected"

    def test_nothing_of_it_stands_in_the_log(
        self, kept: KeptAccounts, account: dict[str, Any], log: io.StringIO
    ) -> None:
        callback, cookie = begun(kept, account)
        come_back(callback)
        come_back(callback, cookie)
        (state,) = parse_qs(urlsplit(callback).query)["state"]
        told = log.getvalue()
        for secret in (state, cookie.partition("=")[2], *kept.servers.issued):
            assert secret not in told
        assert [line["status"] for line in lines_of(log) if line.get("route") == "/oauth/callback"] == [403, 303]


class TestAConsentThatIsNotKept:
    def test_the_wrong_mailbox(self, kept: KeptAccounts, account: dict[str, Any], stack: Aws) -> None:
        callback, cookie = begun(kept, account)
        kept.dialer.failure = SignInRefused("no")
        assert to_console(come_back(callback, cookie))["code"] == "sign_in_refused"
        assert shown(account)["oauth"]["connected"] is False
        assert tokens_in(stack, "GRANT#", "CONSENT#") == []

    @pytest.mark.parametrize("scope", ["mail.pop", "mail.smtp offline_access", "openid"])
    def test_less_than_a_mailbox_needs(self, kept: KeptAccounts, account: dict[str, Any], scope: str) -> None:
        kept.servers.scope = scope
        assert to_console(come_back(*begun(kept, account)))["code"] == "consent_refused"
        assert kept.dialer.calls == []

    def test_no_refresh_token(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        kept.servers.gives_refresh_token = False
        assert to_console(come_back(*begun(kept, account)))["code"] == "consent_refused"

    @pytest.mark.parametrize(
        ("failure", "code"),
        [
            (TokensUnavailable("down"), "token_endpoint_unavailable"),
            (OAuthClientRefused("who are you"), "oauth_client_refused"),
        ],
    )
    def test_a_server_in_trouble(
        self, kept: KeptAccounts, account: dict[str, Any], failure: Exception, code: str
    ) -> None:
        callback, cookie = begun(kept, account)
        kept.servers.failure = failure  # type: ignore[assignment]
        assert to_console(come_back(callback, cookie))["code"] == code
        refused = isinstance(failure, OAuthClientRefused)
        assert kept.journal.counts.get("OAuthClientsRefused", 0) == (1 if refused else 0)

    def test_an_account_that_is_changed_while_the_consent_is_tried(
        self, kept: KeptAccounts, account: dict[str, Any], monkeypatch: pytest.MonkeyPatch, stack: Aws
    ) -> None:
        callback, cookie = begun(kept, account)
        sign_in = kept.dialer.open

        async def meanwhile(*asked: Any) -> Any:
            def change(stored: Account, state: FetchState) -> tuple[Account, FetchState]:
                return replace(stored, incoming=replace(stored.incoming, username="bert@example.com")), state

            kept.table.change(OWNER, account["id"], change)
            return await sign_in(*asked)

        monkeypatch.setattr(kept.dialer, "open", meanwhile)
        assert to_console(come_back(callback, cookie))["code"] == "account_changed"
        assert kept.table.get(OWNER, account["id"]).account.grant is None
        assert tokens_in(stack) == []

    def test_an_account_that_went_meanwhile(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        callback, cookie = begun(kept, account)
        accounts.request("DELETE", f"/accounts/{account['id']}")
        assert to_console(come_back(callback, cookie))["code"] == "account_not_found"

    def test_a_host_that_changed_meanwhile(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        callback, cookie = begun(kept, account)
        change = {
            "incoming": {"host": "pop.example.org", "auth": "password", "password": "x"},
            "outgoing": None,
            "verify": False,
        }
        assert accounts.request("PATCH", f"/accounts/{account['id']}", change).status == 200
        assert to_console(come_back(callback, cookie))["code"] == "invalid_account"

    def test_a_table_in_trouble_is_told_by_a_page(
        self, kept: KeptAccounts, account: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        callback, cookie = begun(kept, account)

        def fail(*_: Any) -> None:
            raise StorageUnavailable("Reading the sign-in failed.")

        monkeypatch.setattr(type(kept.consent.pending), "find", fail)
        answer = come_back(callback, cookie)
        assert answer.status == 503
        assert answer.headers["Content-Type"].startswith("text/html")


class TestAConsentThatIsKeptAllTheSame:
    @pytest.mark.parametrize(
        ("failure", "code"),
        [
            (ConnectionFailed("no route"), "cannot_connect"),
            (PopNotEnabled("switch it on"), "pop_not_enabled"),
        ],
    )
    def test_a_mail_server_in_trouble(
        self, kept: KeptAccounts, account: dict[str, Any], failure: Exception, code: str
    ) -> None:
        kept.dialer.failure = failure
        told = to_console(come_back(*begun(kept, account)))
        assert told == {"oauth": "connected", "account": account["id"], "code": code}
        assert shown(account)["oauth"]["connected"] is True

    def test_an_outgoing_server_that_lets_nobody_in(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        kept.submission.failure = PasswordSignInOff("SmtpClientAuthentication is disabled for the Tenant")
        assert to_console(come_back(*begun(kept, account)))["code"] == "sign_in_off"
        assert shown(account)["status"] == "active"


class TestFinishingInAnotherBrowser:
    def finish(self, account: dict[str, Any], callback: str, **changes: Any) -> Answer:
        return call("POST", f"/accounts/{account['id']}/oauth/finish", {"callback_url": callback}, **changes)

    def test_its_owner_brings_the_address(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        callback, _ = begun(kept, account)
        answer = self.finish(account, callback)
        assert answer.status == 200
        assert answer.json["account"]["oauth"]["connected"] is True
        assert answer.json["trouble"] is None

    def test_nobody_else_can(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        callback, _ = begun(kept, account)
        assert self.finish(account, callback, owner=OTHER_OWNER).status == 404
        mine = accounts.request("POST", "/accounts", a_body(incoming__username="bert")).json
        assert self.finish(mine, callback).status == 410
        assert self.finish(account, callback).status == 200

    def test_trouble_is_told_beside_it(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        kept.dialer.failure = ConnectionFailed("no route")
        callback, _ = begun(kept, account)
        assert self.finish(account, callback).json["trouble"]["code"] == "cannot_connect"

    def test_a_refusal_is_told_in_the_apis_shape(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        callback, _ = begun(kept, account)
        kept.dialer.failure = SignInRefused("no")
        answer = self.finish(account, callback)
        assert (answer.status, answer.error["code"]) == (422, "sign_in_refused")
        assert "OAuth 2" in answer.error["message"]
        assert "password" not in answer.error["message"]

    def test_a_server_in_trouble_needs_another_consent_as_the_code_is_used(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        callback, _ = begun(kept, account)
        kept.servers.failure = TokensUnavailable("Example Ltd does not answer.")
        answer = self.finish(account, callback)
        assert (answer.status, answer.error["code"]) == (422, "token_endpoint_unavailable")
        assert "Start the sign-in again" in answer.error["message"]
        assert self.finish(account, callback).status == 410

    @pytest.mark.parametrize(
        "callback", ["", "x", "https://evil.example/?state=&code=", "https://[", "?state=" + "x" * 43]
    )
    def test_what_is_no_way_back_is_refused(self, kept: KeptAccounts, account: dict[str, Any], callback: str) -> None:
        assert self.finish(account, callback).status in {410, 422}


class TestByDevice:
    def ask(self, account: dict[str, Any], flow_id: str, **changes: Any) -> Answer:
        return call("POST", f"/accounts/{account['id']}/oauth/device", {"device_flow_id": flow_id}, **changes)

    def test_the_owner_enters_a_code_elsewhere(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        kept.servers.pending_polls = 1
        answer = start(account, {"flow": "device"})
        assert answer.status == 201
        offer = answer.json
        assert (offer["user_code"], offer["verification_uri"]) == ("WDJB-MJHT", "https://id.example.com/go")
        assert "device-code" not in answer.text
        assert "Set-Cookie" not in answer.headers
        flow_id = offer["device_flow_id"]
        kept.now += timedelta(seconds=offer["interval_seconds"])
        pending = self.ask(account, flow_id)
        assert (pending.status, pending.json) == (202, {"pending": True, "interval_seconds": 5})
        kept.now += timedelta(seconds=5)
        done = self.ask(account, flow_id)
        assert done.status == 200
        assert done.json["account"]["oauth"]["connected"] is True
        assert self.ask(account, flow_id).status == 410

    def test_the_provider_is_asked_no_more_often_than_it_wants(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        kept.servers.pending_polls = 9
        flow_id = start(account, {"flow": "device"}).json["device_flow_id"]
        for _ in range(5):
            assert self.ask(account, flow_id).status == 202
        assert [asked for asked, _ in kept.servers.asked] == ["device"]
        kept.now += timedelta(seconds=5)
        for _ in range(5):
            assert self.ask(account, flow_id).status == 202
        assert [asked for asked, _ in kept.servers.asked] == ["device", "poll"]

    def test_where_devices_are_public_clients_no_secret_is_shown_then_or_later(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        """Microsoft takes no secret for a device code, nor for the tokens that come of it (AADSTS700025)."""
        kept.clients.clients = [a_client(devices_are_public=True)]
        flow_id = start(account, {"flow": "device"}).json["device_flow_id"]
        kept.now += timedelta(seconds=5)
        assert self.ask(account, flow_id).status == 200
        kept.now += timedelta(hours=2)
        call("POST", f"/accounts/{account['id']}/oauth/start")
        assert accounts.request("PATCH", f"/accounts/{account['id']}", {"incoming": {"port": 1995}}).status == 200
        assert [asked for asked, _ in kept.servers.asked] == ["device", "poll", "renew"]
        assert kept.servers.shown == [None, None, None]

    def test_two_that_ask_at_once_ask_the_provider_once(
        self, kept: KeptAccounts, account: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        flow_id = start(account, {"flow": "device"}).json["device_flow_id"]
        kept.now += timedelta(seconds=6)
        poll, others = kept.servers.poll_device, []

        async def meanwhile(*asked: Any) -> Any:
            kept.now += timedelta(seconds=6)
            others.append(await asyncio.to_thread(self.ask, account, flow_id))
            return await poll(*asked)

        monkeypatch.setattr(kept.servers, "poll_device", meanwhile)
        assert self.ask(account, flow_id).status == 200
        assert [other.status for other in others] == [202]
        assert [asked for asked, _ in kept.servers.asked] == ["device", "poll"]

    def test_it_is_the_owners_alone(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        flow_id = start(account, {"flow": "device"}).json["device_flow_id"]
        kept.now += timedelta(seconds=5)
        assert self.ask(account, flow_id, owner=OTHER_OWNER).status == 404
        mine = accounts.request("POST", "/accounts", a_body(incoming__username="bert")).json
        assert self.ask(mine, flow_id).status == 410
        assert self.ask(account, flow_id).status == 200

    def test_it_ends(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        flow_id = start(account, {"flow": "device"}).json["device_flow_id"]
        kept.now += timedelta(minutes=15)
        assert self.ask(account, flow_id).status == 410

    def test_a_flow_in_the_browser_is_none(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        callback, _ = begun(kept, account)
        (state,) = parse_qs(urlsplit(callback).query)["state"]
        assert self.ask(account, state).status == 410
        flow_id = start(account, {"flow": "device"}).json["device_flow_id"]
        assert come_back(f"{API}/oauth/callback?code=x&state={flow_id}").status == 410

    def test_a_provider_in_trouble_may_be_asked_again(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        flow_id = start(account, {"flow": "device"}).json["device_flow_id"]
        kept.now += timedelta(seconds=5)
        kept.servers.failure = TokensUnavailable("down")
        assert self.ask(account, flow_id).status == 503
        kept.servers.failure = None
        kept.now += timedelta(seconds=5)
        assert self.ask(account, flow_id).status == 200

    def test_where_the_provider_has_no_such_flow_it_is_refused(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        kept.clients.clients = [a_client(device_url="")]
        assert start(account, {"flow": "device"}).error["code"] == "no_oauth_provider"

    @pytest.mark.parametrize("flow_id", HOSTILE)
    def test_an_invented_flow_is_refused(self, kept: KeptAccounts, account: dict[str, Any], flow_id: str) -> None:
        assert self.ask(account, flow_id).status in {410, 422}


class TestGivingItBack:
    def disconnect(self, account: dict[str, Any], **changes: Any) -> Answer:
        return call("DELETE", f"/accounts/{account['id']}/oauth", **changes)

    def test_the_tokens_go_and_the_provider_is_told(
        self, kept: KeptAccounts, account: dict[str, Any], stack: Aws
    ) -> None:
        come_back(*begun(kept, account))
        answer = self.disconnect(account)
        assert answer.status == 200
        assert (answer.json["status"], answer.json["oauth"]["connected"]) == ("auth_failed", False)
        assert answer.headers["ETag"] == f'"{answer.json["version"]}"'
        assert kept.servers.given_back == [secret for secret in kept.servers.issued if secret.startswith("refresh")]
        assert tokens_in(stack) == []
        assert kept.table.get(OWNER, account["id"]).account.standing is Standing.AUTH_FAILED

    def test_a_provider_that_is_down_keeps_nobody_from_it(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        come_back(*begun(kept, account))
        kept.servers.failure = TokensUnavailable("down")
        assert self.disconnect(account).json["oauth"]["connected"] is False
        assert "a grant was not given back at its server" in kept.journal.messages

    def test_what_was_cut_short_is_finished_by_asking_again(
        self, kept: KeptAccounts, account: dict[str, Any], stack: Aws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        come_back(*begun(kept, account))

        def fail(*_: Any) -> None:
            raise StorageUnavailable("The table is busy.")

        with monkeypatch.context() as busy:
            busy.setattr(type(kept.secrets.tokens.grants), "remove", fail)
            assert self.disconnect(account).status == 503
        assert len(tokens_in(stack)) == 1
        assert self.disconnect(account).status == 200
        assert tokens_in(stack) == []

    def test_a_provider_is_not_told_while_another_account_has_the_same_persons_consent(
        self, kept: KeptAccounts, account: dict[str, Any], stack: Aws
    ) -> None:
        """Google ends all that a person has granted to popfetch with one token of it (RFC 7009, section 2.1)."""
        same = a_body(incoming__host="localhost", incoming__auth="oauth2", incoming__password=None, outgoing=None)
        other = accounts.request("POST", "/accounts", same).json
        come_back(*begun(kept, account))
        come_back(*begun(kept, other))
        self.disconnect(account)
        assert kept.servers.given_back == []
        assert len(tokens_in(stack)) == 1
        assert accounts.request("DELETE", f"/accounts/{other['id']}").status == 204
        assert len(kept.servers.given_back) == 1
        assert tokens_in(stack) == []

    def test_one_that_the_provider_has_ended_is_shown_as_gone(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        come_back(*begun(kept, account))

        def stopped(stored: Account, state: FetchState) -> tuple[Account, FetchState]:
            stop = Stop(Standing.AUTH_FAILED, kept.now, "consent_needed", "Sign in again.")
            return replace(stored, standing=Standing.AUTH_FAILED), replace(state, stop=stop)

        kept.now += timedelta(days=1)
        kept.table.change(OWNER, account["id"], stopped)
        gone = shown(account)
        assert (gone["status"], gone["oauth"]["connected"], gone["oauth"]["provider"]) == (
            "auth_failed",
            False,
            "example",
        )
        kept.now += timedelta(days=1)
        come_back(*begun(kept, account))
        assert shown(account)["oauth"]["connected"] is True

    def test_where_there_is_none_nothing_happens(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        before = shown(account)
        assert self.disconnect(account).json == before

    def test_it_is_the_owners_alone(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        come_back(*begun(kept, account))
        assert self.disconnect(account, owner=OTHER_OWNER).status == 404
        assert shown(account)["oauth"]["connected"] is True

    def test_a_deleted_account_gives_it_back_too(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        come_back(*begun(kept, account))
        assert accounts.request("DELETE", f"/accounts/{account['id']}").status == 204
        assert len(kept.servers.given_back) == 1

    def test_it_can_be_given_again(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        come_back(*begun(kept, account))
        self.disconnect(account)
        come_back(*begun(kept, account))
        assert shown(account)["status"] == "active"


class TestChangingAnAccountWithConsent:
    def change(self, account: dict[str, Any], body: Any) -> Answer:
        return accounts.request("PATCH", f"/accounts/{account['id']}", body)

    def test_its_token_is_what_another_port_is_tried_with(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        come_back(*begun(kept, account))
        kept.dialer.calls.clear()
        assert self.change(account, {"incoming": {"port": 1995}}).status == 200
        ((server, token),) = kept.dialer.calls
        assert server.port == 1995
        assert token.reveal().startswith("access-")

    def test_its_token_goes_to_no_other_host(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        come_back(*begun(kept, account))
        kept.dialer.calls.clear()
        for host in ("evil.example", "pop.example.com.evil.example", "pop.gmail.com"):
            answer = self.change(account, {"incoming": {"host": host}})
            assert (answer.status, answer.error["code"]) == (422, "invalid_account")
            assert answer.error["message"].startswith("incoming.host:")
        assert self.change(account, {"incoming": {"security": "none"}}).status == 422
        assert kept.dialer.calls == []

    def test_a_password_takes_its_place(self, kept: KeptAccounts, account: dict[str, Any], stack: Aws) -> None:
        come_back(*begun(kept, account))
        both = {"auth": "password", "password": "x"}
        assert self.change(account, {"incoming": both, "outgoing": both}).json["oauth"] is None
        assert kept.table.get(OWNER, account["id"]).account.grant is None
        assert kept.password(account["id"]) == "x"
        assert tokens_in(stack) == []
        assert len(kept.servers.given_back) == 1

    def test_a_password_stands_even_where_the_tokens_cannot_be_removed(
        self, kept: KeptAccounts, account: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        come_back(*begun(kept, account))

        def fail(*_: Any) -> None:
            raise StorageUnavailable("The table is busy.")

        monkeypatch.setattr(type(kept.secrets.tokens.grants), "of_account", fail)
        both = {"auth": "password", "password": "x"}
        assert self.change(account, {"incoming": both, "outgoing": both}).status == 200
        assert "tokens are left behind" in kept.journal.messages

    def test_no_server_of_another_provider_joins_it_before_there_is_consent(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        kept.clients.clients.append(a_client(id="other", hosts=frozenset({"smtp.example.org"})))
        answer = self.change(account, {"outgoing": {"host": "smtp.example.org"}})
        assert (answer.status, answer.error["code"]) == (422, "invalid_account")
        assert "different providers" in answer.error["message"]

    def test_a_password_alone_is_refused_with_the_remedy(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        come_back(*begun(kept, account))
        answer = self.change(account, {"incoming": {"password": "x"}})
        assert (answer.status, answer.error["code"]) == (422, "invalid_account")
        assert 'incoming.auth to "password"' in answer.error["message"]

    def test_before_there_is_consent_it_stays_off_the_wheel(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        changed = self.change(account, {"name": "Work", "incoming": {"port": 1995}})
        assert (changed.status, changed.json["status"]) == (200, "auth_failed")
        assert kept.dialer.calls == []


def test_it_is_wired_to_the_stack(stack: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "TABLE_NAME": stack.table,
        "FETCH_QUEUE_URL": stack.queue_url,
        "CREDENTIALS_KEY_ID": stack.key_id,
        "OAUTH_CLIENTS_PARAMETER": "/popfetch/oauth-clients",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"POPFETCH_{name}", value)
    forget_wiring()
    found = call("GET", "/oauth/providers").json["providers"]
    assert {provider["id"]: provider["configured"] for provider in found} == {
        "google": False,
        "microsoft": False,
        "fastmail": False,
    }
    assert start({"id": an_account_id(3)}).status == 404
    forget_wiring()


def test_another_server_of_the_operators_own_is_one_more() -> None:
    assert an_authorization_server().flows == ("code", "device")
