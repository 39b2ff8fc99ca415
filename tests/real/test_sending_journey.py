"""Mail that goes from one account to another, through a real submission server into a real mailbox, and back.

The deployed stack sends through postfix, which delivers into dovecot, from which the deployed stack collects it again:
what one account sent and what the other one stored are compared octet by octet. The tests build on each other, in
their order.
"""

import base64
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
import requests

from infra.local.api import Api, ApiRefused
from infra.local.outbox import SentMail, sent_mail
from tests.flow.conftest import LocalStack
from tests.flow.waiting import wait_for
from tests.real import dovecot as dovecot_server
from tests.real import smtp_server
from tests.real.deployed import account_named, check_by_hand, deployed
from tests.real.dovecot import Dovecot
from tests.real.mailbox import PlainReader
from tests.real.smtp_server import DOMAIN, SmtpServer

SECONDS = 420
pytestmark = pytest.mark.real

PASSWORD = "ein-Passwort-7"
USERS = ("anna", "bert", "carl", "dora")
PICTURE = bytes(range(256)) * 40


@dataclass(frozen=True)
class Scene:
    """Both servers, and the stack between them."""

    dovecot: Dovecot
    smtp: SmtpServer
    stack: LocalStack

    @property
    def api(self) -> Api:
        return self.stack.api

    def one(self, user: str) -> dict[str, Any]:
        return account_named(self.stack, user)

    def send(self, user: str, key: str = "", **mail: Any) -> dict[str, Any]:
        """Send a mail as a user's account."""
        url = f"{self.stack.outputs['ApiUrl']}/accounts/{self.one(user)['id']}/send"
        headers = {"Authorization": self.stack.owner.id_token, **({"Idempotency-Key": key} if key else {})}
        answer = requests.post(url, json=mail, headers=headers, timeout=60)
        if answer.status_code >= 400:
            raise ApiRefused("POST", "/send", answer.status_code, answer.json())
        sent: dict[str, Any] = answer.json()
        return sent

    def copy_of(self, user: str, sent: dict[str, Any]) -> bytes:
        """The copy that is kept of what a user's account has sent."""
        stored = self.stack.stored(self.stack.owner, self.one(user)["id"])
        (key,) = [found.key for found in stored.objects() if sent["id"] in found.key]
        return stored.content(key)

    def fetched(self, user: str, sent: dict[str, Any]) -> bytes:
        """What a user's account has collected of a mail that another sent."""
        check_by_hand(self.stack, user)
        stored = self.stack.stored(self.stack.owner, self.one(user)["id"])
        found = [stored.content(found.key) for found in stored.objects()]
        mark = f"Message-ID: {sent['message_id']}\r\n".encode()
        (message,) = [content for content in found if mark in content and b"\r\nReceived: " in content]
        return message

    def dovecot_reader(self, user: str) -> PlainReader:
        """A second client at a user's mailbox."""
        trusted = ssl.create_default_context(cafile=self.dovecot.ca_file)
        return PlainReader(self.dovecot.tls_port, user, PASSWORD, tls=trusted)

    def question(self, count: int) -> SentMail:
        """The latest of so many mails that ask for a reply address."""

        def asked() -> list[SentMail]:
            return sent_mail(self.stack.workspace.endpoint_url)

        wait_for("The question", lambda: len(asked()) >= count, self.stack)
        return asked()[count - 1]


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def body_for(scene: Scene, user: str, outgoing_security: str) -> dict[str, Any]:
    port = scene.smtp.tls_port if outgoing_security == "tls" else scene.smtp.port
    server = {"host": "localhost", "username": user, "password": PASSWORD}
    return {
        "email": f"{user}@{DOMAIN}",
        "name": user,
        "incoming": {**server, "port": scene.dovecot.tls_port, "security": "tls"},
        "outgoing": {**server, "port": port, "security": outgoing_security},
        "fetch": {"interval_minutes": 1440},
    }


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    if dovecot_server.binary() is None:
        pytest.skip("dovecot-pop3d is not installed")
    if why := smtp_server.missing():
        pytest.skip(why)
    with Dovecot(own_passwords=True) as dovecot, SmtpServer(dovecot, users=USERS) as smtp:
        for user in USERS:
            dovecot.set_password(user, PASSWORD)
            dovecot.maildir(user)
        with deployed([dovecot.ca_file, smtp.ca_file], tmp_path_factory.mktemp("trust")) as stack:
            yield Scene(dovecot, smtp, stack)


