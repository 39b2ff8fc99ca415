"""Changing accounts over the API: settings, order, default, pause, checks and history."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.accounts import handler as function
from popfetch.adapters.cycle_items import finished_cycle_to_item
from popfetch.adapters.dynamodb_items import to_wire
from popfetch.domain.account import Direction, Standing
from popfetch.domain.fetch_request import Reason
from popfetch.domain.fetch_state import Checkpoint, FailureCounts, FetchState, LastFetch, Outcome, ServerTraits, Stop
from popfetch.domain.provider_table import PROVIDERS
from popfetch.pop3.errors import MaildropBusy, SignInRefused
from popfetch.ports.accounts import AccountRecord
from popfetch.smtp import errors as smtp_errors
from tests.builders.accounts import NOON, OTHER_OWNER, OWNER, PASSWORD, SMTP_PASSWORD, an_account_id
from tests.builders.api import Answer, ApiClient, a_body
from tests.builders.aws import Aws
from tests.builders.journals import log_of
from tests.builders.kept_accounts import KeptAccounts

NEW_PASSWORD = "n3w-and-Längerer"
request = ApiClient(function).request


@pytest.fixture
def kept(stack: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeptAccounts]:
    kept = KeptAccounts(stack)
    log = log_of(monkeypatch, function)
    monkeypatch.setattr(function, "accounts_service", lambda _: kept.accounts)
    monkeypatch.setattr(function, "account_changes", lambda _: kept.changes)
    yield kept
    kept.remove_all()
    for secret in (PASSWORD, SMTP_PASSWORD, NEW_PASSWORD):
        assert secret not in log.getvalue()


@pytest.fixture
def account(kept: KeptAccounts) -> dict[str, Any]:
    account: dict[str, Any] = request("POST", "/accounts", a_body()).json
    kept.dialer.calls.clear()
    kept.submission.calls.clear()
    return account


def patch(account: dict[str, Any], body: Any, **headers: str) -> Answer:
    return request(
        "PATCH",
        f"/accounts/{account['id']}",
        body,
        headers={"Content-Type": "application/json", **{n.replace("_", "-"): v for n, v in headers.items()}},
    )


def add(name: str, **changes: Any) -> str:
    """The id of one more account."""
    account_id: str = request("POST", "/accounts", a_body(name=name, incoming__username=name, **changes)).json["id"]
    return account_id


def stored(kept: KeptAccounts, account: dict[str, Any]) -> AccountRecord:
    return kept.table.get(OWNER, account["id"])


def wheel_slots(stack: Aws) -> list[str]:
    """The slots of the accounts that are on the wheel; those off it are in one that is never due."""
    items = stack.dynamodb.scan(TableName=stack.table, IndexName="wheel")["Items"]
    return [slot for item in items if not (slot := item["wheel_slot"]["S"]).startswith("STOPPED#")]


class TestSettings:
    def test_what_is_named_changes_and_the_rest_stays(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        answer = patch(account, {"name": "Work", "fetch": {"interval_minutes": 30, "catch_up": False}})
        assert answer.status == 200
        fetch = {**account["fetch"], "interval_minutes": 30, "catch_up": False}
        assert answer.json == {**account, "name": "Work", "fetch": fetch, "version": 2}
        assert answer.headers["ETag"] == '"2"'
        assert request("GET", f"/accounts/{account['id']}").json == answer.json
        assert kept.dialer.calls == kept.submission.calls == []
        assert kept.queue.requests == []

    def test_the_wheel_follows_the_interval(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        patch(account, {"fetch": {"interval_minutes": 60}})
        (slot,) = wheel_slots(kept.stack)
        assert slot.startswith("60#")

    def test_changing_nothing_changes_no_version(self, account: dict[str, Any]) -> None:
        assert patch(account, {}).json == account
        assert patch(account, {"name": account["name"]}).json == account

    @pytest.mark.usefixtures("kept")
    def test_a_policy_that_needs_days_keeps_those_it_has(self, account: dict[str, Any]) -> None:
        days = {"after_fetch": "delete_after_days", "delete_after_days": 9}
        assert patch(account, {"fetch": days}).json["fetch"]["delete_after_days"] == 9
        assert patch(account, {"fetch": {"after_fetch": "delete_after_days"}}).json["fetch"]["delete_after_days"] == 9
        kept_policy = patch(account, {"fetch": {"after_fetch": "keep"}}).json["fetch"]
        assert (kept_policy["after_fetch"], kept_policy["delete_after_days"]) == ("keep", None)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"fetch": {"after_fetch": "delete_after_days"}}, "fetch.delete_after_days"),
            ({"fetch": {"delete_after_days": 5}}, "fetch.delete_after_days"),
            ({"outgoing": None, "incoming": {"host": "elsewhere.example.com"}}, "incoming.password"),
            ({"incoming": {"security": "none"}}, "incoming.password"),
            ({"outgoing": {"host": "elsewhere.example.com"}}, "outgoing.password"),
            ({"incoming": {"auth": "oauth2"}}, "incoming.auth"),
        ],
    )
    def test_what_does_not_go_together_is_refused(
        self, kept: KeptAccounts, account: dict[str, Any], change: Any, field: str
    ) -> None:
        answer = patch(account, change)
        assert (answer.status, answer.error["code"]) == (422, "invalid_account")
        assert answer.error["message"].startswith(f"{field}:")
        assert request("GET", f"/accounts/{account['id']}").json == account
        assert kept.dialer.calls == []

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"name": None}, "name"),
            ({"name": "two\nlines"}, "name"),
            ({"name": "at its end\r\n"}, "name"),
            ({"email": "anna@example.com\n"}, "email"),
            ({"incoming": None}, "incoming"),
            ({"incoming": {"host": "pop.example.com\r\n"}}, "incoming.host"),
            ({"incoming": {"host": "\x00pop.example.com"}}, "incoming.host"),
            ({"incoming": {"username": "anna\n"}}, "incoming.username"),
            ({"incoming": {"password": "secret\r\n"}}, "incoming.password"),
            ({"incoming": {"port": None}}, "incoming.port"),
            ({"outgoing": []}, "outgoing"),
            ({"fetch": {"interval_minutes": 7}}, "fetch.interval_minutes"),
            ({"fetch": {"max_messages_per_cycle": 201}}, "fetch.max_messages_per_cycle"),
            ({"fetch": {"start": "now\n"}}, "fetch.start"),
            ({"fetch": {"delete_after_days": None}}, "fetch.delete_after_days"),
            ({"position": 3}, "position"),
            ({"is_default": True}, "is_default"),
            ({"status": "paused"}, "status"),
        ],
    )
    def test_a_field_that_does_not_fit_is_named(self, account: dict[str, Any], body: Any, field: str) -> None:
        answer = patch(account, body)
        assert (answer.status, answer.error["code"]) == (422, "invalid_request")
        assert field in answer.problems
        assert request("GET", f"/accounts/{account['id']}").json == account

    def test_an_account_that_is_not_there_is_not_found(self, kept: KeptAccounts) -> None:
        for account_id in (an_account_id(7), "x", "..", "a" * 500):
            assert patch({"id": account_id}, {"name": "Work"}).status == 404


class TestTheInterval:
    def test_one_that_the_provider_does_not_tolerate_is_refused(self, account: dict[str, Any]) -> None:
        gmail = {"host": "pop.gmail.com", "password": PASSWORD}
        answer = patch(account, {"incoming": gmail, "fetch": {"interval_minutes": 5}})
        assert (answer.status, answer.error["code"]) == (422, "invalid_account")
        assert "10 or more" in answer.error["message"]
        assert patch(account, {"incoming": gmail, "fetch": {"interval_minutes": 10}}).status == 200
        assert patch(account, {"fetch": {"interval_minutes": 5}}).status == 422

    @pytest.mark.usefixtures("kept")
    @pytest.mark.parametrize("provider", [p for p in PROVIDERS if p.incoming], ids=lambda provider: provider.id)
    def test_left_out_it_suits_the_provider(self, provider: Any) -> None:
        body = a_body(incoming__host=provider.incoming.host)
        del body["fetch"]
        answer = request("POST", "/accounts", body)
        assert answer.status == 201
        assert answer.json["fetch"]["interval_minutes"] >= max(5, provider.shortest_interval)

    @pytest.mark.usefixtures("kept")
    def test_too_short_a_one_adds_no_account(self) -> None:
        answer = request("POST", "/accounts", a_body(incoming__host="pop3.web.de", fetch__interval_minutes=10))
        assert (answer.status, answer.error["code"]) == (422, "invalid_account")
        assert request("GET", "/accounts").json == {"accounts": []}


class TestVersions:
    def test_a_change_of_what_was_seen_is_made(self, account: dict[str, Any]) -> None:
        for tags in ('"1"', '"8", "2"', "*"):
            assert patch(account, {"name": f"Name {tags[:3]!r}"}, If_Match=tags).status == 200

    @pytest.mark.parametrize("tags", ['"2"', '"0", "17"', 'W/"1"', '"other"', '""'])
    def test_a_change_of_something_older_is_not(self, account: dict[str, Any], tags: str) -> None:
        answer = patch(account, {"name": "Work"}, If_Match=tags)
        assert (answer.status, answer.error["code"]) == (412, "account_outdated")
        assert answer.error["details"] == {"version": 1}
        assert request("GET", f"/accounts/{account['id']}").json == account

    @pytest.mark.parametrize("tags", ["1", "", "'1'", '"1', '"1",', '"1" "2"'])
    def test_what_is_no_tag_is_told(self, account: dict[str, Any], tags: str) -> None:
        answer = patch(account, {"name": "Work"}, If_Match=tags)
        assert (answer.status, answer.error["code"]) == (400, "malformed_header")

    def test_the_order_and_a_password_make_new_versions(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        second = add("second")
        request("PUT", "/accounts/order", {"account_ids": [second, account["id"]]})
        assert patch(account, {"name": "Work"}, If_Match='"1"').status == 412
        assert patch(account, {"incoming": {"password": NEW_PASSWORD}}).json["version"] == 3


class TestServers:
    def test_another_server_is_tried_with_the_password_that_comes_along(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        kept.write_state(
            account["id"],
            FetchState(
                version=4,
                checkpoint=Checkpoint(3, b"x", 30),
                traits=ServerTraits(apop_fails=True),
                failures=FailureCounts(connection=7),
                reconcile_after=NOON,
                start_applied=True,
                next_segment=5,
            ),
        )
        kept.dialer.maildrop.login_delay = 60
        answer = patch(account, {"incoming": {"host": "pop.example.net", "password": NEW_PASSWORD}})
        assert answer.status == 200
        assert answer.json["incoming"] == {**account["incoming"], "host": "pop.example.net"}
        ((server, secret),) = kept.dialer.calls
        assert (server.host, secret.reveal()) == ("pop.example.net", NEW_PASSWORD)
        assert kept.password(account["id"]) == NEW_PASSWORD
        assert kept.submission.calls == []
        state = stored(kept, account).state
        assert state == FetchState(
            version=5, sign_in_after=NOON + timedelta(seconds=60), start_applied=True, next_segment=5
        )
        assert [(r.account_id, r.reason) for r in kept.queue.requests] == [(account["id"], Reason.CHECK_NOW)]

    def test_another_port_of_the_host_is_tried_with_the_password_that_is_kept(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        answer = patch(account, {"incoming": {"security": "starttls"}})
        assert (answer.json["incoming"]["port"], answer.json["incoming"]["security"]) == (110, "starttls")
        ((server, secret),) = kept.dialer.calls
        assert (server.port, secret.reveal()) == (110, PASSWORD)
        assert kept.password(account["id"]) == PASSWORD

    def test_a_port_of_ones_own_stays_when_the_security_changes(self, account: dict[str, Any]) -> None:
        assert patch(account, {"outgoing": {"port": 2465}}).json["outgoing"]["port"] == 2465
        assert patch(account, {"outgoing": {"security": "starttls"}}).json["outgoing"]["port"] == 2465

    def test_what_fails_changes_nothing(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        kept.dialer.failure = SignInRefused("no", server_text="[AUTH] no")
        answer = patch(account, {"name": "Work", "incoming": {"username": "ben"}})
        assert (answer.status, answer.error["code"]) == (422, "sign_in_refused")
        assert request("GET", f"/accounts/{account['id']}").json == account
        assert kept.queue.requests == []

    def test_without_the_trial_it_is_kept_as_it_is(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        kept.dialer.failure = SignInRefused("no")
        assert patch(account, {"verify": False, "incoming": {"username": "ben"}}).json["incoming"]["username"] == "ben"
        assert kept.dialer.calls == []

    def test_both_servers_are_tried_where_both_change(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        patch(account, {"incoming": {"username": "ben"}, "outgoing": {"username": "ben"}})
        assert [server.username for server, _ in kept.dialer.calls + kept.submission.calls] == ["ben", "ben"]
        assert [secret.reveal() for _, secret in kept.submission.calls] == [SMTP_PASSWORD]

    def test_an_outgoing_server_comes_and_goes(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        assert patch(account, {"outgoing": None}).json["outgoing"] is None
        assert stored(kept, account).account.outgoing_secret is None
        answer = patch(account, {"outgoing": {"host": "smtp.example.net"}})
        assert answer.error["message"].startswith("outgoing.password:")
        answer = patch(account, {"outgoing": {"password": NEW_PASSWORD, "port": 587}})
        assert answer.error["message"].startswith("outgoing.host:")
        answer = patch(account, {"outgoing": {"host": "smtp.example.net", "password": NEW_PASSWORD}})
        assert answer.json["outgoing"] == {
            "host": "smtp.example.net",
            "port": 465,
            "security": "tls",
            "username": account["email"],
            "auth": "password",
        }
        assert kept.password(account["id"], Direction.OUTGOING) == NEW_PASSWORD

    def test_a_mailbox_that_is_another_account_already_is_a_conflict(self, account: dict[str, Any]) -> None:
        add("second")
        answer = patch(account, {"incoming": {"username": "second"}})
        assert (answer.status, answer.error["code"]) == (409, "account_already_added")
        assert request("GET", f"/accounts/{account['id']}").json == account

    def test_the_mailbox_that_was_left_can_be_added_again(self, account: dict[str, Any]) -> None:
        assert patch(account, {"incoming": {"username": "ben"}}).status == 200
        assert request("POST", "/accounts", a_body()).status == 201
        assert request("POST", "/accounts", a_body(incoming__username="ben")).status == 409

    def test_an_account_that_had_stopped_goes_on(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        stop(kept, account, Standing.CONNECTION_FAILED)
        assert patch(account, {"incoming": {"port": 1995}}).json["status"] == "active"
        assert len(wheel_slots(kept.stack)) == 1
        assert len(kept.queue.requests) == 1

    def test_a_paused_account_stays_paused(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        request("POST", f"/accounts/{account['id']}/pause")
        assert patch(account, {"incoming": {"port": 1995}}).json["status"] == "paused"
        assert kept.queue.requests == []

    def test_a_mailbox_in_use_has_proven_its_password(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        kept.dialer.failure = MaildropBusy("in use", explicit=True)
        assert patch(account, {"incoming": {"password": NEW_PASSWORD}}).status == 200
        kept.dialer.failure = MaildropBusy("locked")
        assert patch(account, {"incoming": {"password": NEW_PASSWORD}}).error["code"] == "maildrop_busy"


def stop(kept: KeptAccounts, account: dict[str, Any], standing: Standing) -> None:
    """The account as a cycle leaves it that failed once too often."""
    failures = FailureCounts(authentication=10, not_before=NOON + timedelta(hours=1))
    kept.table.change(
        OWNER,
        account["id"],
        lambda stored, state: (
            replace(stored, standing=standing),
            replace(state, failures=failures, stop=Stop(standing, NOON, "authentication", "no", told=True)),
        ),
    )


class TestStart:
    @pytest.mark.parametrize("start", ["all", "now", "2020-02-29"])
    def test_another_one_judges_anew_what_was_left_out(
        self, kept: KeptAccounts, account: dict[str, Any], start: str
    ) -> None:
        kept.write_state(
            account["id"], FetchState(version=4, checkpoint=Checkpoint(3), start_applied=True, reconcile_after=NOON)
        )
        assert patch(account, {"fetch": {"start": start}}).json["fetch"]["start"] == start
        assert stored(kept, account).state == FetchState(version=5, start_changed=True)

    def test_the_same_one_does_not(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        state = FetchState(version=4, checkpoint=Checkpoint(3), start_applied=True)
        kept.write_state(account["id"], state)
        patch(account, {"fetch": {"start": "2026-01-31"}, "name": "Work"})
        assert stored(kept, account).state == state


class TestOrder:
    def test_by_default_it_is_that_of_adding(self, kept: KeptAccounts) -> None:
        ids = [add(name) for name in "cab"]
        accounts = request("GET", "/accounts").json["accounts"]
        assert [account["id"] for account in accounts] == ids

    def test_one_request_changes_it_for_listing_and_for_the_wheel(self, kept: KeptAccounts) -> None:
        first, second, third = (add(name) for name in "abc")
        answer = request("PUT", "/accounts/order", {"account_ids": [third, first, second]})
        assert answer.status == 200
        assert [(a["id"], a["position"]) for a in answer.json["accounts"]] == [(third, 1), (first, 2), (second, 3)]
        assert request("GET", "/accounts").json == answer.json
        scanned = kept.stack.dynamodb.scan(TableName=kept.stack.table, IndexName="wheel")["Items"]
        order = sorted(item["wheel_order"]["S"] for item in scanned)
        assert [place.rpartition("#")[2] for place in order] == [third, first, second]
        assert add("d") == request("GET", "/accounts").json["accounts"][-1]["id"]

    def test_the_same_order_again_changes_nothing(self, kept: KeptAccounts) -> None:
        order = {"account_ids": [add(name) for name in "ab"]}
        before = request("PUT", "/accounts/order", order).json
        assert request("PUT", "/accounts/order", order).json == before

    def test_paused_accounts_keep_off_the_wheel(self, kept: KeptAccounts) -> None:
        first, second = (add(name) for name in "ab")
        request("POST", f"/accounts/{first}/pause")
        request("PUT", "/accounts/order", {"account_ids": [second, first]})
        assert len(wheel_slots(kept.stack)) == 1

    def test_an_order_that_is_not_of_all_is_refused(self, kept: KeptAccounts) -> None:
        first, second = (add(name) for name in "ab")
        theirs = request("POST", "/accounts", a_body(), owner=OTHER_OWNER).json["id"]
        for ids in ([], [first], [first, first], [first, second, second], [first, theirs], [first, second, theirs]):
            answer = request("PUT", "/accounts/order", {"account_ids": ids})
            assert (answer.status, answer.error["code"]) == (422, "invalid_order")
        assert [a["id"] for a in request("GET", "/accounts").json["accounts"]] == [first, second]

    @pytest.mark.parametrize("ids", [None, "a", [1], ["x"], [None], {}, ["a" * 20] * 100])
    def test_what_is_no_list_of_ids_is_refused(self, kept: KeptAccounts, ids: Any) -> None:
        assert request("PUT", "/accounts/order", {"account_ids": ids}).error["code"] == "invalid_request"

    def test_nobody_without_accounts_can_order_none(self, kept: KeptAccounts) -> None:
        assert request("PUT", "/accounts/order", {"account_ids": []}).json == {"accounts": []}


class TestTheDefault:
    def test_it_is_exactly_one_at_any_time(self, kept: KeptAccounts) -> None:
        def defaults() -> list[str]:
            return [a["id"] for a in request("GET", "/accounts").json["accounts"] if a["is_default"]]

        first, second, third = (add(name) for name in "abc")
        assert defaults() == [first]
        answer = request("PUT", "/accounts/default", {"account_id": third})
        assert [a["id"] for a in answer.json["accounts"] if a["is_default"]] == defaults() == [third]
        request("PUT", "/accounts/order", {"account_ids": [second, third, first]})
        assert defaults() == [third]
        request("DELETE", f"/accounts/{third}")
        assert defaults() == [second]
        request("DELETE", f"/accounts/{first}")
        assert defaults() == [second]
        request("DELETE", f"/accounts/{second}")
        assert defaults() == []
        assert [add("d")] == defaults()

    def test_it_can_only_be_an_account_of_ones_own(self, kept: KeptAccounts) -> None:
        mine = add("a")
        theirs = request("POST", "/accounts", a_body(), owner=OTHER_OWNER).json["id"]
        for account_id in (theirs, an_account_id(7)):
            answer = request("PUT", "/accounts/default", {"account_id": account_id})
            assert (answer.status, answer.error["code"]) == (404, "account_not_found")
        assert request("GET", f"/accounts/{mine}").json["is_default"]


class TestPausing:
    def test_a_paused_account_is_off_the_wheel_until_it_is_resumed(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        paused = request("POST", f"/accounts/{account['id']}/pause")
        assert (paused.status, paused.json["status"]) == (200, "paused")
        assert wheel_slots(kept.stack) == []
        assert request("POST", f"/accounts/{account['id']}/pause").json == paused.json
        resumed = request("POST", f"/accounts/{account['id']}/resume")
        assert (resumed.status, resumed.json["status"]) == (200, "active")
        assert len(wheel_slots(kept.stack)) == 1
        assert len(kept.queue.requests) == 1
        assert request("POST", f"/accounts/{account['id']}/resume").json == resumed.json
        assert len(kept.queue.requests) == 1

    @pytest.mark.parametrize("standing", [Standing.AUTH_FAILED, Standing.CONNECTION_FAILED])
    def test_an_account_that_had_stopped_is_resumed_with_a_clean_slate(
        self, kept: KeptAccounts, account: dict[str, Any], standing: Standing
    ) -> None:
        stop(kept, account, standing)
        assert request("POST", f"/accounts/{account['id']}/resume").json["status"] == "active"
        state = stored(kept, account).state
        assert state.failures == FailureCounts()
        assert state.stop is not None


class TestCheckingNow:
    @pytest.mark.parametrize("paused", [False, True])
    def test_it_is_asked_for_in_the_owners_queue(
        self, kept: KeptAccounts, account: dict[str, Any], paused: bool
    ) -> None:
        if paused:
            request("POST", f"/accounts/{account['id']}/pause")
        answer = request("POST", f"/accounts/{account['id']}/fetch")
        assert (answer.status, answer.json) == (202, {"id": account["id"], "requested_at": "2026-11-23T12:00:00Z"})
        (asked,) = kept.queue.requests
        assert (asked.owner_id, asked.account_id, asked.reason, asked.due_at) == (
            OWNER,
            account["id"],
            Reason.CHECK_NOW,
            NOON,
        )
        assert asked.correlation_id == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "the request's own id"


class TestHistory:
    def cycles(self, kept: KeptAccounts, account: dict[str, Any], count: int) -> list[LastFetch]:
        record = stored(kept, account)
        cycles = []
        for number in range(count):
            at = NOON + timedelta(minutes=number)
            fetch = LastFetch(
                at, at + timedelta(seconds=2), Outcome.STORED, listed=9, stored=4, skipped=3, quarantined=2, octets=512
            )
            item = finished_cycle_to_item(record.account, f"{number:016x}", fetch)
            kept.stack.dynamodb.put_item(TableName=kept.stack.table, Item=to_wire(item))
            cycles.append(fetch)
        return cycles

    def test_it_has_the_counts_and_bytes_of_the_last_cycles(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        self.cycles(kept, account, 1)
        assert request("GET", f"/accounts/{account['id']}/history").json == {
            "cycles": [
                {
                    "started_at": "2026-11-23T12:00:00Z",
                    "finished_at": "2026-11-23T12:00:02Z",
                    "outcome": "stored",
                    "listed": 9,
                    "stored": 4,
                    "skipped": 3,
                    "quarantined": 2,
                    "deleted": 0,
                    "remaining": 0,
                    "bytes": 512,
                    "error": None,
                }
            ],
            "cursor": None,
        }

    def test_it_comes_page_by_page_the_newest_first(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        self.cycles(kept, account, 25)
        seen: list[str] = []
        path = f"/accounts/{account['id']}/history?limit=10"
        cursor = ""
        while True:
            page = request("GET", path + (f"&cursor={cursor}" if cursor else "")).json
            assert len(page["cycles"]) <= 10
            seen += [cycle["started_at"] for cycle in page["cycles"]]
            cursor = page["cursor"]
            if not cursor:
                break
        assert len(seen) == 25
        assert seen == sorted(seen, reverse=True)

    def test_the_last_check_is_shown_though_nothing_happened(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        (stored_cycle,) = self.cycles(kept, account, 1)
        kept.write_state(account["id"], FetchState(version=1, last_fetch=stored_cycle))
        history = f"/accounts/{account['id']}/history"
        assert [cycle["outcome"] for cycle in request("GET", history).json["cycles"]] == ["stored"]
        later = NOON + timedelta(hours=1)
        idle = LastFetch(later, later, Outcome.NOTHING_NEW, listed=9)
        kept.write_state(account["id"], FetchState(version=2, last_fetch=idle))
        assert [cycle["outcome"] for cycle in request("GET", history).json["cycles"]] == ["nothing_new", "stored"]

    @pytest.mark.parametrize(
        "cursor", ["x", "%00", "AAAA", "Q1lDTEUj", "a" * 200, "MjAyNi0xMS0yM1QxMjowMDowMC4wMDAwMDBa"]
    )
    def test_a_cursor_of_ones_own_making_is_refused(self, account: dict[str, Any], cursor: str) -> None:
        answer = request("GET", f"/accounts/{account['id']}/history?cursor={cursor}")
        assert (answer.status, answer.error["code"]) == (422, "invalid_cursor")

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", f"cursor={'a' * 201}"])
    def test_what_does_not_fit_is_named(self, account: dict[str, Any], query: str) -> None:
        answer = request("GET", f"/accounts/{account['id']}/history?{query}")
        assert (answer.status, answer.error["code"]) == (422, "invalid_request")


def test_smtp_errors_of_every_kind_have_a_code_for_the_owner(kept: KeptAccounts, account: dict[str, Any]) -> None:
    codes = {}
    for leaf in (
        smtp_errors.SignInRefused,
        smtp_errors.PasswordSignInOff,
        smtp_errors.SignInTooFrequent,
        smtp_errors.ServerTemporary,
        smtp_errors.ServerPermanent,
        smtp_errors.ProtocolViolation,
        smtp_errors.TlsFailed,
        smtp_errors.ConnectionFailed,
        smtp_errors.DeadlineReached,
    ):
        kept.submission.failure = leaf("It failed.")
        codes[leaf.__name__] = patch(account, {"outgoing": {"username": "ben"}}).error["code"]
    assert codes == {
        "SignInRefused": "sign_in_refused",
        "PasswordSignInOff": "sign_in_off",
        "SignInTooFrequent": "too_frequent",
        "ServerTemporary": "server_error",
        "ServerPermanent": "server_error",
        "ProtocolViolation": "server_error",
        "TlsFailed": "tls_failed",
        "ConnectionFailed": "cannot_connect",
        "DeadlineReached": "cannot_connect",
    }
