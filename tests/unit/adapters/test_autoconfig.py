"""Fetching autoconfig files from a real HTTPS server on this machine, hostile or not."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest
import trustme

from popfetch.adapters.autoconfig import MOST_OCTETS, AutoconfigFiles
from popfetch.adapters.host_guard import HostGuard
from popfetch.domain.account import Security
from popfetch.domain.errors import LookupFailed
from popfetch.domain.mail_settings import FoundServer, MailAddress
from popfetch.ports import settings_lookup
from popfetch.ports.settings_lookup import Autoconfig
from tests.builders.autoconfig_files import a_file, a_server
from tests.builders.https_server import Hang, HttpsServer, Page, Raw, moved
from tests.builders.scripted_pop3_server import server_context

ANNA = MailAddress("anna+pop@example.com", "example.com")
FIRST = "autoconfig.example.com/mail/config-v1.1.xml"
SECOND = "example.com/.well-known/autoconfig/mail/config-v1.1.xml"
GOOD = Page(a_file(a_server()))
OTHER = Page(a_file(a_server(host="pop.other.example")))

ADDRESSES = {
    "example.com": ["127.0.0.1"],
    "autoconfig.example.com": ["127.0.0.1"],
    "elsewhere.example.net": ["127.0.0.1"],
    "private.example.net": ["10.0.0.1"],
    "mixed.example.net": ["127.0.0.1", "10.0.0.1"],
}


class LoopbackIsPublic(HostGuard):
    """A guard to which 127.0.0.1 and 127.0.0.2 are public addresses like any, and everything else is as usual."""

    def _check_address(self, name: str, address: IPv4Address | IPv6Address) -> None:
        if str(address) not in {"127.0.0.1", "127.0.0.2"}:
            super()._check_address(name, address)


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The only names that resolve."""
    known = dict(ADDRESSES)

    async def getaddrinfo(_loop: object, host: str, port: int, **_options: object) -> list[tuple[object, ...]]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(0, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return known


@pytest.fixture
def read(ca_file: str) -> Callable[..., object]:
    async def reading(server: HttpsServer, *, address: MailAddress = ANNA, seconds: float = 5.0) -> Autoconfig:
        guard = LoopbackIsPublic(ports={server.port})
        files = AutoconfigFiles(guard, ca_file=ca_file, port=server.port, whole_seconds=seconds)
        return await files.read(address)

    return reading


type Read = Callable[..., "asyncio.Future[Autoconfig]"]


async def failure(read: Read, server: HttpsServer, *, seconds: float = 5.0) -> str:
    async with server, asyncio.timeout(seconds + 5):
        with pytest.raises(LookupFailed) as failed:
            await read(server, seconds=seconds)
    return failed.value.message


class TestPlaces:
    async def test_the_first_is_asked_by_name_with_the_address(self, read: Read) -> None:
        async with HttpsServer({FIRST: GOOD}) as server:
            found = await read(server)
            first = next(request for request in server.requests if request.target.startswith("/mail/"))
            assert first.server_name == "autoconfig.example.com"
            assert first.headers["host"] == f"autoconfig.example.com:{server.port}"
            assert first.target == "/mail/config-v1.1.xml?emailaddress=anna%2Bpop%40example.com"
            assert first.headers["accept-encoding"] == "identity"
        assert found.incoming == FoundServer("pop.example.com", 995, Security.TLS, "anna+pop@example.com")

    async def test_the_first_counts_where_both_have_a_file(self, read: Read) -> None:
        async with HttpsServer({FIRST: GOOD, SECOND: OTHER}) as server:
            assert (await read(server)).incoming.host == "pop.example.com"  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        "first",
        [
            Page(status="404 Not Found"),
            Page(b"<html/>"),
            Page(status="204 No Content"),
            Page(status="304 Not Modified"),
            Raw(b"SSH-2.0-OpenSSH\r\n"),
            Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<clientConfig"),
            Raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000),
            Raw(b""),
        ],
    )
    async def test_the_second_counts_where_the_first_has_none(self, first: Page | Raw, read: Read) -> None:
        async with HttpsServer({FIRST: first, SECOND: OTHER}) as server:
            assert (await read(server)).incoming.host == "pop.other.example"  # type: ignore[union-attr]

    async def test_the_second_counts_where_the_first_does_not_resolve(
        self, read: Read, addresses: dict[str, list[str]]
    ) -> None:
        del addresses["autoconfig.example.com"]
        async with HttpsServer({SECOND: OTHER}) as server:
            assert (await read(server)).incoming.host == "pop.other.example"  # type: ignore[union-attr]

    async def test_the_next_address_is_tried_where_one_refuses(
        self, read: Read, addresses: dict[str, list[str]]
    ) -> None:
        addresses["autoconfig.example.com"] = ["127.0.0.2", "127.0.0.1"]
        async with HttpsServer({FIRST: GOOD}) as server:
            assert (await read(server)).incoming

    async def test_of_a_domain_without_web_server_are_a_failure(self, read: Read) -> None:
        server = HttpsServer({})
        async with server:
            pass
        with pytest.raises(LookupFailed):
            await read(server)

    @pytest.mark.parametrize("domain", ["127.0.0.1", "localhost", "::1"])
    async def test_are_below_domains_only(self, domain: str, read: Read) -> None:
        async with HttpsServer({}) as server:
            with pytest.raises(LookupFailed):
                await read(server, address=MailAddress(f"anna@{domain}", domain))
            assert server.connections == 0

    def test_are_https_at_its_own_port(self) -> None:
        assert AutoconfigFiles(HostGuard())._urls(ANNA) == [
            f"https://{FIRST}?emailaddress=anna%2Bpop%40example.com",
            f"https://{SECOND}?emailaddress=anna%2Bpop%40example.com",
        ]


