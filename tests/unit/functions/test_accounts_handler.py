"""The accounts API, request by request: what it answers, and what it never tells."""

import base64
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.accounts import handler as function
from popfetch.adapters import fetch_state_items
from popfetch.adapters.account_items import change_standing
from popfetch.adapters.account_remains import AccountRemains
from popfetch.adapters.accounts_table import write_standing
from popfetch.adapters.credential_vault import CredentialVault
from popfetch.adapters.dynamodb_items import to_wire
from popfetch.domain.account import INTERVAL_MENU, Security, Standing
from popfetch.domain.errors import AccountChanged, HostRefused, SecretUnreadable, StorageUnavailable
from popfetch.domain.fetch_state import FailureCounts, FetchState, LastFetch, Outcome, Progress
from popfetch.pop3.errors import SignInRefused, TlsFailed
from popfetch.runtime import wiring_accounts
from popfetch.services.accounts import Accounts
from popfetch.smtp import errors as smtp_errors
from tests.builders.accounts import (
    NOON,
    OTHER_OWNER,
    OWNER,
    PASSWORD,
    SMTP_PASSWORD,
    RecordingQueue,
    ScriptedDialer,
    ScriptedSubmission,
    an_account_id,
)
from tests.builders.api import Answer, ApiClient, a_body, an_event, lines_of
from tests.builders.aws import Aws
from tests.builders.journals import log_of
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.wiring import forget_wiring

client = ApiClient(function)
call, request = client.call, client.request


def post(**changes: Any) -> Answer:
    return request("POST", "/accounts", a_body(**changes))


@pytest.fixture
def kept(stack: Aws) -> KeptAccounts:
    return KeptAccounts(stack)


@pytest.fixture
def dialer(kept: KeptAccounts) -> ScriptedDialer:
    return kept.dialer


@pytest.fixture
def submission(kept: KeptAccounts) -> ScriptedSubmission:
    return kept.submission


@pytest.fixture
def queue(kept: KeptAccounts) -> RecordingQueue:
    return kept.queue


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    return log_of(monkeypatch, function)


