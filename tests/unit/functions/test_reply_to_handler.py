"""Reply addresses: asked by mail, in force once confirmed, and nothing but the right link in time confirms."""

import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions.accounts import handler as accounts_function
from functions.reply_to import handler as function
from popfetch.adapters.dynamodb_items import from_wire, to_wire
from popfetch.adapters.reply_to_links import ReplyToLinksTable, to_item
from popfetch.domain.account import Direction
from popfetch.domain.errors import (
    AccountChanged,
    MailRefused,
    MailUnavailable,
    OutgoingStopped,
    PopfetchError,
    StorageUnavailable,
)
from popfetch.domain.notice import Mail
from popfetch.domain.reply_to import ReplyToLink, hash_of
from popfetch.notices.page import CONTENT_SECURITY_POLICY
from popfetch.ports.owners import OwnerContact
from popfetch.runtime.settings import SettingMissing
from popfetch.services.sending_failures import RecipientsRefused, ServerTrouble
from popfetch.services.sign_in_trial import SignInTestRefused
from tests.builders.accounts import NOON, OTHER_OWNER, OWNER, an_account_id
from tests.builders.api import Answer, ApiClient, a_body, an_event, lines_of
from tests.builders.aws import Aws, empty
from tests.builders.journals import log_of
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.reply_to import AskedAddresses, token_of
from tests.builders.wiring import forget_wiring

ADDRESS, OTHER_ADDRESS = "replies@example.com", "elsewhere@example.org"
BASE = "https://ab12.execute-api.eu-central-1.amazonaws.com/v1"
CONFIRM = "/reply-to/confirm"
DAY = timedelta(hours=24)
client = ApiClient(function)
accounts = ApiClient(accounts_function)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    return log_of(monkeypatch, function, accounts_function)


