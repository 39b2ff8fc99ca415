"""Connections that are not what they seem: certificates, TLS where none is, addresses without end, octets without end.

Each ends in a typed error in bounded time and memory, and shows no password to whom it is not meant for.
"""

import asyncio
import socket
import ssl
import tracemalloc
import warnings
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.pop3_dialer import Pop3Dialer
from popfetch.domain.account import Security, Server
from popfetch.domain.errors import HostRefused
from popfetch.domain.secret import Secret
from popfetch.pop3.errors import (
    DeadlineReached,
    LimitExceeded,
    NotReached,
    Pop3Error,
    TlsFailed,
)
from popfetch.pop3.limits import DEFAULT_LIMITS
from popfetch.ports.maildrop import MessageContent
from tests.builders.hostile_servers import deaf, drip, flood, half_closed, in_pieces, reset
from tests.builders.pop3_sessions import HELLO, NO_ADVICE, NO_PIPELINING, QUICK, dial, failure
from tests.builders.scripted_pop3_server import (
    Action,
    Close,
    Hang,
    ScriptedServer,
    ScriptedSession,
    Takeover,
    authority,
    ok,
    server_context,
)

BOTH = pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
NOW = datetime.now(UTC)
MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def unhandled() -> Iterator[list[str]]:
    """What was left to the event loop: nothing ever must be."""
    left: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.BaseEventLoop, "call_exception_handler", lambda _, context: left.append(str(context)))
        yield left
    assert left == []


