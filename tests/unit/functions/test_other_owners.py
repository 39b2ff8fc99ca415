"""What belongs to one owner, tried by another at every place of every route: it is not there.

Each attempt is made twice: with what names something of the first owner's, and with the like of it that names nothing.
Both have to be answered alike, and neither may leave a trace in table, bucket, queue or outside. Which routes and
places there are is read from the template and from the API's description, so that a new one that is not tried fails.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import pytest

from popfetch.adapters import keys
from popfetch.adapters.cursors import to_cursor
from popfetch.adapters.cycle_items import finished_cycle_to_item
from popfetch.adapters.dynamodb_items import to_wire
from popfetch.api.description import read_description
from popfetch.api.resolver import PUBLIC
from popfetch.domain.fetch_state import LastFetch, Outcome
from tests.builders.accounts import NOON, OTHER_OWNER, OWNER, an_account_id
from tests.builders.api import Answer, a_body
from tests.builders.aws import Aws
from tests.builders.stored_messages import a_message, store
from tests.builders.whole_api import BASE, Route, WholeApi, functions_by_route

NAMES_NOTHING = frozenset(
    {
        # an account as its owner describes it
        *("email", "name", "verify", "incoming", "outgoing", "fetch", "host", "port", "security", "username", "auth"),
        *("password", "interval_minutes", "max_messages_per_cycle", "catch_up", "start", "order", "after_fetch"),
        *("delete_after_days", "address", "flow", "mail", "images"),
        # what is looked for among one's own, and how much of it
        *("limit", "q", "sender", "subject", "since", "before", "kind"),
        # a mail as its writer has it; Message-IDs and Content-IDs are words in it, by which nothing is found
        *("to", "cc", "bcc", "text", "html", "attachments", "references", "filename", "content_type", "content"),
        *("content_id", "octets"),
        # the version of an account that was found before
        "if-match",
    }
)
"""Fields and parameters by which nothing is found that somebody has."""


@dataclass(frozen=True)
class Named:
    """What requests can name."""

    account_id: str
    message_id: str
    attachment_id: str
    upload_id: str
    device_flow_id: str
    callback_url: str
    messages_cursor: str
    history_cursor: str
    idempotency_key: str


def in_own_account(own: Named, _: Named) -> Mapping[str, str]:
    """One's own account in the path."""
    return {"account_id": own.account_id}


def without(_own: Named, _other: Named) -> Mapping[str, str]:
    """No query, no headers of its own."""
    return {}


def without_a_body(_own: Named, _other: Named) -> Any:
    """Nothing goes along."""
    return None


@dataclass(frozen=True)
class Attempt:
    """One place of a route at which something is named that is another's; the rest of the request is one's own."""

    route: Route
    place: str
    ids: Callable[[Named, Named], Mapping[str, str]] = in_own_account
    body: Callable[[Named, Named], Any] = without_a_body
    query: Callable[[Named, Named], Mapping[str, str]] = without
    headers: Callable[[Named, Named], Mapping[str, str]] = without

    def __str__(self) -> str:
        return f"{self.route[0]} {self.route[1]} {self.place}"

    def made(self, api: WholeApi, own: Named, other: Named) -> Answer:
        """The answer to the second owner."""
        return api.ask(
            self.route,
            self.ids(own, other),
            self.body(own, other),
            query=self.query(own, other),
            headers=self.headers(own, other),
            owner=OTHER_OWNER,
        )


A_MAIL: dict[str, Any] = {"to": ["bert@example.org"], "subject": "Hello", "text": "Hello, Bert."}
A_FILE = {"filename": "a.pdf"}
ACCOUNT, MESSAGE = "/accounts/{account_id}", "/accounts/{account_id}/messages/{message_id}"

