"""Reading over the deployed API, with the permissions that its role has: what was collected, and nobody else's.

The tests build on each other, in their order.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from infra.local.api import Api, ApiRefused, account_body
from infra.local.demo_server import DemoServer
from infra.local.mailbox import first_delivery, later_delivery
from infra.local.owner import Owner
from tests.flow.conftest import LocalStack
from tests.flow.waiting import wait_for

pytestmark = pytest.mark.flow

COUNTS = (len(first_delivery()), 5)
"""How many messages wait in the first mailbox, and in the second."""


@dataclass(frozen=True)
class Mailbox:
    """An account, and the server that it is collected from."""

    server: DemoServer
    account_id: str

    @property
    def path(self) -> str:
        return f"/accounts/{self.account_id}"


@dataclass(frozen=True)
class Reader:
    """An owner of two mailboxes, all of whose mail is collected."""

    stack: LocalStack
    owner: Owner
    first: Mailbox
    second: Mailbox

    @property
    def api(self) -> Api:
        return self.stack.api_of(self.owner)

    def page(self, path: str = "/messages", **query: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.get(f"{path}?{urlencode(query)}")
        return answer

    def found(self, path: str = "/messages", **query: Any) -> list[dict[str, Any]]:
        """All the messages that answer, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self.page(path, **query, **({"cursor": cursor} if cursor else {}))
            found += page["messages"]
            cursor = page["cursor"]
        return found

    def one(self, subject: str) -> str:
        """The path of the newest message of the first mailbox with this in its subject."""
        return f"{self.first.path}/messages/{self.found(f'{self.first.path}/messages', subject=subject)[0]['id']}"

    def file(self, path: str) -> requests.Response:
        """The file that a path leads to, as a browser comes to it."""
        headers = {"Authorization": self.owner.id_token}
        return requests.get(f"{self.stack.outputs['ApiUrl']}{path}", headers=headers, timeout=60)


@pytest.fixture(scope="module")
def reader(local_stack: LocalStack) -> Iterator[Reader]:
    owner = local_stack.another_owner("reader@example.com")
    with ExitStack() as running:
        mailboxes = []
        for name, count in zip(("first", "second"), COUNTS, strict=True):
            server = DemoServer(local_stack.workspace, name, f"linh@{name}.example")
            server.start()
            running.callback(server.stop)
            server.deliver(first_delivery()[:count])
            body = account_body(
                email=server.username,
                name=name,
                host=server.host,
                port=server.port,
                password=server.password,
                interval_minutes=1440,
            )
            account = local_stack.api_of(owner).post("/accounts", body)
            mailboxes.append(Mailbox(server, account["id"]))
        reader = Reader(local_stack, owner, *mailboxes)
        for mailbox, count in zip(mailboxes, COUNTS, strict=True):
            collect(reader, mailbox, count)
        yield reader


def collect(reader: Reader, mailbox: Mailbox, unread: int) -> None:
    """Check a mailbox, and wait until so many of its messages are unread."""
    reader.api.call("POST", f"{mailbox.path}/fetch")
    wait_for("Collecting", lambda: unread_of(reader, mailbox) == unread, reader.stack)


def unread_of(reader: Reader, mailbox: Mailbox) -> int:
    return int(reader.api.get(mailbox.path)["unread"])


def test_the_mail_of_all_accounts_is_listed_the_newest_first(reader: Reader) -> None:
    listed = reader.page(limit=200)
    assert (len(listed["messages"]), listed["cursor"]) == (sum(COUNTS), None)
    arrivals = [row["arrived"] for row in listed["messages"]]
    assert arrivals == sorted(arrivals, reverse=True)
    accounts = [row["account_id"] for row in listed["messages"]]
    counts = (accounts.count(reader.first.account_id), accounts.count(reader.second.account_id))
    assert counts == COUNTS
    assert reader.page(f"{reader.second.path}/messages")["messages"] == [
        row for row in listed["messages"] if row["account_id"] == reader.second.account_id
    ]


def test_pages_follow_one_another_and_miss_nothing(reader: Reader) -> None:
    assert reader.found(limit=7) == reader.page(limit=200)["messages"]