def test_accounts_are_added_with_both_servers_tried(scene: Scene) -> None:
    for user, security in (("anna", "tls"), ("bert", "starttls"), ("carl", "tls")):
        added = scene.api.post("/accounts", body_for(scene, user, security))
        assert added["outgoing_status"] == "active"


def test_what_one_account_sends_another_collects_octet_for_octet(scene: Scene) -> None:
    # when
    sent = scene.send(
        "anna",
        to=[f"Bert Böhm <bert@{DOMAIN}>"],
        cc=[f"carl@{DOMAIN}"],
        bcc=[f"dora@{DOMAIN}"],
        subject="Chào buổi sáng, Bert",
        text="Xin chào!\n.\n..hidden dots\nFrom here on\n",
        html='<p>Xin chào! <img src="cid:pic"></p>',
        attachments=[
            {
                "filename": "Ảnh đẹp.png",
                "content_type": "image/png",
                "content": base64.b64encode(PICTURE).decode(),
                "content_id": "pic",
            },
            {"filename": "Hoá đơn.bin", "content": base64.b64encode(PICTURE[::-1]).decode()},
        ],
    )

    # then
    assert (sent["status"], sent["refused"]) == ("sent", [])
    assert sent["accepted"] == [f"{user}@{DOMAIN}" for user in ("bert", "carl", "dora")]
    for user in ("bert", "carl", "dora"):
        scene.smtp.await_delivery(user)
    copy = scene.copy_of("anna", sent)
    for user in ("bert", "carl"):
        assert scene.fetched(user, sent).endswith(copy)
    with scene.dovecot_reader("dora") as reader:
        (blind,) = reader.messages().values()
        assert blind.endswith(copy)
        reader.quit()
    message = parsed(copy)
    assert message["Subject"] == "Chào buổi sáng, Bert"
    assert str(message["From"]) == f"anna <anna@{DOMAIN}>"
    assert str(message["To"]) == f"Bert Böhm <bert@{DOMAIN}>"
    assert message["Reply-To"] is None
    assert b"dora" not in copy
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert text.get_content().split("\r\n") == ["Xin chào!", ".", "..hidden dots", "From here on", ""]
    assert html.get_content().rstrip() == '<p>Xin chào! <img src="cid:pic"></p>'
    files = {part.get_filename(): part.get_payload(decode=True) for part in message.walk() if part.get_filename()}
    assert files == {"Ảnh đẹp.png": PICTURE, "Hoá đơn.bin": PICTURE[::-1]}


def test_an_answer_joins_the_thread(scene: Scene) -> None:
    # given what bert has collected
    stored = scene.stack.stored(scene.stack.owner, scene.one("bert")["id"])
    (found,) = stored.objects()
    first = parsed(stored.content(found.key))["Message-ID"]
    message_id = found.key.rpartition("/")[2].removesuffix(".eml")

    # when
    sent = scene.send("bert", to=[f"anna@{DOMAIN}"], subject="Re: Chào", text="Chào Anna", in_reply_to=message_id)

    # then
    scene.smtp.await_delivery("anna")
    answer = parsed(scene.fetched("anna", sent))
    assert (answer["In-Reply-To"], answer["References"]) == (first, first)


def test_the_same_request_again_sends_nothing_more(scene: Scene) -> None:
    mail = {"to": [f"bert@{DOMAIN}"], "subject": "Once", "text": "Once"}
    first = scene.send("anna", key="once-1", **mail)
    assert [scene.send("anna", key="once-1", **mail) for _ in range(3)] == [first] * 3
    scene.smtp.await_delivery("bert", 2)
    assert len(re.findall(re.escape(first["message_id"]), scene.smtp.log)) == 1
    with pytest.raises(ApiRefused) as refused:
        scene.send("anna", key="once-1", **{**mail, "text": "Twice"})
    assert refused.value.code == "idempotency_key_reused"


