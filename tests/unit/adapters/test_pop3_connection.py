"""POP3 over real sockets against a scripted server: what goes onto the wire, in what order, and what goes wrong."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager

import pytest
import trustme

from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.pop3_connection import (
    Pop3Dialer,
    Pop3Maildrop,
    asks_one_by_one,
    merged_listing,
)
from popfetch.domain.account import AuthMethod, Security, Server
from popfetch.domain.errors import HostRefused
from popfetch.domain.secret import Secret
from popfetch.pop3.errors import (
    CommandRefused,
    ConnectionFailed,
    DeadlineReached,
    LimitExceeded,
    LoginTooFrequent,
    MaildropBusy,
    Pop3Error,
    ProtocolViolation,
    ServerTemporary,
    SignInRefused,
    TlsFailed,
    UnusableCredentials,
)
from popfetch.pop3.limits import Limits
from popfetch.ports import (
    DialAdvice,
    ListedMessage,
    Maildrop,
    MaildropDialer,
    MaildropSize,
    MessageBegan,
    MessageConfirmed,
    MessageContent,
    MessageEnded,
    MessageRefused,
    RetrievalEvent,
)
from tests.builders.scripted_pop3_server import (
    DEFAULT,
    Close,
    Hang,
    Mail,
    ScriptedServer,
    authority_file,
    err,
    ok,
    server_context,
)

HELLO = b"Subject: hello\r\n\r\nHello\r\n"
NO_PIPELINING = ("TOP", "UIDL", "USER")
NO_ADVICE = DialAdvice()
QUICK = Limits(
    connect_seconds=0.2,
    handshake_seconds=0.2,
    greeting_seconds=0.2,
    reply_seconds=0.2,
    idle_seconds=0.2,
    quit_seconds=0.2,
)


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    return authority_file(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def dialer(ca_file: str) -> Pop3Dialer:
    return Pop3Dialer(HostGuard(allow_private=True), ca_file=ca_file)


@pytest.fixture
def quick_dialer(ca_file: str) -> Pop3Dialer:
    return Pop3Dialer(HostGuard(allow_private=True), ca_file=ca_file, limits=QUICK)


async def dial(
    dialer: Pop3Dialer,
    server: ScriptedServer,
    *,
    secret: str | None = None,
    advice: DialAdvice = NO_ADVICE,
    seconds: float = 20,
    host: str | None = None,
    auth: AuthMethod = AuthMethod.PASSWORD,
) -> Pop3Maildrop:
    deadline = asyncio.get_running_loop().time() + seconds
    return await dialer.open(
        server.account_server(host=host, auth=auth), Secret(secret or server.password), advice, deadline
    )


@asynccontextmanager
async def opened(
    dialer: Pop3Dialer, server: ScriptedServer, *, advice: DialAdvice = NO_ADVICE, seconds: float = 20
) -> AsyncIterator[Pop3Maildrop]:
    """The server running and a maildrop on it; the sign-in's commands are already forgotten."""
    async with server:
        maildrop = await dial(dialer, server, advice=advice, seconds=seconds)
        server.session.commands.clear()
        server.session.reads.clear()
        yield maildrop
        await maildrop.abandon()


async def failure(opening: Awaitable[object]) -> Pop3Error:
    with pytest.raises(Pop3Error) as caught:
        await opening
    return caught.value


async def events(maildrop: Pop3Maildrop, numbers: Iterator[int]) -> list[RetrievalEvent]:
    """All events, the content of each message joined."""
    found: list[RetrievalEvent] = []
    async for event in maildrop.retrieve(numbers):
        before = found[-1] if found else None
        if isinstance(event, MessageContent) and isinstance(before, MessageContent):
            found[-1] = MessageContent(event.number, before.data + event.data)
        else:
            found.append(event)
    return found


async def events_before(
    failing: type[Pop3Error], maildrop: Pop3Maildrop, numbers: Iterator[int]
) -> list[RetrievalEvent]:
    """The events before the session broke, which it must."""
    found: list[RetrievalEvent] = []
    try:
        async for event in maildrop.retrieve(numbers):
            found.append(event)  # noqa: PERF401 - what came before the failure is what counts
    except failing:
        return found
    pytest.fail(f"There was no {failing.__name__}.")


def whole(number: int, content: bytes) -> list[RetrievalEvent]:
    """The events of a message that was retrieved and confirmed."""
    began: list[RetrievalEvent] = [MessageBegan(number)]
    if content:
        began.append(MessageContent(number, content))
    return [*began, MessageEnded(number), MessageConfirmed(number)]


