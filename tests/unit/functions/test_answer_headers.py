"""What every answer of every route says to browsers, whatever became of the request."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from popfetch.api.description import read_description
from popfetch.api.resolver import ON_EVERY_ANSWER, PUBLIC
from tests.builders.accounts import OWNER
from tests.builders.api import Answer, ApiClient, a_body
from tests.builders.aws import Aws
from tests.builders.stored_messages import a_message, store
from tests.builders.user_pool import EMAIL, PASSWORD, a_user_pool
from tests.builders.whole_api import BASE, Route, WholeApi, functions_by_route, handler_of
from tests.template.translated import of_type

ROUTES = sorted(functions_by_route())
KEPT_BY_ANYBODY = {("GET", "/assets/{name}"), ("GET", "/openapi.json")}
"""What holds nothing of anybody's, and may be kept anywhere."""

LOOKED_AT_AGAIN = {("GET", "/"), ("GET", "/frame")}
"""Pages without anything of anybody's: they are kept by the browser alone."""

PAGES = {
    ("GET", "/"),
    ("GET", "/frame"),
    ("GET", "/reply-to/confirm"),
    ("POST", "/reply-to/confirm"),
    ("GET", "/oauth/callback"),
}


@pytest.fixture(scope="module")
def api(stack: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeApi]:
    with pytest.MonkeyPatch.context() as patch:
        pool = a_user_pool()
        pool.add_owner()
        api = WholeApi(stack, pool)
        api.wire(patch, tmp_path_factory.mktemp("site"))
        yield api


@pytest.fixture(scope="module")
def ids(api: WholeApi) -> dict[str, str]:
    added = api.ask(("POST", "/accounts"), body=a_body())
    message = store(api.stack, a_message(), account_id=added.json["id"], owner_id=OWNER)
    return {
        "account_id": added.json["id"],
        "message_id": message.message_id,
        "attachment_id": "2",
        "name": "app-1a2b.js",
    }


def a_request(route: Route, ids: dict[str, str]) -> tuple[Any, dict[str, str]]:
    """A body and a query with which a route does what it is for."""
    one = "/accounts/{account_id}"
    bodies: dict[Route, Any] = {
        ("POST", "/accounts"): a_body(incoming__username="another"),
        ("PUT", "/accounts/order"): {"account_ids": [ids["account_id"]]},
        ("PUT", "/accounts/default"): {"account_id": ids["account_id"]},
        ("PATCH", one): {"name": "Other"},
        ("PUT", f"{one}/password/incoming"): {"password": "n3w-Geheimnis"},
        ("PUT", f"{one}/password/outgoing"): {"password": "n3w-Geheimnis"},
        ("PUT", f"{one}/reply-to"): {"address": "replies@example.com"},
        ("POST", f"{one}/send"): {"to": ["bert@example.org"]},
        ("POST", f"{one}/uploads"): {"octets": 7},
        ("POST", "/session"): {"email": EMAIL, "password": PASSWORD},
        ("POST", "/session/forgotten"): {"email": EMAIL},
        ("POST", f"{one}/oauth/start"): {},
    }
    queries = {("GET", "/providers/lookup"): {"email": "anna@example.com"}}
    return bodies.get(route), queries.get(route, {})


def answers(api: WholeApi, route: Route, ids: dict[str, str]) -> list[Answer]:
    """What a route answers: to what it is for, to what is not there, to what does not fit, and to nobody."""
    body, query = a_request(route, ids)
    nothing = dict.fromkeys(ids, "x")
    return [
        api.ask(route, nothing, body, query=query),
        api.ask(route, ids, "{", query={"limit": "x", "images": "x"}),
        api.ask(route, ids, "x" * 70_000),
        api.ask(route, ids, body, query=query, owner=""),
        api.ask(route, ids, body, query=query),
    ]


@pytest.mark.parametrize("route", [route for route in ROUTES if route[0] != "DELETE"], ids=str)
def test_every_answer_says_what_browsers_must_not_do(api: WholeApi, ids: dict[str, str], route: Route) -> None:
    for answer in answers(api, route, ids):
        headers = {name.lower(): value for name, value in answer.headers.items()}
        for name in ON_EVERY_ANSWER:
            assert headers[name.lower()], (answer.status, name)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["strict-transport-security"] == "max-age=31536000"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert (
            "frame-ancestors 'self'" in policy
            if route == ("GET", "/frame") and answer.status == 200
            else ("frame-ancestors 'none'" in policy)
        )
        assert "unsafe-eval" not in policy
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("route", [route for route in ROUTES if route[0] != "DELETE"], ids=str)
def test_what_is_somebodys_is_kept_nowhere(api: WholeApi, ids: dict[str, str], route: Route) -> None:
    for answer in answers(api, route, ids):
        kept = answer.headers["Cache-Control"]
        if answer.status == 200 and route in KEPT_BY_ANYBODY:
            assert kept.startswith("public, max-age=")
        elif answer.status == 200 and route in LOOKED_AT_AGAIN:
            assert kept in {"no-cache", "private, max-age=3600"}
        else:
            assert kept == "no-store", answer.status


