"""The protocol core under any octets, in any pieces, with any commands: typed errors or events, and bounded memory.

``pytest --hypothesis-profile long`` tries a thousand times more; ``--hypothesis-seed`` repeats a run.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from popfetch.adapters.pop3_listing import merged_listing
from popfetch.dialogue.errors import MailServerError
from popfetch.dialogue.sasl import SecretKind
from popfetch.dialogue.texts import HIDDEN, LONGEST_TEXT, clean
from popfetch.pop3 import commands, replies
from popfetch.pop3.classification import Moment, classify, form_refused, mechanism_unsupported, token_unseen
from popfetch.pop3.commands import Command
from popfetch.pop3.errors import Pop3Error, ProtocolViolation
from popfetch.pop3.events import BodyBegan, BodyContent, BodyEnded, Event, Greeted
from popfetch.pop3.limits import Limits
from popfetch.pop3.replies import Capabilities
from popfetch.pop3.session import CommandOutOfTurn, Phase, Session
from popfetch.pop3.sign_in import Way, may_try_next, ways_with_password
from tests.builders.scripted_pop3_server import stuffed
from tests.unit.pop3.conversation import all_events, byte_by_byte, pieces, signed_in

TIGHT = Limits(
    status_line_octets=60,
    listing_row_octets=30,
    listing_octets=200,
    listing_rows=12,
    capabilities_octets=90,
    message_octets=120,
)

COMMANDS = (
    commands.CAPA,
    commands.user("alex"),
    commands.password("open sesame"),
    commands.apop("alex", "0" * 32),
    commands.auth("CRAM-MD5"),
    commands.auth("PLAIN", b"AGFsZXgAb3Blbg=="),
    commands.STLS,
    commands.STAT,
    commands.UIDL_ALL,
    commands.LIST_ALL,
    commands.uidl_one(2),
    commands.list_one(2),
    commands.top(1, 0),
    commands.retr(1),
    commands.retr(2),
    commands.dele(1),
    commands.NOOP,
    commands.RSET,
    commands.QUIT,
)

WORDS = st.sampled_from(
    [
        b"+OK\r\n",
        b"+OK ready <1.2@host>\r\n",
        b"+OK\n",
        b"-ERR no\r\n",
        b"-ERR [AUTH] no\n",
        b"+ YWJj\r\n",
        b"+\r\n",
        b"+OK",
        b"-ERR",
        b"1 abc\r\n",
        b"2 def\n",
        b".\r\n",
        b".\n",
        b"..\r\n",
        b"Subject: x\r\n",
        b"\r\n",
        b"\r",
        b"\n",
        b".",
        b"\r\n.\r\n",
        b"\r\n..",
        b"\x00",
        b"\xff\xfe",
        b"x" * 40,
        b" ",
        b"\t",
    ]
)
OCTETS = st.lists(st.one_of(WORDS, st.binary(max_size=8)), max_size=12).map(b"".join)


class AnySession(RuleBasedStateMachine):
    """A session, and its twin that gets everything octet by octet: nobody must be able to tell them apart."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions = (Session(TIGHT), Session(TIGHT))
        self.told: tuple[list[Event], list[Event]] = ([], [])
        self.failures: list[tuple[type[Pop3Error], str] | None] = [None, None]

    @initialize(signed_in=st.booleans())
    def begin(self, signed_in: bool) -> None:
        if signed_in:
            for octets, asked in ((b"+OK\r\n", commands.password("x")), (b"+OK\r\n", None)):
                self.receive(octets, [])
                if asked:
                    self.send([asked])

    def both(self, act: Any) -> None:
        """Do the same to both; what one of them raises, the other must raise too."""
        outcomes: list[object] = []
        for at, session in enumerate(self.sessions):
            try:
                outcomes.append(act(session))
            except CommandOutOfTurn as error:
                outcomes.append(("out of turn", str(error)))
            except Pop3Error as error:
                self.failed(at, error)
                outcomes.append((type(error), error.message))  # how much it quotes depends on how much had come
        assert outcomes[0] == outcomes[1]

    def failed(self, at: int, error: Pop3Error) -> None:
        kind = type(error), error.message
        assert self.failures[at] in {None, kind}, "a session fails once, and always in the same way"
        self.failures[at] = kind

    def listen(self, at: int, blocks: Sequence[bytes]) -> None:
        session = self.sessions[at]
        try:
            for block in blocks:
                session.receive(block)
                while (event := session.next_event()) is not None:
                    self.tell(at, event)
        except Pop3Error as error:
            self.failed(at, error)

    def tell(self, at: int, event: Event) -> None:
        told = self.told[at]
        before = told[-1] if told else None
        if isinstance(event, BodyContent):
            assert event.data
            if isinstance(before, BodyContent):
                told[-1] = BodyContent(event.command, before.data + event.data)
                return
            assert isinstance(before, BodyBegan)
        if isinstance(event, BodyEnded):
            assert isinstance(before, BodyBegan | BodyContent)
        assert isinstance(event, Greeted) is (before is None)
        told.append(event)

    @rule(asked=st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=4))
    def send(self, asked: list[Command]) -> None:
        note(f"send {[command.name for command in asked]}")
        self.both(lambda session: session.send(*asked))

    @rule(response=st.sampled_from([b"*", b"cmVwbHk=", b""]))
    def answer(self, response: bytes) -> None:
        self.both(lambda session: session.answer(response))

    @rule()
    def begin_tls(self) -> None:
        self.both(lambda session: session.begin_tls())

    @precondition(lambda self: self.sessions[0].phase is Phase.GREETING)
    @rule(octets=st.sampled_from([b"+OK\r\n", b"+OK hello\n", b"-ERR busy\r\n"]))
    def greet(self, octets: bytes) -> None:
        self.receive(octets, [])

    @precondition(lambda self: self.sessions[0].outstanding)
    @rule(octets=st.sampled_from([b"+OK\r\n", b"+OK 2 320\r\n", b"-ERR\r\n", b"1 a\r\n.\r\n", b"\r\n.\r\n"]))
    def reply(self, octets: bytes) -> None:
        self.receive(octets, [])

    @rule(octets=OCTETS, cuts=st.lists(st.integers(0, 60), max_size=4))
    def receive(self, octets: bytes, cuts: list[int]) -> None:
        self.listen(0, pieces(octets, cuts))
        self.listen(1, byte_by_byte(octets))

    @invariant()
    def both_tell_the_same(self) -> None:
        assert self.told[0] == self.told[1]
        assert self.failures[0] == self.failures[1]
        assert self.sessions[0].phase is self.sessions[1].phase or self.failures[0] is not None
        if self.failures[0] is None:
            assert self.sessions[0].outstanding == self.sessions[1].outstanding

    @invariant()
    def memory_is_bounded(self) -> None:
        for session in self.sessions:
            if session.phase in {Phase.CLOSED, Phase.CHALLENGED, Phase.HANDSHAKE}:
                continue
            assert session.buffered <= TIGHT.status_line_octets + 1
            assert len(session._rows) <= TIGHT.listing_rows

    @invariant()
    def after_a_failure_everything_is_refused(self) -> None:
        if self.failures[0] is None:
            return
        kind = self.failures[0][0]
        for session in self.sessions:
            assert session.buffered == 0
            with pytest.raises(kind):
                session.send(commands.QUIT)
            with pytest.raises(kind):
                session.receive(b"+OK\r\n")
            with pytest.raises(kind):
                session.next_event()
            with pytest.raises(kind):
                session.answer(b"")
            with pytest.raises(kind):
                session.begin_tls()

    @invariant()
    def mail_is_never_read_before_the_sign_in(self) -> None:
        if not self.sessions[0].signed_in:
            assert not any(isinstance(event, BodyBegan) for event in self.told[0])