BODIES: Mapping[Route, Callable[[Named], Any]] = {
    ("PATCH", ACCOUNT): lambda _: {"name": "Mine now"},
    ("PUT", f"{ACCOUNT}/password/incoming"): lambda _: {"password": "n3w-and-longer"},
    ("PUT", f"{ACCOUNT}/password/outgoing"): lambda _: {"password": "n3w-and-longer"},
    ("PUT", f"{ACCOUNT}/reply-to"): lambda _: {"address": "replies@example.com"},
    ("POST", f"{ACCOUNT}/send"): lambda _: A_MAIL,
    ("POST", f"{ACCOUNT}/uploads"): lambda _: {"octets": 7},
    ("POST", f"{ACCOUNT}/oauth/device"): lambda other: {"device_flow_id": other.device_flow_id},
    ("POST", f"{ACCOUNT}/oauth/finish"): lambda other: {"callback_url": other.callback_url},
}
"""What goes along where an account of another owner's is named in the path: all that would do it to one's own."""


def in_the_path(route: Route) -> Attempt:
    """Another owner's account, with whatever of its own the route names besides."""
    names = [part.strip("{}") for part in route[1].split("/") if part.startswith("{")]
    body = BODIES.get(route)
    return Attempt(
        route,
        "account_id",
        ids=lambda _, other: {name: getattr(other, name) for name in names},
        body=lambda _, other: body(other) if body else None,
    )


def a_mail_with(place: str, content: Callable[[Named, Named], Mapping[str, Any]]) -> Attempt:
    """A mail of one's own account."""
    return Attempt(("POST", f"{ACCOUNT}/send"), place, body=lambda own, other: {**A_MAIL, **content(own, other)})


def a_file(**source: str) -> dict[str, Any]:
    """An attachment by what it comes from."""
    return {"attachments": [{**A_FILE, **source}]}


ATTEMPTS = (
    *(in_the_path(route) for route in sorted(functions_by_route()) if route[1].startswith(ACCOUNT)),
    # --- places beside the account -------------------------------------------------------------------------------
    *(
        Attempt(
            ("GET", f"{MESSAGE}{part}"),
            "message_id",
            ids=lambda own, other: {
                "account_id": own.account_id,
                "message_id": other.message_id,
                "attachment_id": other.attachment_id,
            },
        )
        for part in ("", "/raw", "/attachments/{attachment_id}")
    ),
    Attempt(
        ("GET", f"{MESSAGE}/attachments/{{attachment_id}}"),
        "attachment_id",
        ids=lambda own, other: {
            "account_id": own.account_id,
            "message_id": own.message_id,
            "attachment_id": other.attachment_id,
        },
    ),
    Attempt(("GET", "/messages"), "cursor", query=lambda _, other: {"cursor": other.messages_cursor}),
    Attempt(("GET", f"{ACCOUNT}/messages"), "cursor", query=lambda _, other: {"cursor": other.messages_cursor}),
    Attempt(("GET", f"{ACCOUNT}/history"), "cursor", query=lambda _, other: {"cursor": other.history_cursor}),
    Attempt(("PUT", "/accounts/default"), "account_id", body=lambda _, other: {"account_id": other.account_id}),
    Attempt(
        ("PUT", "/accounts/order"),
        "account_ids",
        body=lambda own, other: {"account_ids": [other.account_id, own.account_id]},
    ),
    Attempt(
        ("POST", f"{ACCOUNT}/oauth/device"),
        "device_flow_id",
        body=lambda _, other: {"device_flow_id": other.device_flow_id},
    ),
    Attempt(
        ("POST", f"{ACCOUNT}/oauth/finish"),
        "callback_url",
        body=lambda _, other: {"callback_url": other.callback_url},
    ),
    a_mail_with("in_reply_to", lambda _, other: {"in_reply_to": other.message_id}),
    a_mail_with("attachments.upload_id", lambda _, other: a_file(upload_id=other.upload_id)),
    a_mail_with("attachments.message_id", lambda _, other: a_file(message_id=other.message_id)),
    a_mail_with(
        "attachments.account_id",
        lambda _, other: a_file(message_id=other.message_id, account_id=other.account_id),
    ),
    a_mail_with(
        "attachments.attachment_id",
        lambda own, other: a_file(message_id=own.message_id, attachment_id=other.attachment_id),
    ),
    # what is one's own is found by the account's own keys; see test_a_key_of_another_owner_is_a_new_one
    Attempt(
        ("POST", f"{ACCOUNT}/send"),
        "idempotency-key",
        body=lambda own, other: {**A_MAIL, "in_reply_to": other.message_id},
        headers=lambda _, other: {"Idempotency-Key": other.idempotency_key},
    ),
)