def test_a_recipient_that_is_refused_is_told_beside_one_that_is_not(scene: Scene) -> None:
    sent = scene.send("anna", to=[f"bert@{DOMAIN}", f"nobody@{DOMAIN}"], subject="Some", text="Some")
    assert sent["accepted"] == [f"bert@{DOMAIN}"]
    ((refused,)) = sent["refused"]
    assert (refused["address"], refused["code"]) == (f"nobody@{DOMAIN}", "recipient_refused")
    assert "5.1.1" in refused["server_said"]
    with pytest.raises(ApiRefused) as none_taken:
        scene.send("anna", to=[f"nobody@{DOMAIN}"], subject="None", text="None")
    assert none_taken.value.code == "recipients_refused"


@pytest.mark.parametrize(
    "mail",
    [
        {"subject": "a\r\nBcc: x@example.com"},
        {"to": ["Bert\r\nBcc: x@example.com <bert@example.com>"]},
        {"to": ["bert@example.com\r\nBcc: x@example.com"]},
        {"to": [{"address": "bert@example.com", "name": "a\r\nBcc: x@example.com"}]},
        {"attachments": [{"filename": "a\r\nBcc: x@example.com", "content": "eA=="}]},
    ],
)
def test_a_line_break_in_a_header_is_refused_and_nothing_is_sent(scene: Scene, mail: dict[str, Any]) -> None:
    before = scene.smtp.log.count("sasl_username=")
    with pytest.raises(ApiRefused, match="line breaks") as refused:
        scene.send("anna", **{"to": ["bert@example.com"], "text": "x", **mail})
    assert (refused.value.status, refused.value.code) == (422, "invalid_request")
    assert scene.smtp.log.count("sasl_username=") == before


def test_a_large_file_goes_along_by_its_upload(scene: Scene) -> None:
    content = PICTURE * 1200  # 12 MB, twice what a request can hold
    upload = put(scene, content)
    sent = scene.send(
        "anna", to=[f"bert@{DOMAIN}"], subject="Large", attachments=[{"filename": "large.bin", "upload_id": upload}]
    )
    copy = scene.copy_of("anna", sent)
    assert scene.fetched("bert", sent).endswith(copy)
    (part,) = parsed(copy).iter_attachments()
    assert part.get_payload(decode=True) == content


def test_a_mail_larger_than_the_server_takes_is_refused_before_it_is_sent(scene: Scene) -> None:
    upload = put(scene, PICTURE * 4500)
    with pytest.raises(ApiRefused, match="MB") as refused:
        scene.send("anna", to=[f"bert@{DOMAIN}"], attachments=[{"filename": "large.bin", "upload_id": upload}])
    assert refused.value.code == "message_too_large"


def put(scene: Scene, content: bytes) -> str:
    """Upload a file as its owner does."""
    offer = scene.api.post(f"/accounts/{scene.one('anna')['id']}/uploads", {"octets": len(content)})
    answer = requests.request(offer["method"], offer["url"], data=content, headers=offer["headers"], timeout=60)
    assert answer.status_code == 200, answer.text
    upload_id: str = offer["upload_id"]
    return upload_id


