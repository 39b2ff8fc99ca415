"""Dialling over real sockets: which sign-in goes onto the wire, in what order, and what goes wrong."""

import asyncio
import ssl
import traceback
from base64 import b64encode
from typing import Any

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
    PopNotEnabled,
    ProtocolViolation,
    ScopeInsufficient,
    ServerTemporary,
    SignInRefused,
    TlsFailed,
    TokenRefused,
    UnusableCredentials,
)
from popfetch.ports.maildrop import DialAdvice, Maildrop, MaildropDialer
from tests.builders.pop3_sessions import HELLO, NO_PIPELINING, dial, events, failure, opened, whole
from tests.builders.scripted_pop3_server import (
    DEFAULT,
    Action,
    Answer,
    Close,
    Hang,
    Scripted,
    ScriptedServer,
    err,
    ok,
    server_context,
)

TOKEN = "ya29.a0ARrdaM-c" + "".join(f"{number:x}" for number in range(1_000, 1_010))
LONG_TOKEN = "ey" + "".join(f"{number:x}" for number in range(0x1000, 0x1000 + 2_249)) + ".-"
STALE = "ya29.stale-" + "".join(f"{number:x}" for number in range(2_000, 2_010))


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
    @pytest.mark.quirk(number=25, part="a")
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

    async def test_is_not_kept_up_by_a_server_that_challenges_for_ever(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(
            security=Security.TLS, capabilities=("SASL CRAM-MD5",), on={"AUTH": b"+ no base64!\r\n", "*": b"+ \r\n"}
        )
        async with server:
            assert isinstance(await failure(dial(dialer, server)), ProtocolViolation)
            assert server.commands == ["CAPA", "AUTH CRAM-MD5", "*"]


def for_tokens(
    *mechanisms: str,
    token: str = TOKEN,
    security: Security = Security.TLS,
    on: dict[str, Action | list[Action]] | None = None,
) -> ScriptedServer:
    """A server that lets people in by access tokens only."""
    offer = (f"SASL PLAIN {' '.join(mechanisms)}", "USER")
    return ScriptedServer(password=token, capabilities=offer, security=security, on=on)


def alone(answer: Answer) -> Scripted:
    """Says this to AUTH that brings no token along."""
    return lambda _session, line: answer if line.count(" ") == 1 else DEFAULT


def along(answer: Answer) -> Scripted:
    """Says this to AUTH that brings the token along."""
    return lambda _session, line: answer if line.count(" ") == 2 else DEFAULT


def shown(mechanism: str, token: str = TOKEN) -> str:
    """A token as it is shown by a mechanism."""
    begin = {"XOAUTH2": "user=alex", "OAUTHBEARER": "n,a=alex,"}[mechanism]
    return b64encode(f"{begin}\x01auth=Bearer {token}\x01\x01".encode()).decode()


def complaint(status: str) -> bytes:
    return b"+ " + b64encode(f'{{"status":"{status}","scope":"mail"}}'.encode()) + b"\r\n"


def lines_of(server: ScriptedServer) -> list[list[str]]:
    """The lines of every connection after CAPA's."""
    return [session.lines[session.lines.index("CAPA") + 1 :] for session in server.sessions]


async def sign_in(dialer: Pop3Dialer, server: ScriptedServer, token: str | None = None) -> None:
    maildrop = await dial(dialer, server, secret=token, auth=AuthMethod.OAUTH2)
    await maildrop.abandon()
    assert server.session.signed_in


async def refusal(dialer: Pop3Dialer, server: ScriptedServer, token: str | None = None) -> Pop3Error:
    return await failure(dial(dialer, server, secret=token, auth=AuthMethod.OAUTH2))


X, B = "XOAUTH2", "OAUTHBEARER"
MICROSOFTS = b"-ERR Protocol error. Connection is closed. 10\r\n"
ACKNOWLEDGED = {X: "", B: "AQ=="}


class TestAccessTokens:
    @pytest.mark.parametrize("token", ["t", TOKEN, LONG_TOKEN])
    @pytest.mark.parametrize("mechanism", [X, B])
    @pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
    async def test_are_shown_once_the_server_asks(
        self, mechanism: str, token: str, security: Security, dialer: Pop3Dialer
    ) -> None:
        async with for_tokens(mechanism, token=token, security=security) as server:
            await sign_in(dialer, server)
            assert lines_of(server) == [[f"AUTH {mechanism}", shown(mechanism, token)]]

    async def test_may_have_9000_octets(self, dialer: Pop3Dialer) -> None:
        assert len(LONG_TOKEN) == 9_000
        async with for_tokens(X, token=LONG_TOKEN, on={"AUTH": alone(err("say it at once"))}) as server:
            await sign_in(dialer, server)
            assert lines_of(server) == [["AUTH XOAUTH2", f"AUTH XOAUTH2 {shown(X, LONG_TOKEN)}"]]

    async def test_go_by_xoauth2_where_there_is_a_choice(self, dialer: Pop3Dialer) -> None:
        async with for_tokens(B, X) as server:
            await sign_in(dialer, server)
            assert lines_of(server) == [["AUTH XOAUTH2", shown(X)]]

    async def test_go_by_xoauth2_where_nothing_is_announced(self, dialer: Pop3Dialer) -> None:
        async with ScriptedServer(password=TOKEN, capabilities=None, security=Security.TLS) as server:
            await sign_in(dialer, server)
            assert lines_of(server) == [["AUTH XOAUTH2", shown(X)]]

    @pytest.mark.quirk(provider="Microsoft")
    async def test_are_not_put_on_one_line_for_microsoft(self, dialer: Pop3Dialer) -> None:
        async with for_tokens(X, on={"AUTH": along(Close(MICROSOFTS))}) as server:
            await sign_in(dialer, server)
            assert lines_of(server) == [["AUTH XOAUTH2", shown(X)]]

    @pytest.mark.parametrize("mechanism", [X, B])
    @pytest.mark.parametrize(
        "words",
        ["", "no", "syntax error", "Invalid command", "initial response required", "missing argument"],
    )
    async def test_are_put_on_one_line_where_the_server_refuses_auth_alone(
        self, words: str, mechanism: str, dialer: Pop3Dialer
    ) -> None:
        async with for_tokens(mechanism, on={"AUTH": alone(err(words))}) as server:
            await sign_in(dialer, server)
            assert lines_of(server) == [[f"AUTH {mechanism}", f"AUTH {mechanism} {shown(mechanism)}"]]

    @pytest.mark.parametrize("answer", [Close(), Close(MICROSOFTS), Close(err("syntax error")), Close(b"-E")])
    async def test_are_put_on_one_line_where_the_server_hangs_up_at_auth_alone(
        self, answer: Close, dialer: Pop3Dialer
    ) -> None:
        async with for_tokens(X, B, on={"AUTH": alone(answer)}) as server:
            await sign_in(dialer, server)
            assert lines_of(server) == [["AUTH XOAUTH2"], [f"AUTH XOAUTH2 {shown(X)}"]]

    @pytest.mark.parametrize("words", ["unknown mechanism", "unknown command", "[AUTH] Unsupported auth mechanism"])
    async def test_go_by_the_other_mechanism_where_one_is_unknown(self, words: str, dialer: Pop3Dialer) -> None:
        async with for_tokens(X, B, on={"AUTH XOAUTH2": err(words)}) as server:
            await sign_in(dialer, server)
            assert lines_of(server) == [["AUTH XOAUTH2", "AUTH OAUTHBEARER", shown(B)]]

    async def test_go_by_the_other_mechanism_though_the_server_hangs_up_after_each_refusal(
        self, dialer: Pop3Dialer
    ) -> None:
        async with for_tokens(X, B, on={"AUTH XOAUTH2": Close(err("unknown mechanism"))}) as server:
            await sign_in(dialer, server)
            assert lines_of(server) == [["AUTH XOAUTH2"], ["AUTH OAUTHBEARER", shown(B)]]

    async def test_that_no_mechanism_takes_are_not_held_to_be_bad(self, dialer: Pop3Dialer) -> None:
        async with for_tokens(X, B, on={"AUTH": err("unknown mechanism")}) as server:
            error = await refusal(dialer, server)
            assert type(error) is SignInRefused
            assert lines_of(server) == [["AUTH XOAUTH2", "AUTH OAUTHBEARER"]]

    async def test_are_tried_in_another_form_once_in_a_dial(self, dialer: Pop3Dialer) -> None:
        unknown = err("unknown mechanism")
        on: dict[str, Action | list[Action]] = {"AUTH": [err("no"), unknown, err("no"), ok("never asked")]}
        async with for_tokens(X, B, on=on) as server:
            await refusal(dialer, server)
            assert lines_of(server) == [["AUTH XOAUTH2", f"AUTH XOAUTH2 {shown(X)}", "AUTH OAUTHBEARER"]]

    async def test_are_tried_in_the_other_form_of_the_other_mechanism(self, dialer: Pop3Dialer) -> None:
        on: dict[str, Action | list[Action]] = {"AUTH": [err("unknown mechanism"), err("no")]}
        async with for_tokens(X, B, on=on) as server:
            await sign_in(dialer, server)
            assert lines_of(server) == [["AUTH XOAUTH2", "AUTH OAUTHBEARER", f"AUTH OAUTHBEARER {shown(B)}"]]

    @pytest.mark.parametrize(
        "last", [err("no"), err("syntax error"), err("AUTH token not valid"), err("[AUTH] no"), Close(err("no"))]
    )
    async def test_that_were_refused_on_one_line_are_not_tried_again(self, last: Answer, dialer: Pop3Dialer) -> None:
        on: dict[str, Action | list[Action]] = {"AUTH": [err("no"), last, ok("never asked")]}
        async with for_tokens(X, on=on) as server:
            assert isinstance(await refusal(dialer, server), SignInRefused)
            assert lines_of(server) == [["AUTH XOAUTH2", f"AUTH XOAUTH2 {shown(X)}"]]

    @pytest.mark.parametrize("mechanism", [X, B])
    @pytest.mark.parametrize(
        ("said", "acknowledged"),
        [
            (DEFAULT, True),
            (complaint("invalid_token"), True),
            (b"+ no base64 at all!\r\n", True),
            (b"+ " + b64encode(b"[" * 2_000) + b"\r\n", True),
            (b"+ \xff\xfe\r\n", True),
            (b"+\r\n", True),
            (b"", False),
        ],
    )
    async def test_that_are_refused_are_judged_once(
        self, said: Answer, acknowledged: bool, mechanism: str, dialer: Pop3Dialer
    ) -> None:
        async with for_tokens(X, B, on={"AUTH XOAUTH2": DEFAULT, "complaint": said}) as server:
            server.on["AUTH XOAUTH2"] = DEFAULT if mechanism == X else err("unknown mechanism")
            error = await refusal(dialer, server, STALE)
            assert isinstance(error, TokenRefused)
            assert error.explicit
            assert error.server_text == "[AUTH] Authentication failure: unknown token"
            before = [] if mechanism == X else ["AUTH XOAUTH2"]
            after = [ACKNOWLEDGED[mechanism]] if acknowledged else []
            assert lines_of(server) == [[*before, f"AUTH {mechanism}", shown(mechanism, STALE), *after]]

    @pytest.mark.parametrize("mechanism", [X, B])
    async def test_that_are_refused_on_one_line_are_judged_once(self, mechanism: str, dialer: Pop3Dialer) -> None:
        async with for_tokens(mechanism, on={"AUTH": alone(err("no"))}) as server:
            error = await refusal(dialer, server, STALE)
            assert isinstance(error, TokenRefused)
            assert lines_of(server) == [
                [f"AUTH {mechanism}", f"AUTH {mechanism} {shown(mechanism, STALE)}", ACKNOWLEDGED[mechanism]]
            ]

    @pytest.mark.parametrize(
        ("status", "leaf"),
        [
            ("400", TokenRefused),
            ("403", ScopeInsufficient),
            ("insufficient_scope", ScopeInsufficient),
            ("temporarily_unavailable", ServerTemporary),
            ("503", ServerTemporary),
            ("429", LoginTooFrequent),
        ],
    )
    @pytest.mark.parametrize(
        "end", [err("[AUTH] no"), Close(err()), Close(), b"what is this\r\n", Hang(), b"+ one more\r\n"], ids=range(6)
    )
    async def test_are_told_apart_by_the_complaint_however_the_server_ends(
        self, status: str, leaf: type[Pop3Error], end: Answer, quick_dialer: Pop3Dialer
    ) -> None:
        on: dict[str, Action | list[Action]] = {"complaint": complaint(status), "answer": end, "*": err("cancelled")}
        async with for_tokens(X, B, on=on) as server:
            error = await refusal(quick_dialer, server, STALE)
            assert type(error) is leaf
            cancelled = ["*"] if end == b"+ one more\r\n" else []
            assert lines_of(server) == [["AUTH XOAUTH2", shown(X, STALE), "", *cancelled]]

    async def test_are_told_apart_though_the_server_hangs_up_at_its_complaint(self, dialer: Pop3Dialer) -> None:
        async with for_tokens(X, on={"complaint": Close(complaint("insufficient_scope"))}) as server:
            error = await refusal(dialer, server, STALE)
            assert isinstance(error, ScopeInsufficient)
            assert error.server_text == "insufficient_scope"
            assert len(server.sessions) == 1

    @pytest.mark.parametrize(
        ("words", "leaf"),
        [
            ("Exceeded the login limit for a 15 minute period. Reduce the frequency of requests.", LoginTooFrequent),
            ("[IN-USE] locked", MaildropBusy),
            ("[SYS/TEMP] later", ServerTemporary),
            ("[SYS/PERM] Your account is not enabled for POP access.", PopNotEnabled),
            ("Authentication failure: unknown user name or bad password.", TokenRefused),
        ],
    )
    @pytest.mark.parametrize("said", [b"", DEFAULT])
    async def test_matter_less_than_what_else_a_refusal_says(
        self, words: str, leaf: type[Pop3Error], said: Answer, dialer: Pop3Dialer
    ) -> None:
        async with for_tokens(X, B, on={"complaint": said, "answer": err(words)}) as server:
            assert type(await refusal(dialer, server, STALE)) is leaf
            assert len(server.sessions) == 1

    @pytest.mark.parametrize(
        ("words", "leaf"),
        [
            ("Exceeded the login limit for a 15 minute period. Reduce the frequency of requests.", LoginTooFrequent),
            ("[SYS/TEMP] syntax error", ServerTemporary),
            ("POP3 access is not enabled for this mailbox", PopNotEnabled),
        ],
    )
    async def test_are_not_shown_to_a_server_in_trouble(
        self, words: str, leaf: type[Pop3Error], dialer: Pop3Dialer
    ) -> None:
        async with for_tokens(X, B, on={"AUTH": err(words)}) as server:
            assert type(await refusal(dialer, server)) is leaf
            assert lines_of(server) == [["AUTH XOAUTH2"]]

    async def test_are_not_shown_again_to_a_server_that_falls_silent(self, quick_dialer: Pop3Dialer) -> None:
        async with for_tokens(X, B, on={"AUTH": Hang()}) as server:
            assert type(await refusal(quick_dialer, server)) is ConnectionFailed
            assert lines_of(server) == [["AUTH XOAUTH2"]]

    async def test_are_not_shown_again_to_a_server_that_hangs_up_without_a_word(self, dialer: Pop3Dialer) -> None:
        async with for_tokens(X, B, on={"complaint": Close()}) as server:
            assert type(await refusal(dialer, server, STALE)) is ConnectionFailed
            assert lines_of(server) == [["AUTH XOAUTH2", shown(X, STALE)]]

    async def test_of_which_a_server_that_always_hangs_up_gets_two_tries(self, dialer: Pop3Dialer) -> None:
        async with for_tokens(X, B, on={"AUTH": Close()}) as server:
            assert type(await refusal(dialer, server)) is ConnectionFailed
            assert lines_of(server) == [["AUTH XOAUTH2"], [f"AUTH XOAUTH2 {shown(X)}"]]

    async def test_that_cannot_be_shown_any_more_leave_the_first_refusal(self, dialer: Pop3Dialer) -> None:
        on: dict[str, Action | list[Action]] = {"greeting": [DEFAULT, Close()], "AUTH": Close(err("no"))}
        async with for_tokens(X, on=on) as server:
            error = await refusal(dialer, server)
            assert isinstance(error, TokenRefused)
            assert error.server_text == "no"
            assert len(server.sessions) == 2

    async def test_are_shown_without_capa_to_a_server_that_refuses_it_and_hangs_up(self, dialer: Pop3Dialer) -> None:
        async with for_tokens(X, on={"CAPA": [Close(MICROSOFTS)]}) as server:
            maildrop = await dial(dialer, server, auth=AuthMethod.OAUTH2)
            await maildrop.abandon()
            assert maildrop.capa_broke_session
            assert [session.lines[0] for session in server.sessions] == ["CAPA", "AUTH XOAUTH2"]
            assert server.session.lines == ["AUTH XOAUTH2", shown(X)]

    async def test_are_put_on_one_line_only_once_capa_is_not_what_the_server_hangs_up_for(
        self, dialer: Pop3Dialer
    ) -> None:
        on: dict[str, Action | list[Action]] = {"CAPA": err("unknown command"), "AUTH": alone(Close())}
        async with for_tokens(X, on=on) as server:
            await sign_in(dialer, server)
            assert [session.lines for session in server.sessions] == [
                ["CAPA", "AUTH XOAUTH2"],
                ["AUTH XOAUTH2"],
                [f"AUTH XOAUTH2 {shown(X)}"],
            ]

    @pytest.mark.parametrize("end", [b"+ again\r\n", b"+\r\n", complaint("400")])
    async def test_are_not_shown_to_challenges_without_end(self, end: bytes, dialer: Pop3Dialer) -> None:
        on: dict[str, Action | list[Action]] = {"complaint": b"+ no sense\r\n", "answer": end, "*": end}
        async with for_tokens(X, B, on=on) as server:
            leaf = TokenRefused if end == complaint("400") else ProtocolViolation
            assert type(await refusal(dialer, server, STALE)) is leaf
            assert lines_of(server) == [["AUTH XOAUTH2", shown(X, STALE), "", "*"]]

    async def test_let_in_by_a_second_thought_are_in(self, dialer: Pop3Dialer) -> None:
        on: dict[str, Action | list[Action]] = {"AUTH XOAUTH2": b"+ \r\n", shown(X): ok("come in")}
        async with for_tokens(X, on=on) as server:
            await (await dial(dialer, server, auth=AuthMethod.OAUTH2)).abandon()
            assert server.commands == ["CAPA", "AUTH XOAUTH2", shown(X)]

    @pytest.mark.parametrize("bad", ["", "tok\r\nQUIT", "tok\0en", "tok\x01en"])
    async def test_that_would_break_out_of_their_line_are_not_sent(self, bad: str, dialer: Pop3Dialer) -> None:
        async with for_tokens(X) as server:
            deadline = asyncio.get_running_loop().time() + 5
            settings = server.account_server(auth=AuthMethod.OAUTH2)
            error = await failure(dialer.open(settings, Secret(bad), DialAdvice(), deadline))
            assert isinstance(error, UnusableCredentials)
            assert error.message.startswith("The access token ")
            assert "password" not in error.message
            assert server.sessions == []

    @pytest.mark.parametrize("mechanism", [X, B])
    @pytest.mark.parametrize("form", ["asked for", "along"])
    @pytest.mark.parametrize("prefix", ["-ERR ", "-ERR [AUTH] no ", "", "+OK\r\n", "* "])
    @pytest.mark.parametrize("token", [STALE, LONG_TOKEN[:3_000]])
    async def test_never_show_in_what_the_server_echoes(
        self, token: str, prefix: str, form: str, mechanism: str, dialer: Pop3Dialer
    ) -> None:
        raw = f"user=alex\x01auth=Bearer {token}\x01\x01"
        echoes = [
            token,
            f"Bearer {token}",
            f"Bearer {token}"[:90],
            raw,
            b64encode(token.encode()).decode(),
            shown(mechanism, token),
            shown(mechanism, token).rstrip("="),
            shown(mechanism, token)[:150],
            f"AUTH {mechanism} {shown(mechanism, token)}",
        ]
        on: dict[str, Action | list[Action]] = {"complaint": b""}
        if form == "along":
            on["AUTH"] = alone(err("no"))
        async with for_tokens(mechanism, on=on) as server:
            for echo in echoes:
                server.on["answer"] = f"{prefix}{echo} is no good\r\n".encode()
                error = await failure(self.refused_or_broken(dialer, server, token))
                told = everything_of(error)
                for secret in (token, shown(mechanism, token), b64encode(token.encode()).decode()):
                    for at in range(len(secret) - 12):
                        assert secret[at : at + 12] not in told, echo

    async def refused_or_broken(self, dialer: Pop3Dialer, server: ScriptedServer, token: str) -> None:
        maildrop = await dial(dialer, server, secret=token, auth=AuthMethod.OAUTH2)
        try:
            # what came behind +OK is found by whoever asks next
            await maildrop.stat()
        finally:
            await maildrop.abandon()


def everything_of(error: BaseException) -> str:
    """Whatever a log could show of an error and of what lies behind it."""
    told = "".join(traceback.format_exception(error))
    behind: BaseException | None = error
    while behind is not None:
        attributes: dict[str, Any] = vars(behind)
        told += repr(behind) + repr(attributes)
        behind = behind.__cause__ or behind.__context__
    return told


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

    @pytest.mark.quirk(number=26, part="d")
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

    @pytest.mark.quirk(number=26, part="b")
    async def test_octets_injected_ahead_of_the_handshake_end_the_session(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer(security=Security.STARTTLS, on={"STLS": ok("begin") + ok("injected")})
        async with server:
            assert isinstance(await failure(dial(dialer, server)), ProtocolViolation)
            assert server.received == b"STLS\r\n"

    @pytest.mark.quirk(number=26, part="c")
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

    @pytest.mark.quirk(number=11, part="b")
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

    @pytest.mark.quirk(number=11, part="c")
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
