"""Hosts that people name in accounts: what leads inside is refused wherever it is named, and not connected to."""

import asyncio
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from functions.accounts import handler as function
from popfetch.adapters.host_guard import SUBMISSION_PORTS, HostGuard
from popfetch.adapters.pop3_dialer import Pop3Dialer
from popfetch.adapters.smtp_dialer import SmtpDialer
from popfetch.domain.account import Direction
from popfetch.pop3.limits import DEFAULT_LIMITS
from popfetch.services.sign_in_trial import SignInTester
from tests.builders.accounts import NOON, PASSWORD
from tests.builders.api import ApiClient, a_body
from tests.builders.aws import aws
from tests.builders.journals import log_of
from tests.builders.kept_accounts import KeptAccounts

INSIDE = [
    "10.0.0.7",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "169.254.169.254",
    "169.254.170.2",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.7",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::10.0.0.7",
    "64:ff9b::a9fe:a9fe",
    "2002:a00:7::1",
    "2001:db8::1",
]
PUBLIC = "93.184.215.14"

request = ApiClient(function).request


@dataclass
class Names:
    """What names lead to; each look-up takes the next answer, and the last one stays."""

    answers: list[list[str]] = field(default_factory=lambda: [[PUBLIC]])
    asked: int = 0
    connections: list[Any] = field(default_factory=list)

    async def getaddrinfo(self, _loop: Any, host: str, port: int, **_: Any) -> list[Any]:
        addresses = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in addresses
        ]

    async def sock_connect(self, _loop: Any, _socket: Any, address: Any) -> None:
        self.connections.append(address[0])
        raise ConnectionRefusedError


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names()
    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", lambda loop, *a, **k: names.getaddrinfo(loop, *a, **k))
    monkeypatch.setattr(
        asyncio.SelectorEventLoop, "sock_connect", lambda loop, *a: names.sock_connect(loop, *a), raising=False
    )
    return names


@pytest.fixture
def kept(names: Names, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeptAccounts]:
    with aws() as stack:
        kept = KeptAccounts(stack)
        limits = replace(DEFAULT_LIMITS, connect_seconds=1.0)
        guards = {Direction.INCOMING: HostGuard(), Direction.OUTGOING: HostGuard(ports=SUBMISSION_PORTS)}
        real = SignInTester(
            Pop3Dialer(guards[Direction.INCOMING], limits=limits), SmtpDialer(guards[Direction.OUTGOING]), guards
        )
        kept.accounts = replace(kept.accounts, tester=real)
        kept.changes = replace(kept.changes, tester=real)
        log_of(monkeypatch, function)
        monkeypatch.setattr(function, "accounts_service", lambda _: kept.accounts)
        monkeypatch.setattr(function, "account_changes", lambda _: kept.changes)
        yield kept


def both_ways(host: str) -> list[dict[str, Any]]:
    """Requests that name a host: as the incoming server and as the outgoing one."""
    incoming = a_body(incoming__host=host)
    del incoming["outgoing"]
    return [incoming, a_body(incoming__host="pop.example.com", outgoing__host=host)]


@pytest.mark.usefixtures("kept")
class TestAdding:
    @pytest.mark.parametrize("address", INSIDE)
    def test_an_address_inside_is_refused(self, names: Names, address: str) -> None:
        for body in both_ways(address) + [{**body, "verify": False} for body in both_ways(address)]:
            answer = request("POST", "/accounts", body)
            assert (answer.status, answer.error["code"]) == (422, "host_refused")
        assert address not in names.connections
        assert request("GET", "/accounts").json == {"accounts": []}

    @pytest.mark.parametrize("address", INSIDE)
    def test_a_name_that_leads_inside_is_refused_and_its_address_is_not_told(self, names: Names, address: str) -> None:
        names.answers = [[address], [address]]
        for answers in ([[address]], [[PUBLIC, address]], [[address, PUBLIC]]):
            names.answers, names.asked = answers, 0
            for verify in (True, False):
                names.asked = 0
                body = {**both_ways("mail.inside.example")[0], "verify": verify}
                answer = request("POST", "/accounts", body)
                assert (answer.status, answer.error["code"]) == (422, "host_refused")
                assert address not in answer.text
        assert names.connections == []

    def test_a_name_whose_answers_change_is_connected_to_where_it_was_checked(self, names: Names) -> None:
        names.answers = [[PUBLIC], ["127.0.0.1"], ["169.254.169.254"]]
        answer = request("POST", "/accounts", both_ways("rebinding.example")[0])
        assert answer.error["code"] == "cannot_connect"
        assert names.connections == [PUBLIC]
        assert names.asked == 1

    def test_without_a_trial_nobody_is_connected_to_and_a_name_may_lead_nowhere_yet(self, names: Names) -> None:
        assert request("POST", "/accounts", a_body(verify=False)).status == 201
        names.answers = [[]]
        assert request("POST", "/accounts", a_body(verify=False, incoming__username="ben")).status == 201
        assert names.connections == []

    @pytest.mark.parametrize("port", [22, 25, 80, 443, 3306, 6379, 8080])
    def test_ports_that_are_not_mails_are_refused(self, names: Names, port: int) -> None:
        for body in (a_body(incoming__port=port), a_body(outgoing__port=port)):
            answer = request("POST", "/accounts", body)
            assert (answer.status, answer.error["code"]) == (422, "host_refused")
            assert f"Port {port}" in answer.error["message"]

    def test_a_closed_port_is_told_in_the_same_words_as_any_other_trouble(self, names: Names) -> None:
        answer = request("POST", "/accounts", both_ways("closed.example")[0])
        assert answer.error == {
            "code": "cannot_connect",
            "message": (
                "No POP3 server was reached at closed.example, port 995; check the spelling of the host, the port and "
                "the security (995 goes with TLS, 110 with STARTTLS), or try again later."
            ),
            "details": {"direction": "incoming"},
        }


class TestChanging:
    @pytest.mark.parametrize("address", INSIDE)
    def test_an_account_cannot_be_moved_inside(self, kept: KeptAccounts, names: Names, address: str) -> None:
        account = request("POST", "/accounts", a_body(verify=False)).json
        for direction in ("incoming", "outgoing"):
            for verify in (True, False):
                change = {direction: {"host": address, "password": PASSWORD}, "verify": verify}
                answer = request("PATCH", f"/accounts/{account['id']}", change)
                assert (answer.status, answer.error["code"]) == (422, "host_refused")
        assert names.connections == []
        assert request("GET", f"/accounts/{account['id']}").json == account
        assert json.dumps(kept.queue.requests, default=str) == "[]"
        assert kept.now == NOON
