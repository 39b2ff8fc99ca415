"""The events that an operator gives a function in the console: each reaches its route and does what it is there for."""

import json
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from popfetch.adapters.owner_sessions import UserPoolSessions
from popfetch.api.browser_binding import binding_cookie
from popfetch.api.session_cookie import session_cookie
from popfetch.domain.mail_settings import NOTHING_FOUND
from popfetch.domain.secret import Secret
from popfetch.domain.session import Challenged, Session
from popfetch.runtime.observability import new_journal
from popfetch.services.sessions import Sessions
from tests.builders.accounts import OWNER
from tests.builders.api import ApiClient, a_body
from tests.builders.aws import Aws, aws
from tests.builders.journals import log_of
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.oauth import REDIRECT_URI
from tests.builders.reply_to import AskedAddresses
from tests.builders.site import a_site
from tests.builders.stored_messages import a_message, store
from tests.builders.user_pool import EMAIL, NEW_PASSWORD, PASSWORD, a_user_pool
from tests.template.translated import of_type, references, routes

EVENTS = Path(__file__).parents[3] / "infra" / "events"
API_FUNCTIONS = ("accounts", "passwords", "oauth", "reply_to", "send", "messages", "providers", "console")
OTHERS = {"dispatch", "fetch", "erase", "notify"}
"""Functions whose one event is exercised beside their handlers' other tests."""

CONSOLE = "https://example.execute-api.eu-central-1.amazonaws.com/v1"
"""Where the events' API is reached."""

DONE = {
    "accounts_add": 201,
    "accounts_check_now": 202,
    "accounts_delete": 204,
    "oauth_start": 201,
    "oauth_callback": 303,
    "reply_to_remove": 204,
    "send_upload": 201,
    "console_sign_out": 204,
    "console_forget_password": 202,
    "console_reset_password": 204,
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


def an_event(name: str, account_id: str, token: str = "", **more: str) -> dict[str, Any]:
    text = (EVENTS / f"{name}.json").read_text()
    given = {"OWNERS-ID": OWNER, "ACCOUNTS-ID": account_id, "TOKEN": token, **more}
    for placeholder, value in given.items():
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
        monkeypatch.setattr(handler, "accounts_service", lambda _: kept.accounts, raising=False)
        monkeypatch.setattr(handler, "account_changes", lambda _: kept.changes, raising=False)
        monkeypatch.setattr(handler, "consent", lambda _: kept.consent, raising=False)
        monkeypatch.setattr(handler, "reply_to_addresses", lambda _: asked.service, raising=False)
        monkeypatch.setattr(handler, "sending", kept.sending, raising=False)
        monkeypatch.setattr(handler, "reading", kept.reading, raising=False)
        monkeypatch.setattr(handler, "sent_under_a_key", kept.once, raising=False)
        monkeypatch.setattr(handler.journal.metrics.provider, "namespace", "popfetch")
        monkeypatch.setattr(handler, "look_up", lambda *_: NOTHING_FOUND, raising=False)
    return asked


def at_the_console(name: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> dict[str, str]:
    """What an event of the console needs: a built app, an owner, and what a sign-in gave them."""
    function = import_module("functions.console.handler")
    pool = a_user_pool()
    pool.add_owner(permanent=name != "console_answer")
    service = Sessions(UserPoolSessions(pool.cognito, pool.client_id), function.journal)
    monkeypatch.setattr(function, "sessions", lambda _: service)
    monkeypatch.setattr(function, "SITE", a_site(folder))
    monkeypatch.setattr(function, "mail_origins", tuple)
    # moto knows no revocation
    monkeypatch.setattr(UserPoolSessions, "revoke", lambda *_: None)
    given = {"ADDRESS": EMAIL, "NEW-PASSWORD": NEW_PASSWORD, "CODE": "123456", "FILES-NAME": "app-1a2b.js"}
    match service.sign_in(EMAIL, Secret(PASSWORD)):
        case Challenged(session=session):
            return {**given, "SESSION": session.reveal()}
        case Session(refresh_token=Secret() as refresh_token):
            cookie = session_cookie(CONSOLE, refresh_token)
            return {**given, "PASSWORD": PASSWORD, "COOKIE": f"{cookie.name}={cookie.value}"}
    raise AssertionError


def asked_for_consent(kept: KeptAccounts, name: str, account_id: str) -> dict[str, str]:
    """What an event needs that goes on where another has begun; what it needs not is empty."""
    if name == "oauth_device":
        asked_by_device = kept.consent.ask_by_device(OWNER, account_id)
        kept.now = asked_by_device.offer.expires_at - timedelta(minutes=1)
        return {"DEVICE-FLOW-ID": asked_by_device.state}
    if name not in {"oauth_callback", "oauth_finish"}:
        return {}
    asked = kept.consent.ask_in_browser(OWNER, account_id, REDIRECT_URI)
    answer = kept.servers.consented(asked.address)
    assert answer.code
    cookie = binding_cookie(REDIRECT_URI, asked.state, asked.browser_secret)
    return {
        "CALLBACK-URL": kept.servers.callback(asked.address),
        "CODE": answer.code.reveal(),
        "STATE": asked.state,
        "COOKIE": f"{cookie.name}={cookie.value}",
    }


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
def test_an_event_of_the_api_does_what_it_is_there_for(
    name: str, kept: KeptAccounts, asked: AskedAddresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = ApiClient(import_module(f"functions.{function_of(name)}.handler"))
    accounts = ApiClient(import_module("functions.accounts.handler"))
    account_id = accounts.request("POST", "/accounts", a_body()).json["id"]
    if function_of(name) == "reply_to":
        asked.service.ask_for(OWNER, account_id, "elsewhere@example.com", str)
    given = asked_for_consent(kept, name, account_id)
    if function_of(name) == "console":
        given = at_the_console(name, monkeypatch, tmp_path)
    if function_of(name) == "messages":
        given["MESSAGES-ID"] = store(kept.stack, a_message(), account_id=account_id).message_id
    answer = client.call(an_event(name, account_id, "".join(asked.tokens), **given))
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
