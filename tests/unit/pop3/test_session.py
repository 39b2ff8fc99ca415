"""The session: bytes in, events out, whatever the pieces they come in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.pop3 import commands
from popfetch.pop3.errors import LimitExceeded, ProtocolViolation
from popfetch.pop3.events import (
    BodyBegan,
    BodyContent,
    BodyEnded,
    Challenged,
    Greeted,
    Listed,
    Replied,
)
from popfetch.pop3.limits import Limits
from popfetch.pop3.session import CommandOutOfTurn, Phase, Session
from tests.builders.scripted_pop3_server import stuffed
from tests.unit.pop3.conversation import (
    GREETING,
    all_events,
    body_of,
    byte_by_byte,
    events_of,
    pieces,
    signed_in,
)

RETR_1 = commands.retr(1)
TIGHT = Limits(status_line_octets=40, listing_row_octets=20, listing_octets=100, listing_rows=8, message_octets=50)


class TestGreeting:
    @pytest.mark.parametrize(
        ("line", "greeted"),
        [
            (b"+OK ready\r\n", Greeted(True, b"ready")),
            (b"+OK\n", Greeted(True, b"")),
            (b"+OK\tready\r\n", Greeted(True, b"ready")),
            (b"-ERR too many of you\r\n", Greeted(False, b"too many of you")),
            (b"+OK hi <1.2@a.example> there\r\n", Greeted(True, b"hi <1.2@a.example> there", b"<1.2@a.example>")),
            (b"+OK <no at sign>\r\n", Greeted(True, b"<no at sign>")),
            (b"+OK <8\xffbit@a.example>\r\n", Greeted(True, b"<8\xffbit@a.example>")),
            (b"+OK " + b"x" * 3000 + b"\r\n", Greeted(True, b"x" * 3000)),
        ],
    )
    def test_is_read_whole_and_byte_by_byte(self, line: bytes, greeted: Greeted) -> None:
        assert all_events(Session(), [line]) == [greeted]
        assert all_events(Session(), byte_by_byte(line)) == [greeted]

    @pytest.mark.parametrize(
        "junk", [b"220 smtp.example ESMTP\r\n", b"\r\n", b"+OKAY\r\n", b"+ \r\n", b"\x16\x03\x01\n"]
    )
    def test_that_is_no_pop3_is_refused(self, junk: bytes) -> None:
        assert all_events(Session(), [junk]) == ["ProtocolViolation"]

    def test_without_end_is_bounded(self) -> None:
        assert all_events(Session(TIGHT), [b"+OK " + b"x" * 37]) == ["LimitExceeded"]

    def test_comes_before_any_command(self) -> None:
        with pytest.raises(CommandOutOfTurn):
            Session().send(commands.CAPA)


class TestReplies:
    def test_are_matched_with_commands_in_order(self) -> None:
        asked = (commands.STAT, commands.uidl_one(3), RETR_1, commands.NOOP)

        found = events_of(b"+OK 3 99\r\n-ERR none\n+OK here\r\nHi\r\n.\r\n+OK\r\n", *asked)

        assert found == [
            Replied(asked[0], True, b"3 99"),
            Replied(asked[1], False, b"none"),
            BodyBegan(RETR_1, b"here"),
            BodyContent(RETR_1, b"Hi\r\n"),
            BodyEnded(RETR_1),
            Replied(asked[3], True, b""),
        ]

    @pytest.mark.parametrize("junk", [b"Subject: body text\r\n", b"\r\n", b"+OKish\r\n", b"-ERRONEOUS\r\n", b"+\r\n"])
    def test_that_are_neither_ok_nor_err_end_the_session(self, junk: bytes) -> None:
        assert events_of(b"+OK 1 1\r\n" + junk, commands.STAT, commands.NOOP) == [
            Replied(commands.STAT, True, b"1 1"),
            "ProtocolViolation",
        ]

    @pytest.mark.quirk(number=22, part="a")
    def test_of_several_hundred_octets_are_accepted_and_of_more_than_the_limit_not(self) -> None:
        assert events_of(b"-ERR " + b"x" * 900 + b"\r\n", commands.NOOP) == [Replied(commands.NOOP, False, b"x" * 900)]
        assert events_of(b"-ERR " + b"x" * 35 + b"\r\n", commands.NOOP, limits=TIGHT) == [
            Replied(commands.NOOP, False, b"x" * 35)
        ]
        assert events_of(b"-ERR " + b"x" * 36 + b"\r\n", commands.NOOP, limits=TIGHT) == ["LimitExceeded"]

    def test_nobody_asked_for_are_an_error_at_the_next_opportunity(self) -> None:
        assert events_of(b"+OK\r\n-ERR idle too long\r\n", commands.NOOP) == [
            Replied(commands.NOOP, True, b""),
            "ProtocolViolation",
        ]

    def test_nobody_asked_for_are_not_taken_for_the_next_reply(self) -> None:
        session = signed_in()
        session.receive(b"+OK 0 0\r\n")
        with pytest.raises(ProtocolViolation, match="nothing was asked"):
            session.send(commands.STAT)

    @pytest.mark.quirk(number=9, part="b")
    def test_after_a_violation_everything_raises(self) -> None:
        session = signed_in()
        session.send(commands.NOOP)
        session.receive(b"junk\r\n")
        with pytest.raises(ProtocolViolation):
            session.next_event()
        with pytest.raises(ProtocolViolation):
            session.next_event()
        with pytest.raises(ProtocolViolation):
            session.receive(b"+OK\r\n")
        with pytest.raises(ProtocolViolation):
            session.send(commands.QUIT)

    def test_quote_the_server_without_its_control_characters(self) -> None:
        session = signed_in()
        session.send(commands.NOOP)
        session.receive(b"\x1b[31mevil\x1b]0;title\x07\x00 text" + b"x" * 500 + b"\r\n")
        with pytest.raises(ProtocolViolation) as caught:
            session.next_event()
        assert caught.value.server_text.startswith("evil textx")
        assert len(caught.value.server_text) == 200

    def test_to_quit_end_the_session_whatever_they_say(self) -> None:
        for reply in (b"+OK bye\r\n", b"-ERR not all deleted\r\n"):
            session = signed_in()
            session.send(commands.QUIT)
            session.receive(reply + b"trailing")
            assert isinstance(session.next_event(), Replied)
            assert session.phase is Phase.CLOSED
            assert session.next_event() is None


class TestOrder:
    def test_mail_cannot_be_asked_for_before_the_sign_in(self) -> None:
        session = Session()
        session.receive(GREETING)
        session.next_event()
        with pytest.raises(CommandOutOfTurn):
            session.send(commands.STAT)

    def test_a_refused_password_does_not_sign_in(self) -> None:
        session = Session()
        session.receive(GREETING)
        session.next_event()
        session.send(commands.password("wrong"))
        session.receive(b"-ERR no\r\n")
        session.next_event()
        assert not session.signed_in

    def test_nothing_is_sent_ahead_of_tls(self) -> None:
        session = Session()
        session.receive(GREETING)
        session.next_event()
        session.send(commands.CAPA)
        with pytest.raises(CommandOutOfTurn):
            session.send(commands.STLS)


class TestExchange:
    def begun(self) -> Session:
        session = Session()
        session.receive(GREETING)
        session.next_event()
        session.send(commands.auth("CRAM-MD5"))
        return session

    @pytest.mark.parametrize(("line", "challenge"), [(b"+ YWJj\r\n", b"YWJj"), (b"+ \r\n", b""), (b"+\n", b"")])
    def test_challenges_are_answered(self, line: bytes, challenge: bytes) -> None:
        session = self.begun()
        (found,) = all_events(session, byte_by_byte(line))
        assert isinstance(found, Challenged)
        assert found.challenge == challenge
        assert session.answer(b"cmVwbHk=") == b"cmVwbHk=\r\n"
        session.receive(b"+OK\r\n")
        assert isinstance(session.next_event(), Replied)
        assert session.signed_in

    @pytest.mark.parametrize("ahead", [b"", b"+OK\r\n"])
    def test_what_is_hidden_does_not_show_in_what_is_no_reply(self, ahead: bytes) -> None:
        session = Session(hidden={"b3BlbiBzZXNhbWU="})
        session.receive(GREETING)
        session.next_event()
        session.send(commands.auth("CRAM-MD5"))
        session.receive(ahead + b"b3BlbiBzZXNhbWU= is wrong\r\n")
        if ahead:
            session.next_event()
        with pytest.raises(ProtocolViolation) as caught:
            session.next_event()
        assert caught.value.server_text == "[hidden] is wrong"

    def test_a_server_that_does_not_wait_for_the_answer_is_refused(self) -> None:
        session = self.begun()
        session.receive(b"+ YWJj\r\n+OK come in\r\n")
        assert isinstance(session.next_event(), Challenged)
        with pytest.raises(ProtocolViolation):
            session.answer(b"cmVwbHk=")


class TestStls:
    def agreed(self, stream: bytes) -> Session:
        session = Session()
        session.receive(GREETING)
        session.next_event()
        session.send(commands.STLS)
        session.receive(stream)
        assert isinstance(session.next_event(), Replied)
        return session

    def test_leads_to_tls_on_a_clean_stream(self) -> None:
        session = self.agreed(b"+OK begin\r\n")
        session.begin_tls()
        assert session.send(commands.CAPA) == b"CAPA\r\n"

    def test_octets_behind_its_reply_never_survive_the_handshake(self) -> None:
        session = self.agreed(b"+OK begin\r\n+OK injected\r\n")
        with pytest.raises(ProtocolViolation):
            session.begin_tls()
        with pytest.raises(ProtocolViolation):
            session.send(commands.CAPA)

    def test_refused_leaves_the_session_as_it_was(self) -> None:
        session = self.agreed(b"-ERR no\r\n")
        with pytest.raises(CommandOutOfTurn):
            session.begin_tls()


class TestListing:
    @pytest.mark.parametrize(
        ("stream", "rows"),
        [
            (b"+OK\r\n.\r\n", ()),
            (b"+OK\n.\n", ()),
            (b"+OK\r\n1 a\r\n2 b\r\n.\r\n", (b"1 a", b"2 b")),
            (b"+OK\n1 a\n2 b\n.\n", (b"1 a", b"2 b")),
            (b"+OK\r\n1 a\n2 b\r\n.\r\n", (b"1 a", b"2 b")),
            (b"+OK\r\n1 \xff\x00 \r x\r\n.\r\n", (b"1 \xff\x00 \r x",)),
            (b"+OK\r\n\r\n1 .\r\n.\r\n", (b"", b"1 .")),
            (b"+OK\r\n.x\r\n.\r\n", (b".x",)),
        ],
    )
    def test_is_read_row_by_row(self, stream: bytes, rows: tuple[bytes, ...]) -> None:
        assert events_of(stream, commands.UIDL_ALL) == [Listed(commands.UIDL_ALL, b"", rows)]

    def test_leaves_what_follows_to_the_next_command(self) -> None:
        asked = (commands.UIDL_ALL, commands.LIST_ALL, commands.NOOP)
        assert events_of(b"+OK\r\n1 a\r\n.\r\n+OK\r\n1 9\n.\n-ERR\r\n", *asked) == [
            Listed(asked[0], b"", (b"1 a",)),
            Listed(asked[1], b"", (b"1 9",)),
            Replied(asked[2], False, b""),
        ]

    def test_that_is_refused_is_a_reply(self) -> None:
        assert events_of(b"-ERR what?\r\n", commands.CAPA) == [Replied(commands.CAPA, False, b"what?")]

    @pytest.mark.parametrize(
        "rows",
        [
            b"1 " + b"x" * 19,
            b"1 " + b"x" * 19 + b"\r\n.\r\n",
            b"1 xxxxxxxxxx\r\n" * 8 + b".\r\n",
            b"1\r\n" * 9 + b".\r\n",
        ],
    )
    def test_is_bounded_in_rows_and_octets(self, rows: bytes) -> None:
        assert events_of(b"+OK\r\n" + rows, commands.LIST_ALL, limits=TIGHT) == ["LimitExceeded"]

    def test_of_a_hundred_thousand_rows_is_read(self) -> None:
        rows = tuple(b"%d uid-%d" % (number, number) for number in range(1, 100_001))
        session = signed_in()
        session.send(commands.UIDL_ALL)
        stream = b"+OK\r\n" + b"\r\n".join(rows) + b"\r\n.\r\n"
        found = all_events(session, [stream[at : at + 16_384] for at in range(0, len(stream), 16_384)])
        assert found == [Listed(commands.UIDL_ALL, b"", rows)]


class TestMessage:
    @pytest.mark.parametrize(
        ("wire", "content"),
        [
            (b".\r\n", b""),
            (b"\r\n.\r\n", b"\r\n"),
            (b"Hi\r\n.\r\n", b"Hi\r\n"),
            (b"..\r\n.\r\n", b".\r\n"),
            (b"...\r\n.\r\n", b"..\r\n"),
            (b"a\r\n..b\r\n...\r\n..\r\n.\r\n", b"a\r\n.b\r\n..\r\n.\r\n"),
            (b"a\n..b\n.\nc\r\n.\r\n", b"a\n..b\n.\nc\r\n"),
            (b"a\r..b\r.\r\r\n.\r\n", b"a\r..b\r.\r\r\n"),
            (b".unstuffed\r\n.too\r\n.\r\n", b".unstuffed\r\n.too\r\n"),
            (b"a\x00b\xff\r\n.\r\n", b"a\x00b\xff\r\n"),
            (b"a\r\n\r\n\r\n.\r\n", b"a\r\n\r\n\r\n"),
            (b"a\r\n.\rb\r\n.\r\n", b"a\r\n.\rb\r\n"),
            (b"a\r\n..\r\n..\r\n.\r\n", b"a\r\n.\r\n.\r\n"),
            (b"a\r\r\n.\r\n", b"a\r\r\n"),
        ],
    )
    @pytest.mark.quirk(number=20, part="c")
    def test_is_unstuffed_and_otherwise_untouched(self, wire: bytes, content: bytes) -> None:
        for line_end in (b"\r\n", b"\n"):
            assert body_of(b"+OK" + line_end + wire) == content

    @pytest.mark.quirk(number=7, part="a")
    def test_without_final_line_end_before_the_dot_is_not_over(self) -> None:
        found = events_of(b"+OK\r\ntext.\r\n", RETR_1)
        assert found == [BodyBegan(RETR_1, b""), BodyContent(RETR_1, b"text.")]

    def test_that_is_empty_has_no_content(self) -> None:
        assert events_of(b"+OK\r\n.\r\n", RETR_1) == [BodyBegan(RETR_1, b""), BodyEnded(RETR_1)]

    def test_leaves_what_follows_to_the_next_command(self) -> None:
        asked = (RETR_1, commands.retr(2), commands.NOOP)
        found = events_of(b"+OK\r\nA\r\n.\r\n+OK\n.\r\n+OK end\r\n", *asked)
        assert found == [
            BodyBegan(asked[0], b""),
            BodyContent(asked[0], b"A\r\n"),
            BodyEnded(asked[0]),
            BodyBegan(asked[1], b""),
            BodyEnded(asked[1]),
            Replied(asked[2], True, b"end"),
        ]

    def test_counts_as_outstanding_until_its_end_is_told(self) -> None:
        session = signed_in()
        session.send(RETR_1)
        session.receive(b"+OK\r\nA\r\n.\r\n")
        session.next_event()
        assert isinstance(session.next_event(), BodyContent)
        assert session.outstanding == 1
        assert isinstance(session.next_event(), BodyEnded)
        assert session.outstanding == 0

    def test_of_exactly_the_limit_passes_and_of_more_not(self) -> None:
        assert body_of(b"+OK\r\n" + b"x" * 48 + b"\r\n.\r\n") == b"x" * 48 + b"\r\n"
        found = events_of(b"+OK\r\n" + b"x" * 49 + b"\r\n.\r\n", RETR_1, limits=TIGHT)
        assert found == [BodyBegan(RETR_1, b""), BodyContent(RETR_1, b"x" * 49 + b"\r"), "LimitExceeded"]

    def test_never_lingers_in_memory(self) -> None:
        session = signed_in()
        session.send(RETR_1)
        session.receive(b"+OK\r\n")
        block = (b"x" * 998 + b"\r\n") * 64
        session.next_event()
        for _ in range(200):
            session.receive(block)
            while session.next_event() is not None:
                pass
            assert session.buffered <= 4

    def test_that_is_too_large_is_a_limit_of_its_own(self) -> None:
        session = signed_in(TIGHT)
        session.send(RETR_1)
        session.receive(b"+OK\r\n" + b"x" * 51)
        session.next_event()
        session.next_event()
        with pytest.raises(LimitExceeded, match="more than 50 octets"):
            session.next_event()


DOTTY = st.lists(
    st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"a", b"\x00", b"\xff", b"..", b"\r\n.", b"+OK"]), max_size=40
).map(b"".join)


class TestEverySplit:
    @given(body=DOTTY, cuts=st.lists(st.integers(0, 100), max_size=10))
    def test_of_a_message_yields_the_message(self, body: bytes, cuts: list[int]) -> None:
        content = body if not body or body.endswith(b"\r\n") else body + b"\r\n"
        session = signed_in()
        session.send(RETR_1, commands.NOOP)
        found = all_events(session, pieces(b"+OK\r\n" + stuffed(body) + b"-ERR last\r\n", cuts))
        expected = [BodyContent(RETR_1, content)] if content else []
        assert found == [
            BodyBegan(RETR_1, b""),
            *expected,
            BodyEnded(RETR_1),
            Replied(commands.NOOP, False, b"last"),
        ]

    @given(stream=DOTTY, cuts=st.lists(st.integers(0, 100), max_size=10))
    def test_of_anything_yields_the_same_events(self, stream: bytes, cuts: list[int]) -> None:
        asked = (commands.STAT, commands.UIDL_ALL, RETR_1, commands.retr(2))
        outcomes = []
        for blocks in ([stream], byte_by_byte(stream), pieces(stream, cuts)):
            session = signed_in(TIGHT)
            session.send(*asked)
            outcomes.append(all_events(session, [b"+OK 1 1\r\n+OK\r\n", *blocks]))
        assert outcomes[0] == outcomes[1] == outcomes[2]

    @given(
        lines=st.lists(
            st.sampled_from(
                [
                    b"+OK\r\n",
                    b"-ERR x\n",
                    b"+OK\n",
                    b"1 a\r\n",
                    b"2 b\n",
                    b".\r\n",
                    b".\n",
                    b"..x\r\n",
                    b"text\r\n",
                    b"j",
                ]
            ),
            max_size=20,
        ),
        cuts=st.lists(st.integers(0, 100), max_size=10),
    )
    def test_of_a_conversation_yields_the_same_events(self, lines: list[bytes], cuts: list[int]) -> None:
        stream = b"".join(lines)
        asked = (commands.LIST_ALL, commands.STAT, RETR_1, commands.UIDL_ALL, commands.retr(2), commands.QUIT)
        outcomes = []
        for blocks in ([stream], byte_by_byte(stream), pieces(stream, cuts)):
            session = signed_in()
            session.send(*asked)
            outcomes.append(all_events(session, blocks))
        assert outcomes[0] == outcomes[1] == outcomes[2]
