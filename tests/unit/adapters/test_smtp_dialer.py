"""Signing in at submission servers over real sockets: what goes onto the wire, in what order, and what goes wrong."""

import asyncio
import hmac
import socket
import ssl
import traceback
from base64 import b64encode
from collections.abc import Awaitable, Callable

import pytest
import trustme

from popfetch.adapters.host_guard import SUBMISSION_PORTS, HostGuard
from popfetch.adapters.smtp_dialer import SmtpDialer
from popfetch.domain.account import AuthMethod, Security, Server
from popfetch.domain.errors import HostRefused
from popfetch.domain.secret import Secret
from popfetch.ports.submission import SubmissionDialer, SubmissionTrial
from popfetch.smtp.errors import (
    AppPasswordNeeded,
    ConnectionFailed,
    DeadlineReached,
    PasswordSignInOff,
    ProtocolViolation,
    ScopeInsufficient,
    ServerPermanent,
    ServerTemporary,
    SignInRefused,
    SignInTooFrequent,
    SmtpError,
    TlsFailed,
    TokenRefused,
    UnusableCredentials,
)
from popfetch.smtp.limits import Limits
from popfetch.smtp.sign_in import LONGEST_AUTH_LINE
from tests.builders.scripted_pop3_server import DEFAULT, Close, Hang, server_context
from tests.builders.scripted_smtp_server import CHALLENGE, Action, Answer, Flood, ScriptedSmtpServer, SmtpSession

PLAIN = "AUTH PLAIN " + b64encode(b"\0alex@example.com\0open sesame").decode()
LOGIN = ["AUTH LOGIN", b64encode(b"alex@example.com").decode(), b64encode(b"open sesame").decode()]
QUICK = Limits(connect_seconds=0.4, greeting_seconds=0.4, reply_seconds=0.4, quit_seconds=0.2)
TOKEN = "ya29.a0ARrdaM-c" + "".join(f"{number:x}" for number in range(1_000, 1_010))
LONG_TOKEN = "ey" + "".join(f"{number:x}" for number in range(0x1000, 0x1000 + 2_240)) + ".-"
STALE = "ya29.stale-" + "".join(f"{number:x}" for number in range(2_000, 2_010))


@pytest.fixture
def smtp(ca_file: str) -> SmtpDialer:
    return SmtpDialer(HostGuard(allow_private=True), ca_file=ca_file)


@pytest.fixture
def quick_smtp(ca_file: str) -> SmtpDialer:
    return SmtpDialer(HostGuard(allow_private=True), ca_file=ca_file, limits=QUICK)


async def sign_in(
    dialer: SmtpDialer,
    server: ScriptedSmtpServer,
    *,
    secret: str | None = None,
    seconds: float = 20,
    host: str | None = None,
    auth: AuthMethod = AuthMethod.PASSWORD,
) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    await dialer.sign_in(server.account_server(host=host, auth=auth), Secret(secret or server.password), deadline)


async def failure(signing_in: Awaitable[None]) -> SmtpError:
    with pytest.raises(SmtpError) as caught:
        await signing_in
    return caught.value


def unreached(error: SmtpError, server: ScriptedSmtpServer) -> bool:
    """Whether the error is the one sentence for all places where no submission server answers."""
    return (type(error), error.code, error.server_text, error.message) == (
        ConnectionFailed,
        "network",
        "",
        f"No mail submission server was reached at 127.0.0.1:{server.port}; check host, port and security.",
    )


