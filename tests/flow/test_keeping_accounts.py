"""Accounts over the deployed API: two owners who never meet, and a stranger who tries everything."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.local.api import Api, ApiRefused
from infra.local.demo_server import DemoServer
from infra.local.owner import Owner
from tests.flow.conftest import LocalStack
from tests.flow.waiting import wait_for

pytestmark = pytest.mark.flow

ONE = "/accounts/{account_id}"
BODIES: Mapping[tuple[str, str], Any] = {
    ("patch", ONE): {"name": "Stolen", "fetch": {"after_fetch": "delete"}, "verify": False},
    ("put", f"{ONE}/password/incoming"): {"password": "stolen", "verify": False},
    ("put", f"{ONE}/password/outgoing"): {"password": "stolen", "verify": False},
    ("post", f"{ONE}/oauth/start"): {"flow": "device"},
    ("post", f"{ONE}/oauth/finish"): {
        "callback_url": f"https://popfetch.example/oauth/callback?state={'x' * 43}&code=x"
    },
    ("post", f"{ONE}/oauth/device"): {"device_flow_id": "x" * 43},
    ("put", f"{ONE}/reply-to"): {"address": "thief@example.com"},
    ("post", f"{ONE}/send"): {"to": ["mallory@mail.example"], "text": "stolen"},
    ("post", f"{ONE}/uploads"): {"octets": 5},
}
"""What is sent to the routes of one account that take a body."""

FUZZING = """
[parameters]
account_id = "{account_id}"

[generation]
max-examples = 25

# what only reads has few fields, and each of its answers is like the others
[[operations]]
include-method = "GET"
generation.max-examples = 10
"""
"""schemathesis's configuration."""


def at(path: str, account_id: str) -> str:
    """The address of what a path describes, in this account; what else it names looks right."""
    return path.format(account_id=account_id, message_id="01m1emr7v8x4c5dvjr82c9c4dw", attachment_id="1")


def an_account(name: str, **changes: Any) -> dict[str, Any]:
    server = {"host": "127.0.0.1", "port": 1, "security": "none", "password": f"pass-{name}"}
    return {
        "email": f"{name}@mail.example",
        "name": name,
        "incoming": {**server, "username": name},
        "outgoing": {**server, "username": name},
        "fetch": {"interval_minutes": 1440},
        "verify": False,
        **changes,
    }


def operations(stack: LocalStack) -> list[tuple[str, str, dict[str, Any]]]:
    """Every route that the API describes: method, path and description."""
    described = requests.get(f"{stack.outputs['ApiUrl']}/openapi.json", timeout=30).json()
    return [
        (method, path, operation)
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    ]


@pytest.fixture(scope="module")
def anna(local_stack: LocalStack) -> Api:
    return local_stack.api_of(local_stack.another_owner("anna@example.com"))


@pytest.fixture(scope="module")
def ben(local_stack: LocalStack) -> Api:
    return local_stack.api_of(local_stack.another_owner("ben@example.com"))


@pytest.fixture(scope="module")
def accounts(anna: Api, ben: Api) -> dict[str, list[str]]:
    """Three accounts of each, by owner; two of them are for the same mailboxes."""
    return {
        "anna": [anna.post("/accounts", an_account(name))["id"] for name in ("work", "home", "club")],
        "ben": [ben.post("/accounts", an_account(name))["id"] for name in ("work", "home", "shop")],
    }


