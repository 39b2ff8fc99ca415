"""Handing a message over to a submission server: what it is told, what it gets, and what is said when it fails.

Whether a message may be sent again hangs on one thing, whether its end was on its way. So every failure here also
states how many ends the server saw.
"""

import asyncio
import socket
import traceback
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Buffer, Iterable
from contextlib import asynccontextmanager
from types import UnionType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from popfetch.adapters.host_guard import CheckedHost, HostGuard
from popfetch.adapters.mail_sockets import reach
from popfetch.adapters.smtp_dialer import SmtpDialer
from popfetch.domain.account import Security
from popfetch.domain.draft import Envelope
from popfetch.domain.secret import Secret
from popfetch.ports.submission import RefusedRecipient, Submission
from popfetch.smtp.errors import (
    ConnectionFailed,
    DeadlineReached,
    MessageRefused,
    MessageTooLarge,
    ProtocolViolation,
    RecipientRefused,
    SenderRefused,
    SendingTooFrequent,
    ServerPermanent,
    ServerTemporary,
    SignInRefused,
    SmtpError,
    TlsFailed,
    Unconfirmed,
    Utf8NotOffered,
)
from popfetch.smtp.limits import Limits
from tests.builders.scripted_pop3_server import Close, Hang, authority_file
from tests.builders.scripted_smtp_server import Action, After, Flood, ScriptedSmtpServer, SmtpSession, Stall

BASIC = ("ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN")
CONTENT = b"Subject: hello\r\n\r\nHello, Bert.\r\n.\r\n..and Carl\r\n"
LARGE = (b"x" * 998 + b"\r\n") * 16_000
"""More than the system holds for a server that does not read."""
ANNA, BERT, CARL = "anna@example.com", "bert@example.com", "carl@example.com"
QUICK = Limits(
    connect_seconds=0.4,
    greeting_seconds=0.6,
    reply_seconds=0.4,
    block_seconds=0.4,
    end_seconds=0.4,
    quit_seconds=0.2,
)


@pytest.fixture
def smtp(ca_file: str) -> SmtpDialer:
    return SmtpDialer(HostGuard(allow_private=True), ca_file=ca_file)


@pytest.fixture
def quick_smtp(ca_file: str) -> SmtpDialer:
    return SmtpDialer(HostGuard(allow_private=True), ca_file=ca_file, limits=QUICK)


def envelope(*recipients: str, octets: int = len(CONTENT), sender: str = ANNA, needs_utf8: bool = False) -> Envelope:
    return Envelope(sender, recipients or (BERT, CARL), octets, needs_utf8)


@asynccontextmanager
async def opened(dialer: SmtpDialer, server: ScriptedSmtpServer, *, seconds: float = 20) -> AsyncIterator[Submission]:
    deadline = asyncio.get_running_loop().time() + seconds
    submission = await dialer.open(server.account_server(), Secret(server.password), deadline)
    try:
        yield submission
    finally:
        await submission.abandon()


async def send(
    dialer: SmtpDialer,
    server: ScriptedSmtpServer,
    content: bytes = CONTENT,
    *,
    told: Envelope | None = None,
    seconds: float = 20,
) -> list[RefusedRecipient]:
    async with opened(dialer, server, seconds=seconds) as submission:
        refused = await submission.begin(told or envelope(octets=len(content)))
        await submission.transmit(content)
        await submission.quit()
    return refused


async def hand_over(submission: Submission) -> None:
    await submission.begin(envelope())
    await submission.transmit(CONTENT)


async def failure(sending: Awaitable[object]) -> SmtpError:
    with pytest.raises(SmtpError) as caught:
        await sending
    return caught.value


def commands(session: SmtpSession) -> list[str]:
    """What was said from MAIL on."""
    return session.lines[session.verbs.index("MAIL") :] if "MAIL" in session.verbs else []


class SlowSocket(socket.socket):
    """A socket of a system that takes little at a time, and that notes for each time whether more was waiting.

    asyncio offers what is written at once where nothing waits, and together with what waits otherwise.
    """

    def __init__(self, fileno: int, taken: list[tuple[int, bool]]) -> None:
        super().__init__(fileno=fileno)
        self._taken = taken

    def send(self, data: Buffer, flags: int = 0, /) -> int:
        return self._take(data, waiting=False)

    def sendmsg(self, buffers: Iterable[Buffer], /, *_more: Any) -> int:
        return self._take(next(iter(buffers)), waiting=True)

    def _take(self, data: Buffer, *, waiting: bool) -> int:
        octets = super().send(memoryview(data)[:2_000])
        self._taken.append((octets, waiting))
        return octets


