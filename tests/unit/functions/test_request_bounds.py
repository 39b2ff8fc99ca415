"""No request is without bounds: each field of each body, each parameter, and the body as a whole.

The fields and parameters are read from the API's description; each is sent larger than anything that is meant, to the
function that reads it, so that what the description says is what is enforced.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from popfetch.api.description import read_description
from popfetch.api.errors import MOST_PROBLEMS
from popfetch.api.resolver import LONGEST_BODY, answer
from tests.builders.accounts import an_account_id
from tests.builders.api import Answer, a_body
from tests.builders.aws import Aws
from tests.builders.whole_api import Route, WholeApi, functions_by_route, handler_of

TOO_LONG = "a" * 70_000
MEANT_TO_BE_LARGE = {"text": 2_100_000, "html": 2_100_000, "content": 6_100_000}
"""What a mail may hold, in characters, and a little more."""

TOO_MANY = 1_000
KNOWN = read_description()["components"]["schemas"]
NOT_FOUND_FOR_ITS_FORM = frozenset({"account_id", "message_id", "attachment_id", "name"})
"""What is in the path: what has another form is not there, as what does not exist."""


def operation(route: Route) -> dict[str, Any]:
    described: dict[str, Any] = read_description()["paths"][route[1]][route[0].lower()]
    return described


def leaves(schema: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """The strings, lists and numbers in a body: where each is, and what it is; ``[]`` is within a list."""
    if "$ref" in schema:
        yield from leaves(KNOWN[schema["$ref"].rpartition("/")[2]], above)
    for inner in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from leaves(inner, above)
    for name, inner in schema.get("properties", {}).items():
        yield from leaves(inner, (*above, name))
    if schema.get("type") == "array":
        yield above, "list"
        yield from leaves(schema["items"], (*above, "[]"))
    elif schema.get("type") in {"string", "integer", "number"} and "const" not in schema:
        yield above, schema["type"]


def bodies() -> list[tuple[Route, tuple[str, ...], str]]:
    found = []
    for route in sorted(functions_by_route()):
        for content in operation(route).get("requestBody", {}).get("content", {}).values():
            found += [(route, place, kind) for place, kind in dict.fromkeys(leaves(content["schema"])) if place]
    return found


def parameters(where: str) -> list[tuple[Route, str]]:
    return [
        (route, parameter["name"])
        for route in sorted(functions_by_route())
        for parameter in operation(route).get("parameters", ())
        if parameter["in"] == where
    ]


BODIES, QUERIES, HEADERS, PATHS = bodies(), parameters("query"), parameters("header"), parameters("path")


@pytest.fixture(scope="module")
def api(stack: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeApi]:
    with pytest.MonkeyPatch.context() as patch:
        api = WholeApi(stack)
        api.wire(patch, tmp_path_factory.mktemp("site"))
        # that the whole of a body is bounded would hide that a field is not
        answer_by(
            patch, lambda app, journal, event, context, **_: answer(app, journal, event, context, longest_body=None)
        )
        yield api


def answer_by(patch: pytest.MonkeyPatch, answering: Callable[..., Any]) -> None:
    for folder in set(functions_by_route().values()):
        patch.setattr(handler_of(folder), "answer", answering)


def within(place: tuple[str, ...], value: Any) -> Any:
    """A body that has a value at a place, and nothing else."""
    for name in reversed(place):
        value = [value] if name == "[]" else {name: value}
    return value


def path_ids(route: Route) -> dict[str, str]:
    names = [part.strip("{}") for part in route[1].split("/") if part.startswith("{")]
    return {name: an_account_id() for name in names}


def refused_for(answered: Answer, field: str) -> bool:
    assert answered.status == 422, answered.text[:300]
    return any(found == field or found.startswith(f"{field}.") for found in answered.problems)


def test_there_is_something_to_be_bounded() -> None:
    assert (("POST", "/accounts"), ("incoming", "host"), "string") in BODIES
    assert (("POST", "/accounts/{account_id}/send"), ("attachments", "[]", "content"), "string") in BODIES
    assert (("PUT", "/accounts/order"), ("account_ids",), "list") in BODIES
    assert (("GET", "/messages"), "q") in QUERIES


@pytest.mark.parametrize(("route", "place", "kind"), BODIES, ids=str)
def test_a_field_of_a_body_is_bounded(api: WholeApi, route: Route, place: tuple[str, ...], kind: str) -> None:
    too_long = "a" * MEANT_TO_BE_LARGE.get(place[-1], len(TOO_LONG))
    far_off: dict[str, list[Any]] = {
        "string": [too_long],
        "list": [["x"] * TOO_MANY],
        "integer": [10**300, -(10**300)],
    }
    for too_large in far_off[kind]:
        answered = api.ask(route, path_ids(route), within(place, too_large))
        assert refused_for(answered, ".".join(name for name in place if name != "[]").split(".")[0])
        assert len(answered.text) < 20_000


@pytest.mark.parametrize(("route", "name"), QUERIES, ids=str)
def test_a_parameter_of_a_query_is_bounded(api: WholeApi, route: Route, name: str) -> None:
    answered = api.ask(route, path_ids(route), query={name: TOO_LONG})
    if route[1] == "/reply-to/confirm":
        assert answered.status == 410, "whoever has a link gets a page"
    else:
        assert refused_for(answered, name)
    assert len(answered.text) < 20_000


@pytest.mark.parametrize(("route", "name"), HEADERS, ids=str)
def test_a_header_is_bounded(api: WholeApi, route: Route, name: str) -> None:
    body = {"to": ["bert@example.org"]} if route[1].endswith("/send") else {"name": "x"}
    answered = api.ask(route, path_ids(route), body, headers={name: TOO_LONG})
    assert answered.status in {400, 422}
    assert len(answered.text) < 20_000


@pytest.mark.parametrize(("route", "name"), PATHS, ids=str)
def test_an_id_in_a_path_is_bounded(api: WholeApi, route: Route, name: str) -> None:
    """And that before anything is looked up: keys of the table have limits of their own."""
    body = {"POST": {"octets": 1, "to": ["a@example.org"], "device_flow_id": "A" * 43, "callback_url": "x"}}
    fitting = {leaf[0] for found, leaf, _ in BODIES if found == route}
    sent = {field: value for field, value in body["POST"].items() if field in fitting} if fitting else None
    for method_route, needed in NEEDED.items():
        sent = needed if route == method_route else sent
    answered = api.ask(route, {**path_ids(route), name: "a" * 8_000}, sent)
    assert name in NOT_FOUND_FOR_ITS_FORM
    assert answered.status == 404, answered.text[:300]
    assert len(answered.text) < 20_000


NEEDED: dict[Route, Any] = {
    ("PATCH", "/accounts/{account_id}"): {"name": "x"},
    ("PUT", "/accounts/{account_id}/password/incoming"): {"password": "x"},
    ("PUT", "/accounts/{account_id}/password/outgoing"): {"password": "x"},
    ("PUT", "/accounts/{account_id}/reply-to"): {"address": "a@example.org"},
    ("POST", "/accounts/{account_id}/oauth/start"): {},
}


def schema_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = KNOWN[name]
    return found


def test_bodies_take_no_other_fields() -> None:
    taken = {
        content["schema"]["$ref"].rpartition("/")[2]
        for route in functions_by_route()
        for content in operation(route).get("requestBody", {}).get("content", {}).values()
        if "$ref" in content["schema"]
    }
    assert taken
    assert [name for name in taken if schema_of(name).get("additionalProperties") is not False] == []


# --- The body as a whole ------------------------------------------------------------------------------------------


@pytest.fixture
def as_it_is(stack: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> WholeApi:
    api = WholeApi(stack)
    api.wire(monkeypatch, tmp_path)
    answer_by(monkeypatch, answer)
    return api


READING = sorted({route for route, _, _ in BODIES} | {("POST", "/session/renew")})


@pytest.mark.parametrize("route", [route for route in READING if not route[1].endswith(("/send", "/uploads"))], ids=str)
def test_a_body_is_bounded_before_it_is_parsed(as_it_is: WholeApi, route: Route) -> None:
    answered = as_it_is.ask(route, path_ids(route), '{"email": "' + "x" * LONGEST_BODY)
    assert (answered.status, answered.error["code"]) == (413, "body_too_large")


def test_what_fits_is_read(as_it_is: WholeApi) -> None:
    padded = json.dumps({**a_body(), "name": 7}).ljust(LONGEST_BODY)
    assert as_it_is.ask(("POST", "/accounts"), body=padded).problems == {"name": "Input should be a valid string"}


def test_of_many_problems_the_first_are_told(api: WholeApi) -> None:
    answered = api.ask(("POST", "/session"), body={f"unknown-{number}": 1 for number in range(20_000)})
    details = answered.error["details"]
    assert len(details["fields"]) == MOST_PROBLEMS
    assert details["more"] == 20_000 + 2 - MOST_PROBLEMS
    assert len(answered.text) < 20_000


@pytest.mark.parametrize(
    "body",
    [
        '{"email": ' + "[" * 20_000,
        '{"email": NaN}',
        '{"email": Infinity}',
        '{"email": -Infinity}',
        '{"email": ' + "9" * 5_000 + "}",
        '{"email": "a@example.com", "email": "b@example.com"}',
        '{"incoming": {"host": "a.example.com", "host": "b.example.com"}}',
        "\ufeff{}",
        '{"email": "\ud800"',
    ],
    ids=lambda body: body[:24],
)
def test_what_is_no_json_or_says_two_things_is_refused(as_it_is: WholeApi, body: str) -> None:
    answered = as_it_is.ask(("POST", "/accounts"), body=body)
    assert (answered.status, answered.error["code"]) == (400, "malformed_body")


@pytest.mark.parametrize("number", ["1e999", "9" * 4_000, "-0.0", "1e-999", "true", '"15"'])
def test_a_number_that_is_none_of_the_menu_is_refused(as_it_is: WholeApi, number: str) -> None:
    body = json.dumps(a_body(fetch__interval_minutes="?")).replace('"?"', number)
    answered = as_it_is.ask(("POST", "/accounts"), body=body)
    assert answered.status == 422
    assert set(answered.problems) == {"fetch.interval_minutes"}
