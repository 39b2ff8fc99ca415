"""A signed-in session over real sockets: what goes onto the wire, in what order, and what goes wrong."""

import asyncio
from collections.abc import Iterator

import pytest

from popfetch.adapters import pop3_maildrop
from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.pop3_dialer import Pop3Dialer
from popfetch.domain.account import Security
from popfetch.pop3.errors import (
    CommandRefused,
    ConnectionFailed,
    DeadlineReached,
    LimitExceeded,
    MaildropBusy,
    Pop3Error,
    ProtocolViolation,
    ServerTemporary,
)
from popfetch.pop3.limits import Limits
from popfetch.ports.maildrop import (
    DialAdvice,
    ListedMessage,
    MaildropSize,
    MessageBegan,
    MessageConfirmed,
    MessageContent,
    MessageEnded,
    MessageRefused,
)
from tests.builders.pop3_sessions import HELLO, NO_PIPELINING, events, events_before, failure, opened, whole
from tests.builders.scripted_pop3_server import DEFAULT, Close, Hang, Mail, ScriptedServer, err, ok


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


class TestStatAndListing:
    async def test_is_one_write_where_the_server_pipelines(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO] * 3)
        async with opened(dialer, server) as maildrop:
            assert await maildrop.stat_and_listing() == (MaildropSize(3, 3 * len(HELLO)), ROWS)
            assert server.session.reads == [b"STAT\r\nUIDL\r\nLIST\r\n"]

    @pytest.mark.parametrize("capabilities", [NO_PIPELINING, None])
    async def test_takes_turns_where_pipelining_is_not_known_and_does_not_ask(
        self, dialer: Pop3Dialer, capabilities: tuple[str, ...] | None
    ) -> None:
        server = ScriptedServer([HELLO] * 3, capabilities=capabilities)
        async with opened(dialer, server) as maildrop:
            assert await maildrop.stat_and_listing() == (MaildropSize(3, 3 * len(HELLO)), ROWS)
            assert server.session.reads == [b"STAT\r\n", b"UIDL\r\n", b"LIST\r\n"]

    async def test_takes_turns_on_advice(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO] * 3)
        async with opened(dialer, server, advice=DialAdvice(pipeline=False)) as maildrop:
            assert await maildrop.stat_and_listing() == (MaildropSize(3, 3 * len(HELLO)), ROWS)
            assert server.session.reads == [b"STAT\r\n", b"UIDL\r\n", b"LIST\r\n"]

    async def test_in_pieces_is_the_same(self, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer([HELLO] * 3, chunk=1)) as maildrop:
            assert await maildrop.stat_and_listing() == (MaildropSize(3, 3 * len(HELLO)), ROWS)

    async def test_of_an_empty_maildrop_is_empty(self, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer()) as maildrop:
            assert await maildrop.stat_and_listing() == (MaildropSize(0, 0), [])

    async def test_of_an_empty_maildrop_is_empty_where_listings_are_refused(self, dialer: Pop3Dialer) -> None:
        no = {"LIST": err("no messages"), "UIDL": err("no messages")}
        async with opened(dialer, ScriptedServer(on=no)) as maildrop:
            assert await maildrop.stat_and_listing() == (MaildropSize(0, 0), [])

    async def test_without_either_listing_is_an_error_where_there_are_messages(self, dialer: Pop3Dialer) -> None:
        no = {"LIST": err("no"), "UIDL": err("never heard of it")}
        async with opened(dialer, ScriptedServer([HELLO], on=no)) as maildrop:
            refusal = await failure(maildrop.stat_and_listing())
            assert isinstance(refusal, CommandRefused)
            assert refusal.server_text == "never heard of it"
            assert await maildrop.stat() == MaildropSize(1, len(HELLO))

    async def test_without_uidl_has_sizes_only_and_remembers(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO], uidl=False)
        async with opened(dialer, server) as maildrop:
            for _ in range(2):
                assert await maildrop.stat_and_listing() == (
                    MaildropSize(1, len(HELLO)),
                    [ListedMessage(1, b"", len(HELLO))],
                )
            assert server.session.reads == [b"STAT\r\nUIDL\r\nLIST\r\n", b"STAT\r\nLIST\r\n"]

    async def test_without_list_has_uids_only(self, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer([HELLO], on={"LIST": err("no")})) as maildrop:
            assert await maildrop.stat_and_listing() == (
                MaildropSize(1, len(HELLO)),
                [ListedMessage(1, b"uid-1", 0)],
            )

    @pytest.mark.parametrize("command", ["UIDL", "LIST"])
    async def test_tells_a_server_in_trouble_from_one_without_the_command(
        self, dialer: Pop3Dialer, command: str
    ) -> None:
        async with opened(dialer, ScriptedServer([HELLO], on={command: err("[SYS/TEMP] disk")})) as maildrop:
            assert isinstance(await failure(maildrop.stat_and_listing()), ServerTemporary)

    @pytest.mark.parametrize("advice", [DialAdvice(), DialAdvice(pipeline=False)], ids=["ahead", "in turns"])
    @pytest.mark.parametrize(
        ("text", "kind"),
        [("no", CommandRefused), ("[IN-USE] busy", MaildropBusy), ("[SYS/TEMP] disk", ServerTemporary)],
    )
    async def test_is_not_without_stat_whatever_the_server_does_then(
        self, dialer: Pop3Dialer, advice: DialAdvice, text: str, kind: type[Pop3Error]
    ) -> None:
        async with opened(dialer, ScriptedServer([HELLO], on={"STAT": Close(err(text))}), advice=advice) as maildrop:
            assert type(await failure(maildrop.stat_and_listing())) is kind

    async def test_asks_for_no_listing_after_a_stat_that_was_refused_in_turns(self, dialer: Pop3Dialer) -> None:
        server = ScriptedServer([HELLO], capabilities=None, on={"STAT": err("no")})
        async with opened(dialer, server) as maildrop:
            assert isinstance(await failure(maildrop.stat_and_listing()), CommandRefused)
            assert server.session.commands == ["STAT"]

    async def test_takes_no_listing_left_unread_for_the_answer_to_quit(self, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer([HELLO], on={"STAT": err("no")})) as maildrop:
            await failure(maildrop.stat_and_listing())
            assert not await maildrop.quit()

    async def test_refuses_a_stat_that_makes_no_sense(self, dialer: Pop3Dialer) -> None:
        async with opened(dialer, ScriptedServer(on={"STAT": ok("plenty")})) as maildrop:
            assert isinstance(await failure(maildrop.stat_and_listing()), ProtocolViolation)


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

    async def test_asks_for_no_more_octets_ahead_than_it_may(
        self, dialer: Pop3Dialer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pop3_maildrop, "OCTETS_AHEAD", 1000)
        server = ScriptedServer([HELLO] * 20)
        async with opened(dialer, server) as maildrop:
            seen = [event async for event in maildrop.retrieve(iter(range(1, 21)), dict.fromkeys(range(1, 21), 250))]
            assert sum(isinstance(event, MessageEnded) for event in seen) == 20
            assert max(read.count(b"RETR") for read in server.session.reads) == 4

    @pytest.mark.parametrize("size", [10**18, 1000])
    async def test_a_message_larger_than_that_is_asked_for_alone(
        self, dialer: Pop3Dialer, monkeypatch: pytest.MonkeyPatch, size: int
    ) -> None:
        monkeypatch.setattr(pop3_maildrop, "OCTETS_AHEAD", 1000)
        server = ScriptedServer([HELLO] * 3)
        async with opened(dialer, server) as maildrop:
            async for _ in maildrop.retrieve(iter([1, 2, 3]), {1: 10, 2: size, 3: 10}):
                pass
            assert server.session.reads == [b"RETR 1\r\nRETR 2\r\n", b"RETR 3\r\nNOOP\r\n"]

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

    @pytest.mark.quirk(number=8, part="a")
    async def test_of_a_message_with_a_lone_dot_is_never_confirmed(self, dialer: Pop3Dialer) -> None:
        wire = b"+OK\r\nSubject: x\r\n\r\n.\r\nrest of the text\r\n.\r\n"
        async with opened(dialer, ScriptedServer([HELLO, HELLO], on={"RETR 1": wire})) as maildrop:
            found = await events_before(ProtocolViolation, maildrop, iter([1, 2]))
            assert found[-1] == MessageEnded(1)
            assert MessageConfirmed(1) not in found
            assert not await maildrop.quit()

    @pytest.mark.parametrize("action", [Close(b"+OK\r\nSubj"), Hang(b"+OK\r\nSubj")])
    @pytest.mark.quirk(number=13, part="a")
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

    @pytest.mark.quirk(number=15, part="a")
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
    @pytest.mark.quirk(number=18, part="a")
    @pytest.mark.quirk(number=18, part="b")
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
