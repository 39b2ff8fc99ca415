"""Sessions through popfetch's own origin: what the browser gets, what nobody gets, and what other sites cannot send."""

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from functions.console import handler as function
from popfetch.adapters.owner_sessions import UserPoolSessions
from popfetch.domain.errors import StorageUnavailable, TooManyTries
from popfetch.domain.secret import Secret
from popfetch.services.sessions import Sessions
from tests.builders.api import Answer, ApiClient, an_event, lines_of
from tests.builders.aws import aws
from tests.builders.journals import log_of
from tests.builders.user_pool import EMAIL, NEW_PASSWORD, PASSWORD, UserPool, a_user_pool

HOST = "ab12.execute-api.eu-central-1.amazonaws.com"
WRONG, CODE, UNTRUE_SESSION = "Canary-Wrong-9", "canary-code-123456", "canary-session-0123456789"
client = ApiClient(function)


@pytest.fixture(scope="module")
def cognito() -> Iterator[None]:
    with aws():
        yield


@pytest.fixture
def pool(cognito: None) -> UserPool:
    pool = a_user_pool()
    pool.add_owner()
    return pool


@pytest.fixture(autouse=True)
def log(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    lines = log_of(monkeypatch, function)
    service = Sessions(UserPoolSessions(pool.cognito, pool.client_id), function.journal)
    monkeypatch.setattr(function, "sessions", lambda _: service)
    yield lines
    # whatever happened: neither who it was nor what they sent is in the log
    logged = lines.getvalue()
    assert not [secret for secret in (EMAIL, PASSWORD, NEW_PASSWORD, WRONG, CODE, UNTRUE_SESSION) if secret in logged]


def a_request(method: str, path: str, body: Any = None, cookie: str = "", **changes: Any) -> dict[str, Any]:
    event = an_event(method, path, body, **changes)
    event["requestContext"]["domainName"] = changes.get("domain", HOST)
    event["headers"] = {**event["headers"], **({"Cookie": f"other=1; {cookie}"} if cookie else {})}
    del event["requestContext"]["authorizer"]
    return event


def call(method: str, path: str, body: Any = None, cookie: str = "", **changes: Any) -> Answer:
    return client.call(a_request(method, path, body, cookie, **changes))


def sign_in(password: str = PASSWORD, **changes: Any) -> Answer:
    return call("POST", "/session", {"email": EMAIL, "password": password}, **changes)


def cookie_of(answer: Answer) -> tuple[str, set[str]]:
    """A cookie as it goes back, and its attributes."""
    pair, *attributes = answer.headers["Set-Cookie"].split("; ")
    return pair, set(attributes)


def refused(answer: Answer) -> tuple[int, str]:
    assert "Set-Cookie" not in answer.headers
    return answer.status, answer.error["code"]


class TestSigningIn:
    def test_the_browser_gets_an_id_token_and_nothing_that_lasts(self) -> None:
        answer = sign_in()
        assert answer.status == 200
        assert set(answer.json) == {"id_token", "expires_at", "email"}
        assert answer.json["email"] == EMAIL
        assert datetime.fromisoformat(answer.json["expires_at"]).tzinfo
        assert answer.headers["Cache-Control"] == "no-store"
        pair, _ = cookie_of(answer)
        assert pair.partition("=")[2] not in answer.text

    def test_the_refresh_token_is_a_cookie_that_goes_nowhere_else_and_no_script_sees(self) -> None:
        pair, attributes = cookie_of(sign_in())
        assert pair.startswith("__Host-popfetch-session-")
        assert attributes == {"Path=/", "Secure", "HttpOnly", "Max-Age=2592000", "SameSite=Strict"}

    def test_without_tls_the_cookie_has_a_plain_name(self) -> None:
        local = {"publicUrl": "http://127.0.0.1:4566/_aws/execute-api/x/v1"}
        pair, attributes = cookie_of(sign_in(stageVariables=local))
        assert pair.startswith("popfetch-session-")
        assert "Secure" not in attributes

    def test_stacks_at_one_host_have_cookies_of_their_own(self) -> None:
        names = {
            cookie_of(sign_in(stageVariables={"publicUrl": f"http://127.0.0.1:{port}/v1"}))[0].partition("=")[0]
            for port in (4566, 4567)
        }
        assert len(names) == 2

    def test_a_wrong_password_and_an_unknown_address_are_answered_alike(self) -> None:
        wrong = sign_in(WRONG)
        assert refused(wrong) == (401, "sign_in_refused")
        unknown = call("POST", "/session", {"email": "nobody@example.com", "password": PASSWORD})
        assert unknown == wrong

    def test_the_operators_password_is_replaced_first(self, pool: UserPool) -> None:
        pool.add_owner("bert@example.com", permanent=False)
        asked = call("POST", "/session", {"email": "bert@example.com", "password": PASSWORD})
        assert asked.json["challenge"] == "new_password"
        assert "Set-Cookie" not in asked.headers
        body = {"email": "bert@example.com", "answer": NEW_PASSWORD, **asked.json}
        answer = call("POST", "/session/answer", body)
        assert (answer.status, answer.json["email"]) == (200, "bert@example.com")
        assert cookie_of(answer)

    def test_a_weak_password_is_refused_with_what_it_lacks(self, pool: UserPool) -> None:
        pool.add_owner("bert@example.com", permanent=False)
        asked = call("POST", "/session", {"email": "bert@example.com", "password": PASSWORD})
        answer = call("POST", "/session/answer", {"email": "bert@example.com", "answer": "weak", **asked.json})
        assert refused(answer) == (422, "password_too_weak")

    def test_an_authenticator_app_is_asked_for_its_code(self, pool: UserPool) -> None:
        pool.ask_for_codes()
        asked = sign_in()
        assert asked.json["challenge"] == "code"
        answer = call("POST", "/session/answer", {"email": EMAIL, "answer": "123456", **asked.json})
        assert answer.status == 200

    @pytest.mark.parametrize(
        ("code", "expected"),
        [
            ("CodeMismatchException", (422, "code_refused")),
            ("NotAuthorizedException", (401, "sign_in_refused")),
            ("TooManyRequestsException", (429, "too_many_requests")),
            ("InternalErrorException", (503, "storage_unavailable")),
        ],
    )
    def test_what_an_answer_is_refused_with(self, pool: UserPool, code: str, expected: tuple[int, str]) -> None:
        body = {"email": EMAIL, "challenge": "code", "session": UNTRUE_SESSION, "answer": CODE}
        with Stubber(pool.cognito) as stubber:
            stubber.add_client_error("respond_to_auth_challenge", code, f"{EMAIL} {CODE} {UNTRUE_SESSION}")
            assert refused(call("POST", "/session/answer", body)) == expected

    def test_a_reset_password_is_told_to_whoever_has_it(self, pool: UserPool) -> None:
        with Stubber(pool.cognito) as stubber:
            stubber.add_client_error("initiate_auth", "PasswordResetRequiredException")
            assert refused(sign_in()) == (401, "password_reset_required")

    @pytest.mark.parametrize(
        "changes",
        [
            {"email": "anna"},
            {"email": f"{'a' * 250}@example.com"},
            {"password": ""},
            {"password": "x" * 257},
            {"password": None},
            {"remember": True},
        ],
    )
    def test_what_does_not_fit_is_refused_without_being_quoted(self, changes: dict[str, Any]) -> None:
        answer = call("POST", "/session", {"email": EMAIL, "password": PASSWORD, **changes})
        assert refused(answer) == (422, "invalid_request")
        assert PASSWORD not in answer.text

    @pytest.mark.parametrize("changes", [{"session": "x" * 19}, {"session": "x" * 2_049}, {"challenge": "sms"}])
    def test_an_answer_that_does_not_fit_is_refused(self, changes: dict[str, Any]) -> None:
        body = {"email": EMAIL, "challenge": "code", "session": UNTRUE_SESSION, "answer": CODE, **changes}
        assert refused(call("POST", "/session/answer", body)) == (422, "invalid_request")


class TestGoingOn:
    def test_a_session_goes_on_by_its_cookie(self) -> None:
        pair, _ = cookie_of(sign_in())
        renewed = call("POST", "/session/renew", {}, pair)
        assert renewed.status == 200
        assert (set(renewed.json), renewed.json["email"]) == ({"id_token", "expires_at", "email"}, EMAIL)

    def test_nobody_is_signed_in_without_a_cookie_or_with_an_untrue_one(self) -> None:
        pair, _ = cookie_of(sign_in())
        name = pair.partition("=")[0]
        for cookie in ("", f"{name}=", f"{name}=untrue", pair.replace("__Host-", "")):
            assert refused(call("POST", "/session/renew", {}, cookie)) == (401, "signed_out")


class TestSigningOut:
    def test_the_session_is_revoked_and_its_cookie_taken_away(self, pool: UserPool) -> None:
        pair, _ = cookie_of(sign_in())
        name, _, token = pair.partition("=")
        with Stubber(pool.cognito) as stubber:
            stubber.add_response("revoke_token", {}, {"Token": token, "ClientId": pool.client_id})
            answer = call("DELETE", "/session", cookie=pair)
            stubber.assert_no_pending_responses()
        removed, attributes = cookie_of(answer)
        assert (answer.status, removed) == (204, f"{name}=")
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"} <= attributes
        assert any(attribute.startswith("Max-Age=") and int(attribute[8:]) <= 0 for attribute in attributes)

    def test_whoever_is_not_signed_in_is_signed_out(self) -> None:
        assert call("DELETE", "/session").status == 204

    @pytest.mark.parametrize("error", [TooManyTries(), StorageUnavailable("Revoking a session failed (Timeout).")])
    def test_a_pool_that_does_not_answer_keeps_nobody_signed_in(
        self, monkeypatch: pytest.MonkeyPatch, log: io.StringIO, error: Exception
    ) -> None:
        def fails(_: object, refresh_token: Secret) -> None:
            raise error

        pair, _ = cookie_of(sign_in())
        monkeypatch.setattr(UserPoolSessions, "revoke", fails)
        answer = call("DELETE", "/session", cookie=pair)
        assert answer.status == 204
        assert cookie_of(answer)[0].endswith("=")
        assert "session not revoked" in [line["message"] for line in lines_of(log)]


class TestAForgottenPassword:
    def test_a_code_lets_a_new_one_be_chosen(self) -> None:
        assert call("POST", "/session/forgotten", {"email": EMAIL}).status == 202
        assert call("POST", "/session/reset", {"email": EMAIL, "code": CODE, "password": NEW_PASSWORD}).status == 204
        assert sign_in(NEW_PASSWORD).status == 200

    @pytest.mark.parametrize(
        "code",
        [
            "UserNotFoundException",
            "NotAuthorizedException",
            "InvalidParameterException",
            "LimitExceededException",
            "CodeDeliveryFailureException",
        ],
    )
    def test_whoever_it_is_the_answer_is_the_same(self, pool: UserPool, code: str) -> None:
        known = call("POST", "/session/forgotten", {"email": EMAIL})
        with Stubber(pool.cognito) as stubber:
            stubber.add_client_error("forgot_password", code, EMAIL)
            assert call("POST", "/session/forgotten", {"email": EMAIL}) == known

    @pytest.mark.parametrize(
        ("code", "expected"),
        [
            ("CodeMismatchException", (422, "code_refused")),
            ("ExpiredCodeException", (422, "code_refused")),
            ("InvalidPasswordException", (422, "password_too_weak")),
            ("TooManyFailedAttemptsException", (429, "too_many_requests")),
        ],
    )
    def test_what_a_new_password_is_refused_with(self, pool: UserPool, code: str, expected: tuple[int, str]) -> None:
        with Stubber(pool.cognito) as stubber:
            stubber.add_client_error("confirm_forgot_password", code, f"Too short: {NEW_PASSWORD}")
            answer = call("POST", "/session/reset", {"email": EMAIL, "code": CODE, "password": NEW_PASSWORD})
        assert refused(answer) == expected
        assert NEW_PASSWORD not in answer.text

    @pytest.mark.parametrize("code", ["12345", "1" * 65])
    def test_a_code_that_can_be_none_is_refused(self, code: str) -> None:
        answer = call("POST", "/session/reset", {"email": EMAIL, "code": code, "password": NEW_PASSWORD})
        assert refused(answer) == (422, "invalid_request")


@pytest.mark.parametrize(
    "path", ["/session", "/session/answer", "/session/renew", "/session/forgotten", "/session/reset"]
)
class TestWhatOtherSitesCanSend:
    @pytest.mark.parametrize(
        "announced", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain", None]
    )
    def test_nothing_but_json_that_is_announced_is_read(self, path: str, announced: str | None) -> None:
        pair, _ = cookie_of(sign_in())
        event = a_request("POST", path, "{}", pair)
        del event["headers"]["Content-Type"]
        event["headers"] |= {"content-type": announced} if announced else {}
        assert refused(client.call(event)) == (415, "unsupported_media_type")

    def test_a_request_without_a_body_does_nothing(self, path: str) -> None:
        pair, _ = cookie_of(sign_in())
        assert refused(call("POST", path, cookie=pair))[0] in {400, 422}