class TestSignIn:
    @pytest.mark.parametrize("security", list(Security))
    async def test_greets_protects_signs_in_and_leaves(self, security: Security, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(security=security) as server:
            await sign_in(smtp, server)
            assert server.session.signed_in
            hello = ["EHLO [127.0.0.1]"]
            protecting = [*hello, "STARTTLS"] if security is Security.STARTTLS else []
            assert server.session.lines == [*protecting, *hello, PLAIN, "QUIT"]

    @pytest.mark.parametrize(
        ("offer", "security", "expected"),
        [
            ("AUTH PLAIN LOGIN CRAM-MD5", Security.TLS, [PLAIN]),
            ("AUTH CRAM-MD5 LOGIN", Security.TLS, LOGIN),
            ("AUTH CRAM-MD5", Security.STARTTLS, ["AUTH CRAM-MD5"]),
            ("AUTH=LOGIN", Security.TLS, LOGIN),
            ("auth login", Security.TLS, LOGIN),
            ("AUTH PLAIN LOGIN CRAM-MD5", Security.NONE, ["AUTH CRAM-MD5"]),
            ("AUTH LOGIN PLAIN", Security.NONE, [PLAIN]),
            ("AUTH LOGIN GSSAPI", Security.NONE, LOGIN),
        ],
    )
    async def test_takes_the_best_way_that_is_offered(
        self, offer: str, security: Security, expected: list[str], smtp: SmtpDialer
    ) -> None:
        async with ScriptedSmtpServer(extensions=[offer], security=security) as server:
            await sign_in(smtp, server)
            at = next(index for index, line in enumerate(server.session.lines) if line.startswith("AUTH"))
            assert server.session.lines[at : at + len(expected)] == expected
            assert server.session.signed_in

    @pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
    async def test_sends_8_bit_names_and_passwords_as_utf_8(self, mechanism: str, smtp: SmtpDialer) -> None:
        server = ScriptedSmtpServer(
            username="жана@пример.test", password="pässwörd ü", extensions=[f"AUTH {mechanism}"]
        )
        async with server:
            await sign_in(smtp, server)
            assert server.session.signed_in

    @pytest.mark.parametrize("octets", [300, 400, 8_900])
    async def test_with_a_long_password_waits_for_the_challenge(self, octets: int, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(password="p" * octets) as server:
            await sign_in(smtp, server)
            auth = server.session.lines[1]
            assert len(auth) <= 510
            assert (auth == "AUTH PLAIN") == (octets > 360)

    @pytest.mark.parametrize("bad", ["", "open\r\nQUIT", "open\nsesame", "open\0sesame", "p" * 9_001, "\ud800"])
    async def test_refuses_what_does_not_fit_on_its_line_before_connecting(self, bad: str, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer() as server:
            deadline = asyncio.get_running_loop().time() + 5
            whole = server.account_server()
            other = Server(whole.host, whole.port, whole.security, bad)
            for settings, secret in ((whole, bad), (other, "open sesame")):
                error = await failure(smtp.sign_in(settings, Secret(secret), deadline))
                assert isinstance(error, UnusableCredentials)
                assert not bad or bad not in error.message
            assert server.sessions == []

    @pytest.mark.parametrize("security", list(Security))
    async def test_with_a_wrong_password_is_refused_once(self, security: Security, smtp: SmtpDialer) -> None:
        server = ScriptedSmtpServer(extensions=["AUTH PLAIN LOGIN CRAM-MD5"], security=security)
        async with server:
            error = await failure(sign_in(smtp, server, secret="wrong password"))
            assert isinstance(error, SignInRefused)
            assert error.explicit
            assert error.code == "authentication"
            assert len(server.sessions) == 1
            assert server.session.verbs.count("AUTH") == 1

    @pytest.mark.parametrize(
        "refusal",
        [
            b"504 5.7.4 Unrecognized authentication type\r\n",
            b"504 5.5.4 mechanism not supported\r\n",
            b"534 5.7.9 Authentication mechanism is too weak\r\n",
            b"535 5.7.8 Error: authentication failed: Invalid authentication mechanism\r\n",
            b"432 4.7.12 A password transition is needed\r\n",
        ],
    )
    async def test_goes_on_where_only_the_mechanism_is_refused(self, refusal: bytes, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"AUTH PLAIN": refusal}) as server:
            await sign_in(smtp, server)
            assert server.session.lines[1:-1] == [PLAIN, *LOGIN]

    async def test_never_shows_the_password_in_clear_where_a_challenge_was_offered(self, smtp: SmtpDialer) -> None:
        server = ScriptedSmtpServer(
            security=Security.NONE,
            extensions=["AUTH PLAIN LOGIN CRAM-MD5"],
            on={"AUTH CRAM-MD5": b"504 5.7.4 Unrecognized authentication type\r\n"},
        )
        async with server:
            assert isinstance(await failure(sign_in(smtp, server)), PasswordSignInOff)
            assert server.session.verbs == ["EHLO", "AUTH"]

    async def test_keeps_the_refusal_when_the_server_hangs_up_after_it(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"AUTH PLAIN": Close(b"504 5.7.4 unrecognized\r\n")}) as server:
            assert isinstance(await failure(sign_in(smtp, server)), PasswordSignInOff)

    @pytest.mark.parametrize(
        ("reply", "leaf"),
        [
            (b"454 4.7.0 Too many login attempts, please try again later\r\n", SignInTooFrequent),
            (b"454 4.7.0 Temporary authentication failure\r\n", ServerTemporary),
            (b"421 4.3.0 Temporary System Problem. Try again later\r\n", ServerTemporary),
            (b"535 5.7.139 Authentication unsuccessful, basic authentication is disabled.\r\n", PasswordSignInOff),
            (b"534-5.7.9 Application-specific password required. For more\r\n534 5.7.9 go\r\n", AppPasswordNeeded),
            (b"538 5.7.11 Encryption required for requested authentication mechanism\r\n", TlsFailed),
            (b"550 5.7.1 who knows\r\n", ServerPermanent),
        ],
    )
    async def test_tells_apart_why_it_was_refused(self, reply: bytes, leaf: type[SmtpError], smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"AUTH": reply}) as server:
            assert type(await failure(sign_in(smtp, server))) is leaf
            assert server.session.verbs.count("AUTH") == 1

    @pytest.mark.parametrize("security", [Security.TLS, Security.NONE])
    async def test_cancels_a_challenge_that_makes_no_sense(self, security: Security, smtp: SmtpDialer) -> None:
        server = ScriptedSmtpServer(
            security=security,
            extensions=["AUTH CRAM-MD5"],
            on={"AUTH": b"334 not base64!\r\n", "*": b"501 5.7.0 cancelled\r\n"},
        )
        async with server:
            assert isinstance(await failure(sign_in(smtp, server)), ProtocolViolation)
            assert server.session.lines[1:] == ["AUTH CRAM-MD5", "*"]

    async def test_ends_where_challenges_do_not(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"AUTH": b"334 \r\n", "*": b"334 \r\n"}) as server:
            assert isinstance(await failure(sign_in(smtp, server)), ProtocolViolation)
            assert server.session.lines[-1] == "*"

    async def test_never_sends_a_token_in_clear(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(extensions=["AUTH XOAUTH2"], security=Security.NONE) as server:
            assert isinstance(await failure(sign_in(smtp, server, auth=AuthMethod.OAUTH2)), UnusableCredentials)
            assert server.sessions == []

    async def test_that_is_not_offered_says_so(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(extensions=["SIZE"]) as server:
            error = await failure(sign_in(smtp, server))
            assert isinstance(error, PasswordSignInOff)
            assert "does not offer sign-in on this port" in error.message

    async def test_that_takes_no_password_says_what_is_offered(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(extensions=["AUTH xoauth2 GSSAPI\x1b[1m"]) as server:
            error = await failure(sign_in(smtp, server))
            assert isinstance(error, PasswordSignInOff)
            assert error.message.endswith("takes no password; what it offers is XOAUTH2 GSSAPI.")

    async def test_in_clear_where_only_tls_is_let_in_says_so(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(extensions=["SIZE", "STARTTLS"], security=Security.NONE) as server:
            error = await failure(sign_in(smtp, server))
            assert isinstance(error, TlsFailed)
            assert "choose STARTTLS" in error.message

    @pytest.mark.parametrize("farewell", [Close(), Hang(), b"500 what\r\n", b"garbage\r\n"])
    async def test_is_good_however_the_server_takes_its_leave(self, farewell: Action, quick_smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"QUIT": farewell}) as server:
            await sign_in(quick_smtp, server)
            assert server.session.signed_in

    async def test_is_good_though_the_deadline_comes_with_the_farewell(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"QUIT": Hang()}, security=Security.NONE) as server:
            await sign_in(smtp, server, seconds=0.3)


def for_tokens(
    *mechanisms: str,
    token: str = TOKEN,
    security: Security = Security.TLS,
    on: dict[str, Action | list[Action]] | None = None,
) -> ScriptedSmtpServer:
    """A server that lets people in by access tokens only."""
    return ScriptedSmtpServer(
        password=token, extensions=[f"AUTH LOGIN {' '.join(mechanisms)}"], security=security, on=on
    )


def alone(answer: Answer) -> Callable[[SmtpSession, str], Answer]:
    """Says this to AUTH that brings no token along."""
    return lambda _session, line: answer if line.count(" ") == 1 else DEFAULT


def along(answer: Answer) -> Callable[[SmtpSession, str], Answer]:
    """Says this to AUTH that brings the token along."""
    return lambda _session, line: answer if line.count(" ") == 2 else DEFAULT


def shown(mechanism: str, token: str = TOKEN) -> str:
    """A token as it is shown by a mechanism."""
    begin = {"XOAUTH2": "user=alex@example.com", "OAUTHBEARER": "n,a=alex@example.com,"}[mechanism]
    return b64encode(f"{begin}\x01auth=Bearer {token}\x01\x01".encode()).decode()


def complaint(status: str) -> bytes:
    return b"334 " + b64encode(f'{{"status":"{status}","scope":"mail"}}'.encode()) + b"\r\n"


def lines_of(server: ScriptedSmtpServer) -> list[list[str]]:
    """The lines of every connection from AUTH to the farewell."""
    return [
        [line for line in session.lines if not line.startswith(("EHLO", "STARTTLS", "QUIT"))]
        for session in server.sessions
    ]


async def refusal(dialer: SmtpDialer, server: ScriptedSmtpServer, token: str | None = None) -> SmtpError:
    return await failure(sign_in(dialer, server, secret=token, auth=AuthMethod.OAUTH2))


X, B = "XOAUTH2", "OAUTHBEARER"
ACKNOWLEDGED = {X: "", B: "AQ=="}


class TestAccessTokens:
    @pytest.mark.parametrize("mechanism", [X, B])
    @pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
    async def test_go_along_with_auth(self, mechanism: str, security: Security, smtp: SmtpDialer) -> None:
        async with for_tokens(mechanism, security=security) as server:
            await sign_in(smtp, server, auth=AuthMethod.OAUTH2)
            assert server.session.signed_in
            assert lines_of(server) == [[f"AUTH {mechanism} {shown(mechanism)}"]]

    @pytest.mark.parametrize("mechanism", [X, B])
    @pytest.mark.parametrize("octets", [300, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 3_000])
    async def test_are_shown_once_the_server_asks_where_the_line_would_be_too_long(
        self, octets: int, mechanism: str, smtp: SmtpDialer
    ) -> None:
        token = "t" * octets
        async with for_tokens(mechanism, token=token) as server:
            await sign_in(smtp, server, auth=AuthMethod.OAUTH2)
            assert server.session.signed_in
            line = f"AUTH {mechanism} {shown(mechanism, token)}"
            fits = len(line) + 2 <= LONGEST_AUTH_LINE
            assert lines_of(server) == [[line] if fits else [f"AUTH {mechanism}", shown(mechanism, token)]]

    @pytest.mark.parametrize("mechanism", [X, B])
    async def test_may_have_almost_9000_octets(self, mechanism: str, smtp: SmtpDialer) -> None:
        assert len(LONG_TOKEN) == 8_964
        async with for_tokens(mechanism, token=LONG_TOKEN) as server:
            await sign_in(smtp, server, auth=AuthMethod.OAUTH2)
            assert lines_of(server) == [[f"AUTH {mechanism}", shown(mechanism, LONG_TOKEN)]]

    async def test_go_by_xoauth2_where_there_is_a_choice(self, smtp: SmtpDialer) -> None:
        async with for_tokens(B, X) as server:
            await sign_in(smtp, server, auth=AuthMethod.OAUTH2)
            assert lines_of(server) == [[f"AUTH XOAUTH2 {shown(X)}"]]

    @pytest.mark.parametrize("mechanism", [X, B])
    @pytest.mark.parametrize(
        "reply",
        [
            b"501 5.5.4 Syntax: AUTH mechanism\r\n",
            b"501 what?\r\n",
            b"500 5.5.2 Line too long\r\n",
            b"555-5.5.2 Syntax error,\r\n555 5.5.2 command line too long\r\n",
        ],
    )
    async def test_are_shown_once_the_server_asks_where_it_refuses_one_line(
        self, reply: bytes, mechanism: str, smtp: SmtpDialer
    ) -> None:
        async with for_tokens(mechanism, on={"AUTH": along(reply)}) as server:
            await sign_in(smtp, server, auth=AuthMethod.OAUTH2)
            assert server.session.signed_in
            assert lines_of(server) == [[f"AUTH {mechanism} {shown(mechanism)}", f"AUTH {mechanism}", shown(mechanism)]]

    @pytest.mark.parametrize("answer", [Close(), Close(b"555 5.5.2 Syntax error, goodbye.\r\n"), Close(b"55")])
    async def test_are_shown_once_the_server_asks_where_it_hangs_up_at_one_line(
        self, answer: Close, smtp: SmtpDialer
    ) -> None:
        async with for_tokens(X, B, on={"AUTH": along(answer)}) as server:
            await sign_in(smtp, server, auth=AuthMethod.OAUTH2)
            assert server.session.signed_in
            assert lines_of(server) == [[f"AUTH XOAUTH2 {shown(X)}"], ["AUTH XOAUTH2", shown(X)]]

    @pytest.mark.parametrize("answer", [b"501 5.5.4 Syntax error\r\n", b"500 \r\n"])
    async def test_are_put_on_a_line_of_any_length_where_the_server_takes_no_other(
        self, answer: bytes, smtp: SmtpDialer
    ) -> None:
        token = LONG_TOKEN[:3_000]
        async with for_tokens(X, token=token, on={"AUTH": alone(answer)}) as server:
            await sign_in(smtp, server, auth=AuthMethod.OAUTH2)
            assert server.session.signed_in
            assert lines_of(server) == [["AUTH XOAUTH2", f"AUTH XOAUTH2 {shown(X, token)}"]]

    async def test_are_put_on_a_line_of_any_length_where_the_server_hangs_up_at_any_other(
        self, smtp: SmtpDialer
    ) -> None:
        token = LONG_TOKEN[:3_000]
        async with for_tokens(X, token=token, on={"AUTH": alone(Close())}) as server:
            await sign_in(smtp, server, auth=AuthMethod.OAUTH2)
            assert lines_of(server) == [["AUTH XOAUTH2"], [f"AUTH XOAUTH2 {shown(X, token)}"]]

    @pytest.mark.parametrize(
        "reply",
        [
            b"504 5.7.4 Unrecognized authentication type\r\n",
            b"535 5.7.8 Error: authentication failed: Invalid authentication mechanism\r\n",
        ],
    )
    async def test_go_by_the_other_mechanism_where_one_is_unknown(self, reply: bytes, smtp: SmtpDialer) -> None:
        async with for_tokens(X, B, on={"AUTH XOAUTH2": reply}) as server:
            await sign_in(smtp, server, auth=AuthMethod.OAUTH2)
            assert lines_of(server) == [[f"AUTH XOAUTH2 {shown(X)}", f"AUTH OAUTHBEARER {shown(B)}"]]

    async def test_go_by_the_other_mechanism_though_the_server_hangs_up_after_each_refusal(
        self, smtp: SmtpDialer
    ) -> None:
        async with for_tokens(X, B, on={"AUTH XOAUTH2": Close(b"504 5.7.4 Unrecognized\r\n")}) as server:
            await sign_in(smtp, server, auth=AuthMethod.OAUTH2)
            assert lines_of(server) == [[f"AUTH XOAUTH2 {shown(X)}"], [f"AUTH OAUTHBEARER {shown(B)}"]]

    async def test_that_no_mechanism_takes_are_not_held_to_be_bad(self, smtp: SmtpDialer) -> None:
        async with for_tokens(X, B, on={"AUTH": b"504 5.7.4 Unrecognized authentication type\r\n"}) as server:
            error = await refusal(smtp, server)
            assert type(error) is PasswordSignInOff
            assert "with an access token" in error.message
            assert lines_of(server) == [[f"AUTH XOAUTH2 {shown(X)}", f"AUTH OAUTHBEARER {shown(B)}"]]

    async def test_that_are_not_taken_at_all_are_not_sent(self, smtp: SmtpDialer) -> None:
        async with for_tokens("GSSAPI") as server:
            error = await refusal(smtp, server)
            assert isinstance(error, PasswordSignInOff)
            assert error.message.endswith("takes no access token; what it offers is LOGIN GSSAPI.")
            assert lines_of(server) == [[]]

    async def test_are_tried_in_another_form_once_in_a_dial(self, smtp: SmtpDialer) -> None:
        syntax, unknown = b"501 5.5.4 Syntax error\r\n", b"504 5.5.4 Unknown mechanism\r\n"
        async with for_tokens(X, B, on={"AUTH": [syntax, unknown, syntax]}) as server:
            await refusal(smtp, server)
            assert lines_of(server) == [[f"AUTH XOAUTH2 {shown(X)}", "AUTH XOAUTH2", f"AUTH OAUTHBEARER {shown(B)}"]]

    @pytest.mark.parametrize("mechanism", [X, B])
    @pytest.mark.parametrize("form", ["asked for", "along"])
    @pytest.mark.parametrize(
        ("said", "acknowledged"),
        [
            (DEFAULT, True),
            (complaint("invalid_token"), True),
            (b"334 no base64 at all!\r\n", True),
            (b"334 " + b64encode(b"[" * 2_000) + b"\r\n", True),
            (b"334-\xff\xfe\r\n334 \r\n", True),
            (b"334 \r\n", True),
            (b"", False),
        ],
    )
    async def test_that_are_refused_are_judged_once(
        self, said: Answer, acknowledged: bool, form: str, mechanism: str, smtp: SmtpDialer
    ) -> None:
        token = STALE if form == "along" else STALE * 10
        on: dict[str, Action | list[Action]] = {"complaint": said}
        if mechanism == B:
            on["AUTH XOAUTH2"] = b"504 5.5.4 Unknown mechanism\r\n"
        async with for_tokens(X, B, on=on) as server:
            error = await refusal(smtp, server, token)
            assert isinstance(error, TokenRefused)
            assert error.explicit
            assert error.server_text == "5.7.8 Authentication failed"
            after = [ACKNOWLEDGED[mechanism]] if acknowledged else []
            expected = {
                "along": [f"AUTH {mechanism} {shown(mechanism, token)}"],
                "asked for": [f"AUTH {mechanism}", shown(mechanism, token)],
            }[form]
            before = [] if mechanism == X else [f"AUTH XOAUTH2{f' {shown(X, token)}' if form == 'along' else ''}"]
            assert lines_of(server) == [[*before, *expected, *after]]

    @pytest.mark.parametrize(
        ("status", "leaf"),
        [
            ("400", TokenRefused),
            ("403", ScopeInsufficient),
            ("insufficient_scope", ScopeInsufficient),
            ("temporarily_unavailable", ServerTemporary),
            ("503", ServerTemporary),
            ("429", SignInTooFrequent),
        ],
    )
    @pytest.mark.parametrize(
        "end",
        [
            b"535 5.7.8 no\r\n",
            b"501 5.5.2 Cannot decode\r\n",
            Close(b"535 \r\n"),
            Close(),
            b"what is this\r\n",
            b"250 fine\r\n",
            Hang(),
            b"334 \r\n",
        ],
        ids=range(8),
    )
    async def test_are_told_apart_by_the_complaint_however_the_server_ends(
        self, status: str, leaf: type[SmtpError], end: Answer, quick_smtp: SmtpDialer
    ) -> None:
        on: dict[str, Action | list[Action]] = {
            "complaint": complaint(status),
            "answer": end,
            "*": b"501 5.7.0 cancelled\r\n",
        }
        async with for_tokens(X, B, on=on) as server:
            assert type(await refusal(quick_smtp, server, STALE)) is leaf
            cancelled = ["*"] if end == b"334 \r\n" else []
            assert lines_of(server) == [[f"AUTH XOAUTH2 {shown(X, STALE)}", "", *cancelled]]

    async def test_are_told_apart_though_the_server_hangs_up_at_its_complaint(self, smtp: SmtpDialer) -> None:
        async with for_tokens(X, on={"complaint": Close(complaint("insufficient_scope"))}) as server:
            error = await refusal(smtp, server, STALE)
            assert isinstance(error, ScopeInsufficient)
            assert error.server_text == "insufficient_scope"
            assert len(server.sessions) == 1

    @pytest.mark.parametrize(
        ("reply", "leaf"),
        [
            (b"454 4.7.0 Too many login attempts, please try again later\r\n", SignInTooFrequent),
            (b"454 4.7.0 Temporary authentication failure\r\n", ServerTemporary),
            (b"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled.\r\n", PasswordSignInOff),
            (b"534 5.7.9 Application-specific password required\r\n", TokenRefused),
            (b"535 5.7.3 Authentication unsuccessful\r\n", TokenRefused),
        ],
    )
    @pytest.mark.parametrize("said", [b"", DEFAULT])
    async def test_matter_less_than_what_else_a_refusal_says(
        self, reply: bytes, leaf: type[SmtpError], said: Answer, smtp: SmtpDialer
    ) -> None:
        async with for_tokens(X, B, on={"complaint": said, "answer": reply}) as server:
            error = await refusal(smtp, server, STALE)
            assert type(error) is leaf
            assert "password" not in error.message.partition(" It says: ")[0]
            assert server.session.verbs.count("AUTH") == 1
            assert len(server.sessions) == 1

    @pytest.mark.parametrize(
        ("reply", "leaf"),
        [
            (b"454 4.7.0 Temporary authentication failure\r\n", ServerTemporary),
            (b"421 4.7.0 Syntax error\r\n", ServerTemporary),
            (b"500 too many errors\r\n", SignInTooFrequent),
            (b"501 5.7.0 Authentication failed: invalid token\r\n", TokenRefused),
            (b"535 5.7.8 auth mechanism refuses this token\r\n", TokenRefused),
            (b"535 \r\n", TokenRefused),
        ],
    )
    async def test_are_not_shown_again_after_a_refusal_that_is_not_of_the_form(
        self, reply: bytes, leaf: type[SmtpError], smtp: SmtpDialer
    ) -> None:
        async with for_tokens(X, B, on={"AUTH": reply}) as server:
            assert type(await refusal(smtp, server)) is leaf
            assert lines_of(server) == [[f"AUTH XOAUTH2 {shown(X)}"]]

    async def test_are_not_shown_again_to_a_server_that_falls_silent(self, quick_smtp: SmtpDialer) -> None:
        async with for_tokens(X, B, on={"AUTH": Hang()}) as server:
            error = await refusal(quick_smtp, server)
            assert type(error) is ConnectionFailed
            assert "fell silent" in error.message
            assert lines_of(server) == [[f"AUTH XOAUTH2 {shown(X)}"]]

    async def test_are_not_shown_again_to_a_server_that_hangs_up_once_it_had_asked(self, smtp: SmtpDialer) -> None:
        token = STALE * 10
        async with for_tokens(X, B, on={"complaint": Close()}) as server:
            assert type(await refusal(smtp, server, token)) is ConnectionFailed
            assert lines_of(server) == [["AUTH XOAUTH2", shown(X, token)]]

    async def test_of_which_a_server_that_always_hangs_up_gets_two_tries(self, smtp: SmtpDialer) -> None:
        async with for_tokens(X, B, on={"AUTH": Close()}) as server:
            assert type(await refusal(smtp, server)) is ConnectionFailed
            assert lines_of(server) == [[f"AUTH XOAUTH2 {shown(X)}"], ["AUTH XOAUTH2"]]

    async def test_that_cannot_be_shown_any_more_leave_the_first_refusal(self, smtp: SmtpDialer) -> None:
        on: dict[str, Action | list[Action]] = {
            "greeting": [DEFAULT, Close()],
            "AUTH": Close(b"501 5.5.4 Syntax error\r\n"),
        }
        async with for_tokens(X, on=on) as server:
            error = await refusal(smtp, server)
            assert error.server_text == "5.5.4 Syntax error"
            assert len(server.sessions) == 2

    async def test_are_dialled_for_again_within_the_deadline(self, smtp: SmtpDialer) -> None:
        on: dict[str, Action | list[Action]] = {"greeting": [DEFAULT, Hang()], "AUTH": Close()}
        async with for_tokens(X, on=on) as server, asyncio.timeout(5):
            error = await failure(sign_in(smtp, server, seconds=0.5, auth=AuthMethod.OAUTH2))
            assert type(error) is ConnectionFailed
            assert len(server.sessions) == 2

    @pytest.mark.parametrize("end", [b"334 again\r\n", complaint("400")])
    async def test_are_not_shown_to_challenges_without_end(self, end: bytes, smtp: SmtpDialer) -> None:
        on: dict[str, Action | list[Action]] = {"complaint": b"334 no sense\r\n", "answer": end, "*": end}
        async with for_tokens(X, B, on=on) as server:
            leaf = TokenRefused if end == complaint("400") else ProtocolViolation
            assert type(await refusal(smtp, server, STALE)) is leaf
            assert lines_of(server) == [[f"AUTH XOAUTH2 {shown(X, STALE)}", "", "*"]]

    @pytest.mark.parametrize("bad", ["", "tok\r\nQUIT", "tok\0en", "tok\x01en", "t" * 9_000])
    async def test_that_would_not_fit_on_their_line_are_not_sent(self, bad: str, smtp: SmtpDialer) -> None:
        async with for_tokens(X) as server:
            deadline = asyncio.get_running_loop().time() + 5
            error = await failure(smtp.sign_in(server.account_server(auth=AuthMethod.OAUTH2), Secret(bad), deadline))
            assert isinstance(error, UnusableCredentials)
            assert "access token" in error.message
            assert "password" not in error.message
            assert server.sessions == []

    async def test_are_not_sent_where_tls_is_stripped_from_the_offer(self, smtp: SmtpDialer) -> None:
        on: dict[str, Action | list[Action]] = {"EHLO": b"250-smtp.example.test\r\n250 AUTH XOAUTH2\r\n"}
        async with for_tokens(X, security=Security.STARTTLS, on=on) as server:
            error = await refusal(smtp, server)
            assert isinstance(error, TlsFailed)
            assert "password" not in error.message
            assert server.received == b"EHLO [127.0.0.1]\r\n"

    @pytest.mark.parametrize("mechanism", [X, B])
    @pytest.mark.parametrize("token", [STALE, LONG_TOKEN[:3_000]])
    @pytest.mark.parametrize("code", [b"535 5.7.8 ", b"454 4.7.0 ", b"501 ", b"junk ", b"250 ", b"334 "])
    async def test_never_show_in_what_the_server_echoes(
        self, code: bytes, token: str, mechanism: str, smtp: SmtpDialer
    ) -> None:
        raw = f"user=alex@example.com\x01auth=Bearer {token}\x01\x01"
        echoes = [
            token,
            f"Bearer {token}",
            f"Bearer {token}"[:90],
            raw,
            b64encode(token.encode()).decode(),
            shown(mechanism, token),
            shown(mechanism, token).rstrip("="),
            shown(mechanism, token)[:150],
            f"{token[:20]}\r\n{code.decode()}{token[20:40]}",
            f"AUTH {mechanism} {shown(mechanism, token)}",
        ]
        async with for_tokens(mechanism, on={"complaint": b"", "*": b"501 no\r\n"}) as server:
            for echo in echoes:
                mark = code[:3] + b"-" + code[4:] if "\r\n" in echo else code
                server.on["answer"] = mark + echo.encode() + b" is no good\r\n"
                error = await refusal(smtp, server, token)
                told = "".join([*traceback.format_exception(error), error.server_text])
                behind: BaseException | None = error
                while behind is not None:
                    told += repr(behind) + repr(vars(behind))
                    behind = behind.__cause__ or behind.__context__
                for secret in (token, shown(mechanism, token), b64encode(token.encode()).decode()):
                    for at in range(len(secret) - 12):
                        assert secret[at : at + 12] not in told, echo


class TestHello:
    async def test_of_an_old_server_is_helo(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"EHLO": b"502 5.5.1 not implemented\r\n"}) as server:
            error = await failure(sign_in(smtp, server))
            assert isinstance(error, PasswordSignInOff)
            assert server.session.lines == ["EHLO [127.0.0.1]", "HELO [127.0.0.1]"]

    async def test_never_tells_the_name_of_this_machine(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"EHLO": [b"500 no\r\n"]}) as server:
            await failure(sign_in(smtp, server))
            assert socket.gethostname().encode() not in server.received
            assert socket.getfqdn().encode() not in server.received

    @pytest.mark.parametrize(
        ("moment", "reply", "leaf"),
        [
            ("greeting", b"421 4.3.2 Service not available\r\n", ServerTemporary),
            ("greeting", b"421 4.7.0 Too many connections from your IP\r\n", SignInTooFrequent),
            ("greeting", b"554 5.7.1 Your address is on a list\r\n", ServerPermanent),
            ("EHLO", b"421 4.7.0 Try again later, closing connection.\r\n", ServerTemporary),
            ("EHLO", b"550 5.7.1 go away\r\n", ServerPermanent),
            ("EHLO", b"451 4.3.0 greylisted\r\n", ServerTemporary),
        ],
    )
    async def test_that_is_refused_in_proper_smtp_is_quoted(
        self, moment: str, reply: bytes, leaf: type[SmtpError], smtp: SmtpDialer
    ) -> None:
        async with ScriptedSmtpServer(on={moment: Close(reply)}) as server:
            error = await failure(sign_in(smtp, server))
            assert type(error) is leaf
            assert error.server_text == reply.decode()[4:].strip()
            assert "AUTH" not in server.session.verbs

    async def test_waits_for_a_greeting_of_many_lines_that_takes_its_time(self, smtp: SmtpDialer) -> None:
        server = ScriptedSmtpServer(on={"greeting": b"220-one\r\n220-two\r\n220 three\r\n"}, delay=0.3)
        async with server:
            await sign_in(smtp, server)
            assert server.session.signed_in