@pytest.mark.parametrize("route", [route for route in ROUTES if route[0] != "DELETE"], ids=str)
def test_an_answer_is_what_it_says_it_is(api: WholeApi, ids: dict[str, str], route: Route) -> None:
    for answer in answers(api, route, ids):
        kind = answer.headers.get("Content-Type", "")
        if route in PAGES and answer.text.startswith("<"):
            assert kind == "text/html; charset=utf-8"
        elif answer.status in {204, 303} and not answer.text:
            assert "html" not in kind
        elif route == ("GET", "/assets/{name}") and answer.status == 200:
            assert kind == "text/javascript; charset=utf-8"
        else:
            assert kind.startswith("application/json"), (answer.status, kind)
            assert answer.json is not None


@pytest.mark.parametrize("route", [route for route in ROUTES if route[0] == "DELETE"], ids=str)
def test_what_takes_away_says_the_same(api: WholeApi, ids: dict[str, str], route: Route) -> None:
    for given in ({**ids, "account_id": "x"}, {**ids, "account_id": "a" * 20}):
        answer = api.ask(route, given)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Strict-Transport-Security"]


def test_where_there_is_no_tls_nothing_promises_it(api: WholeApi) -> None:
    local = api.ask(("GET", "/accounts"), stageVariables={"publicUrl": "http://127.0.0.1:4566/v1"})
    assert "Strict-Transport-Security" not in local.headers
    elsewhere = api.ask(("GET", "/accounts"), stageVariables={"publicUrl": "https://mail.example.com"})
    assert "Strict-Transport-Security" in elsewhere.headers


def test_the_gateways_own_answers_say_it_too() -> None:
    (gateway,) = of_type("AWS::ApiGateway::RestApi").values()
    responses = gateway["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(responses), "all that are not named are these"
    for name, response in responses.items():
        said = {
            key.removeprefix("gatewayresponse.header."): value.strip("'")
            for key, value in response["responseParameters"].items()
        }
        wanted = dict(ON_EVERY_ANSWER)
        # a static value of the gateway stands in single quotes, and has none itself
        assert said.pop("X-Frame-Options") == "DENY", name
        assert wanted.pop("Content-Security-Policy")
        assert said.pop("Strict-Transport-Security") == "max-age=31536000"
        assert said == wanted


# --- Routes that anybody may ask ------------------------------------------------------------------------------------


def test_those_that_anybody_may_ask_are_these_and_no_others() -> None:
    assert {
        route for route in ROUTES if "security" in read_description()["paths"][route[1]][route[0].lower()]
    } == PUBLIC


@pytest.mark.parametrize(
    "name",
    [
        "..%2Findex.html",
        "../index.html",
        "..",
        ".",
        "%2e%2e%2findex.html",
        "..\\index.html",
        "/etc/passwd",
        "app-1a2b.js/../../index.html",
        "app-1a2b.js\x00.png",
        "app-1a2b.js\r\nSet-Cookie: a=b",
        "a" * 5_000,
        "APP-1A2B.JS",
        "app-1a2b.js.map",
    ],
    ids=lambda name: name[:20],
)
def test_no_file_is_served_but_the_consoles(api: WholeApi, name: str) -> None:
    answer = api.ask(("GET", "/assets/{name}"), {"name": name})
    assert answer.status == 404
    assert not {"Set-Cookie"} & set(answer.headers)


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "Forwarded", "X-Original-URL", "Origin"])
def test_no_header_of_a_request_says_where_links_lead(api: WholeApi, ids: dict[str, str], header: str) -> None:
    forged = {header: "evil.example", "Content-Type": "application/json"}
    page = api.ask(("GET", "/"), headers=forged)
    asked = api.ask(
        ("PUT", "/accounts/{account_id}/reply-to"), ids, {"address": f"{header.lower()}@example.org"}, headers=forged
    )
    started = api.ask(("POST", "/accounts/{account_id}/oauth/start"), ids, {}, headers=forged)
    assert (page.status, asked.status, started.status) == (200, 200, 201)
    assert api.desk.mailer
    _, mail = api.desk.mailer.sent[-1]
    assert re.findall(r"https?://[^\s\"<>]+confirm", mail.text + mail.html)
    for told in (page.text, page.headers["Content-Security-Policy"], mail.text, mail.html, started.text):
        assert "evil.example" not in told
    assert f"{BASE}/reply-to/confirm" in mail.text


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""])
@pytest.mark.parametrize("route", [route for route in ROUTES if route[1].startswith("/session") and route[0] == "POST"])
def test_no_form_of_another_site_reaches_a_session(api: WholeApi, route: Route, kind: str) -> None:
    """What other sites can have a browser send without asking is a form; JSON they would have to ask for."""
    headers = {"Content-Type": kind} if kind else {}
    event = api.event(route, body='{"email": "anna@example.com", "password": "x"}', headers=headers)
    event["headers"] = headers
    answer = ApiClient(handler_of("console")).call(event)
    assert (answer.status, answer.error["code"]) == (415, "unsupported_media_type")
    assert "Set-Cookie" not in answer.headers


def test_a_session_is_a_new_one_whatever_cookie_came_along(api: WholeApi) -> None:
    """Nobody is signed in to a session that somebody else has prepared."""
    body = {"email": EMAIL, "password": PASSWORD}
    first = api.ask(("POST", "/session"), body=body).headers["Set-Cookie"]
    planted = first.partition(";")[0].partition("=")[0] + "=planted"
    second = api.ask(("POST", "/session"), body=body, headers={"Cookie": planted}).headers["Set-Cookie"]
    assert "planted" not in second
    for cookie in (first, second):
        attributes = {part.strip() for part in cookie.split(";")[1:]}
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= attributes
        assert not [attribute for attribute in attributes if attribute.startswith("Domain")]