# --- What there is to be tried ------------------------------------------------------------------------------------


def schemas_in(schema: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A schema, and those that it is put together from."""
    if "$ref" in schema:
        yield from schemas_in(known[schema["$ref"].rpartition("/")[2]], known)
        return
    yield schema
    for inner in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from schemas_in(inner, known)
    if "items" in schema:
        yield from schemas_in(schema["items"], known)


def fields_of(schema: Mapping[str, Any], known: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The fields of a body, each behind those that it is within."""
    for part in schemas_in(schema, known):
        for name, inner in part.get("properties", {}).items():
            yield f"{above}{name}"
            yield from fields_of(inner, known, f"{above}{name}.")


def places_of(route: Route) -> set[str]:
    """The places of a route by which something may be found that somebody has."""
    description = read_description()
    method, path = route
    operation = description["paths"][path][method.lower()]
    known = description["components"]["schemas"]
    found = {parameter["name"] for parameter in operation.get("parameters", ())}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        found |= set(fields_of(content["schema"], known))
    return {place for place in found if place.rpartition(".")[2] not in NAMES_NOTHING}


def test_every_place_of_every_route_is_tried() -> None:
    asking = {route for route in functions_by_route() if route not in PUBLIC}
    tried = {(attempt.route, attempt.place) for attempt in ATTEMPTS}
    assert {(route, place) for route in asking for place in places_of(route)} == tried


def test_a_place_that_is_not_known_would_be_found() -> None:
    assert places_of(("POST", f"{ACCOUNT}/send")) == {
        "account_id",
        "in_reply_to",
        "idempotency-key",
        "attachments.upload_id",
        "attachments.message_id",
        "attachments.attachment_id",
        "attachments.account_id",
    }


# --- Trying it ----------------------------------------------------------------------------------------------------


def somebodys(api: WholeApi, owner: str, name: str, content: bytes, at: datetime) -> Named:
    """An owner with one of everything that can be named."""
    added = api.ask(("POST", "/accounts"), body=a_body(name=name, incoming__username=name), owner=owner)
    account_id = added.json["id"]
    ids = {"account_id": account_id}
    message = store(api.stack, content, account_id=account_id, owner_id=owner)
    account = api.kept.table.get(owner, account_id).account
    cycle = finished_cycle_to_item(
        account, "0123456789abcdef", LastFetch(started_at=at, finished_at=at, outcome=Outcome.STORED, stored=1)
    )
    api.stack.dynamodb.put_item(TableName=api.stack.table, Item=to_wire(cycle))
    upload = api.ask(("POST", f"{ACCOUNT}/uploads"), ids, {"octets": 7}, owner=owner).json["upload_id"]
    api.stack.s3.put_object(Bucket=api.stack.bucket, Key=keys.upload_object(owner, upload), Body=b"7 octet")
    asked = api.ask(("POST", f"{ACCOUNT}/oauth/start"), ids, {}, owner=owner).json
    device = api.ask(("POST", f"{ACCOUNT}/oauth/start"), ids, {"flow": "device"}, owner=owner).json
    key = f"the-key-of-{name}"
    sent = api.ask(
        ("POST", f"{ACCOUNT}/send"), ids, {**A_MAIL, "subject": name}, headers={"Idempotency-Key": key}, owner=owner
    )
    assert sent.status == 200, sent.text
    assert api.ask(("PUT", f"{ACCOUNT}/reply-to"), ids, {"address": f"{name}@example.net"}, owner=owner).status == 200
    return Named(
        account_id=account_id,
        message_id=message.message_id,
        attachment_id="2",
        upload_id=upload,
        device_flow_id=device["device_flow_id"],
        callback_url=api.kept.servers.callback(asked["authorization_url"]),
        messages_cursor=to_cursor(f"{message.message_id}.{account_id}"),
        history_cursor=to_cursor(keys.finished_cycle_name(cycle[keys.SORT])),
        idempotency_key=key,
    )


@dataclass(frozen=True)
class Owners:
    """Two owners as they were before anything was tried."""

    api: WholeApi
    first: Named
    second: Named
    items: Mapping[tuple[str, str], Any]
    codes: Mapping[str, Any]

    def as_they_were(self) -> None:
        """Put back what an attempt has changed."""
        client, table = self.api.stack.dynamodb, self.api.stack.table
        now = items_of(self.api.stack)
        for key, item in now.items():
            if key not in self.items:
                client.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})
        for key, item in self.items.items():
            if now.get(key) != item:
                client.put_item(TableName=table, Item=item)
        self.api.kept.servers._codes = dict(self.codes)


