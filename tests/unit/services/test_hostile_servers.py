"""A zoo of bad servers, each in one batch with good ones.

Whatever a server does, the batch ends in bounded time, the bad account's record says what went wrong, nothing is left
to the event loop, and the two good accounts are collected: the one behind the bad one in its owner's group, and the one
of another owner. Limits are small here, so that what is endless is endless soon.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from popfetch.adapters import fetch_state_items
from popfetch.adapters.dynamodb_items import to_wire
from popfetch.domain.account import AfterFetch, Order
from popfetch.domain.fetch_state import FetchState, Outcome, Trouble
from popfetch.domain.ledger import uid_print
from popfetch.pop3.limits import DEFAULT_LIMITS, Limits
from popfetch.services import cycle_record
from tests.builders import aws as stack
from tests.builders.accounts import OWNER, an_account_id
from tests.builders.aws import Aws
from tests.builders.batches import a_mixed_batch, good_server
from tests.builders.collecting import Collection, a_message
from tests.builders.hostile_servers import deaf, drip, flood, half_closed, in_pieces, reset
from tests.builders.scripted_pop3_server import (
    Action,
    Close,
    Hang,
    Mail,
    ScriptedServer,
    ScriptedSession,
    Takeover,
    err,
    ok,
    stuffed,
)

SMALL = replace(
    DEFAULT_LIMITS,
    listing_octets=256 * 1024,
    listing_rows=5_000,
    small_listing_rows=1_000,
    message_octets=512 * 1024,
)
SHORT = 0.25
HASTY = replace(
    SMALL,
    handshake_seconds=SHORT,
    greeting_seconds=SHORT,
    reply_seconds=SHORT,
    idle_seconds=SHORT,
    quit_seconds=SHORT,
)
MOST_SECONDS = 10.0
"""The longest that a batch takes here, on a busy machine too; the limits of real runs are a hundred times these."""

ONE, TWO = a_message(1), a_message(2)
SIZES = b"1 %d\r\n2 %d\r\n" % (len(ONE), len(TWO))


@dataclass(frozen=True)
class Beast:
    """A server, and what its account's record says after one batch: the error's code, and how many were stored."""

    name: str
    on: Mapping[str, Action | list[Action]]
    code: str | None = None
    stored: int = 0
    limits: Limits = SMALL
    capabilities: tuple[str, ...] | None = ("TOP", "UIDL", "USER", "PIPELINING")
    start: str = "all"
    order: Order = Order.OLDEST_FIRST

    def __str__(self) -> str:
        return self.name


def listing(rows: bytes) -> bytes:
    return b"+OK\r\n" + rows + b".\r\n"


def uidl(rows: bytes, *, name: str, stored: int = 0, code: str | None = None) -> Beast:
    return Beast(name, {"UIDL": listing(rows)}, code, stored)


@pytest.fixture(scope="module")
def den() -> Iterator[Aws]:
    with stack.aws() as built:
        yield built


@pytest.fixture
def aws(den: Aws) -> Iterator[Aws]:
    yield den
    stack.empty(den)


ENDLESS = [
    Beast("a greeting without end", {"greeting": Takeover(flood(b"x"))}, "network"),
    Beast("greeting after greeting", {"greeting": Takeover(flood(b"+OK hello\r\n"))}, "protocol"),
    Beast("greeting in NULs", {"greeting": Takeover(flood(b"\0"))}, "network"),
    Beast("capabilities without end", {"CAPA": Takeover(flood(b"X-MORE\r\n", first=ok()))}, "protocol"),
    Beast("a refusal without end", {"USER": Takeover(flood(b"x", first=b"-ERR "))}, "protocol"),
    Beast("a status line without end", {"STAT": Takeover(flood(b"9", first=b"+OK "))}, "protocol"),
    Beast("LIST without end", {"LIST": Takeover(flood(b"1 100\r\n", first=ok()))}, "protocol"),
    Beast("UIDL without end", {"UIDL": Takeover(flood(b"1 abc\r\n", first=ok()))}, "protocol"),
    Beast("UIDL of empty rows", {"UIDL": Takeover(flood(b"\n", first=ok()))}, "protocol"),
    Beast("UIDL of one row", {"UIDL": Takeover(flood(b"x", first=b"+OK\r\n1 "))}, "protocol"),
    Beast("a message without end", {"RETR 1": Takeover(flood(b"x" * 70 + b"\r\n", first=ok()))}, stored=1),
    Beast("a line without end", {"RETR 1": Takeover(flood(b"x", first=ok()))}, stored=1),
    Beast("a message of dots", {"RETR 1": Takeover(flood(b"\r\n..", first=ok()))}, stored=1),
    Beast("a message of almost ends", {"RETR 1": Takeover(flood(b"\r\n.\r", first=ok()))}, stored=1),
    Beast("TOP without end", {"TOP 1 0": Takeover(flood(b"X: y\r\n", first=ok()))}, stored=2, start="2026-10-01"),
    Beast("QUIT, and no end", {"QUIT": Takeover(flood(b"+OK bye\r\n"))}, stored=2),
]

SLOW = [
    Beast("no greeting", {"greeting": Takeover(deaf)}, "network", limits=HASTY),
    Beast("a greeting that drips", {"greeting": Takeover(drip(b"+OK hello ", every=0.04))}, "network", limits=HASTY),
    Beast(
        "capabilities that drip", {"CAPA": Takeover(drip(b"X\r\n", every=0.04, first=ok()))}, "network", limits=HASTY
    ),
    Beast("a password that is never judged", {"PASS": Takeover(deaf)}, "network", limits=HASTY),
    Beast(
        "a status line that drips", {"STAT": Takeover(drip(b"9", every=0.04, first=b"+OK "))}, "network", limits=HASTY
    ),
    Beast(
        "a listing that drips", {"UIDL": Takeover(drip(b"1 a\r\n", every=0.04, first=ok()))}, "network", limits=HASTY
    ),
    Beast("a message that drips", {"RETR 1": Takeover(drip(b"x\r\n", every=0.04, first=ok()))}, stored=1, limits=HASTY),
    Beast(
        "a header that drips",
        {"TOP 1 0": Takeover(drip(b"X: y\r\n", every=0.04, first=ok()))},
        stored=2,
        limits=HASTY,
        start="2026-10-01",
    ),
    Beast("a listing that does not end", {"UIDL": Hang(b"+OK\r\n1 a\r\n2 b\r\n")}, "network", limits=HASTY),
    Beast("a message that does not end", {"RETR 1": Hang(b"+OK\r\nSubject: x\r\n")}, stored=1, limits=HASTY),
    Beast("a goodbye that drips", {"QUIT": Takeover(drip(b"+OK bye ", every=0.04))}, stored=2, limits=HASTY),
    Beast("a server that never reads", {"USER": Takeover(deaf)}, "network", limits=HASTY),
]

COUNTS = [
    *(
        Beast(f"STAT says {said!r:.20}", {"STAT": b"+OK " + said + b"\r\n"}, "protocol")
        for said in (
            b"99999999999999999999 1",
            b"-1 5",
            b"0x2 0x5",
            b"2.0 5",
            b"1e9 5",
            b"1_0 5",
            "\u0662 \u0665".encode(),
            b"\xc2\xb2",
            b"9" * 5_000,
            b"9" * 10_000,
            b"",
            b"many",
        )
    ),
    Beast("STAT of next to infinity", {"STAT": b"+OK 999999999999999999 999999999999999999\r\n"}, stored=2),
    Beast(
        "sizes of next to infinity", {"LIST": listing(b"1 999999999999999999\r\n2 999999999999999999\r\n")}, stored=2
    ),
    Beast("sizes that are none", {"LIST": listing(b"1 -5\r\n2 0x99\r\n")}, stored=2),
    Beast(
        "sizes of 10,000 digits",
        {"LIST": listing(b"1 " + b"9" * 8_000 + b"\r\n2 " + b"9" * 10_000 + b"\r\n")},
        "protocol",
    ),
    Beast("sizes of 5,000 digits", {"LIST": listing(b"1 " + b"9" * 5_000 + b"\r\n2 5\r\n")}, stored=2),
    Beast("sizes of messages that are not there", {"LIST": listing(SIZES + b"77 5\r\n88 5\r\n")}, stored=2),
    Beast("sizes twice and out of order", {"LIST": listing(b"2 5\r\n1 7\r\n2 9\r\n1 8\r\n")}, stored=2),
    Beast("no sizes", {"LIST": listing(b"")}, stored=2),
    Beast("LIST is refused", {"LIST": err("no")}, stored=2),
    Beast("UIDL is refused", {"UIDL": err("no")}, stored=2),
    Beast("UIDL and LIST are refused", {"UIDL": err("no"), "LIST": err("no")}, "refused"),
    uidl(b"", name="UIDL of nothing, where STAT and LIST tell of two", code="protocol"),
    uidl(b"0 zero\r\n1 a\r\n", name="a message of number 0", code="protocol"),
    uidl(b"%d a\r\n" % 2**63, name="a message of number 2 to the 63", code="protocol"),
    uidl(b"-1 a\r\n", name="a message of number -1", code="protocol"),
    uidl(b"1 a\r\nnonsense\r\n", name="a row of words", code="protocol"),
    uidl("\u0661 a\r\n".encode(), name="a number in Arabic digits", code="protocol"),
    uidl(b"999999999999999999 a\r\n1 b\r\n2 c\r\n", name="a number that nothing has", stored=2),
    uidl(b"1 a\r\n2 b\r\n3 c\r\n", name="a message more than there is", stored=2),
    uidl(b"2 b\r\n1 a\r\n", name="rows out of order", stored=2),
    uidl(b"1 a\r\n1 z\r\n2 b\r\n2 y\r\n", name="rows twice", stored=2),
    uidl(b"1\ta\tb\r\n\t2  c\r\n", name="rows with tabs", stored=2),
    uidl(b"1\r\n2\r\n", name="rows without UID", stored=2),
    uidl(b"1 " + b"u" * 8_000 + b"\r\n2 b\r\n", name="a UID of 8,000 octets", stored=2),
    uidl(b"1 " + b"u" * 10_240 + b"\r\n2 b\r\n", name="a UID of 10 KB", code="protocol"),
    uidl(b"1 \x1b[2J\x00\xff\xe2\x80\xae\r\n2 b\r\n", name="a UID of control characters", stored=2),
    uidl(b"".join(b"%d same\r\n" % n for n in range(1, 5_001)), name="5,000 messages, one UID", stored=2),
    uidl(
        b"".join(b"%d u%d\r\n" % (n, n) for n in range(1, 5_002)), name="more messages than are read", code="protocol"
    ),
    Beast("UIDL cut off", {"UIDL": Close(b"+OK\r\n1 a\r\n2 ")}, "network"),
]

INJECTIONS = [
    Beast("replies ahead of the commands", {"greeting": ok("hi") + ok() + ok() + ok() + ok("2 99")}, "protocol"),
    Beast("a second answer to CAPA", {"CAPA": listing(b"USER\r\n") + ok()}, "protocol"),
    Beast("a second answer to USER", {"USER": ok() + ok("signed in")}, "protocol"),
    Beast("a second answer to PASS", {"PASS": ok() + ok("2 99")}, "protocol"),
    Beast("a second answer to STAT", {"STAT": ok("2 99") + ok("3 999")}, "protocol"),
    Beast("a second listing", {"LIST": listing(SIZES) * 2}, "protocol"),
    Beast("answers to nothing behind the last message", {"NOOP": ok() + ok() + ok()}, stored=2),
    Beast("a challenge where none belongs", {"PASS": b"+ cGFzc3dvcmQ6\r\n"}, "protocol"),
    Beast("another protocol", {"greeting": b"* OK IMAP4rev1 ready\r\n"}, "network"),
    Beast("a web server", {"greeting": b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"}, "network"),
    Beast("another protocol after the sign-in", {"STAT": b"* 2 EXISTS\r\n"}, "protocol"),
    Beast("a listing in place of STAT", {"STAT": listing(SIZES)}, "protocol"),
    Beast(
        "words of another language", {"greeting": "+OK 你好\r\n".encode(), "NOOP": "+OK ¡hola!\r\n".encode()}, stored=2
    ),
    Beast("a refusal in another language", {"PASS": "-ERR 密码错误\r\n".encode()}, "authentication"),
    Beast("a message that comes empty", {"RETR 1": ok() + b".\r\n"}, stored=1),
    Beast(
        "TOP that sends all of it", {"TOP": ok() + stuffed(a_message(1, octets=9_000))}, stored=2, start="2026-10-01"
    ),
    Beast("a message that is not stuffed", {"RETR 1": b"+OK\r\nSubject: x\r\n\r\na\r\n.\r\nb\r\n.\r\n"}, stored=1),
    Beast("line ends in two packets", {"STAT": Takeover(in_pieces(b"+OK 2 9\r", b"\n"))}, "network", limits=HASTY),
]

POINTS = [
    ("greeting", "network", 0),
    ("CAPA", None, 2),
    ("USER", "network", 0),
    ("PASS", "network", 0),
    ("STAT", "network", 0),
    ("UIDL", "network", 0),
    ("LIST", "network", 0),
    ("RETR 1", None, 1),
    ("NOOP", None, 2),
    ("QUIT", None, 2),
]
"""Where a connection can break, and what comes of it: a server that closes at CAPA is dialled without."""

BREAKS = [
    *(Beast(f"a reset at {at}", {at: Takeover(reset())}, code, stored) for at, code, stored in POINTS),
    *(Beast(f"a reset inside {at}", {at: Takeover(reset(b"+OK"))}, code, stored) for at, code, stored in POINTS),
    *(Beast(f"half closed at {at}", {at: Takeover(half_closed())}, code, stored) for at, code, stored in POINTS),
]

ZOO = [*ENDLESS, *SLOW, *COUNTS, *INJECTIONS, *BREAKS]


@pytest.mark.parametrize("beast", ZOO, ids=str)
@pytest.mark.quirk(number=10, part="a")
@pytest.mark.quirk(number=11, part="d")
@pytest.mark.quirk(number=19, part="b")
async def test_a_beast_is_told_by_its_name_and_harms_nobody_else(aws: Aws, beast: Beast) -> None:
    async with (
        ScriptedServer([ONE, TWO], on=beast.on, capabilities=beast.capabilities) as bad,
        good_server() as good,
    ):
        batch = a_mixed_batch(aws, bad, good, limits=beast.limits, start=beast.start, order=beast.order)
        fetch = await batch.run()
        assert (fetch.error_code, fetch.stored) == (beast.code, beast.stored)
        assert (fetch.outcome is Outcome.FAILED) is (beast.code is not None)
        assert batch.took < MOST_SECONDS
        assert set(batch.bad.contents()) <= {ONE, TWO}
        await batch.assert_others_unharmed()


async def test_before_the_sign_in_a_server_that_answers_ahead_gets_no_password(aws: Aws) -> None:
    async with ScriptedServer([ONE], on={"greeting": ok() * 5}) as server:
        await Collection(aws, server).cycle()
        assert server.password.encode() not in server.received


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize(
    "answer",
    [
        Takeover(flood(b"+ dGVsbCBtZQ==\r\n")),
        Takeover(flood(b"A", first=b"+ ")),
        Takeover(in_pieces(*[b"+ %%%%\r\n"] * 20)),
        b"+ " + b"A" * 8_000 + b"\r\n",
        b"+ \xff\xfe\x00\r\n",
    ],
    ids=["without end", "of one line without end", "no base64", "of 8,000 octets", "binary"],
)
async def test_challenges_of_any_kind_end_the_sign_in_and_no_more(aws: Aws, answer: Action, mechanism: str) -> None:
    capabilities = ("UIDL", f"SASL {mechanism}")
    async with (
        ScriptedServer([ONE], on={"AUTH": answer}, capabilities=capabilities) as bad,
        good_server() as good,
    ):
        batch = a_mixed_batch(aws, bad, good, limits=HASTY)
        fetch = await batch.run()
        # or the server comes to its senses when it is asked in another way
        assert fetch.error_code in {"protocol", "network", "authentication"} or fetch.stored == 1
        assert batch.took < MOST_SECONDS
        await batch.assert_others_unharmed()


@pytest.mark.quirk(number=1, part="b")
class TestAMessageThatIsTooLarge:
    async def test_is_quarantined_after_three_cycles_and_holds_up_nobody(self, aws: Aws) -> None:
        large = a_message(1, octets=4 * SMALL.message_octets)
        async with ScriptedServer([large, TWO, a_message(3)]) as server:
            collection = Collection(aws, server, limits=SMALL, after_fetch=AfterFetch.DELETE)
            stored = [(await collection.cycle()).stored for _ in range(3)]
            assert stored == [2, 0, 0]
            assert [mail.content for mail in server.mailbox] == [large]
        assert collection.contents() == sorted([TWO, a_message(3)])
        (quarantined,) = collection.items("QUARANTINE#")
        assert "more than 524288 octets" in quarantined["reason"]

    async def test_leaves_no_part_of_it_in_the_bucket(self, aws: Aws) -> None:
        limits = replace(SMALL, message_octets=9 * 1024 * 1024)
        async with ScriptedServer([TWO], on={"RETR": Takeover(flood(b"x" * 998 + b"\r\n", first=ok()))}) as server:
            collection = Collection(aws, server, limits=limits)
            await collection.cycle()
        assert collection.objects() == {}
        assert aws.s3.list_multipart_uploads(Bucket=aws.bucket).get("Uploads", []) == []


@pytest.mark.quirk(number=8, part="b")
async def test_a_message_that_comes_empty_is_neither_stored_nor_deleted_and_in_the_end_quarantined(aws: Aws) -> None:
    async with ScriptedServer([ONE, TWO], on={"RETR 1": ok() + b".\r\n"}) as server:
        collection = Collection(aws, server, after_fetch=AfterFetch.DELETE)
        counts = []
        for _ in range(3):
            fetch = await collection.cycle()
            counts.append((fetch.stored, fetch.quarantined))
        assert counts == [(1, 0), (0, 0), (0, 1)]
        assert [mail.content for mail in server.mailbox] == [ONE]
        del server.on["RETR 1"]
        assert (await collection.cycle(later=timedelta(days=1))).stored == 1
    assert collection.contents() == sorted([ONE, TWO])


@pytest.mark.quirk(number=23, part="a")
async def test_a_message_that_is_empty_and_listed_so_is_stored(aws: Aws) -> None:
    async with ScriptedServer([Mail(b"", b"nothing", 2), Mail(b"", b"none", 0)]) as server:
        assert (await Collection(aws, server).cycle()).stored == 2


async def test_the_body_of_another_message_is_stored_as_what_it_was_sent_for(aws: Aws) -> None:
    """Only the server knows which message is which: both are kept, octet for octet, each by its own UID."""
    async with ScriptedServer([ONE, TWO], on={"RETR 1": ok() + stuffed(TWO)}) as server:
        collection = Collection(aws, server)
        assert (await collection.cycle()).stored == 2
    assert collection.contents() == [TWO, TWO]


@pytest.mark.parametrize("order", list(Order))
async def test_a_count_of_next_to_infinity_that_comes_later_is_not_built(aws: Aws, order: Order) -> None:
    async with ScriptedServer([ONE, TWO]) as server:
        collection = Collection(aws, server, order=order)
        await collection.cycle()
        server.mailbox.append(Mail(a_message(3), b"three"))
        server.on["STAT"] = b"+OK 999999999999999999 5\r\n"
        assert (await collection.cycle()).stored == 1


async def test_a_pause_between_sign_ins_is_believed_up_to_a_day(aws: Aws) -> None:
    async with ScriptedServer([ONE], capabilities=("UIDL", "USER", "LOGIN-DELAY 999999999")) as server:
        collection = Collection(aws, server)
        await collection.cycle()
        after = (await collection.state()).sign_in_after
        assert after is not None
        assert after - collection.now <= timedelta(days=1)


@pytest.mark.parametrize(
    "answer",
    [Close(), Hang(), b"junk\r\n", Takeover(flood(b"X: y\r\n", first=ok()))],
    ids=["close", "hang", "junk", "flood"],
)
@pytest.mark.quirk(number=1, part="c")
class TestTopThatBreaksTheSession:
    async def test_of_one_message_does_not_hold_up_those_behind_it(self, aws: Aws, answer: Action) -> None:
        mails = [a_message(number) for number in range(1, 5)]
        async with ScriptedServer(mails, on={"TOP 2 0": answer}) as server:
            collection = Collection(aws, server, limits=HASTY, start="2026-10-01")
            assert (await collection.cycle()).stored == 4

    async def test_of_all_is_done_without(self, aws: Aws, answer: Action) -> None:
        mails = [a_message(number) for number in range(1, 5)]
        async with ScriptedServer(mails, on={"TOP": answer}) as server:
            collection = Collection(aws, server, limits=HASTY, start="2026-10-01")
            assert (await collection.cycle()).stored == 4


@pytest.mark.quirk(number=1, part="b")
class TestMoreRefusalsThanAreCounted:
    @staticmethod
    def all_but_the_last(session: ScriptedSession, line: str) -> bytes | None:
        return None if line == f"RETR {len(session.server.mailbox)}" else err("cannot open it")

    async def test_are_quarantined_and_retried_and_mail_behind_them_is_taken(
        self, aws: Aws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cycle_record, "MOST_TROUBLES", 25)
        box = [Mail(b"Subject: %d\r\n\r\n" % number, b"%d" % number) for number in range(40)]
        async with ScriptedServer(box, on={"RETR": self.all_but_the_last}) as server:
            collection = Collection(aws, server)
            for number in range(3):
                assert (await collection.cycle()).stored == 1
                assert len((await collection.state()).troubles) <= 25
                server.mailbox.append(Mail(a_message(number), b"new %d" % number))
            assert len(collection.items("QUARANTINE#")) == 39
            del server.on["RETR"]
            assert (await collection.cycle(later=timedelta(days=1))).stored == 40

    def test_fit_into_the_state_in_any_case(self) -> None:
        trouble = Trouble(2, "\U0001f4a3" * 120)
        troubles = {uid_print(b"%d" % number): trouble for number in range(cycle_record.MOST_TROUBLES)}
        state = replace(FetchState(), troubles=troubles)
        item = to_wire(fetch_state_items.to_item(OWNER, an_account_id(), state))
        assert len(json.dumps(item, ensure_ascii=False, default=str).encode()) < 400 * 1024


async def test_several_beasts_of_one_owner_leave_time_for_the_account_behind_them(aws: Aws) -> None:
    dripping: dict[str, Action | list[Action]] = {"RETR": Takeover(drip(b"x" * 4_000, every=0.0001, first=ok()))}
    async with ScriptedServer([ONE], on=dripping) as bad, good_server() as good:
        batch = a_mixed_batch(aws, bad, good, seconds=2.0)
        fetch = await batch.run()
        assert fetch.error_code == "deadline"
        await batch.assert_others_unharmed()


@pytest.mark.parametrize("later", [timedelta(minutes=5), timedelta(days=1)])
async def test_a_server_that_comes_to_its_senses_is_collected(aws: Aws, later: timedelta) -> None:
    on: dict[str, Any] = {"UIDL": Takeover(flood(b"1 abc\r\n", first=ok()))}
    async with ScriptedServer([ONE, TWO], on=on) as server:
        collection = Collection(aws, server, limits=SMALL)
        for _ in range(5):
            assert (await collection.cycle()).error_code == "protocol"
        del server.on["UIDL"]
        assert (await collection.cycle(later=later)).stored == 2


@pytest.mark.quirk(number=19, part="b")
async def test_a_uid_of_8000_octets_is_told_apart_whole_and_kept_as_far_as_there_is_room(aws: Aws) -> None:
    """S3 takes 2 KB of metadata, which moto does not look at, and DynamoDB 1 KB of a sort key."""
    long = b"\xff" * 8_000
    box = [Mail(ONE, long + b"1"), Mail(TWO, long + b"2"), Mail(a_message(3), long + b"3")]
    async with ScriptedServer(box, on={"RETR 3": err("no")}) as server:
        collection = Collection(aws, server)
        stored = [(await collection.cycle()).stored for _ in range(4)]
        assert stored == [2, 0, 0, 0]
    for key in collection.objects():
        metadata = aws.s3.head_object(Bucket=aws.bucket, Key=key)["Metadata"]
        assert sum(len(name) + len(value) for name, value in metadata.items()) < 2_000
    (quarantined,) = collection.items("QUARANTINE#")
    assert len(quarantined["sk"]) < 1_024
    for item in collection.items("MESSAGE#"):
        assert len(item["uid"]) < 2_000