TestAnySession = AnySession.TestCase


@given(content=st.binary(max_size=300), cuts=st.lists(st.integers(0, 400), max_size=12))
def test_any_message_comes_through_any_cut(content: bytes, cuts: list[int]) -> None:
    whole = content if not content or content.endswith(b"\r\n") else content + b"\r\n"
    session = signed_in()
    asked = commands.retr(1)
    session.send(asked, commands.NOOP)
    found = all_events(session, pieces(b"+OK\r\n" + stuffed(content) + b"+OK\r\n", cuts))
    assert b"".join(event.data for event in found if isinstance(event, BodyContent)) == whole
    assert BodyEnded(asked) in found


@given(block=st.one_of(WORDS, st.binary(min_size=1, max_size=30)), asked=st.sampled_from(COMMANDS[7:]))
def test_nothing_that_comes_without_end_is_kept(block: bytes, asked: Command) -> None:
    session = signed_in(TIGHT)
    session.send(asked)
    try:
        for _ in range(200):
            session.receive(block)
            while session.next_event() is not None:
                pass
            if session.phase is Phase.CLOSED:
                return  # the wire stops reading: nobody listens any more
            assert session.buffered <= TIGHT.status_line_octets + len(block)
            assert sum(map(len, session._rows)) <= TIGHT.listing_octets
    except ProtocolViolation:
        assert session.buffered == 0
        assert session._rows == []