class TestIdlePoll:
    @pytest.mark.parametrize("security", Security)
    async def test_is_answered_whatever_protects_the_line(self, security: Security, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer([HELLO, HELLO], security=security)) as maildrop:
            assert await maildrop.probe(2) == (MaildropSize(2, 2 * len(HELLO)), b"uid-2")
            assert await maildrop.quit()

    async def test_sends_nothing_else(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO, HELLO])
        async with opened(dialer, server) as maildrop:
            await maildrop.probe(2)
            await maildrop.quit()
            assert server.session.reads == [b"STAT\r\nUIDL 2\r\n", b"QUIT\r\n"]

    async def test_takes_turns_where_pipelining_is_not_known_and_does_not_ask(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO], capabilities=NO_PIPELINING)
        async with opened(dialer, server) as maildrop:
            assert await maildrop.probe(1) == (MaildropSize(1, len(HELLO)), b"uid-1")
            assert not maildrop.pipelines
            assert maildrop.pipelining_announced is None
            assert server.session.reads == [b"STAT\r\n", b"UIDL 1\r\n"]

    async def test_pipelines_on_advice(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO], capabilities=NO_PIPELINING)
        async with opened(dialer, server, advice=DialAdvice(pipeline=True)) as maildrop:
            await maildrop.probe(1)
            assert server.session.reads == [b"STAT\r\nUIDL 1\r\n"]

    async def test_takes_turns_on_advice(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO])
        async with opened(dialer, server, advice=DialAdvice(pipeline=False)) as maildrop:
            await maildrop.probe(1)
            assert server.session.reads == [b"STAT\r\n", b"UIDL 1\r\n"]

    async def test_takes_a_uid_that_comes_without_its_number(self, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer([HELLO], on={"UIDL 1": b"+OK 4f3a9c\r\n"})) as maildrop:
            assert (await maildrop.probe(1))[1] == b"4f3a9c"

    async def test_has_no_uid_where_uidl_is_refused(self, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer([HELLO], uidl=False)) as maildrop:
            assert await maildrop.probe(1) == (MaildropSize(1, len(HELLO)), None)
            assert await maildrop.probe(9) == (MaildropSize(1, len(HELLO)), None)
            assert await maildrop.probe(0) == (MaildropSize(1, len(HELLO)), None)

    async def test_does_not_take_another_message_for_an_answer(self, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer([HELLO], on={"UIDL 1": ok("7 uid-7")})) as maildrop:
            assert isinstance(await failure(maildrop.probe(1)), ProtocolViolation)
            assert not await maildrop.quit()

    async def test_tells_a_server_in_trouble_from_one_without_uidl(self, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer([HELLO], on={"UIDL 1": err("[SYS/TEMP] disk")})) as maildrop:
            assert isinstance(await failure(maildrop.probe(1)), ServerTemporary)

    async def test_refuses_a_stat_that_makes_no_sense(self, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer(on={"STAT": ok("plenty")})) as maildrop:
            assert isinstance(await failure(maildrop.stat()), ProtocolViolation)