def context_of(leaf: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


def self_signed(folder: Path) -> ssl.SSLContext:
    """A certificate that nobody but itself vouches for."""
    ca = trustme.CA()
    certificate, key = folder / "own.pem", folder / "own.key"
    ca.cert_pem.write_to_path(str(certificate))
    ca.private_key_pem.write_to_path(str(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def _over_tls(dialer: Pop3Dialer, server: ScriptedServer) -> Awaitable[object]:
    """Dial a server by TLS from the start, whatever it speaks."""
    deadline = asyncio.get_running_loop().time() + 20
    return dialer.open(Server(server.host, server.port, Security.TLS, "alex"), Secret("x"), NO_ADVICE, deadline)


@pytest.mark.quirk(number=27, part="a")
class TestCertificates:
    @BOTH
    @pytest.mark.parametrize(
        ("leaf", "what"),
        [
            (lambda: trustme.CA().issue_cert("localhost"), "an authority that is not trusted"),
            (
                lambda: authority().issue_cert(
                    "localhost", not_before=NOW - timedelta(9), not_after=NOW - timedelta(1)
                ),
                "has expired",
            ),
            (
                lambda: authority().issue_cert(
                    "localhost", not_before=NOW + timedelta(1), not_after=NOW + timedelta(9)
                ),
                "is not valid yet",
            ),
            (lambda: authority().issue_cert("pop.evil.example"), "is for another name"),
            (lambda: authority().issue_cert("localhost.evil.example"), "is for another name"),
            (lambda: authority().issue_cert("*.localhost"), "is for another name"),
            (lambda: authority().issue_cert("10.0.0.1"), "is for another name"),
            (lambda: authority().issue_cert(common_name="localhost"), "is not trusted"),
        ],
        ids=["stranger's", "expired", "not yet valid", "other", "longer", "wildcard", "address", "common name only"],
    )
    async def test_that_are_not_good_are_refused_and_told_apart(
        self, security: Security, leaf: Callable[[], trustme.LeafCert], what: str, dialer: Pop3Dialer
    ) -> None:
        async with ScriptedServer(security=security, context=context_of(leaf())) as server:
            error = await failure(dial(dialer, server, host="localhost"))
            assert isinstance(error, TlsFailed)
            assert what in error.message
            assert b"sesame" not in server.received

    @BOTH
    async def test_that_vouch_for_themselves_are_refused(
        self, security: Security, tmp_path: Path, dialer: Pop3Dialer
    ) -> None:
        async with ScriptedServer(security=security, context=self_signed(tmp_path)) as server:
            error = await failure(dial(dialer, server, host="localhost"))
            assert isinstance(error, TlsFailed)
            assert "is self-signed" in error.message
            assert b"sesame" not in server.received

    @BOTH
    @pytest.mark.parametrize(
        ("name", "host", "good"),
        [
            ("*.example.test", "pop.example.test", True),
            ("*.example.test", "a.pop.example.test", False),
            ("*.example.test", "example.test", False),
            ("*.test", "example.test", False),
            ("127.0.0.1", "localhost", False),
        ],
    )
    async def test_of_a_wildcard_are_good_for_one_label_and_no_more(
        self,
        security: Security,
        name: str,
        host: str,
        good: bool,
        dialer: Pop3Dialer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def here(*_: object, **__: object) -> list[tuple[object, ...]]:
            return [(0, 1, 6, "", ("127.0.0.1", 0))]

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", here)
        context = context_of(authority().issue_cert(name))
        async with ScriptedServer(security=security, context=context) as server:
            if good:
                await (await dial(dialer, server, host=host)).quit()
            else:
                assert isinstance(await failure(dial(dialer, server, host=host)), TlsFailed)
                assert b"sesame" not in server.received

    @BOTH
    async def test_by_a_tls_version_of_the_past_are_not_even_looked_at(
        self, security: Security, dialer: Pop3Dialer
    ) -> None:
        context = server_context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        async with ScriptedServer(security=security, context=context) as server:
            assert isinstance(await failure(dial(dialer, server)), TlsFailed | NotReached)
            assert server.received.removeprefix(b"STLS\r\n") == b""

    async def test_by_a_server_that_says_it_has_old_versions_only_are_told_so(self, dialer: Pop3Dialer) -> None:
        alert = b"\x15\x03\x01\x00\x02\x02\x46"
        async with ScriptedServer(on={"greeting": Takeover(in_pieces(alert))}) as server:
            error = await failure(_over_tls(dialer, server))
            assert isinstance(error, TlsFailed)
            assert "no TLS version that is safe" in error.message


@pytest.mark.quirk(number=26, part="a")
@pytest.mark.quirk(number=26, part="b")
class TestStls:
    @pytest.mark.parametrize(
        "answer",
        [
            b"-ERR unknown command\r\n",
            b"-ERR [SYS/TEMP] not now\r\n",
            Close(),
            Close(b"+OK begin\r\n"),
            Hang(b"+OK begin\r\n"),
            Takeover(reset()),
            Takeover(reset(b"+OK begin\r\n")),
            Takeover(half_closed(b"+OK begin\r\n")),
            Takeover(deaf),
            Takeover(flood(b"+OK begin\r\n")),
            Takeover(flood(b"x", first=b"+OK begin\r\n")),
            b"+OK begin\r\n+OK and signed in\r\n",
            b"+OK begin\r\n\r\n",
            Takeover(in_pieces(b"+OK begin\r\n", b"+OK and signed in\r\n", b"+OK\r\n")),
            Takeover(in_pieces(b"+OK begin\r\n", b"\x16\x03\x01\x40\x00" + b"\x00" * 100)),
            b"+OK we do not need that here\r\n",
            b"junk\r\n",
        ],
        ids=lambda answer: str(answer)[:60],
    )
    async def test_stripped_injected_or_broken_sends_no_password(self, answer: Action, ca_file: str) -> None:
        dialer = Pop3Dialer(HostGuard(allow_private=True), ca_file=ca_file, limits=QUICK)
        async with ScriptedServer(security=Security.STARTTLS, on={"STLS": answer}) as server:
            async with asyncio.timeout(5):
                error = await failure(dial(dialer, server))
            assert error.code in {"tls", "protocol", "network"}
            assert not isinstance(error, DeadlineReached)
            assert b"sesame" not in server.received
            assert "USER alex" not in server.commands

    @pytest.mark.parametrize("end", [Close(b"+OK begin\r\n"), Takeover(reset(b"+OK begin\r\n"))], ids=["end", "reset"])
    async def test_that_closes_instead_of_shaking_hands_is_not_waited_for(
        self, end: Action, dialer: Pop3Dialer
    ) -> None:
        async with ScriptedServer(security=Security.STARTTLS, on={"STLS": end}) as server, asyncio.timeout(5):
            assert (await failure(dial(dialer, server))).code == "tls"


@pytest.mark.quirk(number=11, part="b")
class TestTlsWhereNoneIs:
    @pytest.mark.parametrize(
        "greeting",
        [
            Takeover(flood(b"+OK ready\r\n")),
            Takeover(drip(b"\x16\x03\x03", every=0.02)),
            Takeover(reset()),
            Takeover(half_closed()),
            Takeover(deaf),
            Close(),
        ],
        ids=["plain", "drip", "reset", "half closed", "deaf", "close"],
    )
    async def test_is_no_pop3_server_and_bounded(self, greeting: Action, quick_dialer: Pop3Dialer) -> None:
        async with ScriptedServer(on={"greeting": greeting}) as server, asyncio.timeout(5):
            assert isinstance(await failure(_over_tls(quick_dialer, server)), NotReached)

    async def test_a_server_that_waits_for_tls_is_told_of_to_whoever_chose_none(self, quick_dialer: Pop3Dialer) -> None:
        async with ScriptedServer(security=Security.TLS) as server, asyncio.timeout(5):
            loop = asyncio.get_running_loop()
            opening = quick_dialer.open(
                Server(server.host, server.port, Security.NONE, "alex"), Secret("x"), NO_ADVICE, loop.time() + 20
            )
            error = await failure(opening)
            assert isinstance(error, NotReached)
            assert "choose TLS" in str(error.__cause__)


class TestAddresses:
    async def test_by_the_dozen_that_say_nothing_are_bounded_all_together(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[object] = []

        async def many(*_: object, **__: object) -> list[tuple[object, ...]]:
            return [(0, 1, 6, "", (f"93.184.216.{number}", 995)) for number in range(1, 51)]

        async def silent(_: object, __: socket.socket, address: object) -> None:
            tried.append(address)
            await asyncio.Event().wait()

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", many)
        monkeypatch.setattr("asyncio.selector_events.BaseSelectorEventLoop.sock_connect", silent)
        dialer = Pop3Dialer(HostGuard(), limits=replace(DEFAULT_LIMITS, connect_seconds=0.05, reach_seconds=0.15))
        loop = asyncio.get_running_loop()
        began = loop.time()
        server = Server("pop.example.com", 995, Security.TLS, "alex")
        error = await failure(dialer.open(server, Secret("x"), NO_ADVICE, began + 30))
        assert isinstance(error, NotReached)
        assert loop.time() - began < 2
        assert len({address for address in tried if tried.count(address) == 1}) >= 3

    async def test_are_looked_up_once_however_often_the_server_is_dialled(
        self, dialer: Pop3Dialer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A second answer could be another one: what was checked is what is connected to."""
        answers = [["127.0.0.1"], ["169.254.169.254"]]

        async def rebinding(*_: object, **__: object) -> list[tuple[object, ...]]:
            return [(0, 1, 6, "", (address, 0)) for address in answers.pop(0)]

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", rebinding)
        async with ScriptedServer([HELLO], on={"CAPA": Close()}) as server:
            await (await dial(dialer, server, host="pop.example.com")).quit()
            assert len(server.sessions) == 2
            assert len(answers) == 1

    @pytest.mark.parametrize("private", ["127.0.0.1", "169.254.169.254", "10.0.0.9", "::1", "::ffff:10.0.0.9"])
    async def test_that_a_public_name_hides_are_never_connected_to(
        self, private: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def mixed(*_: object, **__: object) -> list[tuple[object, ...]]:
            return [(0, 1, 6, "", (address, 995)) for address in ("93.184.216.34", private)]

        def connected(*_: object) -> None:
            pytest.fail("a connection was made")

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", mixed)
        monkeypatch.setattr("asyncio.selector_events.BaseSelectorEventLoop.sock_connect", connected)
        with pytest.raises(HostRefused) as caught:
            await Pop3Dialer(HostGuard()).open(
                Server("pop.example.com", 995, Security.TLS, "alex"), Secret("x"), NO_ADVICE, 1e9
            )
        assert private not in caught.value.message


async def peak_of(work: Awaitable[object]) -> int:
    """The most octets that Python held while this ran, beyond what it held before."""
    tracemalloc.start()
    try:
        await work
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class TestMemory:
    """Floods of which only a little is ever held; the server's own buffers are in the figures."""

    @pytest.mark.parametrize(
        ("at", "first", "block", "most"),
        [
            ("greeting", b"", b"x", 4),
            ("CAPA", b"+OK\r\n", b"X-CAP\r\n", 5),
            ("STAT", b"+OK ", b"1", 4),
            ("LIST", b"+OK\r\n", b"1 1\r\n", 12),
            ("UIDL", b"+OK\r\n", b"123456 abcdefgh\r\n", 12),
            ("UIDL", b"+OK\r\n", b"1 " + b"x" * 8000 + b"\r\n", 12),
        ],
    )
    async def test_of_a_session_that_is_flooded_is_bounded(
        self, at: str, first: bytes, block: bytes, most: int
    ) -> None:
        limits = replace(DEFAULT_LIMITS, listing_octets=2 * MEGABYTE, listing_rows=50_000)
        dialer = Pop3Dialer(HostGuard(allow_private=True), limits=limits)
        async with ScriptedServer([HELLO], on={at: Takeover(flood(block, first=first))}) as server:

            async def session() -> None:
                with pytest.raises(Pop3Error):
                    await (await dial(dialer, server)).stat_and_listing()

            assert await peak_of(session()) < most * MEGABYTE
            assert server.session.flooded < 16 * MEGABYTE

    async def test_of_a_message_of_a_hundred_megabytes_is_a_few_blocks(self) -> None:
        limits = replace(DEFAULT_LIMITS, message_octets=100 * MEGABYTE)
        dialer = Pop3Dialer(HostGuard(allow_private=True), limits=limits)
        seen = 0
        async with ScriptedServer([HELLO], on={"RETR": Takeover(flood(b"x" * 998 + b"\r\n", first=ok()))}) as server:

            async def session() -> None:
                nonlocal seen
                maildrop = await dial(dialer, server)
                retrieval = maildrop.retrieve(iter([1]))
                while seen < 100 * MEGABYTE:
                    event = await anext(retrieval)
                    seen += len(event.data) if isinstance(event, MessageContent) else 0
                with pytest.raises(LimitExceeded):
                    await anext(retrieval)
                await maildrop.abandon()

            assert await peak_of(session()) < 6 * MEGABYTE
        assert seen == 100 * MEGABYTE

    async def test_of_capabilities_by_the_thousand_is_spent_on_nothing_else(self, dialer: Pop3Dialer) -> None:
        rows = [f"X-CAPABILITY-{number}" for number in range(3_000)]
        async with ScriptedServer([HELLO], capabilities=[*rows, "UIDL", "USER", "PIPELINING"]) as server:
            maildrop = await dial(dialer, server)
            assert maildrop.pipelines
            await maildrop.abandon()


class TestLargeListings:
    """Of those that would fill the memory together, one is read at a time; small ones go by."""

    SIZES = b"".join(b"%d 99\r\n" % number for number in range(1, 301))

    def in_halves(self, halves: asyncio.Semaphore) -> Takeover:
        """UIDL of 300 rows, the second half once the semaphore lets it go, and LIST."""
        uids = [b"%d uid-%d\r\n" % (number, number) for number in range(1, 301)]

        async def rampage(_: ScriptedSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(ok() + b"".join(uids[:150]))
            await halves.acquire()
            writer.write(b"".join(uids[150:]) + b".\r\n")
            await reader.readline()
            writer.write(ok() + self.SIZES + b".\r\n")
            await reader.readline()

        return Takeover(rampage)

    async def test_wait_until_the_session_of_the_one_before_ends(self) -> None:
        dialer = Pop3Dialer(HostGuard(allow_private=True), limits=replace(DEFAULT_LIMITS, small_listing_rows=100))
        turn, halves = dialer._large_listings.get(), asyncio.Semaphore(0)
        on: dict[str, Action | list[Action]] = {"STAT": ok("300 9"), "UIDL": self.in_halves(halves)}
        async with (
            ScriptedServer(on=on, capabilities=NO_PIPELINING) as large,
            ScriptedServer([HELLO], capabilities=NO_PIPELINING) as small,
            asyncio.timeout(10),
        ):
            # given a session that reads a large listing, and one that would
            first, second = await dial(dialer, large), await dial(dialer, large)
            one = asyncio.create_task(first.stat_and_listing())
            while not turn.locked():  # noqa: ASYNC110 - the lock tells nobody
                await asyncio.sleep(0)
            two = asyncio.create_task(second.stat_and_listing())
            while not turn._waiters:  # noqa: ASYNC110
                await asyncio.sleep(0)
            halves.release()
            halves.release()

            # then the first ends, a small one goes by, and the second waits
            assert len((await one)[1]) == 300
            third = await dial(dialer, small)
            assert len((await third.stat_and_listing())[1]) == 1
            assert not two.done()

            # until the first lets go
            await first.abandon()
            assert len((await two)[1]) == 300
            await second.abandon()
            await third.abandon()
            assert not turn.locked()

    async def test_that_are_waited_for_too_long_are_out_of_time(self) -> None:
        dialer = Pop3Dialer(HostGuard(allow_private=True), limits=replace(DEFAULT_LIMITS, small_listing_rows=100))
        on: dict[str, Action | list[Action]] = {
            "STAT": ok("300 9"),
            "UIDL": self.in_halves(asyncio.Semaphore(0)),
        }
        async with ScriptedServer(on=on, capabilities=NO_PIPELINING) as server, dialer._large_listings.get():
            maildrop = await dial(dialer, server, seconds=0.3)
            assert isinstance(await failure(maildrop.stat_and_listing()), DeadlineReached)
            await maildrop.abandon()