@given(text=st.binary(max_size=400), hidden=st.lists(st.text(max_size=40), max_size=3))
def test_whatever_is_quoted_is_one_printable_line_without_secrets(text: bytes, hidden: list[str]) -> None:
    shown = clean(text, hidden)
    assert len(shown) <= LONGEST_TEXT
    assert shown.isprintable()
    assert shown == " ".join(shown.split())
    for secret in hidden:
        # what is shorter may be a part of the mark that stands for it
        if secret.strip() and secret.lower() not in HIDDEN:
            assert secret.strip() not in shown.replace(HIDDEN, "")


@given(
    text=st.binary(max_size=300),
    moment=st.sampled_from(Moment),
    kind=st.sampled_from(SecretKind),
    way=st.sampled_from(Way),
    flags=st.tuples(st.booleans(), st.booleans()),
)
def test_whatever_a_refusal_says_it_is_one_error_and_one_sentence(
    text: bytes, moment: Moment, kind: SecretKind, way: Way, flags: tuple[bool, bool]
) -> None:
    error = classify(text, moment, server="pop.example.com:995", command="RETR 1", hidden=["open sesame"], kind=kind)
    assert isinstance(error, MailServerError)
    assert error.message.isprintable()
    assert len(error.message) <= 2 * LONGEST_TEXT
    for ask in (mechanism_unsupported, token_unseen, form_refused):
        assert ask(text) in {True, False}
    assert may_try_next(way, text, protected=flags[0], credentials_sent=flags[1]) in {True, False}


@given(rows=st.lists(st.one_of(WORDS, st.binary(max_size=30)), max_size=10))
def test_whatever_capa_says_there_is_a_way_to_sign_in(rows: list[bytes]) -> None:
    offer = replies.parse_capabilities(rows)
    assert isinstance(offer, Capabilities)
    assert offer.login_delay is None or 0 <= offer.login_delay <= replies.LONGEST_LOGIN_DELAY
    for protected in (False, True):
        assert ways_with_password(offer, timestamp=True, protected=protected)


ROWS = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.tuples(st.integers(-2, 10**20), st.binary(max_size=10)).map(lambda row: b"%d %s" % row),
    ),
    max_size=8,
)


@given(uidl=st.one_of(st.none(), ROWS), sizes=st.one_of(st.none(), ROWS))
def test_listings_are_messages_each_once_in_order_or_a_violation(
    uidl: list[bytes] | None, sizes: list[bytes] | None
) -> None:
    try:
        listed = merged_listing(uidl, sizes)
    except ProtocolViolation:
        return
    numbers = [message.number for message in listed]
    assert numbers == sorted(set(numbers))
    assert all(0 < number < 10**18 for number in numbers)
    assert all(0 <= message.octets < 10**18 for message in listed)
