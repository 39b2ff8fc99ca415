"""Dialling over real sockets: which sign-in goes onto the wire, in what order, and what goes wrong."""

import asyncio
import ssl
from base64 import b64encode

import pytest
import trustme

from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.pop3_dialer import Pop3Dialer
from popfetch.adapters.pop3_maildrop import Pop3Maildrop
from popfetch.domain.account import AuthMethod, Security, Server
from popfetch.domain.errors import HostRefused
from popfetch.domain.secret import Secret
from popfetch.pop3.errors import (
    ConnectionFailed,
    DeadlineReached,
    LoginTooFrequent,
    MaildropBusy,
    NotReached,
    Pop3Error,
    ProtocolViolation,
    ServerTemporary,
    SignInRefused,
    TlsFailed,
    UnusableCredentials,
)
from popfetch.ports import DialAdvice, Maildrop, MaildropDialer
from tests.builders.pop3_sessions import HELLO, NO_PIPELINING, dial, events, failure, opened, whole
from tests.builders.scripted_pop3_server import DEFAULT, Close, Hang, ScriptedServer, err, ok, server_context


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

    @pytest.mark.parametrize(("offer", "security"), [(("UIDL",), Security.TLS), (("UIDL", "USER"), Security.NONE)])
    async def test_falls_back_and_says_so_when_apop_does_not_work(
        self, offer: tuple[str, ...], security: Security, dialer: Pop3Dialer
    ) -> None:
        server = ScriptedServer(
            capabilities=offer, apop=True, security=security, on={"APOP": err("authentication failed")}
        )
        async with server:
            maildrop = await dial(dialer, server)
            await maildrop.abandon()
            assert maildrop.apop_failed
            assert [line.split()[0] for line in server.commands] == ["CAPA", "APOP", "USER", "PASS"]

    async def test_never_shows_the_password_in_clear_to_a_server_that_offers_only_apop(
        self, dialer: Pop3Dialer
    ) -> None:
        on = {"APOP": err("authentication failed")}
        async with ScriptedServer(capabilities=("UIDL",), apop=True, on=on) as server:
            assert isinstance(await failure(dial(dialer, server)), SignInRefused)
            assert b"sesame" not in server.received

    async def test_does_not_try_apop_again_where_it_failed_before(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(apop=True) as server:
            await (await dial(dialer, server, advice=DialAdvice(skip_apop=True))).abandon()
            assert [line.split()[0] for line in server.commands] == ["CAPA", "USER", "PASS"]

    async def test_does_not_fall_back_in_clear_from_a_challenge_the_server_offered(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(capabilities=("SASL CRAM-MD5", "USER"), on={"*": err("authentication failed")})
        async with server:
            assert isinstance(await failure(dial(dialer, server, secret="wrong password")), SignInRefused)
            assert b"wrong password" not in server.received

    @pytest.mark.parametrize(("offer", "security"), [(("UIDL",), Security.TLS), (("UIDL", "USER"), Security.NONE)])
    async def test_dials_again_for_the_next_way_when_the_server_hangs_up_after_a_refusal(
        self, offer: tuple[str, ...], security: Security, dialer: Pop3Dialer
    ) -> None:
        on = {"APOP": Close(err("authentication failed"))}
        async with ScriptedServer(capabilities=offer, apop=True, security=security, on=on) as server:
            maildrop = await dial(dialer, server)
            await maildrop.abandon()
            assert maildrop.apop_failed
            tries = [[line.split()[0] for line in session.commands] for session in server.sessions]
            assert tries == [["CAPA", "APOP"], ["CAPA", "USER", "PASS"]]

    async def test_dials_again_without_capa_though_the_server_hung_up_after_a_refusal_too(
        self, dialer: Pop3Dialer
    ) -> None:
        server = ScriptedServer(apop=True, on={"CAPA": [Close()], "APOP": Close(err("authentication failed"))})
        async with server:
            maildrop = await dial(dialer, server)
            await maildrop.abandon()
            assert (maildrop.apop_failed, maildrop.capa_broke_session) == (True, True)
            assert len(server.sessions) == 3

    async def test_keeps_the_refusal_when_the_server_hangs_up_for_good(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(
            capabilities=("UIDL",),
            apop=True,
            security=Security.TLS,
            on={"greeting": [DEFAULT, Close()], "APOP": Close(err("authentication failed"))},
        )
        async with server:
            assert isinstance(await failure(dial(dialer, server)), SignInRefused)
            assert len(server.sessions) == 2

    async def test_with_a_wrong_password_is_refused_once_though_the_server_hangs_up(self, dialer: Pop3Dialer) -> None:
        on = {"PASS": Close(err("authentication failed"))}
        async with ScriptedServer(capabilities=("UIDL",), on=on) as server:
            assert isinstance(await failure(dial(dialer, server)), SignInRefused)
            assert len(server.sessions) == 1

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

    async def test_on_a_plain_port_says_so_to_the_operator(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer() as server:
            plain = Server(server.host, server.port, Security.TLS, "alex")
            deadline = asyncio.get_running_loop().time() + 5
            error = await failure(dialer.open(plain, Secret("open sesame"), DialAdvice(), deadline))
            assert isinstance(error, NotReached)
            assert "does not speak TLS here" in str(error.__cause__)

    async def test_that_stalls_in_the_handshake_is_bounded(self, quick_dialer: Pop3Dialer) -> None:
        async with ScriptedServer(on={"greeting": Hang()}) as server:
            stalling = Server(server.host, server.port, Security.TLS, "alex")
            deadline = asyncio.get_running_loop().time() + 5
            error = await failure(quick_dialer.open(stalling, Secret("open sesame"), DialAdvice(), deadline))
            assert isinstance(error, NotReached)
            assert "in time" in str(error.__cause__)


class TestConnecting:
    async def test_to_a_closed_port_says_so_to_the_operator(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer() as server:
            pass
        error = await failure(dial(dialer, server))
        assert isinstance(error, NotReached)
        assert f"127.0.0.1:{server.port} refuses connections" in str(error.__cause__)

    @pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS, Security.NONE])
    async def test_does_not_tell_which_ports_are_open(self, quick_dialer: Pop3Dialer, security: Security) -> None:
        told = set()
        for greeting in (None, Hang(), Close(), b"220 smtp.example ESMTP\r\n", b"\x00\xff" * 4000):
            async with ScriptedServer(on={"greeting": greeting} if greeting else {}) as server:
                if greeting:
                    told.add(await self._words(quick_dialer, server, security))
            if greeting is None:
                told.add(await self._words(quick_dialer, server, security))
        assert told == {
            (
                "network",
                "",
                (
                    "No POP3 server was reached at 127.0.0.1:PORT; check host, port and security"
                    " (995 goes with TLS, 110 with STARTTLS)."
                ),
            )
        }

    async def _words(self, dialer: Pop3Dialer, server: ScriptedServer, security: Security) -> tuple[str, str, str]:
        deadline = asyncio.get_running_loop().time() + 5
        there = Server(server.host, server.port, security, "alex")
        error = await failure(dialer.open(there, Secret("open sesame"), DialAdvice(), deadline))
        return error.code, error.server_text, error.message.replace(str(server.port), "PORT")

    async def test_to_a_forbidden_host_does_not_happen(self) -> None:
        async with ScriptedServer() as server:
            with pytest.raises(HostRefused):
                await dial(Pop3Dialer(HostGuard()), server)
            assert server.sessions == []

    async def test_to_a_server_that_does_not_greet_is_bounded(self, quick_dialer: Pop3Dialer) -> None:
        async with ScriptedServer(on={"greeting": Hang()}) as server:
            error = await failure(dial(quick_dialer, server))
            assert isinstance(error, NotReached)
            assert "before it greeted" in str(error.__cause__)

    async def test_to_a_server_that_refuses_at_once_is_no_wrong_password(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(on={"greeting": Close(err("[IN-USE] come back"))}) as server:
            assert isinstance(await failure(dial(dialer, server)), MaildropBusy)

    async def test_to_another_kind_of_server_reaches_no_pop3_server(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(on={"greeting": b"220 smtp.example ESMTP\r\n"}) as server:
            error = await failure(dial(dialer, server))
            assert isinstance(error, NotReached)
            assert isinstance(error.__cause__, ProtocolViolation)

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


def test_the_dialer_and_its_maildrop_fulfil_their_ports() -> None:
    dialer: MaildropDialer = Pop3Dialer(HostGuard())
    maildrop: type[Maildrop] = Pop3Maildrop
    assert callable(dialer.open)
    assert callable(maildrop.retrieve)