@pytest.fixture
def service(kept: KeptAccounts, log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[Accounts]:
    monkeypatch.setattr(function, "accounts_service", lambda _: kept.accounts)
    monkeypatch.setattr(function, "account_changes", lambda _: kept.changes)
    yield kept.accounts
    kept.remove_all()
    for secret in (PASSWORD, SMTP_PASSWORD):
        assert secret not in log.getvalue()


@pytest.mark.usefixtures("service")
class TestAdding:
    def test_it_answers_with_the_account_and_its_place(self) -> None:
        answer = post()
        assert answer.status == 201
        account = answer.json
        assert answer.headers["Location"] == f"/v1/accounts/{account['id']}"
        assert account == {
            "id": account["id"],
            "email": "anna@example.com",
            "name": "My work",
            "status": "active",
            "is_default": True,
            "position": account["position"],
            "incoming": {
                "host": "pop.example.com",
                "port": 995,
                "security": "tls",
                "username": "anna",
                "auth": "password",
            },
            "outgoing": {
                "host": "smtp.example.com",
                "port": 465,
                "security": "tls",
                "username": "anna",
                "auth": "password",
            },
            "fetch": {
                "interval_minutes": 15,
                "max_messages_per_cycle": 50,
                "catch_up": True,
                "start": "2026-01-31",
                "order": "oldest_first",
                "after_fetch": "keep",
                "delete_after_days": None,
            },
            "reply_to": None,
            "outgoing_status": "active",
            "outgoing_failure": None,
            "oauth": None,
            "last_fetch": None,
            "fetching": None,
            "unread": 0,
            "visited_at": None,
            "created_at": "2026-11-23T12:00:00Z",
            "version": 1,
        }
        assert answer.headers["ETag"] == '"1"'
        assert request("GET", f"/accounts/{account['id']}").json == account

    def test_the_least_that_is_needed_gets_the_usual_values(self, dialer: ScriptedDialer) -> None:
        server = {"host": "POP.Example.com.", "password": PASSWORD}
        answer = request("POST", "/accounts", {"email": " Anna@Example.COM ", "incoming": server})
        assert answer.status == 201
        account = answer.json
        assert account["email"] == account["name"] == account["incoming"]["username"] == "Anna@example.com"
        assert account["incoming"]["host"] == "pop.example.com"
        assert (account["incoming"]["port"], account["incoming"]["security"]) == (995, "tls")
        assert account["outgoing"] is None
        assert account["fetch"]["interval_minutes"] == 5
        assert account["fetch"]["max_messages_per_cycle"] == 100
        assert account["fetch"]["start"] == "all"
        ((server_called, secret),) = dialer.calls
        assert server_called.security is Security.TLS
        assert secret.reveal() == PASSWORD

    @pytest.mark.parametrize(
        ("security", "incoming", "outgoing"), [("tls", 995, 465), ("starttls", 110, 587), ("none", 110, 587)]
    )
    def test_the_usual_port_goes_with_the_security(self, security: str, incoming: int, outgoing: int) -> None:
        answer = post(
            incoming__port=None, incoming__security=security, outgoing__port=None, outgoing__security=security
        )
        assert (answer.json["incoming"]["port"], answer.json["outgoing"]["port"]) == (incoming, outgoing)

    def test_names_are_taken_in_any_language(self) -> None:
        answer = post(name="Büro 📬", incoming__host="pop.müller.example", email="anna@müller.example")
        assert answer.status == 201
        assert answer.json["name"] == "Büro 📬"
        assert answer.json["incoming"]["host"] == "pop.xn--mller-kva.example"

    @pytest.mark.parametrize("host", ["localhost", "192.0.2.7", "[2001:db8::1]", "2001:DB8::1", "my-mail.internal"])
    def test_hosts_may_be_addresses_and_short_names(self, host: str) -> None:
        assert post(incoming__host=host).status == 201

    def test_a_password_is_taken_letter_by_letter(self, dialer: ScriptedDialer) -> None:
        assert post(incoming__password="  spaces and ünïcode  ").status == 201
        assert dialer.calls[0][1].reveal() == "  spaces and ünïcode  "

    @pytest.mark.parametrize("minutes", INTERVAL_MENU)
    def test_every_interval_of_the_menu_is_taken(self, minutes: int) -> None:
        assert post(fetch__interval_minutes=minutes).json["fetch"]["interval_minutes"] == minutes

    def test_deleting_after_days_is_taken_with_its_days(self) -> None:
        fetch = {"after_fetch": "delete_after_days", "delete_after_days": 14, "order": "newest_first", "start": "now"}
        answer = post(fetch=fetch)
        assert {name: answer.json["fetch"][name] for name in fetch} == fetch

    def test_the_test_of_the_sign_in_can_be_skipped(self, dialer: ScriptedDialer) -> None:
        assert post(verify=False).status == 201
        assert dialer.calls == []

    def test_the_same_mailbox_again_is_a_conflict(self) -> None:
        first = post().json["id"]
        again = post(name="Once more")
        assert (again.status, again.error["code"]) == (409, "account_already_added")
        assert first in again.error["message"]

    def test_with_oauth_it_waits_for_consent(self, dialer: ScriptedDialer) -> None:
        answer = post(incoming__auth="oauth2", incoming__password=None, fetch__interval_minutes=15)
        assert answer.status == 201
        assert (answer.json["status"], answer.json["incoming"]["auth"]) == ("auth_failed", "oauth2")
        assert answer.json["oauth"] == {"provider": None, "connected": False, "connected_at": None}
        assert dialer.calls == []

    def test_a_password_and_oauth_do_not_go_together(self) -> None:
        answer = post(incoming__auth="oauth2")
        assert (answer.status, answer.error["code"]) == (422, "invalid_request")
        assert PASSWORD not in answer.text

    def test_where_nobody_gives_tokens_oauth_is_refused(self) -> None:
        answer = post(incoming__auth="oauth2", incoming__password=None, incoming__host="pop.example.org")
        assert (answer.status, answer.error["code"]) == (422, "no_oauth_provider")
        assert answer.error["message"].startswith("incoming.auth:")


@pytest.mark.usefixtures("service")
class TestAFailedSignIn:
    def test_the_owner_is_told_and_nothing_is_stored(self, dialer: ScriptedDialer) -> None:
        dialer.failure = SignInRefused("no", server_text="[AUTH] Application-specific password required")
        answer = post()
        assert (answer.status, answer.error["code"]) == (422, "sign_in_refused")
        assert answer.error["details"] == {
            "direction": "incoming",
            "server_said": "[AUTH] Application-specific password required",
        }
        assert request("GET", "/accounts").json == {"accounts": []}

    @pytest.mark.parametrize(
        ("failure", "code", "details"),
        [
            (TlsFailed("name"), "tls_failed", {"direction": "incoming"}),
            (HostRefused("It is private."), "host_refused", {}),
        ],
    )
    def test_each_kind_has_its_code(
        self, dialer: ScriptedDialer, failure: Exception, code: str, details: dict[str, str]
    ) -> None:
        dialer.failure = failure
        answer = post()
        assert (answer.status, answer.error["code"], answer.error["details"]) == (422, code, details)

    def test_both_servers_are_tried_and_both_failures_are_told(
        self, dialer: ScriptedDialer, submission: ScriptedSubmission
    ) -> None:
        dialer.failure = SignInRefused("no", server_text="[AUTH] no")
        submission.failure = smtp_errors.TlsFailed("The certificate of smtp.example.com:465 has expired.")
        answer = post()
        assert (answer.status, answer.error["code"]) == (422, "sign_in_refused")
        assert answer.error["details"] == {
            "direction": "incoming",
            "server_said": "[AUTH] no",
            "also": {
                "code": "tls_failed",
                "message": "The certificate of smtp.example.com:465 has expired.",
                "direction": "outgoing",
            },
        }
        assert request("GET", "/accounts").json == {"accounts": []}

    def test_the_outgoing_server_alone_is_reason_enough(self, submission: ScriptedSubmission) -> None:
        submission.failure = smtp_errors.SignInRefused("no", server_text="5.7.8 no")
        answer = post()
        assert (answer.status, answer.error["code"]) == (422, "sign_in_refused")
        assert answer.error["details"] == {"direction": "outgoing", "server_said": "5.7.8 no"}
        assert request("GET", "/accounts").json == {"accounts": []}


LONG = "x" * 5000

BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"email": None}, "email"),
    ({"email": ""}, "email"),
    ({"email": 7}, "email"),
    ({"email": "anna"}, "email"),
    ({"email": "@example.com"}, "email"),
    ({"email": "anna@"}, "email"),
    ({"email": "anna@b@example.com"}, "email"),
    ({"email": "an na@example.com"}, "email"),
    ({"email": "Anna <anna@example.com>"}, "email"),
    ({"email": "anna@exa mple.com"}, "email"),
    ({"email": "anna..b@example.com"}, "email"),
    ({"email": "anna@example.com\r\nBcc: all@example.com"}, "email"),
    ({"email": f"{'a' * 65}@example.com"}, "email"),
    ({"email": f"anna@{LONG}.com"}, "email"),
    ({"name": ""}, "name"),
    ({"name": "   "}, "name"),
    ({"name": "two\nlines"}, "name"),
    ({"name": "nul\x00"}, "name"),
    ({"name": "\ud800"}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"name": ["My work"]}, "name"),
    ({"incoming": None}, "incoming"),
    ({"incoming": "pop.example.com"}, "incoming"),
    ({"incoming": []}, "incoming"),
    ({"incoming__host": None}, "incoming.host"),
    ({"incoming__host": ""}, "incoming.host"),
    ({"incoming__host": "pop example.com"}, "incoming.host"),
    ({"incoming__host": "pop.example.com:995"}, "incoming.host"),
    ({"incoming__host": "https://pop.example.com"}, "incoming.host"),
    ({"incoming__host": "-pop.example.com"}, "incoming.host"),
    ({"incoming__host": "pop..example.com"}, "incoming.host"),
    ({"incoming__host": "2130706433"}, "incoming.host"),
    ({"incoming__host": "0x7f.1"}, "incoming.host"),
    ({"incoming__host": "fe80::1%eth0"}, "incoming.host"),
    ({"incoming__host": f"{'a' * 64}.example.com"}, "incoming.host"),
    ({"incoming__host": LONG}, "incoming.host"),
    ({"incoming__port": 0}, "incoming.port"),
    ({"incoming__port": 65536}, "incoming.port"),
    ({"incoming__port": -1}, "incoming.port"),
    ({"incoming__port": "995"}, "incoming.port"),
    ({"incoming__port": 995.5}, "incoming.port"),
    ({"incoming__port": True}, "incoming.port"),
    ({"incoming__port": 10**30}, "incoming.port"),
    ({"incoming__security": "ssl"}, "incoming.security"),
    ({"incoming__username": ""}, "incoming.username"),
    ({"incoming__username": "anna\r\nPASS x"}, "incoming.username"),
    ({"incoming__username": "x" * 256}, "incoming.username"),
    ({"incoming__auth": "kerberos"}, "incoming.auth"),
    ({"incoming__password": None}, "incoming"),
    ({"incoming__password": ""}, "incoming.password"),
    ({"incoming__password": "secret\r\nDELE 1"}, "incoming.password"),
    ({"incoming__password": "nul\x00"}, "incoming.password"),
    ({"incoming__password": "\udfff"}, "incoming.password"),
    ({"incoming__password": "x" * 1025}, "incoming.password"),
    ({"incoming__password": 12345}, "incoming.password"),
    ({"incoming__extra": 1}, "incoming.extra"),
    ({"outgoing__host": "??"}, "outgoing.host"),
    ({"outgoing__password": None}, "outgoing"),
    ({"fetch__interval_minutes": 7}, "fetch.interval_minutes"),
    ({"fetch__interval_minutes": 0}, "fetch.interval_minutes"),
    ({"fetch__interval_minutes": True}, "fetch.interval_minutes"),
    ({"fetch__interval_minutes": "5"}, "fetch.interval_minutes"),
    ({"fetch__max_messages_per_cycle": 19}, "fetch.max_messages_per_cycle"),
    ({"fetch__max_messages_per_cycle": 201}, "fetch.max_messages_per_cycle"),
    ({"fetch__catch_up": "yes"}, "fetch.catch_up"),
    ({"fetch__catch_up": 1}, "fetch.catch_up"),
    ({"fetch__start": "yesterday"}, "fetch.start"),
    ({"fetch__start": "2026-02-30"}, "fetch.start"),
    ({"fetch__start": "20260131"}, "fetch.start"),
    ({"fetch__start": "2026-W05-6"}, "fetch.start"),
    ({"fetch__start": "٢٠٢٦-٠١-٣١"}, "fetch.start"),  # noqa: RUF001 - digits, but not ISO's
    ({"fetch__order": "random"}, "fetch.order"),
    ({"fetch__after_fetch": "shred"}, "fetch.after_fetch"),
    ({"fetch__after_fetch": "delete_after_days"}, "fetch"),
    ({"fetch__delete_after_days": 5}, "fetch"),
    ({"fetch__after_fetch": "delete_after_days", "fetch__delete_after_days": 0}, "fetch.delete_after_days"),
    ({"fetch__after_fetch": "delete_after_days", "fetch__delete_after_days": 3651}, "fetch.delete_after_days"),
    ({"fetch": []}, "fetch"),
    ({"verify": "no"}, "verify"),
    ({"verify": 0}, "verify"),
    ({"id": "mine"}, "id"),
    ({"is_default": True}, "is_default"),
]

