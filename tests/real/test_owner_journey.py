"""An owner's days with the deployed stack and a real server: a password that changes, and an order that is kept.

The stack runs on an engine of its own that trusts the server's authority; everything is asked for over the API, and
what happened is read where a person would: in the account's status, in the mail that came, in the server's own log.
The tests build on each other, in their order.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from infra.local.api import Api, ApiRefused
from infra.local.outbox import SentMail, sent_mail
from tests.flow.conftest import LocalStack
from tests.flow.test_secrets import Listener
from tests.flow.waiting import wait_for
from tests.real import dovecot as dovecot_server
from tests.real.deployed import account_named, check_by_hand, deployed
from tests.real.dovecot import Dovecot

SECONDS = 420
pytestmark = pytest.mark.real

FIRST, SECOND = "f1rst-Passwort", "s3cond-Passwort"
USERS = ("anna", "bert", "carl")


@dataclass(frozen=True)
class Scene:
    """The server, the stack, and what is published on its bus."""

    server: Dovecot
    stack: LocalStack
    events: Listener

    @property
    def api(self) -> Api:
        return self.stack.api

    def one(self, user: str) -> dict[str, Any]:
        """A user's account as the API shows it."""
        return account_named(self.stack, user)

    def notices(self) -> list[SentMail]:
        """The mail that owners got."""
        return sent_mail(self.stack.workspace.endpoint_url)

    def published(self, name: str, account_id: str) -> list[dict[str, Any]]:
        events = [json.loads(text) for text in self.events.listen()]
        return [e["detail"] for e in events if e["detail-type"] == name and e["detail"]["account_id"] == account_id]

    def stored(self, user: str) -> int:
        return len(self.stack.stored(self.stack.owner, self.one(user)["id"]).objects())

    def check(self, user: str) -> dict[str, Any]:
        """Check an account by hand and wait for the cycle; returns how it went."""
        return check_by_hand(self.stack, user)


def body_for(server: Dovecot, user: str, password: str) -> dict[str, Any]:
    return {
        "email": f"{user}@mail.example",
        "name": user,
        "incoming": {
            "host": "localhost",
            "port": server.tls_port,
            "security": "tls",
            "username": user,
            "password": password,
        },
        "fetch": {"interval_minutes": 1},
    }


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    if dovecot_server.binary() is None:
        pytest.skip("dovecot-pop3d is not installed")
    with Dovecot(own_passwords=True) as server:
        for user in USERS:
            server.set_password(user, FIRST)
            server.maildir(user).deliver(f"Subject: for {user}\r\n\r\nHello\r\n".encode())
        with deployed([server.ca_file], tmp_path_factory.mktemp("trust")) as stack:
            yield Scene(server, stack, Listener(stack))


def test_a_wrong_password_adds_no_account_and_a_right_one_does(scene: Scene) -> None:
    with pytest.raises(ApiRefused) as refused:
        scene.api.post("/accounts", body_for(scene.server, "anna", SECOND))
    assert refused.value.code == "sign_in_refused"
    assert scene.api.accounts() == []
    scene.api.post("/accounts", body_for(scene.server, "anna", FIRST))
    assert scene.check("anna")["stored"] == 1


def test_ten_refusals_stop_the_account_and_its_owner_gets_one_mail(scene: Scene) -> None:
    scene.server.set_password("anna", SECOND)
    for _ in range(10):
        assert scene.check("anna")["error"]["code"] == "authentication"
    account = scene.one("anna")
    assert account["status"] == "auth_failed"
    wait_for("The notice", lambda: bool(scene.notices()), scene.stack)
    assert len(scene.published("AccountAuthFailed", account["id"])) == 1
    assert scene.check("anna")["error"]["code"] == "authentication"
    (notice,) = scene.notices()
    assert notice.recipients == (scene.stack.owner.email,)
    assert "anna" in notice.subject
    assert "anna@mail.example" in notice.text
    for secret in (FIRST, SECOND):
        assert secret not in notice.text + notice.html + notice.subject


def test_a_wrong_new_password_leaves_it_as_it_was(scene: Scene) -> None:
    before = scene.one("anna")
    with pytest.raises(ApiRefused) as refused:
        scene.api.call("PUT", f"/accounts/{before['id']}/password/incoming", {"password": "not this one"})
    assert (refused.value.status, refused.value.code) == (422, "sign_in_refused")
    assert scene.one("anna") == before


def test_the_right_one_brings_the_mail_within_one_cycle(scene: Scene) -> None:
    before = scene.one("anna")
    scene.server.maildir("anna").deliver(b"Subject: after the change\r\n\r\nWelcome back\r\n")
    changed = scene.api.call("PUT", f"/accounts/{before['id']}/password/incoming", {"password": SECOND})
    assert changed["status"] == "active"

    def next_cycle() -> dict[str, Any] | None:
        last: dict[str, Any] | None = scene.one("anna")["last_fetch"]
        return last if last and last["at"] > before["last_fetch"]["at"] else None

    wait_for("The next cycle", lambda: next_cycle() is not None, scene.stack)
    cycle = next_cycle()
    assert cycle is not None
    assert (cycle["outcome"], cycle["stored"], cycle["error"]) == ("stored", 1, None)
    assert scene.stored("anna") == 2
    wait_for("The recovery", lambda: bool(scene.published("AccountRecovered", before["id"])), scene.stack)
    assert len(scene.published("AccountRecovered", before["id"])) == 1
    assert len(scene.notices()) == 1


def test_an_order_is_that_of_the_sign_ins_from_the_next_due_minute_on(scene: Scene) -> None:
    for user in ("bert", "carl"):
        scene.api.post("/accounts", body_for(scene.server, user, FIRST))
    ids = {account["name"]: account["id"] for account in scene.api.accounts()}
    assert list(ids) == ["anna", "bert", "carl"]
    earlier = len(sign_ins(scene.server))
    order = ["carl", "anna", "bert"]
    scene.api.call("PUT", "/accounts/order", {"account_ids": [ids[user] for user in order]})
    assert [account["name"] for account in scene.api.accounts()] == order
    wait_for("Two due minutes", lambda: len(sign_ins(scene.server)) >= earlier + 6, scene.stack)
    since = sign_ins(scene.server)[earlier:]
    # a minute that was under way when the order changed may end in the order before
    under_way = next(start for start in range(3) if since[start : start + 3] == order)
    assert since[under_way:] == (order * 9)[: len(since) - under_way]


def sign_ins(server: Dovecot) -> list[str]:
    """Who has signed in, in the order of the server's own log."""
    return re.findall(r"pop3-login: Info: Login: user=<(\w+)>", server.log)