class TestTls:
    async def test_asks_for_the_host_by_its_name(self, smtp: SmtpDialer) -> None:
        asked: list[str | None] = []
        context = server_context()
        context.sni_callback = lambda _socket, name, _context: asked.append(name)
        for security in (Security.TLS, Security.STARTTLS):
            async with ScriptedSmtpServer(security=security, context=context) as server:
                await sign_in(smtp, server, host="localhost")
        assert asked == ["localhost", "localhost"]

    async def test_stripped_from_the_offer_gets_no_credentials(self, smtp: SmtpDialer) -> None:
        server = ScriptedSmtpServer(
            security=Security.STARTTLS, on={"EHLO": b"250-smtp.example.test\r\n250 AUTH PLAIN LOGIN\r\n"}
        )
        async with server:
            error = await failure(sign_in(smtp, server))
            assert isinstance(error, TlsFailed)
            assert "port 465" in error.message
            assert server.received == b"EHLO [127.0.0.1]\r\n"

    @pytest.mark.parametrize(
        ("answer", "leaf"),
        [
            (b"502 5.5.1 not implemented\r\n", TlsFailed),
            (b"454 4.7.0 TLS not available due to local problem\r\n", ServerTemporary),
            (Close(), TlsFailed),
            (Hang(), TlsFailed),
            (b"250 fine\r\n", ProtocolViolation),
            (b"garbage\r\n", TlsFailed | ProtocolViolation),
            (Close(b"220 go\r\n"), TlsFailed),
            (b"220 go\r\n250 not TLS at all, and for long enough to be read as such\r\n", TlsFailed),
        ],
    )
    async def test_that_does_not_come_about_gets_no_credentials(
        self, answer: Action, leaf: type[SmtpError], quick_smtp: SmtpDialer
    ) -> None:
        async with ScriptedSmtpServer(security=Security.STARTTLS, on={"STARTTLS": answer}) as server:
            assert isinstance(await failure(sign_in(quick_smtp, server)), leaf)
            assert [line for line in server.session.lines if line.startswith("AUTH")] == []
            assert b"sesame" not in server.received

    async def test_forgets_what_was_offered_ahead_of_it(self, smtp: SmtpDialer) -> None:
        server = ScriptedSmtpServer(security=Security.STARTTLS, extensions_in_tls=["AUTH LOGIN"])
        async with server:
            await sign_in(smtp, server)
            assert server.session.lines[:4] == ["EHLO [127.0.0.1]", "STARTTLS", "EHLO [127.0.0.1]", "AUTH LOGIN"]

    async def test_counts_no_octets_that_were_slipped_in_ahead_of_it(self, smtp: SmtpDialer) -> None:
        # given replies to EHLO and AUTH in the clear, behind the go-ahead and in one piece with it
        injected = b"220 2.0.0 go ahead\r\n250-x\r\n250 AUTH PLAIN LOGIN\r\n235 2.7.0 welcome\r\n"
        server = ScriptedSmtpServer(security=Security.STARTTLS, go_ahead=injected)
        async with server:
            error = await failure(sign_in(smtp, server, secret="wrong password"))
            assert isinstance(error, SignInRefused)
            assert server.session.verbs == ["EHLO", "STARTTLS", "EHLO", "AUTH"]

    @pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
    async def test_of_another_name_is_refused(self, security: Security, smtp: SmtpDialer) -> None:
        server = ScriptedSmtpServer(security=security, context=server_context("smtp.other.example"))
        async with server:
            error = await failure(sign_in(smtp, server, host="localhost"))
            assert isinstance(error, TlsFailed)
            assert f"The certificate of localhost:{server.port} is for another name" in error.message
            assert b"AUTH" not in server.received

    @pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
    async def test_of_an_unknown_authority_is_refused(self, security: Security, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(security=security, context=server_context(ca=trustme.CA())) as server:
            error = await failure(sign_in(smtp, server))
            assert isinstance(error, TlsFailed)
            assert "authority that is not trusted" in error.message
            assert b"AUTH" not in server.received

    async def test_trusts_the_operators_authority_only_when_given(self) -> None:
        async with ScriptedSmtpServer() as server:
            assert isinstance(await failure(sign_in(SmtpDialer(HostGuard(allow_private=True)), server)), TlsFailed)

    async def test_with_a_bundle_that_cannot_be_read_says_so(self) -> None:
        async with ScriptedSmtpServer() as server:
            dialer = SmtpDialer(HostGuard(allow_private=True), ca_file="/nowhere.pem")
            error = await failure(sign_in(dialer, server))
            assert isinstance(error, TlsFailed)
            assert "/nowhere.pem" in error.message

    async def test_is_of_version_1_2_at_least(self, smtp: SmtpDialer) -> None:
        assert smtp._tls.minimum_version is ssl.TLSVersion.TLSv1_2
        assert smtp._tls.verify_mode is ssl.CERT_REQUIRED
        assert smtp._tls.check_hostname

    @pytest.mark.parametrize(("alert", "words"), [(70, "no TLS version that is safe"), (40, "TLS handshake with")])
    async def test_that_is_refused_in_proper_tls_says_so(self, alert: int, words: str, smtp: SmtpDialer) -> None:
        # given a server that answers every handshake by an alert (RFC 5246, section 7.2)
        greeting = Hang(bytes([21, 3, 1, 0, 2, 2, alert]))
        async with ScriptedSmtpServer(security=Security.NONE, on={"greeting": greeting}) as server:
            settings = Server(server.host, server.port, Security.TLS, "alex")
            error = await failure(smtp.sign_in(settings, Secret("open sesame"), asyncio.get_running_loop().time() + 5))
            assert isinstance(error, TlsFailed)
            assert words in error.message


GARBAGE = bytes(range(256)) * 40
ELSEWHERE: list[Action] = [
    Close(),
    Hang(),
    Hang(b"220-smtp"),
    Hang(b"220 smtp.example.test ESMTP"),
    Close(b"+OK POP3 ready\r\n"),
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\r\n",
    b"999 what\r\n",
    b"+25 what\r\n",
    b"354 go on\r\n",
    Hang(GARBAGE),
    Hang(b"220 " + b"x" * 9_000 + b"\r\n"),
    Flood(b"x" * 4096),
    Flood(b"220-more\r\n" * 100),
    Flood(b"2", pause=0.01),
]


class TestReaching:
    @pytest.mark.parametrize("greeting", ELSEWHERE, ids=range(len(ELSEWHERE)))
    @pytest.mark.parametrize("security", list(Security))
    async def test_what_is_no_submission_server_is_always_the_same(
        self, greeting: Action, security: Security, quick_smtp: SmtpDialer
    ) -> None:
        async with ScriptedSmtpServer(security=security, on={"greeting": greeting}) as server:
            assert unreached(await failure(sign_in(quick_smtp, server)), server)
            assert server.received == b""

    @pytest.mark.parametrize(
        "answer",
        [Close(), Hang(), b"530 Please login with USER and PASS.\r\n", b"500 what\r\n", b"220 again\r\n", GARBAGE],
        ids=range(6),
    )
    async def test_nor_does_it_show_at_ehlo(self, answer: Action, quick_smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"EHLO": answer, "HELO": answer}) as server:
            assert unreached(await failure(sign_in(quick_smtp, server)), server)

    @pytest.mark.parametrize("security", list(Security))
    async def test_a_closed_port_is_the_same(self, security: Security, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(security=security) as server:
            pass
        assert unreached(await failure(sign_in(smtp, server)), server)

    @pytest.mark.parametrize("speaks", [Security.NONE, Security.TLS])
    async def test_a_server_with_another_security_is_the_same(self, speaks: Security, quick_smtp: SmtpDialer) -> None:
        other = {Security.NONE: Security.TLS, Security.TLS: Security.STARTTLS}[speaks]
        async with ScriptedSmtpServer(security=speaks) as server:
            settings = Server(server.host, server.port, other, "alex")
            deadline = asyncio.get_running_loop().time() + 5
            assert unreached(await failure(quick_smtp.sign_in(settings, Secret("open sesame"), deadline)), server)

    @pytest.mark.parametrize(
        "octets",
        [GARBAGE, GARBAGE[::-1], b"220 smtp\r\n", b"SSH-2.0-x\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0"],
    )
    async def test_what_answers_a_handshake_by_no_tls_is_the_same(self, octets: bytes, quick_smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(security=Security.NONE, on={"greeting": Hang(octets)}) as server:
            settings = Server(server.host, server.port, Security.TLS, "alex")
            deadline = asyncio.get_running_loop().time() + 5
            assert unreached(await failure(quick_smtp.sign_in(settings, Secret("open sesame"), deadline)), server)

    async def test_a_silent_port_is_the_same_when_the_deadline_comes(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"greeting": Hang()}) as server:
            assert unreached(await failure(sign_in(smtp, server, seconds=0.2)), server)

    async def test_a_forbidden_host_or_port_is_not_connected_to(self) -> None:
        async with ScriptedSmtpServer() as server:
            with pytest.raises(HostRefused):
                await sign_in(SmtpDialer(HostGuard(ports={server.port})), server)
            assert server.sessions == []
        guard = HostGuard(ports=SUBMISSION_PORTS)
        for port in (25, 110, 2525):
            with pytest.raises(HostRefused, match="use 465 or 587"):
                await guard.check("192.0.2.1", port)

    async def test_a_name_without_an_address_says_so(self, smtp: SmtpDialer, monkeypatch: pytest.MonkeyPatch) -> None:
        async def nobody(*_args: object, **_options: object) -> None:
            raise socket.gaierror

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", nobody)
        async with ScriptedSmtpServer() as server:
            error = await failure(sign_in(smtp, server, host="smtp.example.com"))
        assert isinstance(error, ConnectionFailed)
        assert "no address for smtp.example.com" in error.message

    async def test_tries_the_next_address_when_one_does_not_answer(
        self, smtp: SmtpDialer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with ScriptedSmtpServer(security=Security.NONE) as server:

            async def two_addresses(*_args: object, **_options: object) -> list[tuple[object, ...]]:
                return [(0, 1, 6, "", ("127.0.0.2", server.port)), (0, 1, 6, "", ("127.0.0.1", server.port))]

            monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", two_addresses)
            monkeypatch.setattr("popfetch.adapters.host_guard.HostGuard._check_address", lambda *_: None)
            await sign_in(smtp, server, host="smtp.example.com")
            assert len(server.sessions) == 1


class TestHostileServers:
    @pytest.mark.parametrize(
        ("answer", "leaf"),
        [
            (Close(), ConnectionFailed),
            (Close(b"5"), ConnectionFailed),
            (Hang(), ConnectionFailed),
            (Hang(b"535-"), ConnectionFailed),
            (b"garbage\r\n", ProtocolViolation),
            (b"\0\1\2\r\n", ProtocolViolation),
            (b"999 what\r\n", ProtocolViolation),
            (b"199 what\r\n", ProtocolViolation),
            (b"250 fine\r\n", ProtocolViolation),
            (b"354 go on\r\n", ProtocolViolation),
            (Hang(GARBAGE), ProtocolViolation),
            (Hang(b"535 " + b"x" * 9_000 + b"\r\n"), ProtocolViolation),
            (Flood(b"x" * 4096), ProtocolViolation),
            (Flood(b"535-more\r\n" * 100), ProtocolViolation),
            (Flood(b"5", pause=0.01), ConnectionFailed),
            (Flood(b"535-\r\n", pause=0.01), ConnectionFailed),
        ],
        ids=range(16),
    )
    async def test_get_a_typed_error_in_bounded_time(
        self, answer: Action, leaf: type[SmtpError], quick_smtp: SmtpDialer
    ) -> None:
        async with ScriptedSmtpServer(on={"AUTH": answer}) as server, asyncio.timeout(5):
            assert type(await failure(sign_in(quick_smtp, server))) is leaf

    async def test_that_hang_up_after_the_offer_are_not_taken_for_ones_without_sign_in(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"EHLO": Close(b"250-x\r\n250 AUTH PLAIN\r\n")}) as server:
            error = await failure(sign_in(smtp, server))
            assert isinstance(error, ConnectionFailed)
            assert "closed the connection" in error.message

    async def test_do_not_outlast_the_deadline(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"AUTH": Flood(b"535-\r\n", pause=0.01)}) as server:
            error = await failure(sign_in(smtp, server, seconds=0.5))
            assert isinstance(error, DeadlineReached)
            assert error.code == "deadline"

    @pytest.mark.parametrize("security", list(Security))
    @pytest.mark.parametrize("stage", ["greeting", "EHLO", "AUTH", "QUIT"])
    async def test_are_let_go_of_when_the_caller_is_cancelled(
        self, stage: str, security: Security, smtp: SmtpDialer
    ) -> None:
        reached = asyncio.Event()

        def hang(_session: object, _line: str) -> Hang:
            reached.set()
            return Hang()

        async with ScriptedSmtpServer(on={stage: hang}, security=security) as server, asyncio.timeout(5):
            signing_in = asyncio.create_task(sign_in(smtp, server))
            await reached.wait()
            signing_in.cancel()
            with pytest.raises(asyncio.CancelledError):
                await signing_in
            await server.left_alone()

    @pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
    @pytest.mark.parametrize("code", [b"535 5.7.8 ", b"454 4.7.0 ", b"550 ", b"junk ", b"999 ", b"250 "])
    async def test_never_make_us_tell_what_they_echo(self, mechanism: str, code: bytes, smtp: SmtpDialer) -> None:
        password = b"open sesame"
        digest = hmac.new(password, CHALLENGE, "md5").hexdigest().encode()
        secrets = [
            password,
            b64encode(password),
            b64encode(b"\0alex@example.com\0" + password),
        ]
        if mechanism == "CRAM-MD5":
            secrets += [digest, b64encode(b"alex@example.com " + digest)]
        echoes = [code + secret + b" is wrong\r\n" for secret in secrets]
        echoes += [
            code[:3] + b"-" + code[4:] + secret[:9] + b"\r\n" + code + secret[9:] + b"\r\n" for secret in secrets
        ]
        answers: list[Action] = [*echoes]
        async with ScriptedSmtpServer(extensions=[f"AUTH {mechanism}"], on={"answer": answers}) as server:
            for echo in echoes:
                error = await failure(sign_in(smtp, server))
                shown = "".join([*traceback.format_exception(error), repr(error), error.server_text, str(error.args)])
                behind: BaseException | None = error
                while behind is not None:
                    shown += repr(behind) + repr(vars(behind))
                    behind = behind.__cause__ or behind.__context__
                squeezed = "".join(filter(str.isalnum, shown))
                for secret in secrets:
                    assert secret.decode() not in shown, echo
                    assert "".join(filter(str.isalnum, secret.decode())) not in squeezed, echo

    async def test_find_no_secret_in_what_is_logged(self, smtp: SmtpDialer, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG")
        asyncio.get_running_loop().set_debug(True)
        async with ScriptedSmtpServer(on={"answer": b"535 5.7.8 open sesame\r\n"}) as server:
            await failure(sign_in(smtp, server))
            await failure(sign_in(smtp, server, secret="open sesame 2"))
        assert "sesame" not in caplog.text
        assert b64encode(b"open sesame").decode() not in caplog.text


def test_the_dialer_fulfils_its_ports() -> None:
    dialer = SmtpDialer(HostGuard(ports=SUBMISSION_PORTS))
    trial: SubmissionTrial = dialer
    submissions: SubmissionDialer = dialer
    assert callable(trial.sign_in)
    assert callable(submissions.open)