BAD_BODIES: list[tuple[Any, int, str]] = [
    (None, 422, "invalid_request"),
    ("", 422, "invalid_request"),
    ("{", 400, "malformed_body"),
    ("[]", 400, "malformed_body"),
    ("[{}]", 400, "malformed_body"),
    (json.dumps([a_body()]), 400, "malformed_body"),
    ('"text"', 400, "malformed_body"),
    ("null", 400, "malformed_body"),
    ("7", 400, "malformed_body"),
    ('{"email": NaN}', 400, "malformed_body"),
    ('{"email": ' + "1" * 5000 + "}", 400, "malformed_body"),
    ("[" * 60_000, 400, "malformed_body"),
    ('{"a":' * 12_000, 400, "malformed_body"),
    ("[" * 100_000, 413, "body_too_large"),
    ('{"a":' * 100_000, 413, "body_too_large"),
    ("{}", 422, "invalid_request"),
    ("\x00", 400, "malformed_body"),
]


@pytest.mark.usefixtures("service")
class TestBadInput:
    @pytest.mark.parametrize(
        ("changes", "field"), BAD_FIELDS, ids=lambda value: str(value)[:60].encode("ascii", "replace").decode()
    )
    def test_a_field_that_does_not_fit_is_named(
        self, changes: dict[str, Any], field: str, dialer: ScriptedDialer
    ) -> None:
        answer = post(**changes)
        assert (answer.status, answer.error["code"]) == (422, "invalid_request")
        assert list(answer.problems) == [field]
        assert field in answer.error["message"]
        assert dialer.calls == []
        assert "Traceback" not in answer.text
        assert "pydantic" not in answer.text

    @pytest.mark.parametrize(("body", "status", "code"), BAD_BODIES, ids=lambda value: str(value)[:30])
    def test_a_body_that_is_no_account_is_refused(self, body: Any, status: int, code: str) -> None:
        answer = request("POST", "/accounts", body)
        assert (answer.status, answer.error["code"]) == (status, code)

    @pytest.mark.parametrize("password", [LONG + PASSWORD, PASSWORD + "\n"])
    def test_a_password_that_does_not_fit_is_not_repeated(self, password: str) -> None:
        answer = post(incoming__password=password)
        assert answer.status == 422
        assert PASSWORD not in answer.text

    def test_the_words_help(self) -> None:
        answer = post(fetch__interval_minutes=7, incoming__port=0, email=None, surprise=1)
        assert answer.problems == {
            "email": "is required",
            "surprise": "is not a field of this request",
            "incoming.port": "Input should be greater than or equal to 1",
            "fetch.interval_minutes": "must be one of 1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 360, 720, 1440 minutes",
        }

    @pytest.mark.parametrize(
        ("encoded", "status"),
        [
            (base64.b64encode(json.dumps(a_body()).encode()).decode(), 201),
            (base64.b64encode(b"\xff\xfe").decode(), 400),
            ("not base64!", 400),
        ],
    )
    def test_a_body_in_base64_is_read_or_refused(self, encoded: str, status: int) -> None:
        assert request("POST", "/accounts", encoded, isBase64Encoded=True).status == status

    @pytest.mark.parametrize(
        "content_type",
        ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "application/jsonp"],
    )
    def test_only_json_is_taken(self, content_type: str) -> None:
        answer = request("POST", "/accounts", a_body(), headers={"content-type": content_type})
        assert (answer.status, answer.error["code"]) == (415, "unsupported_media_type")

    @pytest.mark.parametrize(
        "headers", [None, {}, {"content-type": ""}, {"CONTENT-TYPE": "Application/JSON; charset=utf-8"}]
    )
    def test_json_is_taken_however_it_is_announced(self, headers: Any) -> None:
        assert request("POST", "/accounts", a_body(), headers=headers).status == 201

    @pytest.mark.parametrize("query", ["mail=burn", "mail=", "mail=DELETE"])
    def test_an_unknown_fate_of_mail_deletes_nothing(self, query: str) -> None:
        account_id = post().json["id"]
        answer = request("DELETE", f"/accounts/{account_id}?{query}")
        assert (answer.status, list(answer.problems)) == (422, ["mail"])
        assert request("GET", f"/accounts/{account_id}").status == 200

    @pytest.mark.parametrize(
        "account_id", ["x", "x" * 4000, "%2e%2e", an_account_id(9), "PROFILE", f"{an_account_id(1)}%23STATE"]
    )
    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_an_unknown_account_is_not_found(self, method: str, account_id: str) -> None:
        answer = request(method, f"/accounts/{account_id}")
        assert (answer.status, answer.error["code"]) == (404, "account_not_found")

    @pytest.mark.parametrize(
        ("method", "path"), [("GET", "/nothing"), ("PUT", "/accounts"), ("POST", "/accounts/a/b"), ("GET", "/")]
    )
    def test_an_unknown_route_is_not_found(self, method: str, path: str) -> None:
        answer = request(method, path)
        assert (answer.status, answer.error["code"]) == (404, "route_not_found")

    json_values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
    @given(
        field=st.sampled_from(
            [
                "email", "name", "incoming", "outgoing", "fetch", "verify", "incoming__host", "incoming__port",
                "incoming__security", "incoming__username", "incoming__auth", "incoming__password",
                "fetch__interval_minutes", "fetch__start", "fetch__after_fetch", "fetch__delete_after_days",
            ]
        ),
        value=json_values | st.text(st.characters()),
    )  # fmt: skip
    def test_nothing_that_is_sent_is_an_internal_error(self, field: str, value: Any) -> None:
        answer = request("POST", "/accounts", a_body(**{field: value}), owner=str(uuid4()))
        assert answer.status in {201, 422}
        if answer.status == 422:
            assert answer.error
        assert PASSWORD not in answer.text
        assert SMTP_PASSWORD not in answer.text

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(body=st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
    def test_no_body_is_an_internal_error(self, body: str) -> None:
        assert request("POST", "/accounts", body).status in {400, 422}


@pytest.mark.usefixtures("service")
class TestShowing:
    def test_accounts_come_in_order_with_the_default_marked(self) -> None:
        ids = [post(incoming__username=f"user{number}").json["id"] for number in range(3)]
        accounts = request("GET", "/accounts").json["accounts"]
        assert [account["id"] for account in accounts] == ids
        assert [account["is_default"] for account in accounts] == [True, False, False]

    def test_nobody_has_accounts_at_first(self) -> None:
        answer = request("GET", "/accounts")
        assert (answer.status, answer.json) == (200, {"accounts": []})

    @pytest.mark.parametrize("standing", [Standing.PAUSED, Standing.AUTH_FAILED, Standing.CONNECTION_FAILED])
    def test_the_status_tells_why_an_account_is_off_the_wheel(
        self, service: Accounts, stack: Aws, standing: Standing
    ) -> None:
        account_id = post().json["id"]
        account = replace(service.get(OWNER, account_id).account, standing=standing)
        write_standing(stack.dynamodb, stack.table, change_standing(account, 1))
        assert request("GET", f"/accounts/{account_id}").json["status"] == str(standing)

    @pytest.mark.parametrize(
        ("failures", "status"),
        [
            (FailureCounts(temporary=3, not_before=NOON + timedelta(minutes=1)), "backing_off"),
            (FailureCounts(temporary=3, not_before=NOON - timedelta(minutes=1)), "active"),
            (FailureCounts(temporary=1), "active"),
            (FailureCounts(not_before=NOON + timedelta(minutes=1)), "active"),
        ],
    )
    def test_the_status_tells_of_backing_off(self, stack: Aws, failures: FailureCounts, status: str) -> None:
        account_id = post().json["id"]
        write_state(stack, account_id, FetchState(version=1, failures=failures))
        assert request("GET", f"/accounts/{account_id}").json["status"] == status

    def test_the_last_cycle_is_shown_with_its_counts_and_its_error(self, stack: Aws) -> None:
        account_id = post().json["id"]
        last = LastFetch(
            started_at=NOON,
            finished_at=NOON + timedelta(seconds=3),
            outcome=Outcome.FAILED,
            listed=10,
            stored=4,
            skipped=3,
            quarantined=1,
            octets=12345,
            remaining=2,
            error_code="network",
            error_message="The server closed the connection.",
        )
        write_state(stack, account_id, FetchState(version=1, last_fetch=last))
        assert request("GET", f"/accounts/{account_id}").json["last_fetch"] == {
            "started_at": "2026-11-23T12:00:00Z",
            "at": "2026-11-23T12:00:03Z",
            "outcome": "failed",
            "listed": 10,
            "stored": 4,
            "skipped": 3,
            "quarantined": 1,
            "deleted": 0,
            "remaining": 2,
            "bytes": 12345,
            "error": {"code": "network", "message": "The server closed the connection."},
        }
        write_state(stack, account_id, FetchState(version=2, last_fetch=replace(last, error_code=None)))
        assert request("GET", f"/accounts/{account_id}").json["last_fetch"]["error"] is None

    def test_the_cycle_under_way_is_shown_as_long_as_it_lives(self, kept: KeptAccounts) -> None:
        account_id = post().json["id"]
        progress = Progress(NOON - timedelta(minutes=2), NOON, listed=900, remaining=400, stored=50)
        kept.write_state(account_id, FetchState(version=1, progress=progress))
        assert request("GET", f"/accounts/{account_id}").json["fetching"] == {
            "started_at": "2026-11-23T11:58:00Z",
            "updated_at": "2026-11-23T12:00:00Z",
            "listed": 900,
            "remaining": 400,
            "stored": 50,
        }
        kept.now = NOON + timedelta(minutes=4)
        assert request("GET", f"/accounts/{account_id}").json["fetching"] is None


@pytest.mark.usefixtures("service")
class TestVisiting:
    def test_what_was_fetched_is_unread_until_the_account_is_visited(self, kept: KeptAccounts) -> None:
        account_id = post().json["id"]
        path = f"/accounts/{account_id}"
        kept.write_state(account_id, FetchState(version=1, stored_total=12))
        assert request("GET", path).json["unread"] == 12
        answer = request("PUT", f"{path}/visit")
        assert (answer.status, answer.json) == (200, {"visited_at": "2026-11-23T12:00:00Z", "unread": 0})
        kept.write_state(account_id, FetchState(version=2, stored_total=15))
        (listed,) = request("GET", "/accounts").json["accounts"]
        assert (listed["unread"], listed["visited_at"]) == (3, "2026-11-23T12:00:00Z")

    def test_the_version_stays_so_that_nobodys_change_is_refused_for_it(self) -> None:
        added = post()
        request("PUT", f"/accounts/{added.json['id']}/visit")
        shown = request("GET", f"/accounts/{added.json['id']}")
        assert (shown.headers["ETag"], shown.json["version"]) == (added.headers["ETag"], added.json["version"])

    def test_a_body_is_not_needed_and_does_no_harm(self) -> None:
        account_id = post().json["id"]
        assert request("PUT", f"/accounts/{account_id}/visit", {}).status == 200

    def test_nobody_visits_what_is_anothers_or_not_there(self) -> None:
        theirs = request("POST", "/accounts", a_body(), owner=OTHER_OWNER).json["id"]
        for account_id in (theirs, an_account_id(9), "VISITS"):
            answer = request("PUT", f"/accounts/{account_id}/visit")
            assert (answer.status, answer.error["code"]) == (404, "account_not_found")
        assert request("GET", f"/accounts/{theirs}", owner=OTHER_OWNER).json["visited_at"] is None


@pytest.mark.usefixtures("service")
class TestDeleting:
    def test_it_is_gone_at_once(self, queue: RecordingQueue) -> None:
        account_id = post().json["id"]
        answer = request("DELETE", f"/accounts/{account_id}")
        assert (answer.status, answer.text) == (204, "")
        assert request("GET", f"/accounts/{account_id}").status == 404
        assert request("GET", "/accounts").json == {"accounts": []}
        assert request("DELETE", f"/accounts/{account_id}").status == 404
        assert queue.erasures == [(OWNER, account_id, False)]

    @pytest.mark.parametrize(("query", "left"), [("", 1), ("?mail=keep", 1), ("?mail=delete", 0)])
    def test_mail_stays_unless_it_is_to_go(self, stack: Aws, query: str, left: int) -> None:
        account_id = post().json["id"]
        prefix = f"mail/{OWNER}/{account_id}/"
        stack.s3.put_object(Bucket=stack.bucket, Key=f"{prefix}undated/m1.eml", Body=b"Subject: x")
        assert request("DELETE", f"/accounts/{account_id}{query}").status == 204
        assert stack.s3.list_objects_v2(Bucket=stack.bucket, Prefix=prefix)["KeyCount"] == left

    def test_a_long_erasure_goes_on_in_the_background(self, service: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
        account_id = post().json["id"]
        monkeypatch.setattr(AccountRemains, "erase_records", lambda *_: False)
        answer = request("DELETE", f"/accounts/{account_id}")
        assert (answer.status, answer.json) == (202, {"id": account_id, "erasing": True})
        assert request("GET", f"/accounts/{account_id}").status == 404

    def test_the_default_passes_on(self) -> None:
        first, second = (post(incoming__username=name).json["id"] for name in ("a", "b"))
        request("DELETE", f"/accounts/{first}")
        assert request("GET", f"/accounts/{second}").json["is_default"]


@pytest.mark.usefixtures("service")
class TestOwners:
    def test_two_owners_never_see_each_other(self, queue: RecordingQueue) -> None:
        mine = post().json
        theirs = request("POST", "/accounts", a_body(), owner=OTHER_OWNER).json
        assert theirs["is_default"]
        for owner_id, own, other in ((OWNER, mine, theirs), (OTHER_OWNER, theirs, mine)):
            assert request("GET", "/accounts", owner=owner_id).json == {"accounts": [own]}
            for method in ("GET", "DELETE"):
                answer = request(method, f"/accounts/{other['id']}?mail=delete", owner=owner_id)
                assert (answer.status, answer.error["code"]) == (404, "account_not_found")
        assert queue.erasures == []
        assert request("GET", "/accounts").json == {"accounts": [mine]}

    @pytest.mark.parametrize(
        "authorizer", [None, {}, {"claims": None}, {"claims": {}}, {"claims": {"sub": ""}}, {"claims": {"sub": "a#b"}}]
    )
    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/accounts"), ("POST", "/accounts"), ("GET", "/accounts/x"), ("DELETE", "/accounts/x")],
    )
    def test_nobody_in_particular_sees_nothing(self, method: str, path: str, authorizer: Any) -> None:
        event = an_event(method, path, a_body() if method == "POST" else None)
        event["requestContext"]["authorizer"] = authorizer
        answer = call(event)
        assert (answer.status, answer.error["code"]) == (401, "unauthorized")


class TestTrouble:
    @pytest.mark.parametrize(
        ("failure", "status", "code"),
        [
            (StorageUnavailable("Reading failed (Throttled)."), 503, "storage_unavailable"),
            (AccountChanged("Try again."), 409, "account_changed"),
            (SecretUnreadable(f"inside {PASSWORD}"), 500, "internal"),
            (RuntimeError("inside"), 500, "internal"),
            (KeyError("inside"), 500, "internal"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_it_is_answered_in_the_same_shape_and_tells_nothing_of_the_inside(
        self, monkeypatch: pytest.MonkeyPatch, log: io.StringIO, failure: Exception, status: int, code: str
    ) -> None:
        def fail(_: object) -> Accounts:
            raise failure

        monkeypatch.setattr(function, "accounts_service", fail)
        answer = request("GET", "/accounts")
        assert (answer.status, answer.error["code"]) == (status, code)
        assert "inside" not in answer.error["message"].replace("failed inside", "")
        if status == 500:
            assert answer.error["details"] == {"request_id": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}
            line, _ = lines_of(log)
            assert line["level"] == "ERROR"
            assert line["correlation_id"] == answer.error["details"]["request_id"]
            assert "inside" in line["exception"]

    def test_no_password_is_in_any_answer_line_or_output(
        self,
        service: Accounts,
        dialer: ScriptedDialer,
        log: io.StringIO,
        capfd: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        caplog.set_level(logging.INFO)
        said = [post().text, post().text, request("GET", "/accounts").text]
        said += [post(incoming__username=name, incoming__port="x").text for name in ("a", "b")]
        dialer.failure = SignInRefused("no", server_text=f"{PASSWORD}?")
        said.append(post(incoming__username="c").text)
        dialer.failure = RuntimeError("The dialer broke.")
        said.append(post(incoming__username="d").text)
        dialer.failure = None

        def broken(*_: object) -> bytes:
            raise RuntimeError("The vault broke.")

        monkeypatch.setattr(CredentialVault, "seal", broken)
        said.append(post(incoming__username="e").text)
        said += [log.getvalue(), caplog.text, *capfd.readouterr()]
        assert "The vault broke." in log.getvalue()
        for text in said:
            assert PASSWORD not in text
            assert json.dumps(PASSWORD)[1:-1] not in text
            assert SMTP_PASSWORD not in text


@pytest.mark.usefixtures("service")
class TestTheLog:
    @pytest.mark.parametrize(
        ("event", "told"),
        [
            (an_event("GET", "/accounts"), {"method": "GET", "route": "/accounts", "status": 200}),
            (
                an_event("DELETE", f"/accounts/{an_account_id(9)}", resource="/accounts/{account_id}"),
                {"method": "DELETE", "route": "/accounts/{account_id}", "status": 404, "error": "account_not_found"},
            ),
            (
                an_event("POST", "/accounts", "{"),
                {"method": "POST", "route": "/accounts", "status": 400, "error": "malformed_body"},
            ),
            (
                an_event("POST", "/accounts", "x", headers={"content-type": "text/plain"}),
                {"method": "POST", "route": "/accounts", "status": 415, "error": "unsupported_media_type"},
            ),
        ],
        ids=lambda value: str(value.get("status", "")),
    )
    def test_every_request_is_one_line(self, log: io.StringIO, event: dict[str, Any], told: dict[str, Any]) -> None:
        call(event)
        (line,) = lines_of(log)
        assert {name: line[name] for name in ("method", "route", "status", "error") if name in line} == told
        assert line["message"] == "request answered"
        assert line["correlation_id"] == event["requestContext"]["requestId"]


class TestDescription:
    def test_every_route_describes_what_comes_in_and_out(self) -> None:
        schema = json.loads(function.app.get_openapi_json_schema(title="popfetch", version="1"))
        answers = {
            (method, path): set(operation["responses"])
            for path, operations in schema["paths"].items()
            for method, operation in operations.items()
        }
        always = {"401", "422", "500", "503"}
        body = {"400", "409", "413", "415"}
        one = "/accounts/{account_id}"
        assert answers == {
            ("post", "/accounts"): {"201"} | body | always,
            ("get", "/accounts"): {"200"} | always,
            ("put", "/accounts/order"): {"200"} | body | always,
            ("put", "/accounts/default"): {"200", "404"} | body | always,
            ("get", one): {"200", "404"} | always,
            ("patch", one): {"200", "404", "412"} | body | always,
            ("delete", one): {"202", "204", "404", "409"} | always,
            ("post", f"{one}/pause"): {"200", "404", "409"} | always,
            ("post", f"{one}/resume"): {"200", "404", "409"} | always,
            ("post", f"{one}/fetch"): {"202", "404"} | always,
            ("put", f"{one}/visit"): {"200", "404"} | always,
            ("get", f"{one}/history"): {"200", "404"} | always,
        }
        error = schema["paths"]["/accounts"]["post"]["responses"]["422"]["content"]["application/json"]["schema"]
        assert error == {"$ref": "#/components/schemas/ErrorOut"}
        assert "password" not in schema["components"]["schemas"]["ServerOut"]["properties"]


class TestWiring:
    def test_it_is_built_from_the_environment_on_first_use(self, stack: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {
            "TABLE_NAME": stack.table,
            "MAIL_BUCKET_NAME": stack.bucket,
            "FETCH_QUEUE_URL": stack.queue_url,
            "CREDENTIALS_KEY_ID": stack.key_id,
            "OAUTH_CLIENTS_PARAMETER": "/popfetch/oauth-clients",
        }.items():
            monkeypatch.setenv(f"POPFETCH_{name}", value)
        forget_wiring()
        try:
            owner_id = str(uuid4())
            body = a_body(verify=False)
            added = request("POST", "/accounts", body, owner=owner_id)
            assert added.status == 201
            assert request("DELETE", f"/accounts/{added.json['id']}", owner=owner_id).status == 204
            (message,) = stack.sqs.receive_message(QueueUrl=stack.queue_url)["Messages"]
            assert json.loads(message["Body"])["account_id"] == added.json["id"]
            refused = request("POST", "/accounts", a_body(incoming__host="127.0.0.1"), owner=owner_id)
            assert (refused.status, refused.error["code"]) == (422, "host_refused")
        finally:
            forget_wiring()

    def test_account_ids_are_of_one_length_and_never_the_same(self) -> None:
        ids = {wiring_accounts.new_account_id() for _ in range(1000)}
        assert len(ids) == 1000
        assert {len(account_id) for account_id in ids} == {20}


def write_state(stack: Aws, account_id: str, state: FetchState) -> None:
    stack.dynamodb.put_item(TableName=stack.table, Item=to_wire(fetch_state_items.to_item(OWNER, account_id, state)))
