"""What servers in the wild do, and what a cycle makes of it. Each test is one quirk of one server."""

from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from popfetch.domain.account import AfterFetch, Security
from popfetch.domain.fetch_state import Outcome, Pipelining
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
    """Quirk 1."""

    @pytest.mark.parametrize(
        "answer", [err("cannot open message"), Close(), Close(b"+OK\r\nSubject: cut"), Hang()], ids=repr
    )
    async def test_the_others_are_taken_in_the_same_cycle(self, aws: Aws, answer: bytes | Close | Hang) -> None:
        async with ScriptedServer(mails(6), on={"RETR": for_uid(b"uid-3", answer)}) as server:
            collection = Collection(aws, server, limits=HASTY)
            fetch = await collection.cycle()
            assert fetch.stored == 5
        assert collection.contents() == sorted(mails(2) + mails(3, first=4))

    @pytest.mark.parametrize("answer", [err("cannot open message"), Close(), Hang()], ids=repr)
    async def test_it_is_quarantined_visibly_after_three_tries(self, aws: Aws, answer: bytes | Close | Hang) -> None:
        async with ScriptedServer(mails(6), on={"RETR": for_uid(b"uid-3", answer)}) as server:
            collection = Collection(aws, server, limits=HASTY, after_fetch=AfterFetch.DELETE)
            counts = [(await collection.cycle()).quarantined for _ in range(4)]
            assert counts == [0, 0, 1, 0]
            assert [mail.uid for mail in server.mailbox] == [b"uid-3"]
        (quarantined,) = collection.items("QUARANTINE#")
        assert (quarantined["uid"], quarantined["tries"]) == (b"uid-3", 3)
        assert quarantined["reason"]

    async def test_it_does_not_count_against_the_limit(self, aws: Aws) -> None:
        async with ScriptedServer(mails(21), on={"RETR": for_uid(b"uid-1", err("no"))}) as server:
            collection = Collection(aws, server, max_messages_per_cycle=20)
            assert (await collection.cycle()).stored == 20

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
async def test_a_connection_dropped_every_few_messages_makes_progress_each_time(aws: Aws, after: int) -> None:
    """Quirk 2."""

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
    """Quirks 3 and 4."""

    async def test_a_new_message_under_a_known_uid_is_fetched(self, aws: Aws) -> None:
        async with ScriptedServer([Mail(a_message(1), b"same")]) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.mailbox[:] = [Mail(a_message(22, octets=3000), b"same")]
            assert (await collection.cycle()).stored == 1
        assert len(collection.objects()) == 2

    async def test_messages_that_share_uid_and_header_do_not_overwrite_each_other(self, aws: Aws) -> None:
        async with ScriptedServer([Mail(b"Subject: x\r\n\r\none\r\n", b"same")]) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.mailbox[:] = [Mail(b"Subject: x\r\n\r\nanother\r\n", b"same")]
            await collection.cycle()
        assert collection.contents() == [b"Subject: x\r\n\r\nanother\r\n", b"Subject: x\r\n\r\none\r\n"]

    async def test_two_messages_under_one_uid_in_one_listing_are_both_fetched(self, aws: Aws) -> None:
        twins = [Mail(a_message(1), b"twin"), Mail(a_message(2), b"twin"), Mail(a_message(3), b"three")]
        async with ScriptedServer(twins) as server:
            collection = Collection(aws, server)
            assert (await collection.cycle()).stored == 3
            server.mailbox.insert(0, Mail(a_message(4), b"four"))
            assert (await collection.cycle()).stored == 1
        assert len(collection.objects()) == 4


