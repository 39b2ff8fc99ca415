"""New passwords for an account's servers: tried before they are kept, each on its own."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions.accounts import handler as accounts_function
from functions.passwords import handler as function
from popfetch.domain.account import Direction, Standing
from popfetch.domain.fetch_request import Reason
from popfetch.domain.fetch_state import Checkpoint, FailureCounts, FetchState, ServerTraits
from popfetch.pop3.errors import LoginTooFrequent, NotReached, SignInRefused
from popfetch.smtp import errors as smtp_errors
from tests.builders.accounts import NOON, OTHER_OWNER, OWNER, PASSWORD, SMTP_PASSWORD, an_account_id
from tests.builders.api import Answer, ApiClient, a_body, an_event, lines_of
from tests.builders.aws import Aws
from tests.builders.journals import log_of
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.wiring import forget_wiring
from tests.unit.functions.test_accounts_changing import stop, stored, wheel_slots

NEW_PASSWORD = "n3w-and-Längerer"
client = ApiClient(function)
accounts = ApiClient(accounts_function)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    return log_of(monkeypatch, function, accounts_function)


@pytest.fixture
def kept(stack: Aws, log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeptAccounts]:
    kept = KeptAccounts(stack)
    monkeypatch.setattr(accounts_function, "accounts_service", lambda _: kept.accounts)
    monkeypatch.setattr(function, "account_changes", lambda _: kept.changes)
    yield kept
    kept.remove_all()
    for secret in (PASSWORD, SMTP_PASSWORD, NEW_PASSWORD):
        assert secret not in log.getvalue()
        assert json.dumps(secret)[1:-1] not in log.getvalue()


@pytest.fixture
def account(kept: KeptAccounts) -> dict[str, Any]:
    account: dict[str, Any] = accounts.request("POST", "/accounts", a_body()).json
    kept.dialer.calls.clear()
    kept.submission.calls.clear()
    return account


def put(account: dict[str, Any], direction: str = "incoming", body: Any = None, **changes: Any) -> Answer:
    answer = client.request(
        "PUT", f"/accounts/{account['id']}/password/{direction}", body or {"password": NEW_PASSWORD}, **changes
    )
    assert NEW_PASSWORD not in answer.text
    return answer


class TestIncoming:
    def test_a_right_one_is_kept_and_fetched_with_at_once(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        answer = put(account)
        assert answer.status == 200
        assert answer.json == {**account, "version": 2}
        assert [secret.reveal() for _, secret in kept.dialer.calls] == [NEW_PASSWORD]
        assert kept.submission.calls == []
        assert kept.password(account["id"]) == NEW_PASSWORD
        assert kept.password(account["id"], Direction.OUTGOING) == SMTP_PASSWORD
        assert [(r.owner_id, r.account_id, r.reason, r.due_at) for r in kept.queue.requests] == [
            (OWNER, account["id"], Reason.CHECK_NOW, NOON)
        ]

    def test_a_right_one_clears_the_failure(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        stop(kept, account, Standing.AUTH_FAILED)
        assert accounts.request("GET", f"/accounts/{account['id']}").json["status"] == "auth_failed"
        assert wheel_slots(kept.stack) == []
        assert put(account).json["status"] == "active"
        assert len(wheel_slots(kept.stack)) == 1
        assert stored(kept, account).state.failures == FailureCounts()

    def test_what_is_known_of_the_mailbox_stays(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        known = FetchState(
            version=3,
            checkpoint=Checkpoint(3, b"x", 30),
            traits=ServerTraits(apop_fails=True),
            reconcile_after=NOON,
            start_applied=True,
        )
        kept.write_state(account["id"], known)
        put(account)
        assert stored(kept, account).state == known

    @pytest.mark.parametrize(
        ("failure", "code"),
        [
            (SignInRefused("no", server_text="[AUTH] no"), "sign_in_refused"),
            (LoginTooFrequent("wait"), "too_frequent"),
            (NotReached("closed"), "cannot_connect"),
        ],
    )
    def test_a_wrong_one_leaves_everything_as_it_was(
        self, kept: KeptAccounts, account: dict[str, Any], failure: Exception, code: str
    ) -> None:
        stop(kept, account, Standing.AUTH_FAILED)
        before = stored(kept, account)
        kept.dialer.failure = failure
        answer = put(account)
        assert (answer.status, answer.error["code"]) == (422, code)
        assert stored(kept, account) == before
        assert kept.password(account["id"]) == PASSWORD
        assert kept.queue.requests == []

    @pytest.mark.parametrize(("login_delay", "asked"), [(0, 1), (60, 1), (900, 0)])
    def test_a_server_that_wants_a_long_pause_is_left_to_the_schedule(
        self, kept: KeptAccounts, account: dict[str, Any], login_delay: int, asked: int
    ) -> None:
        kept.dialer.maildrop.login_delay = login_delay
        assert put(account).json["status"] == "active"
        assert len(kept.queue.requests) == asked

    def test_without_the_trial_it_is_kept_unseen(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        stop(kept, account, Standing.AUTH_FAILED)
        answer = put(account, body={"password": NEW_PASSWORD, "verify": False})
        assert answer.json["status"] == "active"
        assert kept.dialer.calls == []
        assert kept.password(account["id"]) == NEW_PASSWORD
        assert len(kept.queue.requests) == 1

    def test_a_cycle_under_way_is_overtaken_only_where_something_had_failed(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        put(account)
        assert stored(kept, account).state.version == 0
        kept.write_state(account["id"], FetchState(version=3, sign_in_after=NOON + timedelta(seconds=9)))
        put(account)
        assert stored(kept, account).state.version == 4


class TestOutgoing:
    def test_it_is_tried_and_kept_on_its_own(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        stop(kept, account, Standing.AUTH_FAILED)
        answer = put(account, "outgoing")
        assert (answer.status, answer.json["status"]) == (200, "auth_failed")
        assert [secret.reveal() for _, secret in kept.submission.calls] == [NEW_PASSWORD]
        assert kept.dialer.calls == []
        assert kept.password(account["id"], Direction.OUTGOING) == NEW_PASSWORD
        assert kept.password(account["id"]) == PASSWORD
        assert kept.queue.requests == []

    def test_a_wrong_one_leaves_the_old_one(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        kept.submission.failure = smtp_errors.SignInRefused("no", server_text="5.7.8 no")
        answer = put(account, "outgoing")
        assert (answer.status, answer.error["code"]) == (422, "sign_in_refused")
        assert answer.error["details"] == {"direction": "outgoing", "server_said": "5.7.8 no"}
        assert kept.password(account["id"], Direction.OUTGOING) == SMTP_PASSWORD

    def test_without_an_outgoing_server_there_is_none_to_change(self, kept: KeptAccounts) -> None:
        body = a_body(incoming__username="ben")
        del body["outgoing"]
        answer = put(accounts.request("POST", "/accounts", body).json, "outgoing")
        assert (answer.status, answer.error["code"]) == (409, "no_outgoing_server")


class TestBadInput:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"password": ""}, "password"),
            ({"password": None}, "password"),
            ({"password": 7}, "password"),
            ({"password": "x" * 1025}, "password"),
            ({"password": "a\r\nDELE 1"}, "password"),
            ({"password": "at its end\n"}, "password"),
            ({"password": "nul\x00"}, "password"),
            ({"password": "\udfff"}, "password"),
            ({"verify": True}, "password"),
            ({"password": "good", "verify": "no"}, "verify"),
            ({"password": "good", "direction": "outgoing"}, "direction"),
        ],
    )
    @pytest.mark.parametrize("direction", ["incoming", "outgoing"])
    def test_a_field_that_does_not_fit_is_named_and_not_repeated(
        self, kept: KeptAccounts, account: dict[str, Any], direction: str, body: Any, field: str
    ) -> None:
        answer = put(account, direction, body)
        assert (answer.status, answer.error["code"]) == (422, "invalid_request")
        assert list(answer.problems) == [field]
        assert "DELE" not in answer.text
        assert kept.dialer.calls == kept.submission.calls == []

    @pytest.mark.parametrize("path", ["/accounts/{}/password", "/accounts/{}/password/both", "/accounts//password/x"])
    def test_there_are_no_other_passwords(self, account: dict[str, Any], path: str) -> None:
        answer = client.request("PUT", path.format(account["id"]), {"password": NEW_PASSWORD})
        assert (answer.status, answer.error["code"]) == (404, "route_not_found")


class TestOwners:
    @pytest.mark.parametrize("direction", ["incoming", "outgoing"])
    def test_nobody_changes_anothers(self, kept: KeptAccounts, account: dict[str, Any], direction: str) -> None:
        for body in ({"password": NEW_PASSWORD}, {"password": NEW_PASSWORD, "verify": False}):
            answer = put(account, direction, body, owner=OTHER_OWNER)
            assert (answer.status, answer.error["code"]) == (404, "account_not_found")
        assert kept.dialer.calls == kept.submission.calls == []
        assert kept.password(account["id"]) == PASSWORD

    def test_an_account_that_is_not_there_is_not_found(self, kept: KeptAccounts) -> None:
        assert put({"id": an_account_id(9)}).status == 404

    def test_nobody_in_particular_changes_nothing(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        event = an_event("PUT", f"/accounts/{account['id']}/password/incoming", {"password": NEW_PASSWORD})
        event["requestContext"]["authorizer"] = None
        assert client.call(event).status == 401


def test_every_request_is_one_line(kept: KeptAccounts, account: dict[str, Any], log: io.StringIO) -> None:
    log.truncate(0)
    log.seek(0)
    put(account, resource="/accounts/{account_id}/password/incoming")
    (line,) = lines_of(log)
    assert (line["message"], line["method"], line["status"]) == ("request answered", "PUT", 200)
    assert line["route"] == "/accounts/{account_id}/password/incoming"


def test_it_is_wired_to_the_stack(stack: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "TABLE_NAME": stack.table,
        "FETCH_QUEUE_URL": stack.queue_url,
        "CREDENTIALS_KEY_ID": stack.key_id,
        "OAUTH_CLIENTS_PARAMETER": "/popfetch/oauth-clients",
    }.items():
        monkeypatch.setenv(f"POPFETCH_{name}", value)
    forget_wiring()
    assert client.request("PUT", f"/accounts/{an_account_id(3)}/password/incoming", {"password": "x"}).status == 404
    forget_wiring()
