"""The events that an operator gives a function in the console: each reaches its route and does what it is there for."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from popfetch.domain.mail_settings import NOTHING_FOUND
from popfetch.domain.secret import Secret
from popfetch.runtime.observability import new_journal
from tests.builders.accounts import OWNER
from tests.builders.api import ApiClient, a_body
from tests.builders.aws import Aws, aws
from tests.builders.journals import log_of
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.reply_to import AskedAddresses
from tests.template.translated import of_type, references, routes

EVENTS = Path(__file__).parents[3] / "infra" / "events"
API_FUNCTIONS = ("accounts", "passwords", "reply_to", "send", "providers")
OTHERS = {"dispatch", "fetch", "erase", "notify"}
"""Functions whose one event is exercised beside their handlers' other tests."""

DONE = {
    "accounts_add": 201,
    "accounts_check_now": 202,
    "accounts_delete": 204,
    "reply_to_remove": 204,
    "send_upload": 201,
}
"""The statuses that say that an event did what it is there for, where that is not 200."""


def files() -> list[str]:
    return sorted(file.stem for file in EVENTS.glob("*.json"))


def function_of(name: str) -> str:
    """The folder of the function that an event is for."""
    functions = {file.parent.name for file in (EVENTS.parents[1] / "functions").glob("*/handler.py")}
    (found,) = [function for function in functions if name == function or name.startswith(f"{function}_")]
    return found


def api_files() -> list[str]:
    return [name for name in files() if function_of(name) in API_FUNCTIONS]


def an_event(name: str, account_id: str, token: str = "") -> dict[str, Any]:
    text = (EVENTS / f"{name}.json").read_text()
    for placeholder, value in (("OWNERS-ID", OWNER), ("ACCOUNTS-ID", account_id), ("TOKEN", token)):
        text = text.replace(f"PUT-THE-{placeholder}-HERE", value)
    event: dict[str, Any] = json.loads(text)
    return event


@pytest.fixture(scope="module")
def stack() -> Iterator[Aws]:
    with aws() as built:
        yield built


@pytest.fixture
def kept(stack: Aws) -> Iterator[KeptAccounts]:
    kept = KeptAccounts(stack)
    yield kept
    kept.remove_all()


@pytest.fixture
def asked(kept: KeptAccounts, monkeypatch: pytest.MonkeyPatch) -> AskedAddresses:
    asked = AskedAddresses(kept, new_journal())
    for name in API_FUNCTIONS:
        handler = import_module(f"functions.{name}.handler")
        log_of(monkeypatch, handler)
        monkeypatch.setattr(handler, "accounts_service", lambda: kept.accounts, raising=False)
        monkeypatch.setattr(handler, "account_changes", lambda: kept.changes, raising=False)
        monkeypatch.setattr(handler, "reply_to_addresses", lambda _: asked.service, raising=False)
        monkeypatch.setattr(handler, "sending", kept.sending, raising=False)
        monkeypatch.setattr(handler, "sent_under_a_key", kept.once, raising=False)
        monkeypatch.setattr(handler.journal.metrics.provider, "namespace", "popfetch")
        monkeypatch.setattr(handler, "look_up", lambda *_: NOTHING_FOUND, raising=False)
    return asked


def test_every_function_has_an_event() -> None:
    functions = {file.parent.name for file in (EVENTS.parents[1] / "functions").glob("*/handler.py")}
    assert {function_of(name) for name in files()} == functions
    assert functions - set(API_FUNCTIONS) <= OTHERS


def test_every_event_is_explained() -> None:
    explained = (EVENTS / "README.md").read_text()
    assert [name for name in files() if f"`{name}.json`" not in explained] == []


def test_every_route_has_an_event() -> None:
    covered = {
        (event["httpMethod"].lower(), event["resource"]) for event in (an_event(name, "x") for name in api_files())
    }
    assert covered == {(method, path) for path, method, _ in routes()}


@pytest.mark.parametrize("name", api_files())
def test_an_event_of_the_api_does_what_it_is_there_for(name: str, kept: KeptAccounts, asked: AskedAddresses) -> None:
    client = ApiClient(import_module(f"functions.{function_of(name)}.handler"))
    accounts = ApiClient(import_module("functions.accounts.handler"))
    account_id = accounts.request("POST", "/accounts", a_body()).json["id"]
    if function_of(name) == "reply_to":
        asked.service.ask_for(OWNER, account_id, "elsewhere@example.com", str)
    answer = client.call(an_event(name, account_id, "".join(asked.tokens)))
    assert answer.status == DONE.get(name, 200), answer.text
    if name.startswith("passwords"):
        tried = [secret for _, secret in kept.dialer.calls + kept.submission.calls]
        assert Secret("PUT-THE-PASSWORD-HERE") in tried


@pytest.mark.parametrize("name", api_files())
def test_an_event_of_the_api_is_of_the_function_that_has_the_route(name: str) -> None:
    event = an_event(name, "x")
    (operation,) = [
        operation
        for path, method, operation in routes()
        if (path, method) == (event["resource"], event["httpMethod"].lower())
    ]
    uri = references(operation["x-amazon-apigateway-integration"]["uri"])
    functions = {reference.removesuffix("Aliaslive") for reference in uri} & set(of_type("AWS::Lambda::Function"))
    assert functions == {f"{function_of(name).title().replace('_', '')}Function"}