def items_of(stack: Aws) -> dict[tuple[str, str], Any]:
    """The table's items, by their keys."""
    items: list[Any] = stack.dynamodb.scan(TableName=stack.table)["Items"]
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in items}


@pytest.fixture(scope="module")
def owners(stack: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owners]:
    """Two owners, made once: what is tried is meant to change nothing."""
    with pytest.MonkeyPatch.context() as patch:
        api = WholeApi(stack)
        api.wire(patch, tmp_path_factory.mktemp("site"))
        a_minute_later = NOON + timedelta(minutes=1)
        with_a_file = a_message(subject="The first owner's subject", arrived=a_minute_later)
        first = somebodys(api, OWNER, "first", with_a_file, a_minute_later)
        second = somebodys(api, OTHER_OWNER, "second", a_message(subject="Another", filename="", html=""), NOON)
        yield Owners(api, first, second, items_of(stack), dict(api.kept.servers._codes))


@pytest.fixture
def api(owners: Owners) -> WholeApi:
    owners.as_they_were()
    return owners.api


@pytest.fixture
def first(owners: Owners) -> Named:
    """The first owner's, whose message has a file."""
    return owners.first


@pytest.fixture
def second(owners: Owners) -> Named:
    """The second owner's, whose message has none and is older."""
    return owners.second


@pytest.fixture
def nobodys(first: Named) -> Named:
    """Well-formed, and there is no such thing; cursors are at the place of the first owner's."""
    return Named(
        account_id=an_account_id(777),
        message_id="01m1emr7v8x4c5dvjr82c9c4dw",
        attachment_id="7",
        upload_id="A" * 22,
        device_flow_id="A" * 43,
        callback_url=f"{BASE}/oauth/callback?code=code-1&state={'A' * 43}&iss=https%3A%2F%2Fid.example.com",
        messages_cursor=to_cursor(f"{first.message_id}.{an_account_id(777)}"),
        history_cursor=to_cursor("2026-11-23T12:01:00.000000Z#fedcba9876543210"),
        idempotency_key="nobody-has-used-this",
    )


