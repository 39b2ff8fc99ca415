"""Reading mail over the API: lists and searches, a message, its files, and what nobody else reaches."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from functions.accounts import handler as accounts_function
from functions.messages import handler as function
from popfetch.domain.message import Delivery, DeliveryState, Refusal
from popfetch.domain.message_identity import id_of_sent
from popfetch.runtime import wiring_messages
from tests.builders.accounts import NOON, OTHER_OWNER, OWNER
from tests.builders.api import Answer, ApiClient, a_body, an_event, lines_of
from tests.builders.aws import Aws
from tests.builders.hostile_mail import a_part, html_mail, parts
from tests.builders.journals import log_of
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.stored_messages import PNG, a_message, store
from tests.builders.wiring import forget_wiring

client = ApiClient(function)
accounts = ApiClient(accounts_function)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.setattr(function.journal.metrics.provider, "namespace", "popfetch")
    return log_of(monkeypatch, function, accounts_function)


@pytest.fixture
def kept(stack: Aws, log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeptAccounts]:
    kept = KeptAccounts(stack)
    monkeypatch.setattr(accounts_function, "accounts_service", lambda _: kept.accounts)
    monkeypatch.setattr(function, "reading", kept.reading)
    yield kept
    kept.remove_all()


@pytest.fixture
def account(kept: KeptAccounts) -> str:
    account_id: str = accounts.request("POST", "/accounts", a_body()).json["id"]
    return account_id


@pytest.fixture
def other_account(kept: KeptAccounts) -> str:
    account_id: str = accounts.request("POST", "/accounts", a_body(incoming__username="second")).json["id"]
    return account_id


def get(path: str, *, accept: str = "", **changes: Any) -> Answer:
    event = an_event("GET", path, **changes)
    if accept:
        event["headers"] = {"Accept": accept}
    return client.call(event)


def search(account: str, **query: str) -> list[str]:
    """The subjects of what is found."""
    event = an_event("GET", f"/accounts/{account}/messages")
    event["queryStringParameters"] = query
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()}
    answer = client.call(event)
    assert answer.status == 200, answer.text
    return [message["subject"] for message in answer.json["messages"]]


class TestTheList:
    def test_shows_what_the_index_knows(self, stack: Aws, account: str) -> None:
        stored = store(stack, a_message(), account_id=account)
        answer = get(f"/accounts/{account}/messages")
        assert answer.status == 200
        assert answer.json == {
            "messages": [
                {
                    "id": stored.message_id,
                    "account_id": account,
                    "sender": {"name": "Bert Böhm", "address": "bert@example.org"},
                    "recipients": [],
                    "subject": "Cuộc họp thứ Hai",
                    "dated": "2026-11-23T11:59:00Z",
                    "arrived": "2026-11-23T12:00:00Z",
                    "stored_at": "2026-11-23T12:00:00Z",
                    "octets": stored.octets,
                    "delivery": None,
                }
            ],
            "cursor": None,
            "searched_to": None,
        }

    def test_of_all_accounts_is_one_the_newest_first(self, stack: Aws, account: str, other_account: str) -> None:
        for number in range(6):
            content = a_message(subject=f"Message {number}", arrived=NOON - timedelta(hours=number))
            store(stack, content, account_id=(account, other_account)[number % 2])
        first = get("/messages?limit=4").json
        assert [message["subject"] for message in first["messages"]] == [f"Message {number}" for number in range(4)]
        assert first["searched_to"] == "2026-11-23T09:00:00Z"
        second = get(f"/messages?limit=4&cursor={first['cursor']}").json
        assert [message["subject"] for message in second["messages"]] == ["Message 4", "Message 5"]
        assert second["cursor"] is None

    def test_shows_to_whom_mail_was_sent_from_here(self, stack: Aws, account: str) -> None:
        refused = Refusal("carl@example.net", "temporary", "Later.", "4.2.1 later")
        delivery = Delivery(DeliveryState.SENT, ("dora@example.net",), (refused,))
        sent = store(
            stack,
            a_message(sender="Anna, at work <anna@example.com>"),
            account_id=account,
            message_id=id_of_sent(NOON, b"1234567890"),
            delivery=delivery,
            sender="Anna, at work <anna@example.com>",
        )
        (row,) = get(f"/accounts/{account}/messages?kind=sent").json["messages"]
        assert (row["recipients"], row["delivery"]) == (["dora@example.net"], "sent")
        assert row["sender"] == {"name": "Anna, at work", "address": "anna@example.com"}
        assert get(f"/accounts/{account}/messages?kind=received").json["messages"] == []
        assert get(f"/accounts/{account}/messages/{sent.message_id}").json["delivery"] == {
            "state": "sent",
            "recipients": ["dora@example.net"],
            "refused": [
                {"address": "carl@example.net", "code": "temporary", "message": "Later.", "server_said": "4.2.1 later"}
            ],
        }

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"q": "cuoc hop"}, True),
            ({"q": "HỌP bert"}, True),
            ({"q": "bohm  hai"}, True),
            ({"q": "cuoc nothing"}, False),
            ({"sender": "böhm"}, True),
            ({"sender": "example.org"}, True),
            ({"sender": "hop"}, False),
            ({"subject": "thu hai"}, True),
            ({"subject": "bert"}, False),
            ({"q": "cuoc", "sender": "carl"}, False),
            ({"since": "2026-11-23"}, True),
            ({"since": "2026-11-23T12:00:00Z"}, True),
            ({"since": "2026-11-23T19:00:00.001+07:00"}, False),
            ({"before": "2026-11-23"}, False),
            ({"before": "2026-11-23T12:00:00Z"}, False),
            ({"before": "2026-11-24"}, True),
            ({"since": "2026-11-24", "before": "2026-11-01"}, False),
        ],
    )
    def test_is_searched_without_case_and_diacritics(
        self, stack: Aws, account: str, query: dict[str, str], found: bool
    ) -> None:
        store(stack, a_message(), account_id=account)
        assert search(account, **query) == (["Cuộc họp thứ Hai"] if found else [])

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=x", "limit"),
            ("kind=drafts", "kind"),
            ("since=yesterday", "since"),
            ("before=2026-13-01", "before"),
            ("since=0001-01-01T00:00:00%2B14:00", "since"),
            (f"q={'x' * 201}", "q"),
            (f"cursor={'x' * 201}", "cursor"),
        ],
    )
    def test_refuses_what_does_not_fit(self, account: str, query: str, field: str) -> None:
        for path in ("/messages", f"/accounts/{account}/messages"):
            event = an_event("GET", path)
            name, _, value = query.partition("=")
            event["queryStringParameters"] = {name: value.replace("%2B", "+")}
            event["multiValueQueryStringParameters"] = {name: [value.replace("%2B", "+")]}
            answer = client.call(event)
            assert answer.status == 422, query
            assert field in answer.problems

    @pytest.mark.parametrize("cursor", ["", "x", "AAAA", "%", "T1dORVIjMQ", "é"])
    def test_refuses_a_cursor_that_no_page_gave(self, account: str, cursor: str) -> None:
        for path in ("/messages", f"/accounts/{account}/messages"):
            event = an_event("GET", path)
            event["multiValueQueryStringParameters"] = {"cursor": [cursor]}
            event["queryStringParameters"] = {"cursor": cursor}
            answer = client.call(event)
            assert (answer.status, answer.error["code"]) == (422, "invalid_cursor")

    def test_of_nobody_is_empty(self, kept: KeptAccounts) -> None:
        assert get("/messages").json == {"messages": [], "cursor": None, "searched_to": None}


class TestAMessage:
    def test_is_shown_whole(self, stack: Aws, account: str) -> None:
        stored = store(stack, a_message(), account_id=account)
        answer = get(f"/accounts/{account}/messages/{stored.message_id}")
        assert answer.status == 200
        message = answer.json
        headers = {header["name"]: header["value"] for header in message.pop("headers")}
        assert headers["Subject"] == "Cuộc họp thứ Hai"
        html = message.pop("html")
        assert "data:image/png;base64," in html
        assert "pixel" not in html
        assert message == {
            "id": stored.message_id,
            "account_id": account,
            "octets": stored.octets,
            "dated": "2026-11-23T11:59:00Z",
            "arrived": "2026-11-23T12:00:00Z",
            "stored_at": "2026-11-23T12:00:00Z",
            "sha256": stored.sha256.hex(),
            "subject": "Cuộc họp thứ Hai",
            "header_message_id": "<1@example.org>",
            "from": [{"name": "Bert Böhm", "address": "bert@example.org"}],
            "to": [{"name": "Anna", "address": "anna@example.com"}],
            "cc": [],
            "bcc": [],
            "reply_to": [],
            "text": "Xin chào Anna!\n",
            "remote_images": 1,
            "attachments": [
                {
                    "id": "1.2.2",
                    "filename": "logo.png",
                    "content_type": "image/png",
                    "octets": len(PNG),
                    "inline": True,
                },
                {
                    "id": "2",
                    "filename": "Hoá đơn.pdf",
                    "content_type": "application/pdf",
                    "octets": 8,
                    "inline": False,
                },
            ],
            "delivery": None,
            "problems": [],
        }

    def test_has_remote_images_where_they_are_asked_for(self, stack: Aws, account: str) -> None:
        stored = store(stack, a_message(), account_id=account)
        message = get(f"/accounts/{account}/messages/{stored.message_id}?images=shown").json
        assert '<img src="https://example.org/pixel.png">' in message["html"]
        assert message["remote_images"] == 1
        assert get(f"/accounts/{account}/messages/{stored.message_id}?images=maybe").status == 422

    def test_is_made_harmless(self, stack: Aws, account: str) -> None:
        stored = store(stack, html_mail(), account_id=account)
        message = get(f"/accounts/{account}/messages/{stored.message_id}").json
        for gone in ("script", "alert", "evil", "onerror", "javascript", "iframe", "form", "base", "fixed", "@import"):
            assert gone not in message["html"]
        assert message["text"] is None

    def test_of_another_owner_is_not_found(self, kept: KeptAccounts, stack: Aws, account: str) -> None:
        stored = store(stack, a_message(), account_id=account)
        theirs = accounts.request("POST", "/accounts", a_body(), owner=OTHER_OWNER).json["id"]
        path = f"/accounts/{account}/messages/{stored.message_id}"
        for asked in (path, f"{path}/raw", f"{path}/attachments/2", f"/accounts/{account}/messages"):
            answer = get(asked, owner=OTHER_OWNER)
            assert (answer.status, answer.error["code"]) == (404, "account_not_found")
        answer = get(f"/accounts/{theirs}/messages/{stored.message_id}", owner=OTHER_OWNER)
        assert (answer.status, answer.error["code"]) == (404, "message_not_found")
        assert get("/messages", owner=OTHER_OWNER).json["messages"] == []

    @pytest.mark.parametrize("message_id", ["x", "0" * 26, "MESSAGE%23", "..", "0" * 25 + "u", "é"])
    def test_that_is_none_is_not_found(self, account: str, message_id: str) -> None:
        for end in ("", "/raw", "/attachments/1"):
            answer = get(f"/accounts/{account}/messages/{quote(message_id)}{end}")
            assert (answer.status, answer.error["code"]) == (404, "message_not_found")

    def test_whose_octets_are_gone_is_not_found(self, stack: Aws, account: str) -> None:
        stored = store(stack, a_message(), account_id=account)
        stack.s3.delete_object(Bucket=stack.bucket, Key=stored.key)
        answer = get(f"/accounts/{account}/messages/{stored.message_id}")
        assert (answer.status, answer.error["code"]) == (404, "message_not_found")

    def test_of_no_octets_is_shown_all_the_same(self, stack: Aws, account: str) -> None:
        stored = store(stack, b"", account_id=account)
        assert get(f"/accounts/{account}/messages/{stored.message_id}").json["text"] == ""


class TestFiles:
    def led_to(self, stack: Aws, url: str) -> tuple[bytes, dict[str, str]]:
        """What an address gives, and what it makes of it."""
        parts = urlsplit(url)
        key = parts.path.removeprefix(f"/{stack.bucket}").removeprefix("/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert "X-Amz-Signature" in query
        assert int(query["X-Amz-Expires"]) <= 300
        return stack.s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read(), query

    def test_of_the_message_is_what_was_stored(self, stack: Aws, account: str) -> None:
        content = a_message()
        stored = store(stack, content, account_id=account)
        answer = get(f"/accounts/{account}/messages/{stored.message_id}/raw")
        assert (answer.status, answer.text) == (303, "")
        octets, query = self.led_to(stack, answer.headers["Location"])
        assert octets == content
        assert query["response-content-disposition"] == (
            "attachment; filename=\"Cuoc hop thu Hai.eml\"; filename*=UTF-8''"
            "Cu%E1%BB%99c%20h%E1%BB%8Dp%20th%E1%BB%A9%20Hai.eml"
        )
        assert query["response-content-type"] == "message/rfc822"

    def test_of_an_attachment_is_out_of_its_encoding(self, stack: Aws, account: str) -> None:
        stored = store(stack, a_message(), account_id=account)
        answer = get(f"/accounts/{account}/messages/{stored.message_id}/attachments/2")
        assert answer.status == 303
        octets, query = self.led_to(stack, answer.headers["Location"])
        assert octets == b"%PDF-1.7"
        assert query["response-content-disposition"].startswith('attachment; filename="Hoa don.pdf"; ')
        assert f"/attachments/{OWNER}/{account}/{stored.message_id}/2" in answer.headers["Location"]

    @pytest.mark.parametrize("file", ["raw", "attachments/1.2.2"])
    def test_can_be_asked_for_by_address(self, stack: Aws, account: str, file: str) -> None:
        stored = store(stack, a_message(), account_id=account)
        answer = get(f"/accounts/{account}/messages/{stored.message_id}/{file}", accept="application/json")
        assert answer.status == 200
        assert answer.json["expires_at"] == "2026-11-23T12:05:00Z"
        assert answer.headers["Cache-Control"] == "no-store"
        self.led_to(stack, answer.json["url"])

    @pytest.mark.parametrize(
        "content_type", ["text/html", "image/svg+xml", "application/javascript", "text/xml", "application/xhtml+xml"]
    )
    def test_that_could_run_are_octets_to_a_browser(self, stack: Aws, account: str, content_type: str) -> None:
        evil = a_part(b"<script>alert(1)</script>", content_type.encode(), b"Content-Disposition: attachment")
        stored = store(stack, parts(a_part(b"Hello"), evil), account_id=account)
        url = get(f"/accounts/{account}/messages/{stored.message_id}/attachments/2").headers["Location"]
        _, query = self.led_to(stack, url)
        assert query["response-content-type"] == "application/octet-stream"

    @pytest.mark.parametrize("attachment_id", ["9", "0", "1.1", "x", "..", "1.", "1/2", "9" * 200])
    def test_that_are_none_are_not_found(self, stack: Aws, account: str, attachment_id: str) -> None:
        stored = store(stack, a_message(), account_id=account)
        path = f"/accounts/{account}/messages/{stored.message_id}/attachments/{attachment_id}"
        answer = get(path)
        assert answer.status == 404
        assert answer.error["code"] in {"attachment_not_found", "route_not_found"}
        assert stack.s3.list_objects_v2(Bucket=stack.bucket, Prefix=f"attachments/{OWNER}/{account}/")["KeyCount"] == 0


def test_nothing_of_the_mail_is_logged(stack: Aws, account: str, log: io.StringIO) -> None:
    stored = store(stack, a_message(subject="Private matter"), account_id=account)
    path = f"/accounts/{account}/messages"
    for asked in (path, f"{path}?q=private", f"{path}/{stored.message_id}", f"{path}/{stored.message_id}/raw"):
        get(asked)
    get(f"{path}/{stored.message_id}/attachments/2")
    assert len([line for line in lines_of(log) if line["message"] == "request answered"]) == 6
    for private in ("Private", "private", "bert", "Hello", "X-Amz", "Hoá", "https://"):
        assert private not in log.getvalue()


def test_the_wiring_reads_from_the_stack(stack: Aws, monkeypatch: pytest.MonkeyPatch, log: io.StringIO) -> None:
    monkeypatch.setenv("POPFETCH_TABLE_NAME", stack.table)
    monkeypatch.setenv("POPFETCH_MAIL_BUCKET_NAME", stack.bucket)
    forget_wiring()
    try:
        assert wiring_messages.reading(function.journal).mail is not None
        assert get("/messages").json["messages"] == []
    finally:
        forget_wiring()