class TestRedirects:
    @pytest.mark.parametrize("status", ["301 Gone", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
    async def test_are_followed_to_another_host(self, status: str, read: Read) -> None:
        server = HttpsServer({"elsewhere.example.net/there.xml": GOOD})
        async with server:
            with_a_user = f"https://user:word@elsewhere.example.net:{server.port}/there.xml"  # pragma: allowlist secret
            server.pages[FIRST] = moved(with_a_user, status)
            assert (await read(server)).incoming
            there = next(request for request in server.requests if request.target == "/there.xml")
            assert there.server_name == "elsewhere.example.net"
            assert "authorization" not in there.headers

    async def test_are_followed_within_the_host(self, read: Read) -> None:
        async with HttpsServer({FIRST: moved("/new.xml?a=b"), "autoconfig.example.com/new.xml": GOOD}) as server:
            assert (await read(server)).incoming

    async def test_three_times_are_followed_and_no_more(self, read: Read) -> None:
        host = "autoconfig.example.com"
        pages = {FIRST: moved("/1"), f"{host}/1": moved("/2"), f"{host}/2": moved("/3"), f"{host}/3": GOOD}
        async with HttpsServer(pages) as server:
            assert (await read(server)).incoming
        assert "redirects" in await failure(read, HttpsServer({**pages, f"{host}/3": moved("/4"), f"{host}/4": GOOD}))

    async def test_in_a_loop_end(self, read: Read) -> None:
        server = HttpsServer({FIRST: moved("")})
        assert "redirects" in await failure(read, server)
        assert sum(request.target.startswith("/mail/") for request in server.requests) == 4

    async def test_to_the_same_address_by_another_name_have_to_prove_the_name(self, read: Read) -> None:
        server = HttpsServer({"elsewhere.example.net/there.xml": GOOD}, names=("example.com", "autoconfig.example.com"))
        async with server:
            server.pages[FIRST] = moved(f"https://elsewhere.example.net:{server.port}/there.xml")
            with pytest.raises(LookupFailed, match="ConnectError"):
                await read(server)
            assert not any(request.target == "/there.xml" for request in server.requests)

    @pytest.mark.parametrize(
        ("location", "reason"),
        [
            ("http://elsewhere.example.net:{port}/there.xml", "else than https"),
            ("//private.example.net:{port}/", "not lead to a public address"),
            ("https://mixed.example.net:{port}/", "not lead to a public address"),
            ("https://169.254.169.254:{port}/latest/meta-data/", "not lead to a public address"),
            ("https://[::1]:{port}/", "not lead to a public address"),
            ("https://2130706433:{port}/", "unusual form"),
            ("https://elsewhere.example.net:22/", "not a mail port"),
            ("file:///etc/passwd", "else than https"),
            ("ftp://elsewhere.example.net/", "else than https"),
            ("https://xn--a.example.net:{port}/", "InvalidCodepoint"),
            ("https://elsewhere.example.net:99999/", "not a port"),
            ("https://[::1/", "RemoteProtocolError"),
            ("https://\x01.example.net/", "RemoteProtocolError"),
        ],
    )
    async def test_to_where_nobody_may_go_are_a_failure(self, location: str, reason: str, read: Read) -> None:
        server = HttpsServer({"elsewhere.example.net/there.xml": GOOD})
        async with server:
            server.pages[FIRST] = moved(location.format(port=server.port))
            with pytest.raises(LookupFailed, match=reason):
                await read(server)
            assert all(request.target != "/there.xml" for request in server.requests)


class TestHostileServers:
    async def test_that_drip_are_bounded_by_the_whole_time(self, read: Read) -> None:
        drip = Page(GOOD.content, drip=1, pause=0.02)
        assert "seconds" in await failure(read, HttpsServer({FIRST: drip}), seconds=0.3)

    async def test_that_say_nothing_are_bounded_by_the_whole_time(self, read: Read) -> None:
        assert "seconds" in await failure(read, HttpsServer({FIRST: Hang(), SECOND: Hang()}), seconds=0.3)

    async def test_that_hang_at_one_place_cost_the_other_nothing_but_time(self, read: Read) -> None:
        async with HttpsServer({FIRST: Hang(), SECOND: OTHER}) as server:
            assert (await read(server, seconds=0.5)).incoming.host == "pop.other.example"  # type: ignore[union-attr]

    async def test_that_send_too_much_are_cut_off(self, read: Read) -> None:
        huge = Page(GOOD.content + b" " * MOST_OCTETS)
        assert "octets" in await failure(read, HttpsServer({FIRST: huge}))

    async def test_may_send_as_much_as_is_allowed(self, read: Read) -> None:
        large = Page(GOOD.content + b" " * (MOST_OCTETS - len(GOOD.content)))
        async with HttpsServer({FIRST: large}) as server:
            assert (await read(server)).incoming

    async def test_that_pack_the_file_are_not_unpacked(self, read: Read) -> None:
        packed = Page(b"\x1f\x8b", headers=("Content-Encoding: gzip",))
        assert "packed" in await failure(read, HttpsServer({FIRST: packed}))

    @pytest.mark.parametrize(
        "context",
        [
            server_context("other.example.org"),
            server_context("autoconfig.example.com", "example.com", ca=trustme.CA()),
        ],
        ids=["of another name", "of an unknown authority"],
    )
    async def test_with_a_bad_certificate_get_no_request(self, context: ssl.SSLContext, read: Read) -> None:
        server = HttpsServer({FIRST: GOOD, SECOND: GOOD}, context=context)
        assert "ConnectError" in await failure(read, server)
        assert server.requests == []

    async def test_on_a_private_address_get_no_connection(self, ca_file: str) -> None:
        async with HttpsServer({FIRST: GOOD, SECOND: GOOD}) as server:
            files = AutoconfigFiles(HostGuard(ports={server.port}), ca_file=ca_file, port=server.port)
            with pytest.raises(LookupFailed, match="not lead to a public address"):
                await files.read(ANNA)
            assert server.connections == 0

    async def test_see_the_address_but_no_log_does(self, read: Read, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO")
        async with HttpsServer({FIRST: moved("/gone.xml")}) as server:
            with pytest.raises(LookupFailed) as failed:
                await read(server)
        assert "anna" not in caplog.text + failed.value.message

    async def test_are_not_reached_through_a_proxy(self, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        async with HttpsServer({FIRST: GOOD}) as server:
            assert (await read(server)).incoming

    async def test_are_trusted_by_the_operators_authority_only_when_given(self) -> None:
        async with HttpsServer({FIRST: GOOD}) as server:
            files = AutoconfigFiles(LoopbackIsPublic(ports={server.port}), port=server.port)
            with pytest.raises(LookupFailed, match="ConnectError"):
                await files.read(ANNA)

    async def test_are_not_asked_when_the_operators_bundle_cannot_be_read(self) -> None:
        files = AutoconfigFiles(LoopbackIsPublic(ports={443}), ca_file="/nowhere.pem")
        with pytest.raises(LookupFailed, match=r"/nowhere\.pem"):
            await files.read(ANNA)


async def test_an_ipv6_address_is_put_in_brackets(
    read: Read, addresses: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses["autoconfig.example.com"] = ["2001:4860:4860::8888"]
    asked: list[str] = []

    async def send(_client: object, request: object, **_options: object) -> None:
        import httpx

        assert isinstance(request, httpx.Request)
        asked.append(str(request.url))
        raise httpx.ConnectError("No route to host")

    monkeypatch.setattr("httpx.AsyncClient.send", send)
    async with HttpsServer({}) as server:
        with pytest.raises(LookupFailed):
            await read(server)
    assert any(url.startswith(f"https://[2001:4860:4860::8888]:{server.port}/mail/") for url in asked)


def test_the_files_fulfil_their_port() -> None:
    files: settings_lookup.AutoconfigFiles = AutoconfigFiles(HostGuard())
    assert callable(files.read)