def without_names(answer: Answer, named: Named) -> tuple[int, dict[str, str], str]:
    """An answer without what the request has named, which it may repeat."""
    text, headers = answer.text, json.dumps(answer.headers, sort_keys=True)
    for name in sorted((getattr(named, one.name) for one in fields(named)), key=len, reverse=True):
        if len(name) > 1:
            text, headers = text.replace(name, "?"), headers.replace(name, "?")
    return answer.status, json.loads(headers), text


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=str)
def test_what_is_another_owners_is_not_there(
    api: WholeApi, first: Named, second: Named, nobodys: Named, attempt: Attempt
) -> None:
    before = api.everything()
    for_nothing = without_names(attempt.made(api, second, nobodys), nobodys)
    assert without_names(attempt.made(api, second, first), first) == for_nothing
    assert api.everything() == before
    if attempt.place == "cursor":
        assert for_nothing[0] == 200
        assert not for_nothing[2].startswith(('{"messages":[]', '{"cycles":[]')), "one's own is shown from there on"
    else:
        assert for_nothing[0] in {404, 410, 422}, for_nothing


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=str)
def test_the_same_is_there_for_whom_it_belongs_to(api: WholeApi, first: Named, second: Named, attempt: Attempt) -> None:
    """Otherwise an attempt that is refused for its form would pass for one that is refused for its owner."""
    answer = attempt.made(api, second, second)
    if attempt.route == ("PUT", "/accounts/order"):
        assert (answer.status, answer.error["code"]) == (422, "invalid_order"), "one account, named twice"
    elif attempt.place == "idempotency-key":
        assert (answer.status, answer.error["code"]) == (422, "idempotency_key_reused")
    elif attempt.place == "attachments.attachment_id" or attempt.route[1].endswith("/attachments/{attachment_id}"):
        owned = api.ask(("GET", f"{MESSAGE}/attachments/{{attachment_id}}"), vars(first))
        assert owned.status == 303, "the first owner's message has such a file, the second one's has none"
    else:
        assert answer.status < 400, answer.text


@pytest.mark.parametrize(
    "route", sorted(route for route in functions_by_route() if route not in PUBLIC and route[0] == "GET"), ids=str
)
def test_what_is_asked_for_by_no_name_shows_nothing_of_another_owners(
    api: WholeApi, first: Named, second: Named, route: Route
) -> None:
    query = {"email": "anna@example.com"} if route[1].endswith("/lookup") else {}
    answer = api.ask(route, {**vars(second), "attachment_id": "2"}, query=query, owner=OTHER_OWNER)
    assert answer.status in {200, 303} or route[1].endswith("/{attachment_id}"), answer.text
    shown = answer.text + str(answer.headers)
    for name in (OWNER, first.account_id, first.message_id, first.upload_id, "The first owner's subject", "first@"):
        assert name not in shown


def test_a_mailbox_that_another_owner_has_added_is_not_known(api: WholeApi, first: Named) -> None:
    again = a_body(name="first", incoming__username="first")
    assert api.ask(("POST", "/accounts"), body=again).status == 409
    assert api.ask(("POST", "/accounts"), body=again, owner=OTHER_OWNER).status == 201


def test_a_key_of_another_owner_is_a_new_one(api: WholeApi, first: Named, second: Named) -> None:
    """The same mail under the same key: sent for the first owner, and sent anew for the second."""
    taken = len(api.kept.outgoing.taken)
    route, key = ("POST", f"{ACCOUNT}/send"), {"Idempotency-Key": first.idempotency_key}
    mail = {**A_MAIL, "subject": "first"}
    again = api.ask(route, vars(first), mail, headers=key)
    assert again.status == 200
    assert len(api.kept.outgoing.taken) == taken
    anew = api.ask(route, vars(second), mail, headers=key, owner=OTHER_OWNER)
    assert anew.status == 200
    assert len(api.kept.outgoing.taken) == taken + 1
    assert anew.json["message_id"] != again.json["message_id"]


def test_nobody_who_is_not_signed_in_is_asked_for_anything_else_first(api: WholeApi, first: Named) -> None:
    """The gateway lets nobody through; were it not there, the functions would not either."""
    before = api.everything()
    for attempt in ATTEMPTS:
        answer = api.ask(attempt.route, attempt.ids(first, first), attempt.body(first, first), owner="")
        assert (answer.status, answer.error["code"]) == (401, "unauthorized"), attempt
    assert api.everything() == before