class TestOpening:
    @pytest.mark.parametrize("security", list(Security))
    async def test_signs_in_and_says_nothing_more(self, security: Security, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(security=security) as server:
            async with opened(smtp, server):
                assert server.session.signed_in
                assert server.session.verbs[-1] == "AUTH"
            await server.left_alone()

    @pytest.mark.parametrize("stage", ["greeting", "EHLO", "AUTH"])
    @pytest.mark.parametrize("action", [b"554 5.7.1 no\r\n", b"garbage\r\n", Close(), Hang()])
    async def test_that_fails_leaves_no_connection(self, stage: str, action: Action, quick_smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={stage: action}) as server, asyncio.timeout(5):
            deadline = asyncio.get_running_loop().time() + 5
            await failure(quick_smtp.open(server.account_server(), Secret(server.password), deadline))
            await server.left_alone()


class TestHandingOver:
    @pytest.mark.parametrize("security", list(Security))
    async def test_tells_sender_and_recipients_then_the_message(self, security: Security, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(security=security, extensions=BASIC) as server:
            assert await send(smtp, server) == []
            assert commands(server.session) == [
                f"MAIL FROM:<{ANNA}>",
                f"RCPT TO:<{BERT}>",
                f"RCPT TO:<{CARL}>",
                "DATA",
                "QUIT",
            ]
            (message,) = server.session.messages
            assert (message.sender, message.recipients) == (ANNA, [BERT, CARL])
            assert message.content == CONTENT
            assert server.session.ends == 1

    @pytest.mark.parametrize("accepts", [b"250 ok\r\n", b"251 will forward\r\n", b"252 cannot verify\r\n"])
    async def test_a_recipient_may_be_accepted_in_three_ways(self, accepts: bytes, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"RCPT": accepts}) as server:
            assert await send(smtp, server) == []
            assert server.session.messages[0].recipients == [BERT, CARL]

    @pytest.mark.parametrize("taken", [b"250 ok\r\n", b"200 what\r\n", b"250-two\r\n250 lines\r\n", b"251 ok\r\n"])
    async def test_any_good_reply_to_the_end_means_that_it_was_taken(self, taken: bytes, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"content": taken}) as server:
            await send(smtp, server)
            assert server.session.ends == 1

    @pytest.mark.parametrize("farewell", [Close(), Hang(), b"500 what\r\n", b"garbage\r\n"])
    async def test_is_good_however_the_server_takes_its_leave(self, farewell: Action, quick_smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"QUIT": farewell}) as server:
            await send(quick_smtp, server)
            assert server.session.messages[0].content == CONTENT

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b".",
            b"..",
            b".\r\n",
            b"\r\n.\r\n",
            b"a",
            b"a\r\n.",
            b"\r\n" * 70_000,
            b".\r\n" * 70_000,
            b"." * 200_000,
        ],
        ids=range(10),
    )
    @pytest.mark.parametrize("security", [Security.TLS, Security.NONE])
    async def test_dots_arrive_as_they_were(self, content: bytes, security: Security, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(security=security) as server:
            await send(smtp, server, content)
            ended = content if content.endswith(b"\r\n") else content + b"\r\n"
            assert server.session.messages[0].content == ended
            assert server.session.ends == 1

    @given(
        lines=st.lists(st.sampled_from([b"", b".", b"..", b".x", b"x.", b"x" * 60]), max_size=8),
        before=st.integers(65_500, 65_540),
    )
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_what_arrives_is_what_was_given_where_pieces_meet(
        self, lines: list[bytes], before: int, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        # given lines that lie around the border of the first piece
        content = b"x" * before + b"\r\n" + b"\r\n".join([*lines, b"."]) + b"\r\n"
        dialer = SmtpDialer(HostGuard(allow_private=True), ca_file=authority_file(tmp_path_factory.getbasetemp()))

        async def arrived() -> bytes | None:
            async with ScriptedSmtpServer(security=Security.NONE) as server:
                await send(dialer, server, content)
                return server.session.messages[0].content

        # then
        assert asyncio.run(arrived()) == content

    async def test_a_large_message_arrives_whole(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer() as server:
            await send(smtp, server, LARGE)
            assert server.session.messages[0].content == LARGE

    @pytest.mark.parametrize("content", [b"a\nb\r\n", b"a\rb\r\n", b"x\n.\nMAIL FROM:<x@y>\r\n", b"\r\n\n.\r\n"])
    async def test_a_lone_cr_or_lf_never_goes_out(self, content: bytes, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer() as server:
            assert isinstance(await failure(send(smtp, server, content)), MessageRefused)
            await server.left_alone()
            assert "DATA" not in server.session.verbs


class TestWhatTheServerOffers:
    @pytest.mark.parametrize(
        ("offer", "octets", "mail"),
        [
            (["SIZE 1000"], 1000, f"MAIL FROM:<{ANNA}> SIZE=1000"),
            (["SIZE 0"], 10**9, f"MAIL FROM:<{ANNA}> SIZE=1000000000"),
            (["SIZE"], 10**9, f"MAIL FROM:<{ANNA}> SIZE=1000000000"),
            (["size 2000 or so"], 1000, f"MAIL FROM:<{ANNA}> SIZE=1000"),
            ([], 10**9, f"MAIL FROM:<{ANNA}>"),
        ],
    )
    async def test_the_size_is_told_where_it_is_asked_for(
        self, offer: list[str], octets: int, mail: str, smtp: SmtpDialer
    ) -> None:
        async with ScriptedSmtpServer(extensions=[*BASIC, *offer]) as server:
            async with opened(smtp, server) as submission:
                assert await submission.begin(envelope(octets=octets)) == []
            assert commands(server.session)[0] == mail

    async def test_a_message_larger_than_announced_is_not_begun(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(extensions=[*BASIC, "SIZE 25000000"]) as server:
            async with opened(smtp, server) as submission:
                error = await failure(submission.begin(envelope(octets=25_000_001)))
            assert isinstance(error, MessageTooLarge)
            assert error.limit == 25_000_000
            assert "has 25.1 MB" in error.message
            assert "takes 25.0 MB at most" in error.message
            await server.left_alone()
            assert commands(server.session) == []

    async def test_what_counts_is_what_is_announced_behind_tls(self, smtp: SmtpDialer) -> None:
        server = ScriptedSmtpServer(
            security=Security.STARTTLS,
            extensions=[*BASIC, "SIZE 10", "SMTPUTF8"],
            extensions_in_tls=[*BASIC, "SIZE 100"],
        )
        async with server:
            async with opened(smtp, server) as submission:
                assert await submission.begin(envelope(octets=100)) == []
            async with opened(smtp, server) as submission:
                assert isinstance(await failure(submission.begin(envelope("zoë@example.com"))), Utf8NotOffered)

    async def test_addresses_beyond_ascii_go_where_they_are_understood(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(extensions=[*BASIC, "8BITMIME", "SMTPUTF8", "SIZE"]) as server:
            await send(smtp, server, told=envelope("zoë@example.com", octets=9, needs_utf8=True))
            (message,) = server.session.messages
            assert message.options == ["SIZE=9", "BODY=8BITMIME", "SMTPUTF8"]
            assert message.recipients == ["zoë@example.com"]

    async def test_and_nowhere_else(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(extensions=[*BASIC, "8BITMIME"]) as server:
            for told in (
                envelope("zoë@example.com"),
                envelope("zoë@example.com", needs_utf8=True),
                envelope(needs_utf8=True),
                envelope(sender="zoë@example.com"),
            ):
                async with opened(smtp, server) as submission:
                    assert isinstance(await failure(submission.begin(told)), Utf8NotOffered)
            await server.left_alone()
            assert not any("MAIL" in session.verbs for session in server.sessions)

    async def test_an_ascii_envelope_asks_for_nothing_special(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(extensions=[*BASIC, "8BITMIME", "SMTPUTF8"]) as server:
            await send(smtp, server)
            assert server.session.messages[0].options == []


class TestAddresses:
    @pytest.mark.parametrize(
        "bad", ["\r", "\n", "\0", " ", "\t", "<", ">", "\r\nRCPT TO:<x@evil.example>\r\n", "\ud800"]
    )
    async def test_that_would_break_out_are_refused_before_anything_is_written(
        self, bad: str, smtp: SmtpDialer
    ) -> None:
        async with ScriptedSmtpServer(extensions=[*BASIC, "SMTPUTF8"]) as server:
            for told, leaf in (
                (envelope(sender=f"anna{bad}@example.com"), SenderRefused),
                (envelope(BERT, f"carl{bad}@example.com"), RecipientRefused),
                (envelope(BERT, ""), RecipientRefused),
            ):
                async with opened(smtp, server) as submission:
                    assert type(await failure(submission.begin(told))) is leaf
            await server.left_alone()
            assert not any("MAIL" in session.verbs for session in server.sessions)
            assert b"evil" not in server.received


class TestRefusedRecipients:
    @pytest.mark.parametrize(
        ("reply", "leaf"),
        [
            (b"550 5.1.1 no such user\r\n", RecipientRefused),
            (b"552 5.2.2 mailbox full\r\n", RecipientRefused),
            (b"554 5.7.1 Relay access denied\r\n", RecipientRefused),
            (b"450 4.7.1 greylisted\r\n", ServerTemporary),
            (b"452 4.5.3 too many recipients\r\n", SendingTooFrequent),
            (b"553 5.6.7 no such letters\r\n", Utf8NotOffered),
        ],
    )
    async def test_do_not_keep_the_others_from_getting_it(
        self, reply: bytes, leaf: type[SmtpError], smtp: SmtpDialer
    ) -> None:
        async with ScriptedSmtpServer(on={f"RCPT TO:<{BERT}>": reply}) as server:
            (refused,) = await send(smtp, server, told=envelope(ANNA, BERT, CARL))
            assert refused.address == BERT
            assert type(refused.reason) is leaf
            assert refused.reason.server_text == reply.decode()[4:].strip()
            (message,) = server.session.messages
            assert (message.recipients, message.content) == ([ANNA, CARL], CONTENT)

    async def test_may_be_all_and_then_there_is_nothing_to_hand_over(self, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"RCPT": b"550 5.1.1 no such user\r\n"}) as server:
            async with opened(smtp, server) as submission:
                refused = await submission.begin(envelope())
                with pytest.raises(AssertionError):
                    await submission.transmit(CONTENT)
                await submission.quit()
            assert [recipient.address for recipient in refused] == [BERT, CARL]
            assert server.session.verbs[-3:] == ["RCPT", "RCPT", "QUIT"]

    @pytest.mark.parametrize(
        ("reply", "leaf"),
        [
            (b"553 5.7.1 <anna@example.com>: Sender address rejected: not owned by user alex\r\n", SenderRefused),
            (b"530 5.7.0 Authentication required\r\n", SignInRefused),
            (b"530 5.7.0 Must issue a STARTTLS command first\r\n", TlsFailed),
            (b"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using x.test\r\n", ServerPermanent),
            (b"421 4.3.2 shutting down\r\n", ServerTemporary),
            (b"421 4.7.0 too many errors\r\n", SendingTooFrequent),
        ],
    )
    async def test_are_not_what_a_server_means_that_will_not_serve_the_sender(
        self, reply: bytes, leaf: type[SmtpError], smtp: SmtpDialer
    ) -> None:
        async with ScriptedSmtpServer(on={f"RCPT TO:<{CARL}>": reply}) as server:
            assert type(await failure(send(smtp, server))) is leaf
            await server.left_alone()
            assert "DATA" not in server.session.verbs


NOTHING_SENT: list[tuple[str, Action, type[SmtpError]]] = [
    ("MAIL", Close(), ConnectionFailed),
    ("MAIL", Hang(), ConnectionFailed),
    ("MAIL", Hang(b"25"), ConnectionFailed),
    ("MAIL", b"421 4.3.2 shutting down\r\n", ServerTemporary),
    ("MAIL", b"451 4.3.0 later\r\n", ServerTemporary),
    ("MAIL", b"450 4.7.1 too much mail\r\n", SendingTooFrequent),
    ("MAIL", b"553 5.7.1 not owned by user\r\n", SenderRefused),
    ("MAIL", b"552 5.3.4 Message size exceeds fixed limit\r\n", MessageTooLarge),
    ("MAIL", b"530 5.7.0 Authentication required\r\n", SignInRefused),
    ("MAIL", b"garbage\r\n", ProtocolViolation),
    ("MAIL", b"354 go on\r\n", ProtocolViolation),
    ("MAIL", b"999 what\r\n", ProtocolViolation),
    ("MAIL", b"250 ok\r\n250 ok\r\n", ProtocolViolation),
    ("MAIL", Flood(b"250-more\r\n" * 100), ProtocolViolation),
    ("RCPT", Close(), ConnectionFailed),
    ("RCPT", Hang(), ConnectionFailed),
    ("RCPT", Close(b"421 4.3.2 shutting down\r\n"), ServerTemporary),
    ("RCPT", b"garbage\r\n", ProtocolViolation),
    ("RCPT", b"354 go on\r\n", ProtocolViolation),
    ("RCPT", b"220 hello\r\n", ProtocolViolation),
    ("RCPT", b"250 ok\r\n354 go on\r\n", ProtocolViolation),
    ("DATA", Close(), ConnectionFailed),
    ("DATA", Hang(), ConnectionFailed),
    ("DATA", Hang(b"354"), ConnectionFailed),
    ("DATA", b"421 4.3.2 shutting down\r\n", ServerTemporary),
    ("DATA", b"451 4.3.0 later\r\n", ServerTemporary),
    ("DATA", b"554 5.5.1 no valid recipients\r\n", RecipientRefused),
    ("DATA", b"554 5.7.1 no\r\n", MessageRefused),
    ("DATA", b"250 ok\r\n", ProtocolViolation),
    ("DATA", b"garbage\r\n", ProtocolViolation),
    ("DATA", b"354 go on\r\n250 taken already\r\n", ProtocolViolation),
]

IN_THE_MIDDLE: list[tuple[Action, type[SmtpError] | UnionType]] = [
    (Close(), ConnectionFailed),
    (Stall(), ConnectionFailed),
    (Close(b"552 5.3.4 too big\r\n"), MessageTooLarge | ConnectionFailed),
    (Stall(b"552 5.3.4 too big\r\n"), MessageTooLarge),
    (Hang(b"552 5.3.4 too big\r\n"), MessageTooLarge),
    (b"552 5.3.4 too big\r\n", MessageTooLarge),
    (b"421 4.3.2 shutting down\r\n", ServerTemporary),
    (b"554 5.7.1 spam\r\n", MessageRefused),
    (Stall(b"250 taken already\r\n"), ProtocolViolation),
    (Stall(b"354 go on\r\n"), ProtocolViolation),
    (Stall(b"garbage\r\n"), ProtocolViolation),
    (Stall(b"999 what\r\n"), ProtocolViolation),
]

AT_THE_END: list[tuple[Action, type[SmtpError]]] = [
    (b"421 4.3.2 shutting down\r\n", ServerTemporary),
    (b"451 4.3.0 queue file write error\r\n", ServerTemporary),
    (b"450 4.7.1 rate limit exceeded\r\n", SendingTooFrequent),
    (b"550 5.4.5 Daily user sending limit exceeded\r\n", SendingTooFrequent),
    (b"552 5.3.4 message file too big\r\n", MessageTooLarge),
    (b"554 5.7.1 spam\r\n", MessageRefused),
    (b"550 5.7.60 SendAs denied\r\n", SenderRefused),
    (Close(b"554 5.7.1 spam\r\n"), MessageRefused),
    (b"554-5.7.1 spam\r\n554 5.7.1 indeed\r\n", MessageRefused),
]

NOBODY_KNOWS: list[Action] = [
    Close(),
    Close(b"25"),
    Close(b"250"),
    Close(b"250-more\r\n"),
    Hang(),
    Hang(b"554 no"),
    Hang(b"250-more\r\n"),
    Flood(b"2", pause=0.01),
    Flood(b"250-more\r\n" * 100),
    b"354 go on\r\n",
    b"garbage\r\n",
    b"999 what\r\n",
    b"199 what\r\n",
    b"\r\n",
]


class TestNothingIsSent:
    @pytest.mark.parametrize(("stage", "action", "leaf"), NOTHING_SENT, ids=range(len(NOTHING_SENT)))
    async def test_when_it_fails_ahead_of_the_message(
        self, stage: str, action: Action, leaf: type[SmtpError], quick_smtp: SmtpDialer
    ) -> None:
        async with ScriptedSmtpServer(on={stage: action}) as server, asyncio.timeout(5):
            error = await failure(send(quick_smtp, server))
            assert type(error) is leaf
            await server.left_alone()
            assert server.session.ends == 0
            assert b"Hello" not in server.received

    @pytest.mark.parametrize("security", [Security.TLS, Security.NONE])
    @pytest.mark.parametrize(("action", "leaf"), IN_THE_MIDDLE, ids=range(len(IN_THE_MIDDLE)))
    async def test_when_it_fails_in_the_middle(
        self,
        action: bytes | Close | Hang | Stall,
        leaf: type[SmtpError] | UnionType,
        security: Security,
        quick_smtp: SmtpDialer,
    ) -> None:
        server = ScriptedSmtpServer(on={"content": After(100_000, action)}, security=security)
        async with server, asyncio.timeout(10):
            error = await failure(send(quick_smtp, server, LARGE))
            assert isinstance(error, leaf)
            assert server.session.ends == 0
            assert server.session.messages[0].content is None

    @pytest.mark.parametrize("security", [Security.TLS, Security.NONE])
    @pytest.mark.parametrize("content", [CONTENT, LARGE], ids=["small", "large"])
    async def test_when_the_server_changes_its_mind_before_the_first_octet(
        self, content: bytes, security: Security, quick_smtp: SmtpDialer
    ) -> None:
        # given a server whose refusal comes together with its go-ahead, or right behind it
        action = After(0, Stall(b"554 5.7.1 spam\r\n"))
        server = ScriptedSmtpServer(on={"content": action}, security=security)
        async with server, asyncio.timeout(10):
            assert type(await failure(send(quick_smtp, server, content))) in {MessageRefused, ProtocolViolation}

    @pytest.mark.parametrize("security", [Security.TLS, Security.NONE])
    async def test_when_the_deadline_comes_before_the_end(self, security: Security, smtp: SmtpDialer) -> None:
        server = ScriptedSmtpServer(on={"content": After(100_000, Stall())}, security=security)
        async with server, asyncio.timeout(10):
            error = await failure(send(smtp, server, LARGE, seconds=1))
            assert type(error) is DeadlineReached
            assert server.session.ends == 0

    @pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
    async def test_when_the_deadline_comes_ahead_of_the_message(self, stage: str, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={stage: Hang()}) as server, asyncio.timeout(10):
            assert type(await failure(send(smtp, server, seconds=0.5))) is DeadlineReached
            await server.left_alone()
            assert server.session.ends == 0

    @pytest.mark.parametrize("security", list(Security))
    async def test_while_the_system_has_not_got_all_that_comes_before_the_end(
        self, security: Security, smtp: SmtpDialer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given a system that has others to serve
        taken: list[tuple[int, bool]] = []

        async def slowly(host: CheckedHost, *, seconds: float, deadline: float) -> socket.socket:
            connection = await reach(host, seconds=seconds, deadline=deadline)
            slow = SlowSocket(connection.detach(), taken)
            slow.setblocking(False)
            return slow

        monkeypatch.setattr("popfetch.adapters.smtp_line.reach", slowly)
        content = LARGE[:1_000_000]
        async with ScriptedSmtpServer(security=security) as server, opened(smtp, server) as submission:
            await submission.begin(envelope())

            # when
            await submission.transmit(content)

            # then it got the end by itself, when nothing waited any more
            assert server.session.messages[0].content == content
            assert any(waiting for _, waiting in taken)
            octets, waiting = taken[-1]
            assert octets < 64
            assert not waiting


class TestRefusalsAtTheEnd:
    @pytest.mark.parametrize(("action", "leaf"), AT_THE_END, ids=range(len(AT_THE_END)))
    async def test_are_believed(self, action: Action, leaf: type[SmtpError], quick_smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"content": action}) as server, asyncio.timeout(5):
            error = await failure(send(quick_smtp, server))
            assert type(error) is leaf
            assert error.server_text
            await server.left_alone()
            assert server.session.ends == 1


class TestNobodyKnows:
    @pytest.mark.parametrize("security", [Security.TLS, Security.NONE])
    @pytest.mark.parametrize("action", NOBODY_KNOWS, ids=range(len(NOBODY_KNOWS)))
    async def test_when_the_end_is_not_answered(
        self, action: Action, security: Security, quick_smtp: SmtpDialer
    ) -> None:
        async with ScriptedSmtpServer(on={"content": action}, security=security) as server, asyncio.timeout(5):
            error = await failure(send(quick_smtp, server))
            assert type(error) is Unconfirmed
            assert not error.retryable
            assert "it was sent or it was not" in error.message
            await server.left_alone()
            assert server.session.ends == 1

    @pytest.mark.parametrize("action", [Hang(), Flood(b"250-\r\n", pause=0.01)])
    async def test_when_the_deadline_comes_after_the_end(self, action: Action, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"content": action}) as server, asyncio.timeout(5):
            assert type(await failure(send(smtp, server, seconds=0.5))) is Unconfirmed
            await server.left_alone()
            assert server.session.ends == 1

    async def test_when_a_server_swallows_the_end_with_the_rest(self, quick_smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={"content": After(10, Hang())}) as server, asyncio.timeout(5):
            assert type(await failure(send(quick_smtp, server))) is Unconfirmed


class TestLettingGo:
    @pytest.mark.parametrize("security", list(Security))
    @pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "content"])
    async def test_when_the_caller_is_cancelled(self, stage: str, security: Security, smtp: SmtpDialer) -> None:
        reached = asyncio.Event()

        def hang(_session: object, _line: str) -> Hang:
            reached.set()
            return Hang()

        async with ScriptedSmtpServer(on={stage: hang}, security=security) as server, asyncio.timeout(5):
            deadline = asyncio.get_running_loop().time() + 20
            submission = await smtp.open(server.account_server(), Secret(server.password), deadline)

            sending = asyncio.create_task(hand_over(submission))
            await reached.wait()
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            # nobody has called abandon
            await server.left_alone()

    @pytest.mark.parametrize(
        ("stage", "action"),
        [
            ("MAIL", b"554 5.7.1 no\r\n"),
            ("DATA", b"554 5.7.1 no\r\n"),
            ("content", b"554 5.7.1 no\r\n"),
            ("content", b"garbage\r\n"),
            ("content", After(10, b"554 5.7.1 no\r\n")),
        ],
    )
    async def test_when_it_fails_though_nobody_abandons_it(self, stage: str, action: Action, smtp: SmtpDialer) -> None:
        async with ScriptedSmtpServer(on={stage: action}) as server, asyncio.timeout(5):
            deadline = asyncio.get_running_loop().time() + 20
            submission = await smtp.open(server.account_server(), Secret(server.password), deadline)
            await failure(hand_over(submission))
            await server.left_alone()
            await submission.quit()
            await submission.abandon()

    @pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "content"])
    @pytest.mark.parametrize("code", [b"554 5.7.1 ", b"454 4.7.0 ", b"junk ", b"999 "])
    async def test_never_tells_a_password_that_is_echoed(self, stage: str, code: bytes, smtp: SmtpDialer) -> None:
        password = b"open sesame"
        echoes = [password, b64encode(password), b64encode(b"\0alex@example.com\0" + password)]
        for echo in echoes:
            async with ScriptedSmtpServer(on={stage: code + echo + b" is wrong\r\n"}) as server:
                error: SmtpError
                if stage == "RCPT" and code[:1] in b"45":
                    async with opened(smtp, server) as submission:
                        error = (await submission.begin(envelope()))[0].reason
                else:
                    error = await failure(send(smtp, server))
                shown = "".join(traceback.format_exception(error)) + error.server_text + repr(error.args)
                behind: BaseException | None = error
                while behind is not None:
                    shown += repr(behind) + repr(vars(behind))
                    behind = behind.__cause__ or behind.__context__
                assert echo.decode() not in shown


def test_the_conversation_fulfils_its_port() -> None:
    from popfetch.adapters.smtp_submission import SmtpSubmission

    conversation: type[Submission] = SmtpSubmission
    assert callable(conversation.transmit)