class TestUidsThatChange:
    """Quirk 5."""

    async def test_messages_renamed_all_at_once_are_not_stored_again(self, aws: Aws) -> None:
        async with ScriptedServer(mails(5)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.mailbox[:] = [Mail(mail.content, b"migrated-" + mail.uid) for mail in server.mailbox]
            fetch = await collection.cycle()
            assert (fetch.stored, fetch.skipped) == (0, 5)
            assert (await collection.cycle()).outcome is Outcome.NOTHING_NEW
        assert collection.versions() == 5


async def test_pipelining_that_is_announced_but_broken_is_given_up_and_remembered(aws: Aws) -> None:
    """Quirk 6: the server answers the first of commands that come together, and forgets the others."""

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
async def test_pipelining_that_breaks_the_survey_is_given_up_too(
    aws: Aws, command: str, answer: Hang | Close | bytes
) -> None:
    """Quirk 6, at the first commands of a session."""

    def overwhelmed(session: ScriptedSession, line: str) -> Hang | Close | bytes | None:
        return answer if session.reads[-1].count(b"\r\n") > 1 else None

    async with ScriptedServer(mails(4), on={command: overwhelmed}) as server:
        collection = Collection(aws, server, limits=HASTY)
        assert (await collection.cycle()).stored == 4
        assert (await collection.state()).traits.pipelining is Pipelining.BROKEN


class TestBodiesThatWereNotStuffed:
    """Quirk 8."""

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


async def test_lines_of_any_length_pass(aws: Aws) -> None:
    """Quirk 9."""
    long_line = b"Subject: long\r\n\r\n" + b"x" * 3_000_000 + b"\r\nend\r\n"
    async with ScriptedServer([long_line]) as server:
        collection = Collection(aws, server)
        await collection.cycle()
    assert collection.contents() == [long_line]


@pytest.mark.parametrize("stat", ["+OK 0 0", "+OK 2 10", "+OK 99 99999"])
async def test_counts_of_stat_that_disagree_with_the_listing_lose_nothing(aws: Aws, stat: str) -> None:
    """Quirk 10."""
    async with ScriptedServer(mails(5), on={"STAT": stat.encode() + b"\r\n"}) as server:
        collection = Collection(aws, server)
        await collection.cycle()
        server.mailbox.append(Mail(a_message(6), b"uid-6"))
        await collection.cycle()
        await collection.cycle(later=timedelta(days=1))
    assert collection.contents() == sorted(mails(6))
    assert collection.versions() == 6


async def test_a_message_cut_off_inside_is_never_stored(aws: Aws) -> None:
    """Quirk 13."""
    half = a_message(1, octets=20_000)
    async with ScriptedServer([half], on={"RETR 1": [Close(b"+OK\r\n" + half[:10_000])] * 2}) as server:
        collection = Collection(aws, server, limits=HASTY)
        fetch = await collection.cycle()
        assert (fetch.stored, collection.objects()) == (0, {})
        await collection.cycle()
    assert collection.contents() == [half]


class TestWithoutUidl:
    """Quirk 14."""

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
    """Quirks 16 and 28."""

    async def test_a_server_that_does_not_know_capa_is_used_without(self, aws: Aws) -> None:
        async with ScriptedServer(mails(3), capabilities=None) as server:
            assert (await Collection(aws, server).cycle()).stored == 3

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

    async def test_malformed_capabilities_are_passed_over(self, aws: Aws) -> None:
        rows = ("EXPIRENEVER", "", "SASL", "LOGIN-DELAY abc", "UIDL", "USER", "\x7f\x01")
        async with ScriptedServer(mails(2), capabilities=rows) as server:
            assert (await Collection(aws, server).cycle()).stored == 2

    async def test_user_may_disappear_after_sign_in(self, aws: Aws) -> None:
        async with ScriptedServer(
            mails(2), capabilities=("UIDL", "USER"), capabilities_after_sign_in=("UIDL", "PIPELINING", "TOP")
        ) as server:
            assert (await Collection(aws, server).cycle()).stored == 2

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
async def test_uids_are_opaque_octets(aws: Aws, uids: list[bytes]) -> None:
    """Quirk 19."""
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
async def test_octets_pass_unchanged(aws: Aws, content: bytes) -> None:
    """Quirks 20 and 23."""
    async with ScriptedServer([a_message(1), content, a_message(2)]) as server:
        collection = Collection(aws, server)
        assert (await collection.cycle()).stored == 3
    assert collection.contents() == sorted([a_message(1), content, a_message(2)])


async def test_status_lines_may_end_by_line_feed_alone(aws: Aws) -> None:
    """Quirk 21."""
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


async def test_long_status_lines_are_accepted_up_to_a_limit(aws: Aws) -> None:
    """Quirk 22."""
    async with ScriptedServer(mails(1), on={"greeting": b"+OK " + b"x" * 4000 + b"\r\n"}) as server:
        collection = Collection(aws, server)
        assert (await collection.cycle()).stored == 1
        server.on["greeting"] = b"+OK " + b"x" * 100_000 + b"\r\n"
        assert (await collection.cycle()).error_code == "network"


class TestSizesThatAreNeverExact:
    """Quirk 24."""

    @pytest.mark.parametrize("factor", [0, 0.5, 2])
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
async def test_a_timestamp_without_apop_behind_it_is_seen_through_and_remembered(aws: Aws, refusal: str) -> None:
    """Quirk 25."""
    async with ScriptedServer(mails(2), apop=True, on={"APOP": err(refusal)}) as server:
        collection = Collection(aws, server)
        assert (await collection.cycle()).stored == 2
        await collection.cycle()
        assert sum(command.startswith("APOP") for command in server.commands) == 1


class TestProtection:
    """Quirks 26 and 27."""

    async def test_stls_that_was_stripped_fails_closed(self, aws: Aws, tmp_path: Path) -> None:
        async with ScriptedServer(
            mails(1), security=Security.STARTTLS, capabilities=("UIDL", "USER"), on={"STLS": err("unknown")}
        ) as server:
            fetch = await Collection(aws, server, ca_file=authority_file(tmp_path)).cycle()
            assert fetch.error_code == "tls"
            assert server.password.encode() not in server.received

    async def test_octets_sent_before_the_handshake_are_an_error(self, aws: Aws, tmp_path: Path) -> None:
        async with ScriptedServer(
            mails(1), security=Security.STARTTLS, on={"STLS": Hang(b"+OK begin\r\n+OK injected\r\n")}
        ) as server:
            fetch = await Collection(aws, server, ca_file=authority_file(tmp_path), limits=HASTY).cycle()
            assert fetch.error_code == "protocol"
            assert server.password.encode() not in server.received

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


async def test_quit_that_closes_without_a_word_deletes_nothing_for_certain(aws: Aws) -> None:
    """Quirk 18."""
    async with ScriptedServer(mails(2), on={"QUIT": [Close(), DEFAULT]}) as server:
        collection = Collection(aws, server, after_fetch=AfterFetch.DELETE)
        assert (await collection.cycle()).deleted == 0
        fetch = await collection.cycle()
        assert (fetch.stored, fetch.deleted) == (0, 2)
    assert collection.versions() == 2
