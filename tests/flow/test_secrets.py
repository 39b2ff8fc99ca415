"""No password, token or ciphertext in any answer, log line, event or queue message: all of them are read."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import pytest
import requests
from boto3.dynamodb.conditions import Key

from infra.local.api import account_body
from infra.local.demo_server import DemoServer
from infra.local.outbox import sent_mail
from infra.local.owner import Owner
from infra.local.workspace import STACK_NAME
from tests.flow.conftest import LocalStack
from tests.flow.waiting import wait_for

pytestmark = pytest.mark.flow

WRONG, UNTRIED, OUTGOING, MALFORMED = (
    "canary-wrong-Käse&7",
    "canary-untried-Öl 8",
    "canary-outgoing-ß$9",
    "canary-malformed-x6",
)
MISTYPED, RESET, SESSION, CODE = (
    "Canary-mistyped-ü%0",
    "Canary-reset-é+1",
    "canary-session-of-a-sign-in",
    "canary-code-2",
)
PRIVATE, REPLIES = "canary-private-words-5", "canary-replies@example.com"


class Listener:
    """Everything that is published on popfetch's bus from now on."""

    def __init__(self, stack: LocalStack) -> None:
        self._sqs, self._events = stack.clients.sqs(), stack.clients.events()
        self._bus = stack.outputs["EventBusName"]
        self._queue = self._sqs.create_queue(QueueName="popfetch-test-events")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        pattern = json.dumps({"source": ["popfetch"]})
        self._events.put_rule(Name="test-events", EventBusName=self._bus, EventPattern=pattern)
        target = {"Id": "queue", "Arn": attributes["QueueArn"]}
        self._events.put_targets(Rule="test-events", EventBusName=self._bus, Targets=[target])  # type: ignore[list-item]
        self.heard: list[str] = []

    def listen(self) -> list[str]:
        """The events so far, as JSON."""
        while messages := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.heard.append(message["Body"])
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return self.heard

    def stop(self) -> None:
        self._events.remove_targets(Rule="test-events", EventBusName=self._bus, Ids=["queue"])
        self._events.delete_rule(Name="test-events", EventBusName=self._bus)
        self._sqs.delete_queue(QueueUrl=self._queue)


class Recorded:
    """An owner's client that keeps every answer, headers and all."""

    def __init__(self, stack: LocalStack, owner: Owner) -> None:
        self._url, self._token = stack.outputs["ApiUrl"], owner.id_token
        self.answers: list[str] = []

    def call(self, method: str, path: str, body: Any = None, *, status: int) -> Any:
        text = body if isinstance(body, str) else json.dumps(body)
        headers = {"Authorization": self._token, "Content-Type": "application/json"}
        answer = requests.request(
            method, f"{self._url}{path}", data=text.encode() if body else None, headers=headers, timeout=60
        )
        self.answers.append(f"{dict(answer.headers)}\n{answer.text}")
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
def events(local_stack: LocalStack) -> Iterator[Listener]:
    listener = Listener(local_stack)
    yield listener
    listener.stop()


def forms_of(secret: str, username: str) -> set[str]:
    """A secret as it might turn up."""
    octets = secret.encode()
    plain = [octets, b"\0" + username.encode() + b"\0" + octets]
    encoded = {base64.b64encode(one).decode().rstrip("=") for one in plain}
    return {secret, json.dumps(secret)[1:-1], repr(octets)[2:-1], quote(secret), octets.hex(), *encoded}


def log_lines(stack: LocalStack) -> Iterator[str]:
    logs = stack.clients.logs()
    for group in logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{STACK_NAME}-")["logGroups"]:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            yield from (event["message"] for event in page["events"])


def dead_letters(stack: LocalStack) -> Iterator[str]:
    sqs = stack.clients.sqs()
    for url in sqs.list_queues().get("QueueUrls", []):
        if "DeadLetters" in url:
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                yield json.dumps(message)


def token_of(stack: LocalStack, address: str) -> str:
    """The token in the mail that asks a reply address."""
    (mail,) = [mail for mail in sent_mail(stack.outputs["EndpointUrl"]) if address in mail.recipients]
    (token,) = set(re.findall(r"token=([\w-]+)", mail.text))
    return str(token)


def session_tokens(stack: LocalStack, owner: Owner) -> set[str]:
    """The tokens of a session that a browser opens, goes on with and ends, once the owner has mistyped a lot."""
    browser, url = requests.Session(), f"{stack.outputs['ApiUrl']}/session"

    def post(path: str, **body: Any) -> requests.Response:
        return browser.post(f"{url}{path}", json=body, timeout=60)

    assert post("", email=owner.email, password=MISTYPED).status_code == 401
    assert post("", email=owner.email, password=[MALFORMED]).status_code == 422
    # of nobody, as the engine takes any session and any code for that of a user
    nobody = "nobody@example.com"
    answered = post("/answer", email=nobody, challenge="new_password", session=SESSION, answer=MISTYPED)
    assert 400 <= answered.status_code < 500, answered.text
    assert post("/forgotten", email=owner.email).status_code == 202
    reset = post("/reset", email=nobody, code=CODE, password=RESET)
    assert 400 <= reset.status_code < 500, reset.text
    opened = post("", email=owner.email, password=owner.password)
    refreshing = {str(cookie.value) for cookie in browser.cookies}
    renewed = post("/renew")
    refreshing |= {str(cookie.value) for cookie in browser.cookies}
    assert browser.delete(url, timeout=60).status_code == 204
    assert refreshing
    return refreshing | {answered.json()["id_token"] for answered in (opened, renewed)}