class TestReplyTo:
    """A reply address is used once it has proved itself, and not before."""

    def test_asked_for_it_is_not_used_yet(self, scene: Scene) -> None:
        answer = scene.api.call("PUT", f"/accounts/{scene.one('anna')['id']}/reply-to", {"address": "a1@example.net"})
        assert answer["reply_to"]["address"] == "a1@example.net"
        assert answer["reply_to"]["verified"] is False
        assert self.used_by(scene, "anna") is None

    def test_looked_at_it_is_not_used_yet(self, scene: Scene) -> None:
        question = scene.question(1)
        assert question.recipients == ("a1@example.net",)
        for _ in range(3):
            page = requests.get(question.link, timeout=30)
            assert page.status_code == 200
            assert "a1@example.net" in page.text
        assert scene.one("anna")["reply_to"]["verified"] is False
        assert self.used_by(scene, "anna") is None

    def test_forged_links_prove_nothing(self, scene: Scene) -> None:
        link = scene.question(1).link
        page, _, token = link.partition("?token=")
        for forged in (token[:-1], f"{token}x", token.swapcase(), token[::-1], "", "%00", "x" * 43):
            assert requests.post(f"{page}?token={forged}", timeout=30).status_code == 410, forged
        assert requests.post(page, timeout=30).status_code == 410
        assert scene.one("anna")["reply_to"]["verified"] is False

    def test_confirmed_it_is_used(self, scene: Scene) -> None:
        answer = requests.post(scene.question(1).link, timeout=30)
        assert answer.status_code == 200
        assert scene.one("anna")["reply_to"]["verified"] is True
        assert self.used_by(scene, "anna") == "a1@example.net"
        assert self.used_by(scene, "bert") is None

    def test_a_link_works_once(self, scene: Scene) -> None:
        assert requests.post(scene.question(1).link, timeout=30).status_code == 410
        assert requests.get(scene.question(1).link, timeout=30).status_code == 410

    def test_a_link_of_one_account_proves_nothing_for_another(self, scene: Scene) -> None:
        scene.api.call("PUT", f"/accounts/{scene.one('bert')['id']}/reply-to", {"address": "b1@example.net"})
        scene.api.call("PUT", f"/accounts/{scene.one('carl')['id']}/reply-to", {"address": "c1@example.net"})
        assert requests.post(scene.question(3).link, timeout=30).status_code == 200
        assert scene.one("bert")["reply_to"]["verified"] is False
        assert scene.one("carl")["reply_to"]["verified"] is True

    def test_the_old_one_stays_in_force_until_the_new_one_is_verified(self, scene: Scene) -> None:
        scene.api.call("PUT", f"/accounts/{scene.one('carl')['id']}/reply-to", {"address": "c2@example.net"})
        assert scene.one("carl")["reply_to"]["verified"] is False
        assert self.used_by(scene, "carl") == "c1@example.net"
        assert requests.post(scene.question(4).link, timeout=30).status_code == 200
        assert self.used_by(scene, "carl") == "c2@example.net"

    def test_removed_it_is_used_no_more(self, scene: Scene) -> None:
        scene.api.delete(f"/accounts/{scene.one('anna')['id']}/reply-to")
        assert scene.one("anna")["reply_to"] is None
        assert self.used_by(scene, "anna") is None

    def used_by(self, scene: Scene, user: str) -> str | None:
        """The Reply-To of what a user's account sends, as whoever gets it sees it."""
        sent = scene.send(user, to=[f"dora@{DOMAIN}"], subject="Where to?", text="?")
        header = parsed(scene.copy_of(user, sent))["Reply-To"]
        wait_for("The delivery", lambda: self.delivered(scene, sent), scene.stack)
        with scene.dovecot_reader("dora") as reader:
            (message,) = [m for m in reader.messages().values() if sent["message_id"].encode() in m]
            reader.quit()
        assert parsed(message)["Reply-To"] == header
        return str(header) if header else None

    def delivered(self, scene: Scene, sent: dict[str, Any]) -> bool:
        with scene.dovecot_reader("dora") as reader:
            found = any(sent["message_id"].encode() in message for message in reader.messages().values())
            reader.quit()
        return found


def test_a_refused_outgoing_password_stops_sending_and_nothing_else(scene: Scene) -> None:
    account = scene.one("anna")
    patch = {"outgoing": {"password": "not this one"}, "verify": False}
    scene.api.call("PATCH", f"/accounts/{account['id']}", patch)
    with pytest.raises(ApiRefused) as refused:
        scene.send("anna", to=[f"bert@{DOMAIN}"], text="x")
    assert refused.value.code == "sign_in_refused"
    shown = scene.one("anna")
    assert (shown["status"], shown["outgoing_status"]) == ("active", "auth_failed")
    assert check_by_hand(scene.stack, "anna")["error"] is None
    scene.api.call("PUT", f"/accounts/{account['id']}/password/outgoing", {"password": PASSWORD})
    assert scene.one("anna")["outgoing_status"] == "active"
    assert scene.send("anna", to=[f"bert@{DOMAIN}"], text="x")["status"] == "sent"
