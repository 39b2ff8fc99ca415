"""Hosts that users name: which are connected to, and which never."""

import asyncio
import socket
from collections.abc import Callable
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.adapters.host_guard import HostGuard, is_public
from popfetch.domain.errors import HostRefused
from popfetch.pop3.errors import ConnectionFailed

type Resolving = Callable[[str, list[str]], None]


@pytest.fixture
def resolving(monkeypatch: pytest.MonkeyPatch) -> Resolving:
    """Lets a name resolve to these addresses, and every other name to none."""
    known: dict[str, list[str]] = {}

    async def getaddrinfo(
        _loop: object, host: str, port: int, **_options: object
    ) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(0, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return known.__setitem__


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.1.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fd00:ec2::254",
            "fc00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::8.8.8.8",
            "2002:7f00:1::1",
            "2002:a9fe:a9fe::",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2606:4700::5efe:10.0.0.1",
        ],
    )
    def test_that_are_not_public_are_told(self, address: str) -> None:
        assert not is_public(ip_address(address))

    @pytest.mark.parametrize(
        "address",
        ["8.8.8.8", "142.250.1.108", "2606:4700::1", "2a00:1450:400c::6d", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"],
    )
    def test_that_are_public_are_told(self, address: str) -> None:
        assert is_public(ip_address(address))

    @given(address=st.ip_addresses())
    def test_of_any_kind_are_decided(self, address: object) -> None:
        assert is_public(ip_address(str(address))) in {True, False}


class TestCheck:
    async def test_a_public_host_passes_with_ipv4_first(self, resolving: Resolving) -> None:
        resolving("pop.example.com", ["2606:4700::1", "8.8.8.8", "8.8.8.8", "8.8.4.4"])
        checked = await HostGuard().check("POP.example.com.", 995)
        assert checked.name == "pop.example.com"
        assert checked.port == 995
        assert checked.addresses == ("8.8.8.8", "8.8.4.4", "2606:4700::1")

    @pytest.mark.parametrize("private", ["127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "fd00:ec2::254"])
    async def test_one_address_that_is_not_public_refuses_the_name(self, private: str, resolving: Resolving) -> None:
        resolving("mixed.example.com", ["8.8.8.8", private])
        with pytest.raises(HostRefused, match="AllowPrivateHosts"):
            await HostGuard().check("mixed.example.com", 995)

    @pytest.mark.parametrize("port", [22, 25, 80, 443, 8110])
    async def test_only_mail_ports_are_open(self, port: int, resolving: Resolving) -> None:
        resolving("pop.example.com", ["8.8.8.8"])
        with pytest.raises(HostRefused, match="110 or 995"):
            await HostGuard().check("pop.example.com", port)

    async def test_the_ports_are_those_of_the_protocol(self, resolving: Resolving) -> None:
        resolving("smtp.example.com", ["8.8.8.8"])
        assert (await HostGuard(ports={465, 587}).check("smtp.example.com", 587)).port == 587

    async def test_private_hosts_open_addresses_and_ports(self) -> None:
        checked = await HostGuard(allow_private=True).check("127.0.0.1", 8110)
        assert checked.addresses == ("127.0.0.1",)

    @pytest.mark.parametrize("host", ["0.0.0.0", "224.0.0.1", "[::]"])
    async def test_what_is_no_machine_stays_closed(self, host: str) -> None:
        with pytest.raises(HostRefused):
            await HostGuard(allow_private=True).check(host, 110)

    @pytest.mark.parametrize("port", [0, -1, 65536])
    async def test_impossible_ports_stay_closed(self, port: int) -> None:
        with pytest.raises(HostRefused):
            await HostGuard(allow_private=True).check("127.0.0.1", port)

    async def test_a_name_without_address_may_have_one_later(self, resolving: Resolving) -> None:
        with pytest.raises(ConnectionFailed, match="spelling"):
            await HostGuard().check("nowhere.example.com", 995)

    async def test_a_look_up_is_bounded_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def never(*_args: object, **_options: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", never)
        with pytest.raises(ConnectionFailed, match="Looking up"):
            await HostGuard(resolve_seconds=0.01).check("slow.example.com", 995)
