"""Sending by the deployed function, with the permissions that its role has and no others."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from infra.local.api import account_body
from popfetch.domain.account import Security
from tests.builders.scripted_pop3_server import DEFAULT
from tests.builders.scripted_smtp_server import ScriptedSmtpServer
from tests.flow.conftest import LocalStack

pytestmark = pytest.mark.flow


@contextmanager
def running(server: ScriptedSmtpServer) -> Iterator[ScriptedSmtpServer]:
    """The server, in a thread of its own, as the test waits for functions that talk to it."""
    ready, over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with server:
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield server
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedSmtpServer]:
    with running(ScriptedSmtpServer(security=Security.NONE)) as server:
        yield server


@pytest.fixture(scope="module")
def account_id(local_stack: LocalStack, server: ScriptedSmtpServer) -> str:
    body = account_body(email="sends@example.com", name="Sends", host="127.0.0.1", port=9, password="x")
    outgoing = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": "none",
        "username": server.username,
        "password": server.password,
    }
    added = local_stack.api.post("/accounts", {**body, "outgoing": outgoing, "verify": False})
    return str(added["id"])


def send(stack: LocalStack, account_id: str, *, key: str = "", **changes: Any) -> requests.Response:
    mail = {"to": ["bert@example.org"], "subject": "Hello", "text": "Hello, Bert.", **changes}
    headers = {"Authorization": stack.owner.id_token, **({"Idempotency-Key": key} if key else {})}
    url = f"{stack.outputs['ApiUrl']}/accounts/{account_id}/send"
    return requests.post(url, json=mail, headers=headers, timeout=60)


def contents(server: ScriptedSmtpServer) -> list[bytes]:
    """The messages whose end the server has seen."""
    return [message.content for session in server.sessions for message in session.messages if message.content]


def test_a_mail_is_sent_once_by_its_key_and_kept(
    local_stack: LocalStack, account_id: str, server: ScriptedSmtpServer
) -> None:
    before = len(contents(server))
    answers = [send(local_stack, account_id, key="one") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer.text for answer in answers}) == 1
    (content,) = contents(server)[before:]
    stored = local_stack.stored(local_stack.owner, account_id)
    (copy,) = [found for found in stored.objects() if answers[0].json()["id"] in found.key]
    assert stored.content(copy.key) == content


def test_an_answer_and_an_uploaded_file_go_along(
    local_stack: LocalStack, account_id: str, server: ScriptedSmtpServer
) -> None:
    first = send(local_stack, account_id).json()
    offer = local_stack.api.post(f"/accounts/{account_id}/uploads", {"octets": 7})
    uploaded = requests.put(offer["url"], data=b"content", headers=offer["headers"], timeout=30)
    assert uploaded.status_code == 200
    file = {"filename": "file.bin", "upload_id": offer["upload_id"]}
    answer = send(local_stack, account_id, in_reply_to=first["id"], attachments=[file])
    assert answer.status_code == 200, answer.text
    content = contents(server)[-1]
    assert f"In-Reply-To: {first['message_id']}\r\n".encode() in content
    assert b"Y29udGVudA==" in content


def test_what_is_stored_goes_along_by_its_name(
    local_stack: LocalStack, account_id: str, server: ScriptedSmtpServer
) -> None:
    # given
    file = {"filename": "file.txt", "content_type": "text/plain", "content": "Y29udGVudA=="}
    first = send(local_stack, account_id, attachments=[file]).json()
    (attached,) = local_stack.api.get(f"/accounts/{account_id}/messages/{first['id']}")["attachments"]

    # when
    of_first = {"message_id": first["id"]}
    files = [of_first, {**of_first, "attachment_id": attached["id"]}]
    answer = send(local_stack, account_id, attachments=files)

    # then
    assert answer.status_code == 200, answer.text
    sent, forwarding = contents(server)[-2:]
    assert sent.rstrip() in forwarding
    assert forwarding.count(b"Y29udGVudA==") == 2


def test_what_is_refused_in_the_end_leaves_nothing_behind(
    local_stack: LocalStack, account_id: str, server: ScriptedSmtpServer
) -> None:
    stored = local_stack.stored(local_stack.owner, account_id)

    def kept() -> object:
        # the account is collected meanwhile, and a cycle may end at any time
        return stored.objects(), {kind: count for kind, count in stored.item_counts().items() if kind != "cycle"}

    before = kept()
    server.on["content"] = [b"554 5.7.1 no\r\n", DEFAULT]
    refused = send(local_stack, account_id, key="refused")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "message_refused")
    assert kept() == before
    assert send(local_stack, account_id, key="refused").status_code == 200


def test_a_refused_password_shows_at_the_account(
    local_stack: LocalStack, account_id: str, server: ScriptedSmtpServer
) -> None:
    server.on["answer"] = [b"535 5.7.8 no\r\n", DEFAULT]
    assert send(local_stack, account_id).json()["error"]["code"] == "sign_in_refused"
    assert local_stack.api.get(f"/accounts/{account_id}")["outgoing_status"] == "auth_failed"
    assert send(local_stack, account_id).status_code == 200
    assert local_stack.api.get(f"/accounts/{account_id}")["outgoing_status"] == "active"