def sealed_of(stack: LocalStack, owner: Owner) -> Iterator[bytes]:
    """The sealed passwords of an owner's accounts, and the data key they are sealed under."""
    table = stack.clients.dynamodb().Table(stack.outputs["TableName"])
    for item in table.query(KeyConditionExpression=Key("pk").eq(f"OWNER#{owner.owner_id}"))["Items"]:
        for name in ("incoming_secret", "outgoing_secret"):
            if name in item:
                yield bytes(item[name].value)  # type: ignore[union-attr]
    keyring: Mapping[str, Any] = table.get_item(Key={"pk": "KEYRING", "sk": "CURRENT"})["Item"]
    yield bytes(keyring["encrypted_key"].value)


def test_nothing_tells_a_secret(local_stack: LocalStack, demo_server: DemoServer, events: Listener) -> None:
    owner = local_stack.another_owner("careful@example.com")
    client = Recorded(local_stack, owner)
    right = account_body(
        email=demo_server.username,
        name="Careful",
        host=demo_server.host,
        port=demo_server.port,
        password=demo_server.password,
        interval_minutes=1440,
    )
    outgoing = {"host": "localhost", "port": 1, "security": "none", "password": OUTGOING}
    wrong = {**right, "incoming": {**right["incoming"], "password": WRONG}}
    client.call("POST", "/accounts", wrong, status=422)
    client.call("POST", "/accounts", json.dumps(wrong) + MALFORMED, status=400)
    client.call("POST", "/accounts", {**wrong, "nickname": MALFORMED}, status=422)
    account = client.call("POST", "/accounts", {**wrong, "outgoing": outgoing, "verify": False}, status=201)
    one = f"/accounts/{account['id']}"

    def check() -> None:
        asked = client.call("POST", f"{one}/fetch", status=202)
        wait_for(
            "The check",
            lambda: (client.call("GET", one, status=200)["last_fetch"] or {}).get("at", "") > asked["requested_at"],
            local_stack,
        )

    check()
    for path in ("incoming", "outgoing"):
        client.call("PUT", f"{one}/password/{path}", {"password": WRONG}, status=422)
        client.call("PUT", f"{one}/password/{path}", {"password": [MALFORMED]}, status=422)
        client.call("PUT", f"{one}/password/{path}", {"password": UNTRIED, "verify": False}, status=200)
    client.call("PATCH", one, {"incoming": {"password": WRONG}}, status=422)
    client.call("PATCH", one, {"incoming": {"host": "localhost", "password": WRONG}, "verify": False}, status=200)
    client.call("PUT", f"{one}/password/incoming", {"password": demo_server.password}, status=200)
    check()
    client.call("GET", f"{one}/history", status=200)
    mail = {"to": [f"bert@{PRIVATE}.example"], "subject": PRIVATE, "text": PRIVATE, "in_reply_to": f"<{PRIVATE}@x>"}
    client.call("POST", f"{one}/send", mail, status=422)
    client.call("POST", f"{one}/send", {**mail, "subject": f"{PRIVATE}\r\nBcc: x@example.com"}, status=422)
    client.call("PUT", f"{one}/reply-to", {"address": REPLIES}, status=200)
    token = token_of(local_stack, REPLIES)
    for method, link in (("GET", token), ("POST", token[::-1]), ("POST", token), ("POST", token)):
        requests.request(method, f"{local_stack.outputs['ApiUrl']}/reply-to/confirm?token={link}", timeout=60)
    assert client.call("GET", one, status=200)["reply_to"]["verified"] is True
    client.call("GET", f"/messages?q={PRIVATE}", status=200)
    client.call("GET", "/accounts", status=200)
    tokens = session_tokens(local_stack, owner)
    sealed = list(sealed_of(local_stack, owner))
    assert len(sealed) == 3
    client.call("DELETE", f"{one}?mail=delete", status=204)
    wait_for("The events", lambda: any("AccountDeleted" in event for event in events.listen()), local_stack)

    read = {
        "answers": client.answers,
        "log": list(log_lines(local_stack)),
        "events": events.listen(),
        "dead letters": list(dead_letters(local_stack)),
    }
    assert len(read["answers"]) > 15
    assert any("cycle failed" in line for line in read["log"])
    assert any("FetchCycleCompleted" in event for event in read["events"])
    assert any("/session/renew" in line for line in read["log"])
    needles = {token, sha256(token.encode()).hexdigest()}
    for one_token in (owner.id_token, *tokens):
        needles |= {one_token, one_token.rpartition(".")[2]}
    # what owners write is theirs; answers may have it, nothing else may
    for where in ("log", "events", "dead letters"):
        assert not [text for text in read[where] if PRIVATE in text or REPLIES in text]
    for secret in (WRONG, UNTRIED, OUTGOING, MALFORMED, demo_server.password):
        needles |= forms_of(secret, demo_server.username)
    for secret in (owner.password, MISTYPED, RESET, SESSION, CODE):
        needles |= forms_of(secret, owner.email)
    for one_sealed in sealed:
        # its beginning and its end, wherever among other octets an encoding begins
        for part in (one_sealed[:48], one_sealed[-48:]):
            needles |= {base64.b64encode(part[start:])[:32].decode() for start in range(3)}
            needles |= {part.hex(), repr(part)[2:40]}
    told = {
        (where, needle[:12])
        for where, texts in read.items()
        for needle in needles
        if any(needle in text for text in texts)
    }
    assert told == set()