class TestTwoOwners:
    def test_no_request_of_one_reaches_anything_of_the_other(
        self, local_stack: LocalStack, anna: Api, ben: Api, accounts: dict[str, list[str]]
    ) -> None:
        before = {"anna": anna.accounts(), "ben": ben.accounts()}
        of_one_account = [(m, path, op) for m, path, op in operations(local_stack) if "{account_id}" in path]
        assert {(m, path) for m, path, op in of_one_account if "requestBody" in op} == set(BODIES)
        for thief, victim in ((anna, "ben"), (ben, "anna")):
            for account_id in accounts[victim]:
                for method, path, _ in of_one_account:
                    with pytest.raises(ApiRefused) as refused:
                        thief.call(method.upper(), at(path, account_id), BODIES.get((method, path)))
                    assert (refused.value.status, refused.value.code) == (404, "account_not_found"), (method, path)
        assert {"anna": anna.accounts(), "ben": ben.accounts()} == before
        assert not {a["id"] for a in before["anna"]} & {b["id"] for b in before["ben"]}

    def test_neither_can_order_nor_prefer_what_is_the_others(
        self, anna: Api, ben: Api, accounts: dict[str, list[str]]
    ) -> None:
        before = {"anna": anna.accounts(), "ben": ben.accounts()}
        for ids in (accounts["ben"], accounts["anna"] + accounts["ben"], [*accounts["anna"][:2], accounts["ben"][0]]):
            with pytest.raises(ApiRefused) as refused:
                anna.call("PUT", "/accounts/order", {"account_ids": ids})
            assert refused.value.code == "invalid_order"
        with pytest.raises(ApiRefused) as refused:
            anna.call("PUT", "/accounts/default", {"account_id": accounts["ben"][0]})
        assert refused.value.code == "account_not_found"
        assert {"anna": anna.accounts(), "ben": ben.accounts()} == before

    def test_each_keeps_an_order_and_a_default_of_their_own(
        self, anna: Api, ben: Api, accounts: dict[str, list[str]]
    ) -> None:
        before = ben.accounts()
        backwards = accounts["anna"][::-1]
        answer = anna.call("PUT", "/accounts/order", {"account_ids": backwards})
        assert [account["id"] for account in answer["accounts"]] == backwards
        anna.call("PUT", "/accounts/default", {"account_id": backwards[1]})
        assert [(a["id"], a["is_default"]) for a in anna.accounts()] == [
            (backwards[0], False),
            (backwards[1], True),
            (backwards[2], False),
        ]
        assert ben.accounts() == before

    @pytest.mark.parametrize("token", ["", "x", "a.b.c"])
    def test_nobody_in_particular_reaches_anything(
        self, local_stack: LocalStack, accounts: dict[str, list[str]], token: str
    ) -> None:
        stranger = Api(local_stack.outputs["ApiUrl"], token)
        for method, path, operation in operations(local_stack):
            if operation.get("security") == []:
                continue
            with pytest.raises(ApiRefused) as refused:
                stranger.call(method.upper(), at(path, accounts["anna"][0]), {})
            assert refused.value.status in {401, 403}, (method, path)


class TestOneAccount:
    def test_settings_change_by_the_version_that_was_seen(
        self, local_stack: LocalStack, accounts: dict[str, list[str]]
    ) -> None:
        owner: Owner = local_stack.another_owner("anna@example.com")
        url = f"{local_stack.outputs['ApiUrl']}/accounts/{accounts['anna'][0]}"
        seen = requests.get(url, headers={"Authorization": owner.id_token}, timeout=30)

        def rename(to: str, tag: str) -> requests.Response:
            headers = {"Authorization": owner.id_token, "If-Match": tag}
            return requests.patch(url, json={"name": to}, headers=headers, timeout=30)

        changed = rename("My work", seen.headers["ETag"])
        assert (changed.status_code, changed.json()["name"]) == (200, "My work")
        late = rename("Too late", seen.headers["ETag"])
        assert (late.status_code, late.json()["error"]["code"]) == (412, "account_outdated")
        assert rename("In time", changed.headers["ETag"]).status_code == 200

    def test_a_check_by_hand_is_carried_out_and_told(
        self, local_stack: LocalStack, demo_server: DemoServer, ben: Api, accounts: dict[str, list[str]]
    ) -> None:
        one = f"/accounts/{accounts['ben'][2]}"
        ben.call("POST", f"{one}/pause")
        assert ben.get(one)["status"] == "paused"
        asked = ben.call("POST", f"{one}/fetch")
        wait_for(
            "The check", lambda: (ben.get(one)["last_fetch"] or {}).get("at", "") > asked["requested_at"], local_stack
        )
        account = ben.get(one)
        assert (account["status"], account["last_fetch"]["error"]["code"]) == ("paused", "network")
        history = ben.get(f"{one}/history")
        assert history["cycles"][0]["error"] == account["last_fetch"]["error"]
        assert ben.call("POST", f"{one}/resume")["status"] == "active"


class TestAGenericFuzzer:
    """schemathesis sends what the description allows and what it does not; nothing may fail inside."""

    def test_finds_no_failure_and_no_answer_that_is_not_described(
        self, local_stack: LocalStack, ben: Api, accounts: dict[str, list[str]], tmp_path: Path
    ) -> None:
        owner = local_stack.another_owner("ben@example.com")
        configuration = tmp_path / "schemathesis.toml"
        configuration.write_text(FUZZING.format(account_id=accounts["ben"][1]))
        url = local_stack.outputs["ApiUrl"]
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(configuration)),
                *("run", f"{url}/openapi.json", "--url", url, "--header", f"Authorization: {owner.id_token}"),
                *("--checks", "not_a_server_error,status_code_conformance,content_type_conformance"),
                *("--phases", "coverage,fuzzing", "--seed", "1", "--request-timeout", "30"),
                # one is deleted by another test; a fuzzer would end its own work with it
                *("--exclude-method", "DELETE", "--no-color"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr
        generated = re.search(r"(\d+) generated", done.stdout)
        assert generated is not None
        assert int(generated[1]) > 1_500, done.stdout[-2000:]
        assert ben.get(f"/accounts/{accounts['ben'][1]}")["id"] == accounts["ben"][1]
