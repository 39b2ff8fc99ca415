"""How often sign-ins are tried for an owner: nobody guesses passwords or probes hosts through popfetch."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from functions.accounts import handler as accounts_function
from functions.passwords import handler as passwords_function
from popfetch.adapters.rate_limits import RateLimitsTable
from popfetch.domain.mailbox import MAX_ACCOUNTS_PER_OWNER
from popfetch.pop3.errors import SignInRefused
from popfetch.services.trial_limits import TRIALS_AT_MAILBOX, TRIALS_OF_OWNER
from tests.builders.accounts import OTHER_OWNER, OWNER
from tests.builders.api import Answer, ApiClient, a_body
from tests.builders.aws import Aws, empty
from tests.builders.journals import log_of
from tests.builders.kept_accounts import KeptAccounts

accounts, passwords = ApiClient(accounts_function), ApiClient(passwords_function)
AT_MAILBOX, OF_OWNER = TRIALS_AT_MAILBOX.at_most, TRIALS_OF_OWNER.at_most


@pytest.fixture
def kept(stack: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeptAccounts]:
    kept = KeptAccounts(stack, limits=RateLimitsTable(stack.dynamodb, stack.table, sleep=lambda _: None))
    monkeypatch.setattr(accounts_function, "accounts_service", lambda _: kept.accounts)
    monkeypatch.setattr(accounts_function, "account_changes", lambda _: kept.changes)
    monkeypatch.setattr(passwords_function, "account_changes", lambda _: kept.changes)
    monkeypatch.setattr(passwords_function.journal.metrics.provider, "namespace", "popfetch")
    log_of(monkeypatch, accounts_function, passwords_function)
    yield kept
    empty(stack)


def add(username: str = "anna", *, owner: str = OWNER, **changes: object) -> Answer:
    body = a_body(incoming__username=username, outgoing=None, **changes)
    return accounts.request("POST", "/accounts", body, owner=owner)


def guess(account_id: str, number: int, *, verify: bool = True) -> Answer:
    path = f"/accounts/{account_id}/password/incoming"
    return passwords.request("PUT", path, {"password": f"guess-{number}", "verify": verify})


def refused(answer: Answer) -> int:
    """How long to wait, where it is for that that a request is not carried out."""
    assert (answer.status, answer.error["code"]) == (429, "too_many_sign_ins")
    seconds: int = answer.error["details"]["retry_after_seconds"]
    assert answer.headers["Retry-After"] == str(seconds)
    return seconds


def test_the_same_mailbox_is_tried_so_often_and_no_more(kept: KeptAccounts) -> None:
    kept.dialer.failure = SignInRefused("no")
    assert [add().status for _ in range(AT_MAILBOX)] == [422] * AT_MAILBOX
    assert refused(add()) == TRIALS_AT_MAILBOX.within.total_seconds()
    assert len(kept.dialer.calls) == AT_MAILBOX
    kept.now += TRIALS_AT_MAILBOX.within
    assert add().status == 422


@pytest.mark.parametrize("verify", [True, False])
def test_new_passwords_count_whether_they_are_tried_at_once_or_by_the_next_fetch(
    kept: KeptAccounts, verify: bool
) -> None:
    account_id = add().json["id"]
    guesses = [guess(account_id, number, verify=verify).status for number in range(AT_MAILBOX - 1)]
    assert guesses == [200] * (AT_MAILBOX - 1)
    before, password = len(kept.queue.requests), kept.password(account_id)
    refused(guess(account_id, AT_MAILBOX, verify=verify))
    assert (len(kept.queue.requests), kept.password(account_id)) == (before, password)


def test_a_user_name_in_capitals_is_the_same_one(kept: KeptAccounts) -> None:
    kept.dialer.failure = SignInRefused("no")
    for name in ("anna", "ANNA", "Anna", "anNa") * 2 + ("anna", "aNNa"):
        assert add(name).status == 422
    refused(add("annA"))


def test_many_hosts_are_one_owners(kept: KeptAccounts) -> None:
    kept.dialer.failure = SignInRefused("no")
    for number in range(OF_OWNER):
        assert add(incoming__host=f"pop{number}.example.com").status == 422
    assert refused(add(incoming__host="one-more.example.com")) == TRIALS_OF_OWNER.within.total_seconds()
    assert len(kept.dialer.calls) == OF_OWNER


def test_nobody_keeps_another_from_their_own_mailbox(kept: KeptAccounts) -> None:
    kept.dialer.failure = SignInRefused("no")
    for _ in range(AT_MAILBOX):
        add()
    refused(add())
    kept.dialer.failure = None
    assert add(owner=OTHER_OWNER).status == 201


def test_what_asks_nobody_does_not_count(kept: KeptAccounts) -> None:
    account_id = add().json["id"]
    for number in range(AT_MAILBOX):
        change = {"name": f"Mailbox {number}", "fetch": {"interval_minutes": 5 if number % 2 else 10}}
        assert accounts.request("PATCH", f"/accounts/{account_id}", change).status == 200
    assert guess(account_id, 1).status == 200


def test_all_accounts_of_an_owner_can_be_added_at_once() -> None:
    assert TRIALS_OF_OWNER.at_most >= MAX_ACCOUNTS_PER_OWNER
    assert TRIALS_AT_MAILBOX.within <= timedelta(minutes=15)