def test_a_search_needs_no_diacritics(reader: Reader) -> None:
    found = reader.found(q="chuc MUNG minh chau")
    assert len(found) == 3 + 1
    assert {row["subject"] for row in found} == {"Chúc mừng năm học mới — hẹn gặp chị ở Huế"}
    assert reader.found(q="chuc mung rechnung") == []


def test_a_search_is_bounded_by_days(reader: Reader) -> None:
    every = reader.found(f"{reader.first.path}/messages")
    found = reader.found(f"{reader.first.path}/messages", since="2026-09-10", before="2026-09-20")
    assert found == [row for row in every if "2026-09-10" <= row["arrived"] < "2026-09-20"]
    assert 0 < len(found) < len(every)


def test_a_message_is_read(reader: Reader) -> None:
    message = reader.api.get(reader.one("is on its way"))
    assert message["from"] == [{"name": "Kaffeekontor", "address": "orders@kaffeekontor.example"}]
    assert "Thank you for your order." in message["text"]
    assert "<td>1 x Espresso Nr. 7, 250 g</td>" in message["html"]
    assert [file["filename"] for file in message["attachments"]] == ["order.csv"]
    assert message["problems"] == []


def test_a_message_is_had_octet_for_octet(reader: Reader) -> None:
    path = f"{reader.one('Chúc mừng')}/raw"
    followed = reader.file(path)
    asked = requests.get(
        f"{reader.stack.outputs['ApiUrl']}{path}",
        headers={"Authorization": reader.owner.id_token, "Accept": "application/json"},
        timeout=60,
    )
    fetched = requests.get(asked.json()["url"], timeout=60)
    assert followed.content == fetched.content
    assert fetched.content in first_delivery()
    assert fetched.headers["Content-Disposition"].startswith("attachment")


def test_an_attachment_is_had_out_of_its_encoding(reader: Reader) -> None:
    path = reader.one("来週の打ち合わせ")
    (file,) = reader.api.get(path)["attachments"]
    fetched = reader.file(f"{path}/attachments/{file['id']}")
    assert fetched.content == "議事録の下書きです。\n".encode()
    assert len(fetched.content) == file["octets"]
    assert fetched.headers["Content-Disposition"].startswith("attachment")


def test_another_owner_finds_nothing_of_it(reader: Reader) -> None:
    other = reader.stack.api_of(reader.stack.another_owner("curious@example.com"))
    assert other.get("/messages") == {"messages": [], "cursor": None, "searched_to": None}
    message = reader.one("is on its way")
    (file,) = reader.api.get(message)["attachments"]
    for method, path in (
        ("GET", f"{reader.first.path}/messages"),
        ("GET", message),
        ("GET", f"{message}/raw"),
        ("GET", f"{message}/attachments/{file['id']}"),
        ("PUT", f"{reader.first.path}/visit"),
    ):
        with pytest.raises(ApiRefused) as refused:
            other.call(method, path)
        assert (refused.value.status, refused.value.code) == (404, "account_not_found"), path


def test_a_message_is_found_in_its_own_account_alone(reader: Reader) -> None:
    message = reader.one("is on its way")
    with pytest.raises(ApiRefused) as refused:
        reader.api.get(message.replace(reader.first.account_id, reader.second.account_id))
    assert (refused.value.status, refused.value.code) == (404, "message_not_found")


def test_a_visit_leaves_nothing_unread_and_new_mail_is_unread_again(reader: Reader) -> None:
    assert unread_of(reader, reader.first) == COUNTS[0]
    assert reader.api.call("PUT", f"{reader.first.path}/visit")["unread"] == 0
    assert unread_of(reader, reader.first) == 0
    assert unread_of(reader, reader.second) == COUNTS[1]
    new = later_delivery(reader.first.server.delivered)
    reader.first.server.deliver(new)
    collect(reader, reader.first, len(new))
    newest = reader.page(limit=len(new))["messages"]
    assert [row["octets"] for row in newest] == [len(message) for message in reversed(new)]


def test_what_is_deleted_with_its_account_is_in_no_list(reader: Reader) -> None:
    reader.api.delete(f"{reader.first.path}?mail=delete")
    assert {row["account_id"] for row in reader.found()} == {reader.second.account_id}
