"""What servers in the wild do, and what a cycle makes of it. The numbers are those of ``tests.quirks``."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from popfetch.adapters.mail_bucket import MailBucket
from popfetch.domain.account import AfterFetch, Security
from popfetch.domain.errors import StorageUnavailable
from popfetch.domain.fetch_state import Outcome, Pipelining
from popfetch.pop3.limits import DEFAULT_LIMITS
from tests.builders.aws import Aws
from tests.builders.collecting import HASTY, Collection, a_message
from tests.builders.scripted_pop3_server import (
    DEFAULT,
    Close,
    Hang,
    Mail,
    Scripted,
    ScriptedServer,
    ScriptedSession,
    authority_file,
    err,
    server_context,
    stuffed,
)


def mails(count: int, first: int = 1) -> list[bytes]:
    return [a_message(number) for number in range(first, first + count)]


def for_uid(uid: bytes, answer: bytes | Close | Hang) -> Scripted:
    """Answers RETR of the message with this UID so, whatever its number is."""

    def scripted(session: ScriptedSession, line: str) -> bytes | Close | Hang | None:
        mail = session.mail(int(line.split()[1]))
        return answer if mail and mail.uid == uid else None

    return scripted


class TestOneMessageThatAlwaysFails:
    @pytest.mark.parametrize(
        "answer", [err("cannot open message"), Close(), Close(b"+OK\r\nSubject: cut"), Hang()], ids=repr
    )
    @pytest.mark.quirk(number=1, part="a")
    async def test_the_others_are_taken_in_the_same_cycle(self, aws: Aws, answer: bytes | Close | Hang) -> None:
        async with ScriptedServer(mails(6), on={"RETR": for_uid(b"uid-3", answer)}) as server:
            collection = Collection(aws, server, limits=HASTY)
            fetch = await collection.cycle()
            assert fetch.stored == 5
        assert collection.contents() == sorted(mails(2) + mails(3, first=4))

    @pytest.mark.parametrize("answer", [err("cannot open message"), Close(), Hang()], ids=repr)
    @pytest.mark.quirk(number=1, part="b")
    async def test_it_is_quarantined_visibly_after_three_tries(self, aws: Aws, answer: bytes | Close | Hang) -> None:
        async with ScriptedServer(mails(6), on={"RETR": for_uid(b"uid-3", answer)}) as server:
            collection = Collection(aws, server, limits=HASTY, after_fetch=AfterFetch.DELETE)
            counts = [(await collection.cycle()).quarantined for _ in range(4)]
            assert counts == [0, 0, 1, 0]
            assert [mail.uid for mail in server.mailbox] == [b"uid-3"]
        (quarantined,) = collection.items("QUARANTINE#")
        assert (quarantined["uid"], quarantined["tries"]) == (b"uid-3", 3)
        assert quarantined["reason"]

    @pytest.mark.quirk(number=1, part="a")
    async def test_it_does_not_count_against_the_limit(self, aws: Aws) -> None:
        async with ScriptedServer(mails(21), on={"RETR": for_uid(b"uid-1", err("no"))}) as server:
            collection = Collection(aws, server, max_messages_per_cycle=20)
            assert (await collection.cycle()).stored == 20

    @pytest.mark.quirk(number=1, part="b")
    async def test_it_is_tried_again_a_day_later_and_released(self, aws: Aws) -> None:
        async with ScriptedServer(mails(3), on={"RETR": for_uid(b"uid-2", err("no"))}) as server:
            collection = Collection(aws, server)
            for _ in range(4):
                await collection.cycle()
            assert len(collection.items("QUARANTINE#")) == 1
            del server.on["RETR"]
            assert (await collection.cycle()).stored == 0
            assert (await collection.cycle(later=timedelta(days=1))).stored == 1
        assert collection.items("QUARANTINE#") == []
        assert collection.contents() == sorted(mails(3))

    async def test_a_server_that_refuses_everything_is_ill_and_nothing_is_quarantined(self, aws: Aws) -> None:
        async with ScriptedServer(mails(30), on={"RETR": err("backend down")}) as server:
            collection = Collection(aws, server)
            for _ in range(5):
                fetch = await collection.cycle()
            assert (fetch.outcome, fetch.error_code) == (Outcome.FAILED, "temporary")
            assert collection.items("QUARANTINE#") == []
            del server.on["RETR"]
            assert (await collection.cycle()).stored == 30


@pytest.mark.parametrize("after", [1, 2, 3])
@pytest.mark.quirk(number=2, part="a")
async def test_a_connection_dropped_every_few_messages_makes_progress_each_time(aws: Aws, after: int) -> None:
    def dropping(session: ScriptedSession, line: str) -> Close | None:
        number = int(line.split()[1])
        sent = sum(command.startswith("RETR") for command in session.commands)
        mail = session.mail(number)
        assert mail is not None
        return Close(b"+OK\r\n" + stuffed(mail.content)) if sent >= after else None

    async with ScriptedServer(mails(7), on={"RETR": dropping}, capabilities=("UIDL", "USER")) as server:
        collection = Collection(aws, server)
        while (await collection.cycle()).remaining:
            pass
    assert collection.contents() == sorted(mails(7))
    assert collection.versions() == 7


class TestReusedUids:
    @pytest.mark.quirk(number=3, part="a")
    async def test_a_new_message_under_a_known_uid_is_fetched(self, aws: Aws) -> None:
        async with ScriptedServer([Mail(a_message(1), b"same")]) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.mailbox[:] = [Mail(a_message(22, octets=3000), b"same")]
            assert (await collection.cycle()).stored == 1
        assert len(collection.objects()) == 2

    @pytest.mark.quirk(number=3, part="a")
    async def test_messages_that_share_uid_and_header_do_not_overwrite_each_other(self, aws: Aws) -> None:
        async with ScriptedServer([Mail(b"Subject: x\r\n\r\none\r\n", b"same")]) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.mailbox[:] = [Mail(b"Subject: x\r\n\r\nanother\r\n", b"same")]
            await collection.cycle()
        assert collection.contents() == [b"Subject: x\r\n\r\nanother\r\n", b"Subject: x\r\n\r\none\r\n"]

    @pytest.mark.quirk(number=4, part="a")
    async def test_two_messages_under_one_uid_in_one_listing_are_both_fetched(self, aws: Aws) -> None:
        twins = [Mail(a_message(1), b"twin"), Mail(a_message(2), b"twin"), Mail(a_message(3), b"three")]
        async with ScriptedServer(twins) as server:
            collection = Collection(aws, server)
            assert (await collection.cycle()).stored == 3
            server.mailbox.insert(0, Mail(a_message(4), b"four"))
            assert (await collection.cycle()).stored == 1
        assert len(collection.objects()) == 4


class TestUidsThatChange:
    @pytest.mark.quirk(number=5, part="a")
    async def test_messages_renamed_all_at_once_are_not_stored_again(self, aws: Aws) -> None:
        async with ScriptedServer(mails(5)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.mailbox[:] = [Mail(mail.content, b"migrated-" + mail.uid) for mail in server.mailbox]
            fetch = await collection.cycle()
            assert (fetch.stored, fetch.skipped) == (0, 5)
            assert (await collection.cycle()).outcome is Outcome.NOTHING_NEW
        assert collection.versions() == 5


@pytest.mark.quirk(number=6, part="a")
async def test_pipelining_that_is_announced_but_broken_is_given_up_and_remembered(aws: Aws) -> None:
    """The server answers the first of commands that come together, and forgets the others."""

    def forgetful(session: ScriptedSession, line: str) -> Hang | None:
        together = session.reads[-1].count(b"\r\n") > 1 if session.reads else False
        return Hang() if together and line.startswith("RETR") else None

    async with ScriptedServer(mails(4), on={"RETR": forgetful}) as server:
        collection = Collection(aws, server, limits=HASTY)
        assert (await collection.cycle()).stored == 4
        assert (await collection.state()).traits.pipelining is Pipelining.BROKEN
        server.mailbox.append(Mail(a_message(9), b"uid-9"))
        sessions = len(server.sessions)
        assert (await collection.cycle()).stored == 1
        assert len(server.sessions) == sessions + 1


@pytest.mark.parametrize("answer", [Hang(), Close(), b"what?\r\n"], ids=repr)
@pytest.mark.parametrize("command", ["STAT", "UIDL", "LIST"])
@pytest.mark.quirk(number=6, part="b")
async def test_pipelining_that_breaks_the_survey_is_given_up_too(
    aws: Aws, command: str, answer: Hang | Close | bytes
) -> None:
    def overwhelmed(session: ScriptedSession, line: str) -> Hang | Close | bytes | None:
        return answer if session.reads[-1].count(b"\r\n") > 1 else None

    async with ScriptedServer(mails(4), on={command: overwhelmed}) as server:
        collection = Collection(aws, server, limits=HASTY)
        assert (await collection.cycle()).stored == 4
        assert (await collection.state()).traits.pipelining is Pipelining.BROKEN


@pytest.mark.quirk(number=8, part="a")
class TestBodiesThatWereNotStuffed:
    LONE_DOT = b"Subject: dots\r\n\r\nbefore\r\n.\r\nafter, which is no reply\r\n"

    @pytest.mark.parametrize("capabilities", [("UIDL", "USER", "PIPELINING"), ("UIDL", "USER")])
    async def test_junk_where_a_reply_should_be_drops_the_session_and_stores_and_deletes_nothing_of_it(
        self, aws: Aws, capabilities: tuple[str, ...]
    ) -> None:
        unstuffed = b"+OK\r\n" + self.LONE_DOT + b".\r\n"
        box = [Mail(a_message(1), b"1"), Mail(self.LONE_DOT, b"2"), Mail(a_message(3), b"3")]
        async with ScriptedServer(box, on={"RETR": for_uid(b"2", unstuffed)}, capabilities=capabilities) as server:
            collection = Collection(aws, server, limits=HASTY, after_fetch=AfterFetch.DELETE)
            for _ in range(5):
                await collection.cycle()
            assert [mail.uid for mail in server.mailbox] == [b"2"]
        assert collection.contents() == sorted([a_message(1), a_message(3)])
        assert len(collection.items("QUARANTINE#")) == 1


@pytest.mark.quirk(number=9, part="a")
async def test_lines_of_any_length_pass(aws: Aws) -> None:
    long_line = b"Subject: long\r\n\r\n" + b"x" * 3_000_000 + b"\r\nend\r\n"
    async with ScriptedServer([long_line]) as server:
        collection = Collection(aws, server)
        await collection.cycle()
    assert collection.contents() == [long_line]


@pytest.mark.parametrize("stat", ["+OK 0 0", "+OK 2 10", "+OK 99 99999"])
@pytest.mark.quirk(number=10, part="a")
async def test_counts_of_stat_that_disagree_with_the_listing_lose_nothing(aws: Aws, stat: str) -> None:
    async with ScriptedServer(mails(5), on={"STAT": stat.encode() + b"\r\n"}) as server:
        collection = Collection(aws, server)
        await collection.cycle()
        server.mailbox.append(Mail(a_message(6), b"uid-6"))
        await collection.cycle()
        await collection.cycle(later=timedelta(days=1))
    assert collection.contents() == sorted(mails(6))
    assert collection.versions() == 6


@pytest.mark.quirk(number=13, part="a")
async def test_a_message_cut_off_inside_is_never_stored(aws: Aws) -> None:
    half = a_message(1, octets=20_000)
    async with ScriptedServer([half], on={"RETR 1": [Close(b"+OK\r\n" + half[:10_000])] * 2}) as server:
        collection = Collection(aws, server, limits=HASTY)
        fetch = await collection.cycle()
        assert (fetch.stored, collection.objects()) == (0, {})
        await collection.cycle()
    assert collection.contents() == [half]


@pytest.mark.quirk(number=14, part="a")
class TestWithoutUidl:
    async def test_the_content_stands_in_for_the_uid(self, aws: Aws) -> None:
        async with ScriptedServer(mails(5), uidl=False, capabilities=("TOP", "PIPELINING")) as server:
            collection = Collection(aws, server)
            assert (await collection.cycle()).stored == 5
            assert (await collection.cycle()).outcome is Outcome.NOTHING_NEW
            server.mailbox.append(Mail(a_message(6), b""))
            assert (await collection.cycle()).stored == 1
            del server.mailbox[1]
            fetch = await collection.cycle()
            assert (fetch.stored, fetch.skipped) == (0, 5)
        assert collection.versions() == 6

    async def test_messages_are_deleted_once_stored(self, aws: Aws) -> None:
        async with ScriptedServer(mails(5), uidl=False, capabilities=None) as server:
            collection = Collection(aws, server, after_fetch=AfterFetch.DELETE)
            assert (await collection.cycle()).deleted == 5
        assert collection.contents() == sorted(mails(5))


class TestCapa:
    @pytest.mark.quirk(number=16, part="a")
    async def test_a_server_that_does_not_know_capa_is_used_without(self, aws: Aws) -> None:
        async with ScriptedServer(mails(3), capabilities=None) as server:
            assert (await Collection(aws, server).cycle()).stored == 3

    @pytest.mark.quirk(number=16, part="b")
    async def test_a_server_that_closes_at_capa_is_connected_anew_without_and_that_is_remembered(
        self, aws: Aws
    ) -> None:
        async with ScriptedServer(mails(3), on={"CAPA": Close()}) as server:
            collection = Collection(aws, server)
            assert (await collection.cycle()).stored == 3
            assert len(server.sessions) == 2
            await collection.cycle()
            assert len(server.sessions) == 3
            assert "CAPA" not in server.session.commands

    @pytest.mark.quirk(number=28, part="b")
    async def test_malformed_capabilities_are_passed_over(self, aws: Aws) -> None:
        rows = ("EXPIRENEVER", "", "SASL", "LOGIN-DELAY abc", "UIDL", "USER", "\x7f\x01")
        async with ScriptedServer(mails(2), capabilities=rows) as server:
            assert (await Collection(aws, server).cycle()).stored == 2

    @pytest.mark.quirk(number=28, part="a")
    async def test_user_may_disappear_after_sign_in(self, aws: Aws) -> None:
        async with ScriptedServer(
            mails(2), capabilities=("UIDL", "USER"), capabilities_after_sign_in=("UIDL", "PIPELINING", "TOP")
        ) as server:
            assert (await Collection(aws, server).cycle()).stored == 2

    @pytest.mark.quirk(number=28, part="d")
    async def test_a_second_session_that_is_refused_backs_off(self, aws: Aws) -> None:
        async with ScriptedServer(mails(2), on={"PASS": [err("[IN-USE] locked"), DEFAULT]}) as server:
            collection = Collection(aws, server)
            assert (await collection.cycle()).error_code == "in_use"
            assert (await collection.cycle()).stored == 2


@pytest.mark.parametrize(
    "uids",
    [
        [b"\xff\xfe\x80", b"\xff\xfe\x81"],
        [b"u" * 1000 + b"1", b"u" * 1000 + b"2"],
        [b"with spaces 1", b"with spaces 2"],
        [b"9", b"1"],
    ],
    ids=["8-bit", "1000 octets", "spaces", "any order"],
)
@pytest.mark.quirk(number=19, part="a")
@pytest.mark.quirk(number=19, part="b")
@pytest.mark.quirk(number=19, part="c")
@pytest.mark.quirk(number=19, part="d")
async def test_uids_are_opaque_octets(aws: Aws, uids: list[bytes]) -> None:
    async with ScriptedServer([Mail(a_message(n), uid) for n, uid in enumerate(uids)]) as server:
        collection = Collection(aws, server)
        await collection.cycle()
        assert (await collection.cycle()).outcome is Outcome.NOTHING_NEW
        server.mailbox.reverse()
        assert (await collection.cycle(later=timedelta(days=1))).stored == 0
    assert len(collection.objects()) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: x\r\n\r\n\x00\x00nul\x00\r\n",
        b"Subject: x\r\n\r\nbare\rcarriage\r\n\rreturn\r\n",
        b"Subject: x\r\n\r\nbare\n.\nline\n..feeds\n\r\n",
        b"Subject: x\r\n\r\n.\r\n..\r\n...\r\n.x\r\n",
        b"Subject: \xff\xfe\r\n\r\n8-bit \x80\x81\r\n",
        b"",
        b"\r\n",
        b".\r\n",
        b"no header, no nothing\r\n",
        b"Subject: header only\r\n",
    ],
)
@pytest.mark.quirk(number=20, part="a")
@pytest.mark.quirk(number=20, part="b")
@pytest.mark.quirk(number=20, part="c")
@pytest.mark.quirk(number=23, part="a")
@pytest.mark.quirk(number=23, part="b")
async def test_octets_pass_unchanged(aws: Aws, content: bytes) -> None:
    async with ScriptedServer([a_message(1), content, a_message(2)]) as server:
        collection = Collection(aws, server)
        assert (await collection.cycle()).stored == 3
    assert collection.contents() == sorted([a_message(1), content, a_message(2)])


@pytest.mark.quirk(number=21, part="a")
async def test_status_lines_may_end_by_line_feed_alone(aws: Aws) -> None:
    one = a_message(1)
    async with ScriptedServer(
        [one],
        on={
            "greeting": b"+OK hello\n",
            "STAT": b"+OK 1 %d\n" % len(one),
            "RETR 1": b"+OK\n" + stuffed(one),
        },
    ) as server:
        collection = Collection(aws, server)
        assert (await collection.cycle()).stored == 1
    assert collection.contents() == [one]


@pytest.mark.quirk(number=22, part="a")
async def test_long_status_lines_are_accepted_up_to_a_limit(aws: Aws) -> None:
    async with ScriptedServer(mails(1), on={"greeting": b"+OK " + b"x" * 4000 + b"\r\n"}) as server:
        collection = Collection(aws, server)
        assert (await collection.cycle()).stored == 1
        server.on["greeting"] = b"+OK " + b"x" * 100_000 + b"\r\n"
        assert (await collection.cycle()).error_code == "network"


class TestSizesThatAreNeverExact:
    @pytest.mark.parametrize("factor", [0, 0.5, 2])
    @pytest.mark.quirk(number=24, part="a")
    async def test_sizes_decide_nothing_about_content(self, aws: Aws, factor: float) -> None:
        box = [Mail(mail, b"%d" % n, int(len(mail) * factor)) for n, mail in enumerate(mails(4))]
        async with ScriptedServer(box) as server:
            collection = Collection(aws, server)
            assert (await collection.cycle()).stored == 4
            server.mailbox.append(Mail(a_message(5), b"5", 0))
            assert (await collection.cycle()).stored == 1
            del server.mailbox[0]
            assert (await collection.cycle()).stored == 0
        assert collection.versions() == 5

    @pytest.mark.quirk(number=24, part="d")
    async def test_sizes_that_never_hold_still_are_learned_and_no_longer_compared(self, aws: Aws) -> None:
        async with ScriptedServer(mails(4)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            for round_ in range(1, 4):
                server.mailbox[:] = [
                    Mail(mail.content, mail.uid, len(mail.content) + round_) for mail in server.mailbox
                ]
                await collection.cycle(later=timedelta(days=1))
            assert (await collection.state()).traits.sizes_unstable
            before = sum(command.startswith("RETR") for command in server.commands)
            server.mailbox[:] = [Mail(mail.content, mail.uid, 7) for mail in server.mailbox]
            await collection.cycle(later=timedelta(days=1))
            assert sum(command.startswith("RETR") for command in server.commands) == before
        assert collection.versions() == 4

    @pytest.mark.quirk(number=24, part="b")
    async def test_header_fields_that_the_server_rewrites_make_no_second_message(self, aws: Aws) -> None:
        async with ScriptedServer(mails(2)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.mailbox[:] = [
                Mail(b"Status: RO\r\nX-UIDL: 123\r\n" + mail.content, mail.uid) for mail in server.mailbox
            ]
            fetch = await collection.cycle(later=timedelta(days=1))
            assert (fetch.stored, fetch.skipped) == (0, 2)
        assert len(collection.objects()) == 2


@pytest.mark.parametrize("refusal", ["authentication failed", "[AUTH] bad login"])
@pytest.mark.quirk(number=25, part="a")
async def test_a_timestamp_without_apop_behind_it_is_seen_through_and_remembered(aws: Aws, refusal: str) -> None:
    async with ScriptedServer(mails(2), apop=True, on={"APOP": err(refusal)}) as server:
        collection = Collection(aws, server)
        assert (await collection.cycle()).stored == 2
        await collection.cycle()
        assert sum(command.startswith("APOP") for command in server.commands) == 1


class TestProtection:
    @pytest.mark.quirk(number=26, part="a")
    async def test_stls_that_was_stripped_fails_closed(self, aws: Aws, tmp_path: Path) -> None:
        async with ScriptedServer(
            mails(1), security=Security.STARTTLS, capabilities=("UIDL", "USER"), on={"STLS": err("unknown")}
        ) as server:
            fetch = await Collection(aws, server, ca_file=authority_file(tmp_path)).cycle()
            assert fetch.error_code == "tls"
            assert server.password.encode() not in server.received

    @pytest.mark.quirk(number=26, part="b")
    async def test_octets_sent_before_the_handshake_are_an_error(self, aws: Aws, tmp_path: Path) -> None:
        async with ScriptedServer(
            mails(1), security=Security.STARTTLS, on={"STLS": Hang(b"+OK begin\r\n+OK injected\r\n")}
        ) as server:
            fetch = await Collection(aws, server, ca_file=authority_file(tmp_path), limits=HASTY).cycle()
            assert fetch.error_code == "protocol"
            assert server.password.encode() not in server.received

    @pytest.mark.quirk(number=27, part="a")
    async def test_an_unknown_authority_is_refused(self, aws: Aws, tmp_path: Path) -> None:
        stranger = server_context(ca=trustme.CA())
        async with ScriptedServer(mails(1), security=Security.TLS, context=stranger) as server:
            fetch = await Collection(aws, server, ca_file=authority_file(tmp_path)).cycle()
        assert fetch.error_code == "tls"

    @pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
    async def test_mail_comes_through_a_protected_connection(
        self, aws: Aws, tmp_path: Path, security: Security
    ) -> None:
        async with ScriptedServer(mails(3), security=security) as server:
            collection = Collection(aws, server, ca_file=authority_file(tmp_path))
            assert (await collection.cycle()).stored == 3


@pytest.mark.quirk(number=18, part="b")
async def test_quit_that_closes_without_a_word_deletes_nothing_for_certain(aws: Aws) -> None:
    async with ScriptedServer(mails(2), on={"QUIT": [Close(), DEFAULT]}) as server:
        collection = Collection(aws, server, after_fetch=AfterFetch.DELETE)
        assert (await collection.cycle()).deleted == 0
        fetch = await collection.cycle()
        assert (fetch.stored, fetch.deleted) == (0, 2)
    assert collection.versions() == 2


@pytest.mark.quirk(number=5, part="b")
async def test_uids_that_change_in_each_session_store_nothing_twice(aws: Aws) -> None:
    async with ScriptedServer(mails(4)) as server:
        collection = Collection(aws, server)
        for round_ in range(4):
            await collection.cycle()
            server.mailbox[:] = [
                Mail(mail.content, b"%d-%d" % (round_, number)) for number, mail in enumerate(server.mailbox)
            ]
        server.mailbox.append(Mail(a_message(9), b"new"))
        assert (await collection.cycle()).stored == 1
    assert collection.contents() == sorted([*mails(4), a_message(9)])
    assert collection.versions() == 5


@pytest.mark.quirk(number=6, part="c")
async def test_commands_are_not_sent_ahead_where_nothing_says_that_they_may_be(aws: Aws) -> None:
    async with ScriptedServer(mails(3), capabilities=None) as server:
        assert (await Collection(aws, server).cycle()).stored == 3
        assert all(read.count(b"\r\n") == 1 for read in server.session.reads)


@pytest.mark.parametrize(
    "capabilities", [("UIDL", "USER"), ("UIDL", "USER", "PIPELINING")], ids=["serial", "pipelined"]
)
@pytest.mark.quirk(number=7, part="a")
async def test_a_message_that_ends_without_a_line_end_is_quarantined_and_holds_up_nobody(
    aws: Aws, capabilities: tuple[str, ...]
) -> None:
    """Its end cannot be told from a line that ends with a dot, and a guess could cut a message short."""
    unended = b"+OK\r\nSubject: Exchange 2000\r\n\r\nno line end here.\r\n"
    box = [Mail(a_message(1), b"1"), Mail(b"?", b"2"), Mail(a_message(3), b"3")]
    async with ScriptedServer(box, on={"RETR": for_uid(b"2", unended)}, capabilities=capabilities) as server:
        collection = Collection(aws, server, limits=HASTY, after_fetch=AfterFetch.DELETE)
        for _ in range(3):
            await collection.cycle()
        assert [mail.uid for mail in server.mailbox] == [b"2"]
    assert collection.contents() == sorted([a_message(1), a_message(3)])
    assert [item["uid"] for item in collection.items("QUARANTINE#")] == [b"2"]


class TestStalls:
    @pytest.mark.parametrize("security", [Security.NONE, Security.STARTTLS])
    @pytest.mark.quirk(number=11, part="a")
    async def test_at_the_greeting_end_soon(self, aws: Aws, security: Security) -> None:
        async with ScriptedServer(mails(1), security=security, on={"greeting": Hang()}) as server:
            assert (await Collection(aws, server, limits=HASTY).cycle()).error_code == "network"

    @pytest.mark.quirk(number=11, part="b")
    async def test_in_the_handshake_end_soon(self, aws: Aws) -> None:
        limits = replace(HASTY, handshake_seconds=0.3)
        async with ScriptedServer(mails(1), security=Security.STARTTLS, on={"STLS": Hang(b"+OK\r\n")}) as server:
            assert (await Collection(aws, server, limits=limits).cycle()).error_code == "tls"

    @pytest.mark.quirk(number=11, part="c")
    async def test_of_any_other_kind_end_at_the_sessions_deadline(self, aws: Aws) -> None:
        async with ScriptedServer(mails(1), on={"STAT": Hang()}) as server:
            assert (await Collection(aws, server).cycle(seconds=0.3)).error_code == "deadline"


@pytest.mark.parametrize(
    ("answer", "code", "pauses"),
    [
        ("[IN-USE] locked", "in_use", False),
        ("[LOGIN-DELAY] wait", "login_too_frequent", True),
        ("[SYS/TEMP] disk", "temporary", False),
        ("[AUTH] no", "authentication", False),
        ("[SYS/PERM] closed", "permanent", False),
        ("mailbox is locked by another session", "in_use", False),
        ("too many logins", "login_too_frequent", True),
        ("internal error, try again later", "temporary", False),
        ("invalid password", "authentication", False),
        ("account disabled", "permanent", False),
    ],
)
@pytest.mark.quirk(number=12, part="a")
@pytest.mark.quirk(number=12, part="b")
@pytest.mark.quirk(number=12, part="c")
async def test_refused_sign_ins_are_told_apart_and_throttling_gets_a_pause(
    aws: Aws, answer: str, code: str, pauses: bool
) -> None:
    async with ScriptedServer(mails(1), on={"PASS": err(answer)}) as server:
        collection = Collection(aws, server)
        assert (await collection.cycle()).error_code == code
        assert ((await collection.state()).failures.not_before is not None) is pauses


@pytest.mark.quirk(number=18, part="c")
async def test_a_quit_that_says_ok_and_deletes_nothing_is_asked_again_and_stores_nothing_twice(aws: Aws) -> None:
    async with ScriptedServer(mails(2), on={"QUIT": [Close(b"+OK bye\r\n")] * 2}) as server:
        collection = Collection(aws, server, after_fetch=AfterFetch.DELETE)
        assert (await collection.cycle()).stored == 2
        fetches = [await collection.cycle(later=timedelta(days=1)) for _ in range(2)]
        assert [fetch.stored for fetch in fetches] == [0, 0]
        assert server.mailbox == []
    assert collection.versions() == 2


@pytest.mark.quirk(number=24, part="b")
async def test_sizes_that_change_while_the_session_lasts_are_no_reason_to_doubt_a_message(aws: Aws) -> None:
    """A server that adds header fields at RETR sends more than it has listed."""
    added = b"X-Delivered: by pop.example.com\r\n" * 10
    async with ScriptedServer(mails(2), on={"RETR 1": b"+OK\r\n" + stuffed(added + a_message(1))}) as server:
        collection = Collection(aws, server)
        assert (await collection.cycle()).stored == 2
        assert (await collection.cycle(later=timedelta(days=1))).stored == 0
    assert collection.contents() == sorted([added + a_message(1), a_message(2)])


@pytest.mark.quirk(number=24, part="c")
async def test_two_octets_less_than_come_are_no_reason_to_doubt_a_message(aws: Aws) -> None:
    whole = a_message(1).removesuffix(b"\r\n")
    async with ScriptedServer([Mail(whole, b"1", len(whole))]) as server:
        collection = Collection(aws, server)
        assert (await collection.cycle()).stored == 1
        assert (await collection.cycle(later=timedelta(days=1))).stored == 0
    assert collection.contents() == [whole + b"\r\n"]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.NONE])
@pytest.mark.quirk(number=26, part="c")
@pytest.mark.quirk(number=26, part="d")
@pytest.mark.quirk(provider="Gmail")
async def test_capabilities_are_asked_for_again_where_they_may_have_changed(
    aws: Aws, tmp_path: Path, security: Security
) -> None:
    """Behind TLS nothing that was said in clear counts, and some servers pipeline only for those who have signed in."""
    async with ScriptedServer(
        mails(2),
        security=security,
        capabilities=("UIDL", "USER"),
        capabilities_after_sign_in=("UIDL", "TOP", "PIPELINING"),
    ) as server:
        collection = Collection(aws, server, ca_file=authority_file(tmp_path))
        await collection.cycle()
        assert server.session.commands.count("CAPA") == 2
        if security is Security.STARTTLS:
            assert server.session.commands[0] == "STLS"


@pytest.mark.quirk(number=28, part="c")
def test_a_wrong_password_may_take_its_time() -> None:
    assert DEFAULT_LIMITS.reply_seconds >= 4 * 7


class TestProviders:
    """What was reported of the large ones."""

    @pytest.mark.quirk(provider="Gmail")
    async def test_messages_that_one_retrieval_hides_are_stored_before_quit(self, aws: Aws) -> None:
        """Gmail: three at a time, and what was retrieved is gone from the next listing once QUIT was said."""
        waiting = mails(8)
        async with ScriptedServer() as server:

            def show(session: ScriptedSession, _: str) -> None:
                server.mailbox[:] = [Mail(content, b"%d" % hash(content)) for content in waiting[:3]]

            def hide(session: ScriptedSession, _: str) -> None:
                taken = [int(line.split()[1]) for line in session.commands if line.startswith("RETR")]
                stored = set(collection.contents())
                assert all(server.mailbox[number - 1].content in stored for number in taken)
                for number in taken:
                    waiting.remove(server.mailbox[number - 1].content)

            server.on = {"greeting": show, "QUIT": hide}
            collection = Collection(aws, server)
            for _ in range(4):
                await collection.cycle()
        assert waiting == []
        assert collection.contents() == sorted(mails(8))

    @pytest.mark.quirk(provider="Gmail")
    async def test_a_put_that_fails_leaves_without_quit(self, aws: Aws) -> None:
        """Gmail: with QUIT, what was retrieved and not stored would be hidden for good."""
        async with ScriptedServer(mails(2)) as server:
            collection = Collection(aws, server)
            collection.with_parts(store=MailBucket(aws.s3, "no-such-bucket"))
            with pytest.raises(StorageUnavailable):
                await collection.cycle()
            assert not server.session.said_quit

    @pytest.mark.quirk(provider="Gmail")
    async def test_a_login_delay_of_300_seconds_is_kept(self, aws: Aws) -> None:
        async with ScriptedServer(mails(2), capabilities=("UIDL", "USER", "LOGIN-DELAY 300")) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            after = (await collection.state()).sign_in_after
            assert after is not None
            assert after - collection.now == timedelta(seconds=300)

    @pytest.mark.parametrize(
        ("refusal", "code"),
        [
            (
                "Exceeded the login limit for a 15 minute period. Reduce the frequency of requests to the POP3 server.",
                "login_too_frequent",
            ),
            ("Protocol error. Connection is closed. 10", "authentication"),
            ("Logon failure: unknown user name or bad password.", "authentication"),
        ],
    )
    @pytest.mark.quirk(provider="Microsoft")
    async def test_microsofts_refusals_are_told_apart_and_none_stops_an_account_at_once(
        self, aws: Aws, refusal: str, code: str
    ) -> None:
        async with ScriptedServer(mails(1), on={"PASS": [err(refusal)] * 3}) as server:
            collection = Collection(aws, server)
            for _ in range(3):
                assert (await collection.cycle()).error_code == code
            assert (await collection.cycle()).stored == 1
        assert collection.bus.named("AccountAuthFailed") == []

    @pytest.mark.quirk(provider="163.com")
    async def test_what_163_com_allows_in_a_session_is_taken_and_the_rest_in_the_next(self, aws: Aws) -> None:
        def enough(session: ScriptedSession, line: str) -> bytes | None:
            sent = sum(command.startswith("RETR") for command in session.commands)
            return err("Download exceed, try again later") if sent > 3 else None

        async with ScriptedServer(mails(8), on={"RETR": enough}) as server:
            collection = Collection(aws, server)
            stored = [(await collection.cycle()).stored for _ in range(4)]
        assert sum(stored) == 8
        assert collection.contents() == sorted(mails(8))
        assert collection.items("QUARANTINE#") == []

    @pytest.mark.quirk(provider="WEB.DE")
    async def test_a_check_too_soon_that_looks_like_a_wrong_password_stops_nothing_at_once(self, aws: Aws) -> None:
        """WEB.DE, and OVH by closing: it takes ten in a row."""
        async with ScriptedServer(mails(1), on={"PASS": [err("wrong password")] * 9}) as server:
            collection = Collection(aws, server)
            for _ in range(9):
                assert (await collection.cycle()).error_code == "authentication"
            assert (await collection.cycle()).stored == 1
        assert collection.bus.named("AccountAuthFailed") == []

    @pytest.mark.quirk(provider="OVH")
    async def test_a_sign_in_that_is_cut_off_is_no_wrong_password(self, aws: Aws) -> None:
        """OVH."""
        async with ScriptedServer(mails(1), on={"PASS": [Close()]}) as server:
            collection = Collection(aws, server)
            assert (await collection.cycle()).error_code == "network"
            assert (await collection.cycle()).stored == 1


@pytest.mark.parametrize("chunk", [None, 1, 3])
@pytest.mark.quirk(number=7, part="a")
async def test_a_message_that_only_looks_as_if_it_held_a_reply_is_taken_whole(aws: Aws, chunk: int | None) -> None:
    talk = b"Subject: how POP3 works\r\n\r\nThe client says NOOP.\r\n+OK says the server.\r\n"
    async with ScriptedServer([a_message(1), talk, a_message(2)], chunk=chunk) as server:
        collection = Collection(aws, server)
        assert (await collection.cycle()).stored == 3
        assert (await collection.cycle()).outcome is Outcome.NOTHING_NEW
    assert collection.contents() == sorted([a_message(1), talk, a_message(2)])
    assert collection.versions() == 3