class TestSignIn:
    @pytest.mark.parametrize(
        ("capabilities", "apop", "security", "expected"),
        [
            (("SASL PLAIN CRAM-MD5", "USER"), True, Security.TLS, "AUTH PLAIN AGFsZXgAb3BlbiBzZXNhbWU="),
            (("USER",), True, Security.TLS, "USER alex"),
            (("SASL LOGIN",), False, Security.TLS, "AUTH LOGIN"),
            (("SASL CRAM-MD5",), False, Security.TLS, "AUTH CRAM-MD5"),
            (("SASL PLAIN", "USER"), False, Security.STARTTLS, "AUTH PLAIN AGFsZXgAb3BlbiBzZXNhbWU="),
            (("SASL PLAIN CRAM-MD5", "USER"), True, Security.NONE, "AUTH CRAM-MD5"),
            (("USER",), True, Security.NONE, "APOP alex "),
            (("USER",), False, Security.NONE, "USER alex"),
            (None, False, Security.NONE, "USER alex"),
            (None, False, Security.TLS, "USER alex"),
        ],
    )
    async def test_takes_the_best_way_that_is_offered(
        self,
        capabilities: tuple[str, ...] | None,
        apop: bool,
        security: Security,
        expected: str,
        dialer: Pop3Dialer,
    ) -> None:
        async with ScriptedServer(capabilities=capabilities, apop=apop, security=security) as server:
            maildrop = await dial(dialer, server)
            assert server.session.signed_in
            after_capa = server.commands[server.commands.index("CAPA") + 1]
            assert after_capa.startswith(expected)
            await maildrop.abandon()

    async def test_sends_8_bit_passwords_as_utf_8(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(password="pässwörd ü") as server:
            await (await dial(dialer, server)).abandon()
            assert "PASS pässwörd ü".encode() + b"\r\n" in server.received

    async def test_with_a_long_password_waits_for_the_challenge(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(password="p" * 300, capabilities=("SASL PLAIN",), security=Security.TLS)
        async with server:
            await (await dial(dialer, server)).abandon()
            assert server.commands == ["CAPA", "AUTH PLAIN"]

    @pytest.mark.parametrize("bad", ["open\r\nQUIT", "open\nsesame", "open\0sesame"])
    async def test_refuses_what_would_break_out_of_its_line_before_connecting(
        self, bad: str, dialer: Pop3Dialer
    ) -> None:
        async with ScriptedServer() as server:
            error = await failure(dial(dialer, server, secret=bad))
            assert isinstance(error, UnusableCredentials)
            assert server.sessions == []

    async def test_with_a_wrong_password_is_refused_once(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(capabilities=("SASL PLAIN LOGIN CRAM-MD5", "USER"), apop=True, security=Security.TLS)
        async with server:
            error = await failure(dial(dialer, server, secret="wrong password"))
            assert isinstance(error, SignInRefused)
            assert error.explicit
            assert len(server.commands) == 2

    async def test_goes_on_where_only_the_mechanism_is_refused(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(
            capabilities=("SASL PLAIN LOGIN", "USER"), security=Security.TLS, on={"AUTH": err("unknown command")}
        )
        async with server:
            await (await dial(dialer, server)).abandon()
            assert server.commands[-2:] == ["USER alex", "PASS open sesame"]

    async def test_falls_back_over_tls_when_apop_does_not_work(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(
            capabilities=("UIDL",), apop=True, security=Security.TLS, on={"APOP": err("authentication failed")}
        )
        async with server:
            await (await dial(dialer, server)).abandon()
            assert [line.split()[0] for line in server.commands] == ["CAPA", "APOP", "USER", "PASS"]

    async def test_does_not_fall_back_in_clear_when_apop_fails(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(apop=True, on={"APOP": err("authentication failed")}) as server:
            assert isinstance(await failure(dial(dialer, server)), SignInRefused)
            assert b"sesame" not in server.received

    async def test_keeps_the_refusal_when_the_server_hangs_up_after_it(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(
            capabilities=("UIDL",), apop=True, security=Security.TLS, on={"APOP": Close(err("authentication failed"))}
        )
        async with server:
            assert isinstance(await failure(dial(dialer, server)), SignInRefused)

    async def test_cancels_a_challenge_that_makes_no_sense(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(
            capabilities=("SASL CRAM-MD5",),
            security=Security.TLS,
            on={"AUTH CRAM-MD5": b"+ not base64!\r\n", "*": err("cancelled")},
        )
        async with server:
            await (await dial(dialer, server)).abandon()
            assert server.commands == ["CAPA", "AUTH CRAM-MD5", "*", "USER alex", "PASS open sesame"]

    @pytest.mark.parametrize(
        ("text", "leaf"),
        [
            ("[IN-USE] locked", MaildropBusy),
            ("[LOGIN-DELAY] slowly", LoginTooFrequent),
            ("[SYS/TEMP] later", ServerTemporary),
            ("Logon failure: unknown user name or bad password.", SignInRefused),
        ],
    )
    async def test_tells_apart_why_it_was_refused(self, text: str, leaf: type[Pop3Error], dialer: Pop3Dialer) -> None:
        async with ScriptedServer(on={"PASS": err(text)}) as server:
            assert type(await failure(dial(dialer, server))) is leaf

    @pytest.mark.parametrize(
        "echo",
        [
            "PASS open sesame is wrong",
            "PASS open sesame" + " x" * 200,
            "[AUTH] " + b64encode(b"open sesame").decode(),
            "[AUTH] bad token " + b64encode(b"\0alex\0open sesame").decode(),
        ],
    )
    async def test_never_tells_a_password_that_the_server_echoes(self, echo: str, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(on={"PASS": err(echo)}) as server:
            error = await failure(dial(dialer, server))
            for shown in (str(error), repr(error), error.server_text):
                assert "sesame" not in shown
                assert "b3BlbiBzZXNhbWU" not in shown
                assert "AGFsZXgAb3BlbiBzZXNhbWU" not in shown

    async def test_with_a_token_takes_two_lines(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(security=Security.TLS, capabilities=("SASL PLAIN XOAUTH2",), password="tok.en")
        async with server:
            await (await dial(dialer, server, auth=AuthMethod.OAUTH2)).abandon()
            assert server.commands == ["CAPA", "AUTH XOAUTH2"]

    async def test_with_a_stale_token_is_refused_in_good_order(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(security=Security.TLS, capabilities=("SASL XOAUTH2",), password="tok.en")
        async with server:
            error = await failure(dial(dialer, server, secret="stale", auth=AuthMethod.OAUTH2))
            assert isinstance(error, SignInRefused)
            assert error.explicit

    async def test_never_sends_a_token_in_clear(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(capabilities=("SASL XOAUTH2",), password="tok.en") as server:
            assert isinstance(await failure(dial(dialer, server, auth=AuthMethod.OAUTH2)), UnusableCredentials)
            assert b"AUTH" not in server.received


class TestCapa:
    async def test_that_closes_the_connection_is_left_out_the_second_time(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer([HELLO], on={"CAPA": Close()}) as server:
            maildrop = await dial(dialer, server)
            assert maildrop.capa_broke_session
            assert [session.commands for session in server.sessions] == [["CAPA"], ["USER alex", "PASS open sesame"]]
            assert await events(maildrop, iter([1])) == whole(1, HELLO)
            assert "CAPA" not in server.session.commands
            await maildrop.abandon()

    async def test_that_is_refused_by_a_server_that_then_hangs_up_is_left_out_too(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(on={"CAPA": [Close(err("Protocol error. Connection is closed. 10"))]}) as server:
            maildrop = await dial(dialer, server)
            assert maildrop.capa_broke_session
            await maildrop.abandon()

    async def test_that_is_refused_does_no_harm(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(capabilities=None) as server:
            maildrop = await dial(dialer, server)
            assert not maildrop.capa_broke_session
            assert maildrop.capabilities is None
            assert len(server.sessions) == 1
            await maildrop.abandon()

    async def test_is_left_out_on_advice(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer() as server:
            await (await dial(dialer, server, advice=DialAdvice(skip_capa=True))).abandon()
            assert server.commands == ["USER alex", "PASS open sesame"]

    async def test_is_asked_again_only_when_pipelining_would_pay(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(
            [HELLO] * 3,
            capabilities=("USER", "UIDL"),
            capabilities_after_sign_in=("USER", "UIDL", "PIPELINING"),
        )
        async with opened(dialer, server) as maildrop:
            await maildrop.stat()
            await maildrop.probe(3)
            await maildrop.delete([3])
            assert "CAPA" not in server.session.commands
            await events(maildrop, iter([1, 2]))
            assert maildrop.pipelining_announced
            assert server.session.reads[-2:] == [b"CAPA\r\n", b"RETR 1\r\nRETR 2\r\nNOOP\r\n"]
            await events(maildrop, iter([1]))
            assert server.session.commands.count("CAPA") == 1

    async def test_that_closes_the_connection_after_the_sign_in_is_remembered(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO], capabilities=NO_PIPELINING, on={"CAPA": [DEFAULT, Close()]})
        async with opened(dialer, server) as maildrop:
            assert isinstance(await failure(events(maildrop, iter([1]))), ConnectionFailed)
            assert maildrop.capa_broke_session

    async def test_is_not_asked_again_of_a_server_that_refused_it(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO], capabilities=None)
        async with opened(dialer, server) as maildrop:
            await events(maildrop, iter([1]))
            assert server.session.commands == ["RETR 1", "NOOP"]
            assert maildrop.pipelining_announced is None


class TestTls:
    async def test_refused_by_stls_sends_no_password(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(security=Security.STARTTLS, on={"STLS": err("not today")})
        async with server:
            error = await failure(dial(dialer, server))
            assert isinstance(error, TlsFailed)
            assert "port 995" in error.message
            assert server.received == b"STLS\r\n"

    async def test_by_stls_that_hangs_up_sends_no_password(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(security=Security.STARTTLS, on={"STLS": Close()}) as server:
            assert isinstance(await failure(dial(dialer, server)), TlsFailed)
            assert server.received == b"STLS\r\n"

    async def test_octets_injected_ahead_of_the_handshake_end_the_session(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(security=Security.STARTTLS, on={"STLS": ok("begin") + ok("injected")})
        async with server:
            assert isinstance(await failure(dial(dialer, server)), ProtocolViolation)
            assert server.received == b"STLS\r\n"

    async def test_by_stls_forgets_what_was_announced_before(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(security=Security.STARTTLS) as server:
            await (await dial(dialer, server)).abandon()
            assert server.commands[:2] == ["STLS", "CAPA"]

    @pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
    async def test_of_another_name_is_refused(self, security: Security, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(security=security, context=server_context("pop.other.example"))
        async with server:
            error = await failure(dial(dialer, server, host="localhost"))
            assert isinstance(error, TlsFailed)
            assert "is for another name" in error.message
            assert f"localhost:{server.port}" in error.message
            assert b"sesame" not in server.received

    @pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
    async def test_of_an_unknown_authority_is_refused(self, security: Security, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(security=security, context=server_context(ca=trustme.CA()))
        async with server:
            error = await failure(dial(dialer, server))
            assert isinstance(error, TlsFailed)
            assert "authority that is not trusted" in error.message
            assert b"sesame" not in server.received

    async def test_trusts_the_operators_authority_only_when_given(self) -> None:
        async with ScriptedServer(security=Security.TLS) as server:
            assert isinstance(await failure(dial(Pop3Dialer(HostGuard(allow_private=True)), server)), TlsFailed)

    async def test_with_a_bundle_that_cannot_be_read_says_so(self) -> None:
        async with ScriptedServer(security=Security.TLS) as server:
            error = await failure(dial(Pop3Dialer(HostGuard(allow_private=True), ca_file="/nowhere.pem"), server))
            assert isinstance(error, TlsFailed)
            assert "/nowhere.pem" in error.message

    async def test_is_of_version_1_2_at_least(self, dialer: Pop3Dialer) -> None:
        assert dialer._tls.minimum_version is ssl.TLSVersion.TLSv1_2
        assert dialer._tls.verify_mode is ssl.CERT_REQUIRED
        assert dialer._tls.check_hostname

    async def test_on_a_plain_port_says_so(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer() as server:
            plain = Server(server.host, server.port, Security.TLS, "alex")
            deadline = asyncio.get_running_loop().time() + 5
            error = await failure(dialer.open(plain, Secret("open sesame"), DialAdvice(), deadline))
            assert isinstance(error, TlsFailed)
            assert "STARTTLS" in error.message

    async def test_that_stalls_in_the_handshake_is_bounded(self, quick_dialer: Pop3Dialer) -> None:
        async with ScriptedServer(on={"greeting": Hang()}) as server:
            stalling = Server(server.host, server.port, Security.TLS, "alex")
            deadline = asyncio.get_running_loop().time() + 5
            error = await failure(quick_dialer.open(stalling, Secret("open sesame"), DialAdvice(), deadline))
            assert isinstance(error, TlsFailed)
            assert "in time" in error.message


class TestConnecting:
    async def test_to_a_closed_port_says_so(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer() as server:
            pass
        error = await failure(dial(dialer, server))
        assert isinstance(error, ConnectionFailed)
        assert f"127.0.0.1:{server.port} refuses connections" in error.message

    async def test_to_a_forbidden_host_does_not_happen(self) -> None:
        async with ScriptedServer() as server:
            with pytest.raises(HostRefused):
                await dial(Pop3Dialer(HostGuard()), server)
            assert server.sessions == []

    async def test_to_a_server_that_does_not_greet_is_bounded(self, quick_dialer: Pop3Dialer) -> None:
        async with ScriptedServer(on={"greeting": Hang()}) as server:
            error = await failure(dial(quick_dialer, server))
            assert isinstance(error, ConnectionFailed)
            assert "before it greeted" in error.message

    async def test_to_a_server_that_refuses_at_once_is_no_wrong_password(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(on={"greeting": Close(err("[IN-USE] come back"))}) as server:
            assert isinstance(await failure(dial(dialer, server)), MaildropBusy)

    async def test_to_another_kind_of_server_is_a_violation(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(on={"greeting": b"220 smtp.example ESMTP\r\n"}) as server:
            assert isinstance(await failure(dial(dialer, server)), ProtocolViolation)

    async def test_tries_the_next_address_when_one_does_not_answer(
        self, dialer: Pop3Dialer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with ScriptedServer() as server:

            async def two_addresses(*_args: object, **_options: object) -> list[tuple[object, ...]]:
                return [(0, 1, 6, "", ("127.0.0.2", server.port)), (0, 1, 6, "", ("127.0.0.1", server.port))]

            monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", two_addresses)
            monkeypatch.setattr("popfetch.adapters.host_guard.HostGuard._check_address", lambda *_: None)
            await (await dial(dialer, server, host="pop.example.com")).abandon()
            assert len(server.sessions) == 1

    async def test_respects_the_deadline_over_everything(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(on={"CAPA": Hang()}) as server:
            error = await failure(dial(dialer, server, seconds=0.2))
            assert isinstance(error, DeadlineReached)
            assert len(server.sessions) == 1


ROWS = [ListedMessage(number, b"uid-%d" % number, len(HELLO)) for number in range(1, 4)]


class TestListing:
    async def test_of_everything_is_one_write(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO] * 3)
        async with opened(dialer, server) as maildrop:
            assert await maildrop.listing(count=3) == ROWS
            assert server.session.reads == [b"UIDL\r\nLIST\r\n"]

    async def test_of_few_among_many_asks_for_those_only(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO] * 3)
        async with opened(dialer, server) as maildrop:
            assert await maildrop.listing(range(2, 4), count=1000) == ROWS[1:]
            assert server.session.reads == [b"UIDL 2\r\nLIST 2\r\nUIDL 3\r\nLIST 3\r\n"]

    async def test_of_many_asks_for_everything(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO] * 3)
        async with opened(dialer, server) as maildrop:
            assert await maildrop.listing(range(2, 4), count=3) == ROWS[1:]
            assert server.session.commands == ["UIDL", "LIST"]

    async def test_of_nothing_asks_nothing(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO] * 3)
        async with opened(dialer, server) as maildrop:
            assert await maildrop.listing(range(4, 4), count=3) == []
            assert server.session.commands == []

    async def test_without_uidl_has_sizes_only_and_remembers(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO], uidl=False)
        async with opened(dialer, server) as maildrop:
            assert await maildrop.listing() == [ListedMessage(1, b"", len(HELLO))]
            assert await maildrop.listing() == [ListedMessage(1, b"", len(HELLO))]
            assert server.session.commands == ["UIDL", "LIST", "LIST"]

    async def test_one_by_one_without_uidl_falls_to_the_whole(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO] * 3, uidl=False)
        async with opened(dialer, server) as maildrop:
            sizes = [ListedMessage(number, b"", len(HELLO)) for number in (2, 3)]
            assert await maildrop.listing(range(2, 4), count=1000) == sizes
            assert await maildrop.listing(range(2, 4), count=1000) == sizes
            assert server.session.commands[-2:] == ["LIST 2", "LIST 3"]

    async def test_one_by_one_leaves_out_what_is_gone(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO] * 3, on={"UIDL 2": err("deleted")})
        async with opened(dialer, server) as maildrop:
            assert await maildrop.listing(range(2, 4), count=1000) == ROWS[2:]

    async def test_without_list_has_uids_only(self, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer([HELLO], on={"LIST": err("no")})) as maildrop:
            assert await maildrop.listing() == [ListedMessage(1, b"uid-1", 0)]

    async def test_without_either_is_an_error_unless_there_is_nothing(self, dialer: Pop3Dialer) -> None:
        no = {"LIST": err("no messages"), "UIDL": err("no messages")}
        async with opened(dialer, ScriptedServer(on=no)) as maildrop:
            assert isinstance(await failure(maildrop.listing()), CommandRefused)
            await maildrop.stat()
            assert await maildrop.listing() == []

    async def test_keeps_any_uid(self, dialer: Pop3Dialer) -> None:
        uids = [b"\xff\xfe", b"with spaces  inside", b"u" * 1500, b"same", b"same", b""]
        async with opened(dialer, ScriptedServer([Mail(HELLO, uid) for uid in uids], chunk=7)) as maildrop:
            assert [row.uid for row in await maildrop.listing()] == uids

    async def test_in_turns_is_the_same(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO] * 3, capabilities=None)
        async with opened(dialer, server) as maildrop:
            assert await maildrop.listing(count=3) == ROWS
            assert await maildrop.listing(range(3, 4), count=5000) == ROWS[2:]
            assert server.session.reads == [b"UIDL\r\n", b"LIST\r\n", b"UIDL 3\r\n", b"LIST 3\r\n"]


class TestMergedListing:
    def test_lets_uidl_decide_and_list_add_sizes(self) -> None:
        rows = merged_listing([b"2 b", b"1 a", b"", b"2 again"], [b"1 10", b"3 30", b"2 huh", b"1 99"])
        assert rows == [ListedMessage(1, b"a", 10), ListedMessage(2, b"b", 0)]

    def test_lets_list_decide_without_uidl(self) -> None:
        assert merged_listing(None, [b"2 20", b"1 10"]) == [ListedMessage(1, b"", 10), ListedMessage(2, b"", 20)]

    def test_refuses_rows_without_number(self) -> None:
        with pytest.raises(ProtocolViolation):
            merged_listing([b"uid"], None)


@pytest.mark.parametrize(
    ("wanted", "count", "pipelines", "one_by_one"),
    [
        (1, 100_000, True, True),
        (64, 1000, True, True),
        (65, 1000, True, False),
        (2000, 100_000, True, True),
        (2001, 100_000, True, False),
        (3, 3, True, False),
        (5, 0, True, True),
        (1, 100_000, False, True),
        (64, 1000, False, False),
        (1, 0, False, False),
    ],
)
def test_asking_one_by_one_is_weighed_against_asking_for_all(
    wanted: int, count: int, pipelines: bool, one_by_one: bool
) -> None:
    assert asks_one_by_one(wanted, count, pipelines=pipelines) is one_by_one


class TestRetrieval:
    @pytest.mark.parametrize("capabilities", [("PIPELINING", "USER"), None])
    @pytest.mark.parametrize("chunk", [None, 1, 5])
    async def test_brings_every_octet_in_order(
        self, capabilities: tuple[str, ...] | None, chunk: int | None, dialer: Pop3Dialer
    ) -> None:
        mails = [HELLO, b"", b".\r\n..\r\n", b"\x00\xff\r\n\r\n.x\r\n", b"x" * 500 + b"\r\n"]
        async with opened(dialer, ScriptedServer(mails, capabilities=capabilities, chunk=chunk)) as maildrop:
            expected = [event for number, mail in enumerate(mails, 1) for event in whole(number, mail)]
            assert await events(maildrop, iter(range(1, 6))) == expected

    async def test_of_nothing_sends_nothing(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO])
        async with opened(dialer, server) as maildrop:
            assert await events(maildrop, iter([])) == []
            assert server.session.commands == []

    async def test_in_turns_asks_for_one_at_a_time(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO] * 2, capabilities=None)
        async with opened(dialer, server) as maildrop:
            await events(maildrop, iter([1, 2]))
            assert server.session.reads == [b"RETR 1\r\n", b"RETR 2\r\n", b"NOOP\r\n"]

    async def test_pulls_numbers_only_as_the_window_has_room(self, ca_file: str) -> None:
        dialer = Pop3Dialer(HostGuard(allow_private=True), window=4)
        server = ScriptedServer([HELLO] * 20)
        pulled: list[int] = []
        async with opened(dialer, server) as maildrop:
            seen = 0

            def numbers() -> Iterator[int]:
                for number in range(1, 21):
                    pulled.append(number)
                    yield number

            async for event in maildrop.retrieve(numbers()):
                if isinstance(event, MessageEnded):
                    seen += 1
                assert len(pulled) <= seen + 4
            assert seen == 20
            assert server.session.commands[-1] == "NOOP"

    async def test_refills_the_window_in_batches(self) -> None:
        dialer = Pop3Dialer(HostGuard(allow_private=True), window=8)
        server = ScriptedServer([HELLO] * 20)
        async with opened(dialer, server) as maildrop:
            await events(maildrop, iter(range(1, 21)))
            assert server.session.reads[0].count(b"RETR") == 8
            assert all(read.count(b"\r\n") >= 2 for read in server.session.reads[:-1])

    async def test_is_bounded_in_silence_inside_a_message(self) -> None:
        limits = Limits(reply_seconds=20, idle_seconds=0.1)
        dialer = Pop3Dialer(HostGuard(allow_private=True), limits=limits)
        async with opened(dialer, ScriptedServer([HELLO], on={"RETR": Hang(b"+OK\r\n")})) as maildrop:
            async with asyncio.timeout(10):
                assert isinstance(await failure(events(maildrop, iter([1]))), ConnectionFailed)

    async def test_survives_a_refused_message(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO] * 3, on={"RETR 2": err("no \x1b[31msuch message")})
        async with opened(dialer, server) as maildrop:
            assert await events(maildrop, iter([1, 2, 3])) == [
                *whole(1, HELLO),
                MessageRefused(2, "no such message"),
                *whole(3, HELLO),
            ]

    @pytest.mark.parametrize(
        ("text", "leaf"),
        [("[SYS/TEMP] disk", ServerTemporary), ("[IN-USE] gone", MaildropBusy), ("Download exceed", ServerTemporary)],
    )
    async def test_ends_when_the_server_is_in_trouble(
        self, text: str, leaf: type[Pop3Error], dialer: Pop3Dialer
    ) -> None:
        async with opened(dialer, ScriptedServer([HELLO] * 3, on={"RETR 2": err(text)})) as maildrop:
            assert type(await failure(events(maildrop, iter([1, 2, 3])))) is leaf

    async def test_is_confirmed_by_a_refused_noop(self, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer([HELLO], on={"NOOP": err("what?")})) as maildrop:
            assert await events(maildrop, iter([1])) == whole(1, HELLO)

    async def test_of_a_message_with_a_lone_dot_is_never_confirmed(self, dialer: Pop3Dialer) -> None:
        wire = b"+OK\r\nSubject: x\r\n\r\n.\r\nrest of the text\r\n.\r\n"
        async with opened(dialer, ScriptedServer([HELLO, HELLO], on={"RETR 1": wire})) as maildrop:
            found = await events_before(ProtocolViolation, maildrop, iter([1, 2]))
            assert found[-1] == MessageEnded(1)
            assert MessageConfirmed(1) not in found
            assert not await maildrop.quit()

    @pytest.mark.parametrize("action", [Close(b"+OK\r\nSubj"), Hang(b"+OK\r\nSubj")])
    async def test_of_a_truncated_message_fails(self, action: Close | Hang, quick_dialer: Pop3Dialer) -> None:
        async with opened(quick_dialer, ScriptedServer([HELLO] * 2, on={"RETR 2": action})) as maildrop:
            found = await events_before(ConnectionFailed, maildrop, iter([1, 2]))
            assert found[:4] == whole(1, HELLO)
            assert found[4:] == [MessageBegan(2), MessageContent(2, b"Subj")]

    async def test_of_a_message_that_is_too_large_ends_the_session(self, ca_file: str) -> None:
        dialer = Pop3Dialer(HostGuard(allow_private=True), limits=Limits(message_octets=1000))
        async with opened(dialer, ScriptedServer([b"x" * 2000 + b"\r\n"])) as maildrop:
            assert isinstance(await failure(events(maildrop, iter([1]))), LimitExceeded)

    async def test_reaches_the_deadline_though_the_server_never_pauses(self, dialer: Pop3Dialer) -> None:
        endless = (b"x" * 998 + b"\r\n") * 200_000
        async with opened(dialer, ScriptedServer([endless]), seconds=0.3) as maildrop:
            assert isinstance(await failure(events(maildrop, iter([1] * 1000))), DeadlineReached)

    async def test_of_a_slow_caller_slows_the_server_down(self, dialer: Pop3Dialer) -> None:
        large = (b"x" * 998 + b"\r\n") * 30_000
        async with opened(dialer, ScriptedServer([large])) as maildrop:
            held = 0
            got = 0
            async for event in maildrop.retrieve(iter([1])):
                if isinstance(event, MessageContent):
                    got += len(event.data)
                for _ in range(20):
                    await asyncio.sleep(0)
                held = max(held, maildrop._line.session.buffered)
            assert got == len(large)
            assert held < 2 * 512 * 1024


class TestHeaders:
    async def test_are_asked_for_in_one_write(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO, b"A: b\r\n", b"\r\nbody\r\n"])
        async with opened(dialer, server) as maildrop:
            found = [row async for row in maildrop.headers([1, 2, 3])]
            assert found == [(1, b"Subject: hello\r\n\r\n"), (2, b"A: b\r\n"), (3, b"\r\n")]
            assert server.session.reads == [b"TOP 1 0\r\nTOP 2 0\r\nTOP 3 0\r\n"]

    async def test_are_empty_where_top_is_refused(self, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer([HELLO], top=False)) as maildrop:
            assert [row async for row in maildrop.headers([1])] == [(1, b"")]

    async def test_end_at_the_blank_line_though_more_is_sent(self, dialer: Pop3Dialer) -> None:
        wire = b"+OK\r\nA: b\r\n\r\n" + b"body\r\n" * 200_000 + b".\r\n"
        async with opened(dialer, ScriptedServer([HELLO], on={"TOP": wire})) as maildrop:
            assert [row async for row in maildrop.headers([1])] == [(1, b"A: b\r\n\r\n")]


class TestEnding:
    async def test_deletes_what_was_accepted(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO] * 3, on={"DELE 2": err("read only")})
        async with opened(dialer, server) as maildrop:
            assert await maildrop.delete([1, 2, 3]) == {1, 3}
            assert server.session.reads == [b"DELE 1\r\nDELE 2\r\nDELE 3\r\n"]
            assert await maildrop.quit()
            assert [mail.uid for mail in server.mailbox] == [b"uid-2"]

    @pytest.mark.parametrize("action", [err("not all deleted"), Close(), Hang()])
    async def test_without_ok_to_quit_confirms_nothing(
        self, action: bytes | Close | Hang, quick_dialer: Pop3Dialer
    ) -> None:
        async with opened(quick_dialer, ScriptedServer([HELLO], on={"QUIT": action})) as maildrop:
            await maildrop.delete([1])
            assert not await maildrop.quit()
            assert not await maildrop.quit()

    async def test_by_abandoning_deletes_nothing_and_can_be_done_twice(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO])
        async with opened(dialer, server) as maildrop:
            await maildrop.delete([1])
            await maildrop.abandon()
            await maildrop.abandon()
            assert not await maildrop.quit()
            assert isinstance(await failure(maildrop.stat()), ConnectionFailed)
            assert not server.session.said_quit
            assert len(server.mailbox) == 1

    async def test_in_the_middle_of_a_message_is_possible(self, dialer: Pop3Dialer) -> None:
        large = (b"x" * 998 + b"\r\n") * 20_000
        for security in Security:
            async with opened(dialer, ScriptedServer([large], security=security)) as maildrop:
                async for event in maildrop.retrieve(iter([1])):
                    if isinstance(event, MessageContent):
                        break
                await maildrop.abandon()

    async def test_by_the_server_between_two_commands_is_a_failed_connection(self, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer([HELLO], on={"STAT": Close(ok("1 1"))})) as maildrop:
            await maildrop.stat()
            assert isinstance(await failure(maildrop.stat()), ConnectionFailed)


async def test_a_list_of_actions_is_used_up(dialer: Pop3Dialer) -> None:
    async with opened(dialer, ScriptedServer([HELLO], on={"STAT": [ok("9 9"), DEFAULT]})) as maildrop:
        assert (await maildrop.stat()).count == 9
        assert (await maildrop.stat()).count == 1


def test_the_connection_fulfils_its_ports() -> None:
    dialer: MaildropDialer = Pop3Dialer(HostGuard())
    maildrop: type[Maildrop] = Pop3Maildrop
    assert callable(dialer.open)
    assert callable(maildrop.retrieve)