@pytest.fixture
def desk(stack: Aws, log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[AskedAddresses]:
    desk = AskedAddresses(KeptAccounts(stack), function.journal)
    monkeypatch.setattr(accounts_function, "accounts_service", lambda _: desk.kept.accounts)
    monkeypatch.setattr(function, "reply_to_addresses", lambda journal: desk.service)
    yield desk
    # whatever happened: neither a token nor an address is in the log, and no token in the table
    for secret in (*desk.tokens, ADDRESS, OTHER_ADDRESS):
        assert secret not in log.getvalue()
    everything = repr([from_wire(item) for item in stack.dynamodb.scan(TableName=stack.table)["Items"]])
    assert not [token for token in desk.tokens if token in everything]
    empty(stack)


@pytest.fixture
def account(desk: AskedAddresses) -> dict[str, Any]:
    account: dict[str, Any] = accounts.request("POST", "/accounts", a_body()).json
    return account


def another(name: str, owner: str = OWNER) -> dict[str, Any]:
    account: dict[str, Any] = accounts.request(
        "POST", "/accounts", a_body(name=name, incoming__username=name), owner=owner
    ).json
    return account


def a_request(method: str, path: str, body: Any = None, **changes: Any) -> dict[str, Any]:
    event = an_event(method, path, body, **changes)
    event["requestContext"]["domainName"] = "ab12.execute-api.eu-central-1.amazonaws.com"
    return event


def ask(account: dict[str, Any], address: str = ADDRESS, **changes: Any) -> Answer:
    return client.call(a_request("PUT", f"/accounts/{account['id']}/reply-to", {"address": address}, **changes))


def remove(account: dict[str, Any], **changes: Any) -> Answer:
    return client.request("DELETE", f"/accounts/{account['id']}/reply-to", **changes)


def shown(account: dict[str, Any], owner: str = OWNER) -> Any:
    return accounts.request("GET", f"/accounts/{account['id']}", owner=owner).json["reply_to"]


def last_mail(desk: AskedAddresses) -> Mail:
    assert desk.mailer is not None
    return desk.mailer.sent[-1][1]


def mails(desk: AskedAddresses) -> int:
    assert desk.mailer is not None
    return len(desk.mailer.sent)


def a_visit(method: str, token: str, **changes: Any) -> dict[str, Any]:
    """What a browser sends: nobody is signed in, and its form has no fields."""
    event = a_request(method, f"{CONFIRM}?token={token}", **changes)
    del event["requestContext"]["authorizer"]
    if method == "POST":
        event["headers"] = {**event["headers"], "Content-Type": "application/x-www-form-urlencoded"}
        event["body"] = event["body"] or ""
    return event


def look(token: str, **changes: Any) -> Answer:
    return client.call(a_visit("GET", token, **changes))


def confirm(token: str, **changes: Any) -> Answer:
    return client.call(a_visit("POST", token, **changes))


def waits(desk: AskedAddresses, span: timedelta = timedelta(minutes=1)) -> None:
    desk.kept.now += span


def said(text: str) -> str:
    """A text without what keeps mail programs from making links of it."""
    return text.replace("\u200b", "")


def language_of(page: Answer) -> str:
    (language,) = re.findall(r'<html lang="(\w+)"', page.text)
    return str(language)


def forged(token: str) -> str:
    return token[:-1] + ("A" if token[-1] != "A" else "E")


class TestAsking:
    def test_the_address_is_asked_and_not_in_force(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        answer = ask(account)
        assert (answer.status, answer.headers["ETag"]) == (200, '"2"')
        until = (NOON + DAY).isoformat().replace("+00:00", "Z")
        reply_to = {"address": ADDRESS, "verified": False, "in_force": None, "expires_at": until}
        assert answer.json == {**account, "version": 2, "reply_to": reply_to}
        assert shown(account) == reply_to
        assert desk.mailer is not None
        ((to, mail),) = desk.mailer.sent
        assert to == ADDRESS
        assert token_of(mail) == desk.tokens[0]
        assert f"{BASE}{CONFIRM}?token={desk.tokens[0]}" in mail.text
        assert account["email"] in said(mail.text)

    def test_every_question_has_a_token_of_its_own(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        ask(account)
        waits(desk)
        ask(account)
        assert len({*desk.tokens}) == 2
        assert token_of(last_mail(desk)) == desk.tokens[1]
        assert look(desk.tokens[0]).status == 410
        assert look(desk.tokens[1]).status == 200

    def test_the_same_address_asked_again_has_a_whole_day_again(
        self, desk: AskedAddresses, account: dict[str, Any]
    ) -> None:
        ask(account)
        waits(desk, timedelta(hours=23))
        ask(account)
        waits(desk, timedelta(hours=23))
        assert confirm(desk.tokens[1]).status == 200

    def test_what_is_in_force_is_not_asked_and_withdraws_the_question(
        self, desk: AskedAddresses, account: dict[str, Any]
    ) -> None:
        ask(account)
        confirm(desk.tokens[0])
        assert ask(account).status == 200
        assert mails(desk) == 1
        waits(desk)
        ask(account, OTHER_ADDRESS)
        assert shown(account)["address"] == OTHER_ADDRESS
        answer = ask(account)
        assert answer.json["reply_to"] == {
            "address": ADDRESS,
            "verified": True,
            "in_force": ADDRESS,
            "expires_at": None,
        }
        assert mails(desk) == 2
        assert confirm(desk.tokens[1]).status == 410
        assert shown(account)["in_force"] == ADDRESS

    @pytest.mark.parametrize(
        ("contact", "language"),
        [
            (OwnerContact("owner@example.com", "vi-VN"), "vi"),
            (OwnerContact("owner@example.com", "en"), "en"),
            (OwnerContact("owner@example.com"), "en"),
            (None, "en"),
        ],
    )
    def test_it_is_asked_in_the_owners_language(
        self, desk: AskedAddresses, account: dict[str, Any], contact: OwnerContact | None, language: str
    ) -> None:
        desk.owners.known = contact
        ask(account)
        assert last_mail(desk).language == language
        assert token_of(last_mail(desk)) == desk.tokens[0]

    def test_an_account_that_changes_meanwhile_keeps_both_changes(
        self, desk: AskedAddresses, account: dict[str, Any]
    ) -> None:
        def pause() -> None:
            accounts.request("POST", f"/accounts/{account['id']}/pause")

        desk.before_sending = pause
        ask(account)
        assert accounts.request("GET", f"/accounts/{account['id']}").json["status"] == "paused"
        assert confirm(desk.tokens[0]).status == 200
        assert accounts.request("GET", f"/accounts/{account['id']}").json["status"] == "paused"


class TestConfirming:
    def test_the_page_asks_and_the_click_answers(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        ask(account)
        question = look(desk.tokens[0])
        assert question.status == 200
        assert ADDRESS in said(question.text)
        assert account["email"] in said(question.text)
        assert re.search(r'<form[^>]* method="post"', question.text)
        assert "action=" not in question.text
        answered = confirm(desk.tokens[0])
        assert answered.status == 200
        assert ADDRESS in said(answered.text)
        assert shown(account) == {"address": ADDRESS, "verified": True, "in_force": ADDRESS, "expires_at": None}
        assert accounts.request("GET", f"/accounts/{account['id']}").json["version"] == 3

    def test_the_old_address_is_in_force_until_the_new_one_is(
        self, desk: AskedAddresses, account: dict[str, Any]
    ) -> None:
        ask(account)
        confirm(desk.tokens[0])
        waits(desk)
        ask(account, OTHER_ADDRESS)
        assert (shown(account)["address"], shown(account)["in_force"]) == (OTHER_ADDRESS, ADDRESS)
        confirm(desk.tokens[1])
        assert (shown(account)["address"], shown(account)["in_force"]) == (OTHER_ADDRESS, OTHER_ADDRESS)

    def test_a_question_nobody_answered_is_shown_until_there_is_another(
        self, desk: AskedAddresses, account: dict[str, Any]
    ) -> None:
        ask(account)
        waits(desk, 3 * DAY)
        assert (shown(account)["address"], shown(account)["verified"]) == (ADDRESS, False)

    def test_what_a_form_posts_is_not_looked_at(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        ask(account)
        assert confirm("", body=f"token={desk.tokens[0]}").status == 410
        assert shown(account)["verified"] is False
        assert confirm(desk.tokens[0], body="anything=at+all").status == 200


class TestAttacks:
    """None of these puts an address in force."""

    @pytest.fixture(autouse=True)
    def asked(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        assert ask(account).status == 200

    def assert_invalid(self, answer: Answer) -> None:
        assert answer.status == 410
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert ADDRESS not in said(answer.text)

    def test_a_forged_token(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        for token in (forged(desk.tokens[0]), "A" * 43, hash_of(desk.tokens[0]).hex()[:43]):
            self.assert_invalid(look(token))
            self.assert_invalid(confirm(token))
        assert shown(account)["verified"] is False

    @pytest.mark.parametrize(
        "token", ["", "x", "%00", "é", "\udfff", "a" * 5000, "../../etc", "' OR 1=1", "A" * 42 + "="]
    )
    def test_a_malformed_token(self, account: dict[str, Any], token: str) -> None:
        event = a_visit("GET", "x")
        event["queryStringParameters"] = {"token": token}
        event["multiValueQueryStringParameters"] = {"token": [token]}
        self.assert_invalid(client.call(event))
        self.assert_invalid(client.call({**event, "httpMethod": "POST"}))
        assert shown(account)["verified"] is False

    def test_no_token(self) -> None:
        for method in ("GET", "POST"):
            event = a_visit(method, "x")
            event["queryStringParameters"] = event["multiValueQueryStringParameters"] = None
            self.assert_invalid(client.call(event))

    def test_several_tokens(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        event = a_visit("POST", "x")
        event["multiValueQueryStringParameters"] = {"token": ["x", desk.tokens[0]]}
        assert client.call(event).status == 410
        assert shown(account)["verified"] is False

    def test_an_expired_token(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        waits(desk, DAY)
        self.assert_invalid(look(desk.tokens[0]))
        self.assert_invalid(confirm(desk.tokens[0]))
        assert shown(account)["verified"] is False

    def test_an_expired_question_whose_link_was_made_to_last(
        self, desk: AskedAddresses, account: dict[str, Any]
    ) -> None:
        desk.links.keep(hash_of(desk.tokens[0]), ReplyToLink(OWNER, account["id"], "en", NOON + 9 * DAY))
        waits(desk, DAY)
        self.assert_invalid(confirm(desk.tokens[0]))
        assert shown(account)["verified"] is False

    def test_a_token_that_was_used(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        assert confirm(desk.tokens[0]).status == 200
        for _ in range(3):
            self.assert_invalid(confirm(desk.tokens[0]))
            self.assert_invalid(look(desk.tokens[0]))
        assert remove(account).status == 204
        self.assert_invalid(confirm(desk.tokens[0]))
        assert shown(account) is None

    def test_a_token_whose_address_was_replaced(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        waits(desk)
        ask(account, OTHER_ADDRESS)
        self.assert_invalid(look(desk.tokens[0]))
        self.assert_invalid(confirm(desk.tokens[0]))
        assert (shown(account)["address"], shown(account)["in_force"]) == (OTHER_ADDRESS, None)
        waits(desk)
        ask(account, ADDRESS)
        self.assert_invalid(confirm(desk.tokens[0]))
        assert shown(account)["in_force"] is None

    @pytest.mark.parametrize("owner", [OWNER, OTHER_OWNER])
    def test_a_token_of_another_account(self, desk: AskedAddresses, account: dict[str, Any], owner: str) -> None:
        thief = another("thief", owner)
        ask(thief, OTHER_ADDRESS, owner=owner)
        assert confirm(desk.tokens[1]).status == 200
        assert shown(account)["verified"] is False
        assert shown(thief, owner)["in_force"] == OTHER_ADDRESS
        self.assert_invalid(confirm(desk.tokens[1]))

    def test_a_link_that_was_led_to_another_account(
        self, desk: AskedAddresses, stack: Aws, account: dict[str, Any]
    ) -> None:
        thief = another("thief", OTHER_OWNER)
        ask(thief, OTHER_ADDRESS, owner=OTHER_OWNER)
        led_astray = ReplyToLink(OWNER, account["id"], "en", NOON + DAY)
        stack.dynamodb.put_item(TableName=stack.table, Item=to_wire(to_item(hash_of(desk.tokens[1]), led_astray)))
        self.assert_invalid(confirm(desk.tokens[1]))
        assert shown(account)["verified"] is False

    def test_a_token_fetched_ahead_any_number_of_times(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        before = accounts.request("GET", f"/accounts/{account['id']}").json
        for _ in range(5):
            assert look(desk.tokens[0]).status == 200
        assert accounts.request("GET", f"/accounts/{account['id']}").json == before
        assert confirm(desk.tokens[0]).status == 200

    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"])
    def test_other_methods(self, desk: AskedAddresses, account: dict[str, Any], method: str) -> None:
        answer = client.call(a_visit(method, desk.tokens[0]))
        assert answer.status == 404
        assert shown(account)["verified"] is False

    def test_a_get_that_says_it_is_a_post(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        headers = {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST"}
        assert look(f"{desk.tokens[0]}&_method=POST", headers=headers).status == 200
        assert shown(account)["verified"] is False

    def test_a_link_after_the_address_was_taken_away(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        assert remove(account).status == 204
        self.assert_invalid(look(desk.tokens[0]))
        self.assert_invalid(confirm(desk.tokens[0]))
        assert shown(account) is None

    def test_a_link_of_an_account_that_is_gone(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        accounts.request("DELETE", f"/accounts/{account['id']}")
        self.assert_invalid(look(desk.tokens[0]))
        self.assert_invalid(confirm(desk.tokens[0]))


class TestRemoving:
    def test_what_is_in_force_and_what_is_asked_both_go(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        ask(account)
        confirm(desk.tokens[0])
        waits(desk)
        ask(account, OTHER_ADDRESS)
        answer = remove(account)
        assert (answer.status, answer.text) == (204, "")
        assert shown(account) is None

    def test_again_does_no_harm(self, account: dict[str, Any]) -> None:
        assert [remove(account).status for _ in range(2)] == [204, 204]
        assert accounts.request("GET", f"/accounts/{account['id']}").json["version"] == 1


class TestOwners:
    def test_nobody_reaches_anothers(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        ask(account)
        before = shown(account)
        for answer in (ask(account, OTHER_ADDRESS, owner=OTHER_OWNER), remove(account, owner=OTHER_OWNER)):
            assert (answer.status, answer.error["code"]) == (404, "account_not_found")
        assert shown(account) == before
        assert mails(desk) == 1

    def test_an_account_that_is_not_there_is_not_found(self, desk: AskedAddresses) -> None:
        for account_id in (an_account_id(9), "x"):
            assert ask({"id": account_id}).status == 404
            assert remove({"id": account_id}).status == 404
        assert mails(desk) == 0

    def test_nobody_in_particular_asks_for_nothing(self, account: dict[str, Any]) -> None:
        for method in ("PUT", "DELETE"):
            event = a_request(method, f"/accounts/{account['id']}/reply-to", {"address": ADDRESS})
            event["requestContext"]["authorizer"] = None
            assert client.call(event).status == 401


class TestLimits:
    def assert_too_many(self, answer: Answer, seconds: int) -> None:
        assert (answer.status, answer.error["code"]) == (429, "too_many_verification_mails")
        assert answer.error["details"] == {"retry_after_seconds": seconds}
        assert answer.headers["Retry-After"] == str(seconds)

    def test_an_account_has_ten_a_day_whatever_the_address(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        for number in range(10):
            assert ask(account, f"reply{number}@example.com").status == 200
            waits(desk)
        self.assert_too_many(ask(account, "reply10@example.com"), 24 * 3600 - 10 * 60)
        assert shown(account)["address"] == "reply9@example.com"
        assert mails(desk) == 10
        waits(desk, DAY - timedelta(minutes=10))
        assert ask(account, "reply10@example.com").status == 200
        # a day is any day: only the oldest of the ten has left it
        waits(desk)
        assert ask(account, "reply11@example.com").status == 200
        waits(desk, timedelta(seconds=30))
        self.assert_too_many(ask(account, "reply12@example.com"), 30)

    def test_a_mistyped_address_is_put_right_at_once(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        assert ask(account, "repies@example.com").status == 200
        assert ask(account).status == 200
        assert shown(account)["address"] == ADDRESS

    def test_an_address_has_five_a_day_whoever_asks(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        askers = [(another(f"asker{number}", owner), owner) for number, owner in enumerate([OWNER, OTHER_OWNER] * 3)]
        forms = [
            ADDRESS,
            "Replies@Example.com",
            "replies+a@example.com",
            "replies+b@example.com",
            "REPLIES@example.com",
        ]
        for (asker, owner), form in zip(askers, forms, strict=False):
            assert ask(asker, form, owner=owner).status == 200
        last, owner = askers[5]
        self.assert_too_many(ask(last, "replies+c@example.com", owner=owner), 24 * 3600)
        assert mails(desk) == 5
        assert shown(last, owner) is None
        waits(desk)
        assert ask(last, OTHER_ADDRESS, owner=owner).status == 200

    def test_who_has_asked_too_often_uses_up_no_address(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        for number in range(10):
            ask(account, f"reply{number}@example.com")
        for _ in range(10):
            assert ask(account).status == 429
        other = another("other", OTHER_OWNER)
        assert ask(other, owner=OTHER_OWNER).status == 200

    def test_a_change_back_to_what_is_in_force_is_always_free(
        self, desk: AskedAddresses, account: dict[str, Any]
    ) -> None:
        ask(account)
        confirm(desk.tokens[0])
        for _ in range(10):
            assert ask(account).status == 200
        assert mails(desk) == 1


class TestSending:
    @pytest.mark.parametrize(
        ("failure", "status", "code"),
        [
            (MailRefused("Verify the address in SenderAddress", "MessageRejected"), 422, "mail_refused"),
            (MailUnavailable("SES did not take the mail (Throttling); it is tried again."), 503, "mail_unavailable"),
        ],
    )
    def test_what_is_not_mailed_leaves_everything_as_it_was(
        self,
        desk: AskedAddresses,
        account: dict[str, Any],
        log: io.StringIO,
        failure: PopfetchError,
        status: int,
        code: str,
    ) -> None:
        ask(account)
        confirm(desk.tokens[0])
        waits(desk)
        ask(account, OTHER_ADDRESS)
        waits(desk)
        before = shown(account)
        assert desk.mailer is not None
        desk.mailer.failures.append(failure)
        answer = ask(account, "third@example.com")
        assert (answer.status, answer.error["code"]) == (status, code)
        # the operator's affairs are told to the operator
        assert "SES" not in answer.text
        assert "SenderAddress" not in answer.text
        assert ("SenderAddress" in log.getvalue()) == (code == "mail_refused")
        assert shown(account) == before
        assert confirm(desk.tokens[2]).status == 410
        assert look(desk.tokens[1]).status == 200
        assert confirm(desk.tokens[1]).status == 200

    def test_any_other_failure_takes_the_question_back_too(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        def fail() -> None:
            raise RuntimeError("a bug")

        desk.before_sending = fail
        assert ask(account).status == 500
        assert shown(account) is None
        assert confirm(desk.tokens[0]).status == 410

    def test_a_newer_question_is_not_taken_back_with_an_older_one(
        self, desk: AskedAddresses, account: dict[str, Any]
    ) -> None:
        def ask_again_and_fail() -> None:
            desk.before_sending = lambda: None
            waits(desk)
            assert ask(account, OTHER_ADDRESS).status == 200
            raise MailUnavailable("later")

        desk.before_sending = ask_again_and_fail
        assert ask(account).status == 503
        assert shown(account)["address"] == OTHER_ADDRESS
        assert confirm(desk.tokens[0]).status == 410
        assert confirm(desk.tokens[1]).status == 200

    def test_taking_away_while_the_mail_is_on_its_way_kills_its_link(
        self, desk: AskedAddresses, account: dict[str, Any]
    ) -> None:
        def take_away() -> None:
            assert remove(account).status == 204

        desk.before_sending = take_away
        ask(account)
        assert shown(account) is None
        assert confirm(desk.tokens[0]).status == 410

    def test_one_step_of_taking_back_is_enough(
        self, desk: AskedAddresses, account: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any) -> None:
            raise StorageUnavailable("busy")

        assert desk.mailer is not None
        desk.mailer.failures.append(MailUnavailable("later"))
        monkeypatch.setattr(desk.links, "forget", fail)
        assert ask(account).error["code"] == "mail_unavailable"
        assert shown(account) is None
        assert confirm(desk.tokens[0]).status == 410

    def test_without_a_sender_the_accounts_own_server_sends(
        self, desk: AskedAddresses, account: dict[str, Any]
    ) -> None:
        desk.mailer = None
        assert ask(account).status == 200
        ((through, to, mail),) = desk.account_mailer.sent
        assert (through.account_id, to) == (account["id"], ADDRESS)
        assert confirm(token_of(mail)).status == 200

    @pytest.mark.parametrize(
        ("failure", "status", "details"),
        [
            (SignInTestRefused("No.", Direction.OUTGOING), 422, {"direction": "outgoing"}),
            (OutgoingStopped("Set it again."), 409, {}),
            (RecipientsRefused("No.", server_said=f"5.1.1 {ADDRESS}"), 422, {"server_said": f"5.1.1 {ADDRESS}"}),
            (ServerTrouble(f"It says: {ADDRESS} later", server_said=f"4.3.0 {ADDRESS}"), 503, {}),
        ],
    )
    def test_what_the_accounts_own_server_says_is_told(
        self,
        desk: AskedAddresses,
        account: dict[str, Any],
        failure: Exception,
        status: int,
        details: dict[str, str],
    ) -> None:
        desk.mailer = None
        desk.account_mailer.failures.append(failure)
        answer = ask(account)
        assert (answer.status, answer.error["details"]) == (status, details)
        assert shown(account) is None
        assert confirm(desk.tokens[0]).status == 410

    def test_without_any_way_to_send_nothing_is_counted_or_kept(self, desk: AskedAddresses) -> None:
        body = a_body(incoming__username="ben")
        del body["outgoing"]
        account = accounts.request("POST", "/accounts", body).json
        desk.mailer = None
        for _ in range(2):
            answer = ask(account)
            assert (answer.status, answer.error["code"]) == (409, "no_outgoing_server")
            assert "outgoing server" in answer.error["message"]
        assert desk.tokens == []
        assert shown(account) is None


class TestBadAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            "",
            "anna",
            "anna@",
            "@example.com",
            "anna@example.com\r\nBcc: eve@example.org",
            "anna@example.com\n",
            "anna\x00@example.com",
            "anna@example.com, eve@example.org",
            "anna@example.com;eve@example.org",
            "Anna <anna@example.com>",
            "<@relay.example:anna@example.com>",
            "anna%example.org@example.com",
            "example.org!anna@example.com",
            "anna@eve@example.com",
            '"anna"@example.com',
            "anna@example.com?cc=eve@example.org",
            "mailto:anna@example.com",
            "änna@example.com",
            "a\u200bnna@example.com",
            "\u202eanna@example.com",
            "аnna@example.com",  # noqa: RUF001 - a Cyrillic letter, on purpose
            "anna@exa\u2028mple.com",
            "anna@localhost",
            "anna@192.0.2.1",
            "anna@[192.0.2.1]",
            "anna@example..com",
            ".anna@example.com",
            "an..na@example.com",
            "anna @example.com",
            "a" * 65 + "@example.com",
            "anna@" + "a" * 250 + ".com",
            "\udfff@example.com",
            None,
            7,
            ["anna@example.com"],
        ],
    )
    def test_what_is_no_plain_address_is_refused_in_words(
        self, desk: AskedAddresses, account: dict[str, Any], address: Any
    ) -> None:
        answer = ask(account, address)
        assert (answer.status, answer.error["code"]) == (422, "invalid_request")
        assert list(answer.problems) == ["address"]
        assert "eve" not in answer.text
        assert shown(account) is None
        assert mails(desk) == 0

    def test_an_international_domain_is_kept_as_it_is_sent(self, account: dict[str, Any]) -> None:
        assert ask(account, "anna@Bücher.example").json["reply_to"]["address"] == "anna@xn--bcher-kva.example"

    @pytest.mark.parametrize(
        "body", [{}, {"address": ADDRESS, "verified": True}, {"address": ADDRESS, "x": 1}, [], "x"]
    )
    def test_nothing_but_an_address_is_taken(self, account: dict[str, Any], body: Any) -> None:
        event = a_request("PUT", f"/accounts/{account['id']}/reply-to", body)
        assert client.call(event).status in {400, 422}
        assert shown(account) is None


class TestLinks:
    """A link leads to where the API is, and never to where a request says that it is."""

    def link(self, desk: AskedAddresses, account: dict[str, Any], **changes: Any) -> str:
        event = a_request("PUT", f"/accounts/{account['id']}/reply-to", {"address": ADDRESS})
        event["requestContext"] |= changes.pop("context", {})
        event |= changes
        assert client.call(event).status == 200
        (link,) = set(re.findall(r"https?://\S+token=", last_mail(desk).text))
        return str(link)

    def test_it_names_domain_and_stage(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        assert self.link(desk, account) == f"{BASE}{CONFIRM}?token="

    @pytest.mark.parametrize(("mapping", "base"), [("", ""), ("/mail", "/mail"), ("/a/b", "/a/b")])
    def test_it_names_a_custom_domain_and_what_is_mapped(
        self, desk: AskedAddresses, account: dict[str, Any], mapping: str, base: str
    ) -> None:
        context = {"domainName": "api.example.com", "path": f"{mapping}/accounts/{account['id']}/reply-to"}
        resource = "/accounts/{account_id}/reply-to"
        link = self.link(desk, account, context=context, resource=resource)
        assert link == f"https://api.example.com{base}{CONFIRM}?token="

    def test_a_public_url_comes_first(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        link = self.link(desk, account, stageVariables={"publicUrl": "http://127.0.0.1:4566/x/v1/"})
        assert link == f"http://127.0.0.1:4566/x/v1{CONFIRM}?token="

    def test_it_never_follows_headers(self, desk: AskedAddresses, account: dict[str, Any]) -> None:
        headers = dict.fromkeys(("Host", "X-Forwarded-Host", "Forwarded", "Origin", "Referer"), "evil.example")
        assert self.link(desk, account, headers=headers) == f"{BASE}{CONFIRM}?token="
        assert "evil" not in last_mail(desk).html

    def test_where_nothing_says_where_the_api_is_nothing_is_asked(
        self, desk: AskedAddresses, account: dict[str, Any], log: io.StringIO
    ) -> None:
        headers = {"Host": "evil.example", "Content-Type": "application/json"}
        answer = client.request("PUT", f"/accounts/{account['id']}/reply-to", {"address": ADDRESS}, headers=headers)
        assert (answer.status, answer.error["code"]) == (500, "internal")
        assert SettingMissing.__name__ in log.getvalue()
        assert "PublicUrl" in log.getvalue()
        assert desk.tokens == []
        assert shown(account) is None


class TestPages:
    @pytest.fixture
    def pages(self, desk: AskedAddresses, account: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[Answer]:
        """One of each kind."""
        ask(account)
        pages = [look(desk.tokens[0]), confirm(desk.tokens[0]), look(desk.tokens[0])]
        with monkeypatch.context() as patched:
            patched.setattr(ReplyToLinksTable, "find", _fails)
            pages.append(look(desk.tokens[0]))
        assert [page.status for page in pages] == [200, 200, 410, 503]
        return pages

    def test_they_are_kept_nowhere_framed_by_nobody_and_load_nothing(self, pages: list[Answer]) -> None:
        for page in pages:
            assert {
                "Content-Type": "text/html; charset=utf-8",
                "Cache-Control": "no-store",
                "Content-Security-Policy": CONTENT_SECURITY_POLICY,
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
                "X-Robots-Tag": "noindex",
            }.items() <= page.headers.items()
            assert page.text.startswith("<!doctype html>")
            assert not re.search(r"<script|<img|<link|src=|href=", page.text)

    def test_none_repeats_its_link(self, desk: AskedAddresses, pages: list[Answer]) -> None:
        assert not [page for page in pages if desk.tokens[0] in page.text]

    @pytest.mark.parametrize(("locale", "browser"), [("vi-VN", "en"), ("en-GB", "vi")])
    def test_the_language_is_that_of_the_mail(
        self, desk: AskedAddresses, account: dict[str, Any], locale: str, browser: str
    ) -> None:
        desk.owners.known = OwnerContact("owner@example.com", locale)
        ask(account)
        headers = {"Accept-Language": browser}
        for visit in (look, confirm, confirm, look):
            assert language_of(visit(desk.tokens[0], headers=headers)) == locale[:2]

    @pytest.mark.parametrize(
        ("browser", "language"), [("vi,en;q=0.5", "vi"), ("de, en", "en"), ("", "en"), (None, "en")]
    )
    def test_where_the_mail_is_not_known_it_is_the_browsers(
        self, desk: AskedAddresses, browser: str | None, language: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        headers = {"accept-language": browser}
        assert language_of(look("x", headers=headers)) == language
        assert language_of(confirm("x" * 43, headers=headers)) == language
        monkeypatch.setattr(ReplyToLinksTable, "find", _fails)
        assert language_of(look("x" * 43, headers=headers)) == language

    @pytest.mark.parametrize("failure", [StorageUnavailable("busy"), AccountChanged("others came first")])
    def test_a_failure_of_storage_says_try_again_and_changes_nothing(
        self, desk: AskedAddresses, account: dict[str, Any], monkeypatch: pytest.MonkeyPatch, failure: PopfetchError
    ) -> None:
        ask(account)
        with monkeypatch.context() as patched:
            patched.setattr(type(desk.kept.table), "change", lambda *_: _fails(failure=failure))
            assert confirm(desk.tokens[0]).status == 503
        assert confirm(desk.tokens[0]).status == 200


def _fails(*_: Any, failure: PopfetchError | None = None) -> Any:
    raise failure or StorageUnavailable("busy")


class TestLog:
    def test_it_says_whose_account_asked_and_was_answered(
        self, desk: AskedAddresses, account: dict[str, Any], log: io.StringIO
    ) -> None:
        log.truncate(0)
        log.seek(0)
        ask(account)
        confirm(desk.tokens[0])
        lines = [line for line in lines_of(log) if line["message"] != "request answered"]
        assert [line["message"] for line in lines] == ["a reply address was asked", "a reply address was confirmed"]
        assert {(line["owner_id"], line["account_id"]) for line in lines} == {(OWNER, account["id"])}

    def test_a_page_is_one_line_as_any_answer(self, desk: AskedAddresses, log: io.StringIO) -> None:
        look("x" * 43)
        (line,) = [line for line in lines_of(log) if line["message"] == "request answered"]
        assert (line["method"], line["route"], line["status"]) == ("GET", CONFIRM, 410)
        assert "x" * 43 not in json.dumps(line)


def test_it_is_wired_to_the_stack(stack: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "TABLE_NAME": stack.table,
        "USER_POOL_ID": "eu-central-1_x",
        "CREDENTIALS_KEY_ID": stack.key_id,
        "OAUTH_CLIENTS_PARAMETER": "/popfetch/oauth-clients",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"POPFETCH_{name}", value)
    forget_wiring()
    assert ask({"id": an_account_id(3)}).status == 404
    assert remove({"id": an_account_id(3)}).status == 404
    assert confirm("x" * 43).status == 410
    forget_wiring()
