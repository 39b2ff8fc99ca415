"""One cycle of one account: what it takes, commits, deletes, remembers and tells."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from popfetch.adapters import keys
from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.dynamodb_items import to_wire
from popfetch.adapters.fetch_state_items import to_item
from popfetch.domain.account import Account, AfterFetch, Order, Standing
from popfetch.domain.account_change import AccountChange, FetchChange, SealedSecrets, changed_settings, followed_up
from popfetch.domain.errors import CycleOvertaken, StorageUnavailable
from popfetch.domain.fetch_state import FetchState, Outcome
from popfetch.domain.ledger import Disposition, LedgerEntry
from popfetch.services import cycle_record
from popfetch.services.cycle_record import CycleRecord
from tests.builders.aws import Aws
from tests.builders.collecting import Collection, a_message
from tests.builders.scripted_pop3_server import (
    DEFAULT,
    Close,
    Hang,
    Mail,
    Scripted,
    ScriptedServer,
    ScriptedSession,
    err,
)


def mails(count: int, first: int = 1) -> list[bytes]:
    return [a_message(number) for number in range(first, first + count)]


def retrieved(server: ScriptedServer) -> list[int]:
    return [int(command.split()[1]) for command in server.commands if command.startswith("RETR")]


def refusing(server: ScriptedServer, uid: bytes) -> Scripted:
    """Refuses to send the message of this UID, whatever its number is."""

    def answer(session: ScriptedSession, line: str) -> bytes | None:
        mail = session.mail(int(line.split()[1]))
        return err("corrupt") if mail and mail.uid == uid else None

    return answer


class AwsCalls:
    """Counts the calls that clients make."""

    def __init__(self, aws: Aws) -> None:
        self.names: Counter[str] = Counter()
        for client in (aws.dynamodb, aws.s3, aws.sqs):
            client.meta.events.register("before-call", self._count)

    def _count(self, model: object, **_: object) -> None:
        self.names[model.name] += 1  # type: ignore[attr-defined]

    def reset(self) -> None:
        self.names.clear()


async def test_every_message_lands_byte_for_byte(aws: Aws) -> None:
    wanted = mails(30)
    async with ScriptedServer(wanted) as server:
        collection = Collection(aws, server)
        fetch = await collection.cycle()
    assert (fetch.outcome, fetch.listed, fetch.stored, fetch.remaining) == (Outcome.STORED, 30, 30, 0)
    assert collection.contents() == sorted(wanted)
    assert len(collection.items("MESSAGE#")) == 30
    assert len(await collection.ledger()) == 30


async def test_the_key_tells_the_day_of_the_date_header_and_the_metadata_the_uid(aws: Aws) -> None:
    dated = a_message(1, date=datetime(2024, 2, 29, 23, 30, tzinfo=UTC))
    async with ScriptedServer([Mail(dated, b"first/uid  1"), Mail(b"no header at all\r\n", b"2")]) as server:
        collection = Collection(aws, server)
        await collection.cycle()
    prefix = f"mail/{collection.account.owner_id}/{collection.account.account_id}/"
    days = {key.removeprefix(prefix).rpartition("/")[0]: key for key in collection.objects()}
    assert days.keys() == {"2024/02/29", "undated"}
    head = aws.s3.head_object(Bucket=aws.bucket, Key=days["2024/02/29"])
    assert head["ContentType"] == "message/rfc822"
    assert head["Metadata"]["uid"] == "first/uid%20%201"
    assert len(head["Metadata"]["sha256"]) == 64


async def test_a_cycle_takes_no_more_than_its_limit_and_the_next_goes_on_where_it_ended(aws: Aws) -> None:
    async with ScriptedServer(mails(50)) as server:
        collection = Collection(aws, server, max_messages_per_cycle=20)
        counts = [(await collection.cycle()) for _ in range(3)]
        assert [(fetch.stored, fetch.remaining) for fetch in counts] == [(20, 30), (20, 10), (10, 0)]
        assert retrieved(server) == list(range(1, 51))
    assert collection.contents() == sorted(mails(50))


async def test_the_newest_come_first_when_the_owner_wants_it_so(aws: Aws) -> None:
    async with ScriptedServer(mails(45)) as server:
        collection = Collection(aws, server, max_messages_per_cycle=20, order=Order.NEWEST_FIRST)
        await collection.cycle()
        assert retrieved(server) == list(range(45, 25, -1))
        await collection.cycle()
        await collection.cycle()
    assert collection.contents() == sorted(mails(45))
    assert collection.versions() == 45


async def test_a_backlog_asks_for_the_next_cycle_at_once(aws: Aws) -> None:
    async with ScriptedServer(mails(21)) as server:
        collection = Collection(aws, server, max_messages_per_cycle=20)
        await collection.cycle()
        assert [body["reason"] for body in collection.queued()] == ["catch_up"]
        await collection.cycle()
    assert collection.queued() == []


async def test_without_catch_up_a_backlog_waits_for_the_interval(aws: Aws) -> None:
    async with ScriptedServer(mails(21)) as server:
        collection = Collection(aws, server, max_messages_per_cycle=20, catch_up=False)
        await collection.cycle()
    assert collection.queued() == []


async def test_a_poll_with_nothing_new_is_one_probe_one_read_and_one_write(aws: Aws) -> None:
    async with ScriptedServer(mails(40)) as server:
        collection = Collection(aws, server)
        await collection.cycle()
        calls = AwsCalls(aws)
        fetch = await collection.cycle()
        assert fetch.outcome is Outcome.NOTHING_NEW
        assert server.session.commands[3:] == ["STAT", "UIDL 40", "QUIT"]
        assert calls.names == {"Query": 1, "PutItem": 1}
        assert ((await collection.state()).stored_total, (await collection.state()).progress) == (40, None)
    state = await collection.state()
    item = to_item(collection.account.owner_id, collection.account.account_id, state)
    assert len(repr(to_wire(item))) < 1024


async def test_one_new_message_among_many_costs_what_one_costs(aws: Aws) -> None:
    async with ScriptedServer(mails(300)) as server:
        collection = Collection(aws, server, max_messages_per_cycle=200)
        await collection.cycle()
        await collection.cycle()
        calls = AwsCalls(aws)
        server.mailbox.append(Mail(a_message(301), b"uid-301"))
        fetch = await collection.cycle()
        assert fetch.stored == 1
        assert server.session.commands[3:] == ["STAT", "UIDL 300", "UIDL 301", "LIST 301", "RETR 301", "NOOP", "QUIT"]
        assert calls.names["Query"] == 1
        assert calls.names["PutObject"] == 1


async def test_messages_deleted_elsewhere_are_noticed_and_nothing_is_fetched_again(aws: Aws) -> None:
    async with ScriptedServer(mails(10)) as server:
        collection = Collection(aws, server)
        await collection.cycle()
        del server.mailbox[2:5]
        server.mailbox.append(Mail(a_message(11), b"uid-11"))
        fetch = await collection.cycle()
        assert (fetch.listed, fetch.stored) == (8, 1)
    assert collection.versions() == 11


async def test_a_reordered_maildrop_is_recognised_by_its_uids(aws: Aws) -> None:
    async with ScriptedServer(mails(10)) as server:
        collection = Collection(aws, server)
        await collection.cycle()
        server.mailbox.reverse()
        fetch = await collection.cycle()
        assert fetch.stored == 0
    assert collection.versions() == 10


async def test_the_maildrop_is_reconciled_with_the_ledger_every_day(aws: Aws) -> None:
    async with ScriptedServer(mails(3)) as server:
        collection = Collection(aws, server)
        await collection.cycle()
        await collection.cycle()
        assert "LIST" not in server.session.commands
        await collection.cycle(later=timedelta(hours=24))
        assert "LIST" in server.session.commands


class TestListingEverything:
    """STAT travels with the listings where it is known beforehand that these are needed."""

    ONE_WRITE = b"STAT\r\nUIDL\r\nLIST\r\n"

    async def test_is_one_write_at_the_first_import(self, aws: Aws) -> None:
        async with ScriptedServer(mails(3)) as server:
            await Collection(aws, server).cycle()
            assert self.ONE_WRITE in server.session.reads
            assert server.session.commands.count("STAT") == 1

    async def test_is_one_write_at_the_daily_reconciliation(self, aws: Aws) -> None:
        async with ScriptedServer(mails(3)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            await collection.cycle(later=timedelta(hours=24))
            assert self.ONE_WRITE in server.session.reads

    async def test_is_one_write_while_a_message_makes_trouble(self, aws: Aws) -> None:
        async with ScriptedServer(mails(3), on={"RETR 2": err("corrupt")}) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            await collection.cycle()
            assert self.ONE_WRITE in server.session.reads

    async def test_follows_the_probe_where_only_that_shows_that_it_is_needed(self, aws: Aws) -> None:
        async with ScriptedServer(mails(10)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            del server.mailbox[2]
            await collection.cycle()
            assert server.session.reads[-3:] == [b"STAT\r\nUIDL 10\r\n", b"UIDL\r\nLIST\r\n", b"QUIT\r\n"]


class TestLoginDelay:
    """RFC 2449, section 6.5."""

    async def test_a_short_one_is_waited_out_so_that_a_backlog_is_caught_up_with_at_once(self, aws: Aws) -> None:
        async with ScriptedServer(mails(21), capabilities=("UIDL", "USER", "LOGIN-DELAY 10")) as server:
            collection = Collection(aws, server, max_messages_per_cycle=20)
            assert (await collection.cycle()).remaining == 1
            assert len(collection.queued()) == 1
            assert (await collection.cycle(later=timedelta(seconds=4))).stored == 1
            assert collection.pauses == [6.0]

    async def test_a_long_one_sends_a_backlog_to_the_next_interval(self, aws: Aws) -> None:
        async with ScriptedServer(mails(21), capabilities=("UIDL", "USER", "LOGIN-DELAY 300")) as server:
            collection = Collection(aws, server, max_messages_per_cycle=20)
            assert (await collection.cycle()).remaining == 1
            assert collection.queued() == []
            await collection.cycle(later=timedelta(minutes=5))
            assert collection.pauses == []

    async def test_a_broken_session_is_followed_by_another_only_when_the_server_wants_it(self, aws: Aws) -> None:
        for delay, sessions in ((10, 2), (300, 1)):
            offer = ("UIDL", "USER", f"LOGIN-DELAY {delay}")
            async with ScriptedServer(mails(3), capabilities=offer, on={"RETR 3": [Close(), DEFAULT]}) as server:
                collection = Collection(aws, server, number=delay)
                await collection.cycle()
                assert len(server.sessions) == sessions
                assert len(collection.pauses) == sessions - 1

    async def test_one_that_is_longer_than_the_time_left_is_left_to_the_next_run(self, aws: Aws) -> None:
        async with ScriptedServer(mails(21), capabilities=("UIDL", "USER", "LOGIN-DELAY 20")) as server:
            collection = Collection(aws, server, max_messages_per_cycle=20)
            await collection.cycle()
            fetch = await collection.cycle(later=timedelta(), seconds=2)
            assert (fetch.error_code, collection.pauses, len(server.sessions)) == ("deadline", [], 1)
            assert (await collection.cycle()).stored == 1


class TestDeleting:
    async def test_kept_messages_are_never_marked(self, aws: Aws) -> None:
        async with ScriptedServer(mails(3)) as server:
            collection = Collection(aws, server, after_fetch=AfterFetch.KEEP)
            await collection.cycle()
            assert not any(command.startswith("DELE") for command in server.commands)

    async def test_stored_messages_are_deleted_and_the_next_poll_finds_an_empty_maildrop(self, aws: Aws) -> None:
        async with ScriptedServer(mails(3)) as server:
            collection = Collection(aws, server, after_fetch=AfterFetch.DELETE)
            fetch = await collection.cycle()
            assert (fetch.stored, fetch.deleted, server.mailbox) == (3, 3, [])
            fetch = await collection.cycle()
            assert fetch.outcome is Outcome.NOTHING_NEW
            assert server.session.commands[3:] == ["STAT", "QUIT"]
        assert collection.contents() == sorted(mails(3))

    async def test_after_n_days_means_n_days_after_storing(self, aws: Aws) -> None:
        async with ScriptedServer(mails(3)) as server:
            collection = Collection(aws, server, after_fetch=AfterFetch.DELETE_AFTER_DAYS, delete_after_days=7)
            await collection.cycle()
            await collection.cycle(later=timedelta(days=6))
            assert len(server.mailbox) == 3
            fetch = await collection.cycle(later=timedelta(days=1))
            assert (fetch.deleted, server.mailbox) == (3, [])

    async def test_what_was_stored_before_the_owner_wanted_deletion_goes_with_the_next_reconciliation(
        self, aws: Aws
    ) -> None:
        async with ScriptedServer(mails(3)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            collection.settings(after_fetch=AfterFetch.DELETE)
            fetch = await collection.cycle(later=timedelta(days=1))
            assert (fetch.stored, fetch.deleted, server.mailbox) == (0, 3, [])

    @pytest.mark.quirk(number=17, part="a")
    async def test_a_refused_deletion_is_noted_and_the_rest_goes_on(self, aws: Aws) -> None:
        async with ScriptedServer(mails(3), on={"DELE 2": err("read-only")}) as server:
            collection = Collection(aws, server, after_fetch=AfterFetch.DELETE)
            fetch = await collection.cycle()
            assert (fetch.deleted, len(server.mailbox)) == (2, 1)
            fetch = await collection.cycle()
            assert fetch.stored == 0
        assert collection.versions() == 3

    @pytest.mark.quirk(number=18, part="a")
    async def test_nothing_counts_as_deleted_before_quit_is_confirmed(self, aws: Aws) -> None:
        async with ScriptedServer(mails(3), on={"QUIT": [err("some deleted messages not removed")]}) as server:
            collection = Collection(aws, server, after_fetch=AfterFetch.DELETE)
            fetch = await collection.cycle()
            assert fetch.deleted == 0
            fetch = await collection.cycle()
            assert (fetch.stored, fetch.deleted) == (0, 3)
            assert server.mailbox == []
        assert collection.versions() == 3

    async def test_skipped_and_quarantined_messages_are_never_deleted(self, aws: Aws) -> None:
        async with ScriptedServer(mails(3)) as server:
            server.on["RETR"] = refusing(server, b"uid-2")
            collection = Collection(aws, server, after_fetch=AfterFetch.DELETE)
            for _ in range(5):
                await collection.cycle()
            assert [mail.uid for mail in server.mailbox] == [b"uid-2"]


class TestWhereTheFirstImportStarts:
    async def test_now_takes_only_what_comes_later(self, aws: Aws) -> None:
        async with ScriptedServer(mails(30)) as server:
            collection = Collection(aws, server, start="now")
            fetch = await collection.cycle()
            assert (fetch.stored, fetch.skipped, fetch.remaining) == (0, 30, 0)
            server.mailbox.append(Mail(a_message(31), b"uid-31"))
            fetch = await collection.cycle()
            assert fetch.stored == 1
            del server.mailbox[3]
            await collection.cycle()
        assert collection.contents() == [a_message(31)]

    async def test_a_date_takes_what_arrived_since(self, aws: Aws) -> None:
        days = [a_message(day, date=datetime(2026, 10, day, 9, tzinfo=UTC)) for day in range(1, 31)]
        async with ScriptedServer(days) as server:
            collection = Collection(aws, server, start="2026-10-21", max_messages_per_cycle=20)
            fetch = await collection.cycle()
            assert (fetch.skipped, fetch.stored, fetch.remaining) == (20, 10, 0)
            assert (await collection.state()).start_applied
            old = a_message(99, date=datetime(2001, 1, 1, tzinfo=UTC))
            server.mailbox.append(Mail(old, b"uid-99"))
            await collection.cycle()
        assert collection.contents() == sorted([*days[20:], old])

    async def test_a_date_reaches_over_several_cycles(self, aws: Aws) -> None:
        days = [a_message(day, date=datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=day)) for day in range(200)]
        async with ScriptedServer(days) as server:
            collection = Collection(aws, server, start="2026-10-03", max_messages_per_cycle=20)
            while (await collection.cycle()).remaining:
                pass
        assert collection.contents() == sorted(days[48:])

    @pytest.mark.quirk(number=15, part="a")
    async def test_without_top_everything_is_taken(self, aws: Aws) -> None:
        async with ScriptedServer(mails(5), top=False) as server:
            collection = Collection(aws, server, start="2030-01-01")
            fetch = await collection.cycle()
        assert fetch.stored == 5


class TestAnotherStart:
    """An owner chooses another start after the first import."""

    def restart(self, aws: Aws, collection: Collection, start: str) -> None:
        change = AccountChange(fetch=FetchChange(start=start))

        def changed(account: Account, state: FetchState) -> tuple[Account, FetchState]:
            return followed_up(account, changed_settings(account, change, SealedSecrets()), state)

        store = AccountsTable(aws.dynamodb, aws.table)
        collection.account = store.change(collection.account.owner_id, collection.account.account_id, changed).account

    async def test_all_takes_what_now_had_left_out_and_nothing_twice(self, aws: Aws) -> None:
        async with ScriptedServer(mails(60)) as server:
            collection = Collection(aws, server, start="now", max_messages_per_cycle=20)
            await collection.cycle()
            server.mailbox.append(Mail(a_message(61), b"uid-61"))
            await collection.cycle()
            self.restart(aws, collection, "all")
            stored = [(await collection.cycle()).stored for _ in range(4)]
            assert stored == [20, 20, 20, 0]
            state = await collection.state()
            assert (state.start_changed, state.start_applied) == (False, True)
            assert (await collection.cycle()).outcome is Outcome.NOTHING_NEW
        assert collection.contents() == sorted(mails(61))
        assert collection.versions() == 61
        assert {entry.disposition for entry in (await collection.ledger()).entries()} == {Disposition.STORED}

    async def test_now_leaves_out_what_still_waits(self, aws: Aws) -> None:
        async with ScriptedServer(mails(60)) as server:
            collection = Collection(aws, server, max_messages_per_cycle=20)
            assert (await collection.cycle()).remaining == 40
            self.restart(aws, collection, "now")
            fetch = await collection.cycle()
            assert (fetch.stored, fetch.skipped, fetch.remaining) == (0, 40, 0)
            assert (await collection.cycle()).outcome is Outcome.NOTHING_NEW
        assert collection.contents() == sorted(mails(20))

    async def test_an_earlier_date_takes_what_lies_between(self, aws: Aws) -> None:
        days = [a_message(day, date=datetime(2026, 10, day, 9, tzinfo=UTC)) for day in range(1, 31)]
        async with ScriptedServer(days) as server:
            collection = Collection(aws, server, start="2026-10-21")
            await collection.cycle()
            self.restart(aws, collection, "2026-10-11")
            fetch = await collection.cycle()
            assert (fetch.stored, fetch.skipped) == (10, 10)
        assert collection.contents() == sorted(days[10:])

    async def test_a_cycle_that_breaks_meanwhile_loses_nothing_of_it(self, aws: Aws) -> None:
        async with ScriptedServer(mails(10)) as server:
            collection = Collection(aws, server, start="now")
            await collection.cycle()
            self.restart(aws, collection, "all")
            server.on["RETR"] = Close()
            assert (await collection.cycle()).outcome is Outcome.FAILED
            server.on.clear()
            assert (await collection.state()).start_changed
            assert (await collection.cycle()).stored == 10
            assert not (await collection.state()).start_changed
        assert collection.contents() == sorted(mails(10))

    async def test_a_server_without_uids_is_judged_by_contents(self, aws: Aws) -> None:
        async with ScriptedServer(mails(6), uidl=False) as server:
            collection = Collection(aws, server, start="now")
            await collection.cycle()
            self.restart(aws, collection, "all")
            assert (await collection.cycle()).stored == 6
            self.restart(aws, collection, "2001-01-01")
            await collection.cycle()
        assert collection.contents() == sorted(mails(6))
        assert len(collection.objects()) == 6


class TestWhatIsTold:
    async def test_a_cycle_that_stored_tells_the_bus_and_the_history(self, aws: Aws) -> None:
        async with ScriptedServer(mails(2)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            stored = collection.bus.named("MessageStored")
            assert [len(event["messages"]) for event in stored] == [2]  # type: ignore[arg-type]
            assert [event["stored"] for event in collection.bus.named("FetchCycleCompleted")] == [2]
            assert [cycle["stored"] for cycle in collection.items("CYCLE#")] == [2]

    async def test_an_idle_poll_tells_only_who_reads_everything(self, aws: Aws) -> None:
        async with ScriptedServer(mails(2)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            collection.bus.events.clear()
            collection.journal.lines.clear()
            await collection.cycle()
            assert collection.bus.events == []
            ((level, message, fields),) = collection.journal.lines
            assert (level, message, fields["outcome"]) == ("debug", "cycle finished", "nothing_new")
            assert len(collection.items("CYCLE#")) == 1

    async def test_an_event_that_cannot_be_published_fetches_nothing_again(self, aws: Aws) -> None:
        class BrokenBus:
            def publish(self, name: str, detail: dict[str, object]) -> None:
                raise StorageUnavailable("The bus is down.")

        async with ScriptedServer(mails(2)) as server:
            collection = Collection(aws, server)
            collection.with_parts(bus=BrokenBus())
            assert (await collection.cycle()).stored == 2
            assert (await collection.cycle()).stored == 0
        assert collection.journal.counts["EventsLost"] == 2


class DeafBus:
    """A bus that takes nothing."""

    def publish(self, name: str, detail: dict[str, object]) -> None:
        raise StorageUnavailable("The bus is down.")


class StatesSeen:
    """The states that a cycle has written, in order."""

    def __init__(self, collection: Collection) -> None:
        self.written: list[FetchState] = []
        self._records = collection.records
        self._commit = collection.records._commit
        collection.records._commit = self._seen  # type: ignore[method-assign]

    def _seen(self, account: Account, state: FetchState, cycle_id: str, entries: Sequence[LedgerEntry]) -> FetchState:
        written = self._commit(account, state, cycle_id, entries)
        self.written.append(written)
        return written

    @property
    def progress(self) -> list[tuple[int, int, int] | None]:
        """Of each state what it says of the cycle under way: listed, remaining, stored."""
        seen = [state.progress for state in self.written]
        return [(one.listed, one.remaining, one.stored) if one else None for one in seen]


class BucketInMemory:
    """A bucket that acknowledges at once, or fails."""

    part_octets = 1 << 20

    def __init__(self, failure: Exception | None = None) -> None:
        self._failure = failure

    def key(self, owner_id: str, account_id: str, message_id: str, dated: datetime | None) -> str:
        return keys.mail_object(owner_id, account_id, message_id, dated)

    async def put(self, key: str, content: bytes, sha256: bytes, metadata: dict[str, str]) -> None:
        if self._failure:
            raise self._failure


class TestProgress:
    async def test_it_is_written_at_once_and_with_each_commit_and_gone_in_the_end(self, aws: Aws) -> None:
        async with ScriptedServer(mails(120), capabilities=("UIDL", "USER")) as server:
            collection = Collection(aws, server, max_messages_per_cycle=200)
            collection.with_parts(store=BucketInMemory())
            states = StatesSeen(collection)
            await collection.cycle()
        assert states.progress[0] == (120, 120, 0)
        assert states.progress[-1] is None
        between = [progress for progress in states.progress[1:-1] if progress]
        assert len(between) == len(states.progress) - 2 >= 1
        assert all(listed == 120 and remaining == 120 - stored for listed, remaining, stored in between)
        assert [state.stored_total for state in states.written] == [0, *(stored for *_, stored in between), 120]
        assert {state.progress.started_at for state in states.written if state.progress} == {collection.now}

    async def test_cycle_after_cycle_it_is_the_whole_mailbox_that_gets_fewer(self, aws: Aws) -> None:
        async with ScriptedServer(mails(110)) as server:
            collection = Collection(aws, server, max_messages_per_cycle=50)
            states = StatesSeen(collection)
            while (await collection.cycle()).remaining:
                pass
        told = [progress for progress in states.progress if progress]
        assert {listed for listed, _, _ in told} == {110}
        assert [remaining for _, remaining, _ in told] == sorted((left for _, left, _ in told), reverse=True)
        assert (110, 60, 0) in told

    async def test_it_is_told_before_the_first_message_is_stored(self, aws: Aws) -> None:
        async with ScriptedServer(mails(1)) as server:
            collection = Collection(aws, server)
            states = StatesSeen(collection)
            await collection.cycle()
        assert states.progress == [(1, 1, 0), None]

    async def test_a_poll_that_finds_nothing_tells_of_none(self, aws: Aws) -> None:
        async with ScriptedServer(mails(1)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            states = StatesSeen(collection)
            await collection.cycle()
        assert states.progress == [None]

    async def test_what_is_to_be_left_out_is_not_announced(self, aws: Aws) -> None:
        async with ScriptedServer(mails(60)) as server:
            collection = Collection(aws, server, start="now")
            states = StatesSeen(collection)
            await collection.cycle()
        assert states.progress == [None]

    async def test_a_cycle_that_died_leaves_some_and_the_next_one_takes_it_away(self, aws: Aws) -> None:
        async with ScriptedServer(mails(60)) as server:
            collection = Collection(aws, server)
            whole = collection.parts
            collection.with_parts(store=BucketInMemory(StorageUnavailable("The bucket is down.")))
            with pytest.raises(StorageUnavailable):
                await collection.cycle()
            assert (await collection.state()).progress is not None
            collection.with_parts(store=whole.store)
            await collection.cycle()
            state = await collection.state()
        assert (state.progress, state.stored_total) == (None, 60)


class SlowRecords:
    """Records whose commits of entries wait until told, and may fail then; ``asked`` counts them."""

    def __init__(self, collection: Collection, failure: Exception | None = None) -> None:
        self._records = collection.records
        self._failure = failure
        self.asked = 0
        self.may_go_on = asyncio.Event()

    async def commit(self, account: Any, state: Any, cycle_id: str, entries: Any = ()) -> FetchState:
        if entries:
            self.asked += 1
            await self.may_go_on.wait()
            if self._failure:
                raise self._failure
        return await self._records.commit(account, state, cycle_id, entries)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)


class CountingBucket(BucketInMemory):
    """A bucket that counts, and calls ``reached`` once it holds so many messages."""

    def __init__(self, wanted: int = 0, reached: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.count = 0
        self._wanted = wanted
        self._reached = reached

    async def put(self, key: str, content: bytes, sha256: bytes, metadata: dict[str, str]) -> None:
        self.count += 1
        if self.count == self._wanted:
            self._reached()


def large_mails(count: int) -> list[bytes]:
    """Messages that do not all arrive in one read: what is put lands between two of them."""
    return [a_message(number, octets=24_000) for number in range(1, count + 1)]


class TestCommittingBesideTheRetrieval:
    async def test_messages_are_taken_while_those_before_them_are_committed(self, aws: Aws) -> None:
        async with ScriptedServer(large_mails(150)) as server:
            collection = Collection(aws, server, max_messages_per_cycle=200)
            records = SlowRecords(collection)
            collection.with_parts(records=records, store=CountingBucket(150, records.may_go_on.set))
            fetch = await collection.cycle()
        assert (fetch.stored, records.asked) == (150, 2)
        assert (await collection.state()).stored_total == 150

    async def test_no_more_than_another_commits_worth_of_messages_waits_for_one(
        self, aws: Aws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cycle_record, "MESSAGES_PER_COMMIT", 5)
        waited_at: list[int] = []
        async with ScriptedServer(large_mails(60)) as server:
            collection = Collection(aws, server)
            records, bucket = SlowRecords(collection), CountingBucket()
            collection.with_parts(records=records, store=bucket)
            committed = CycleRecord.committed

            async def waited_for(record: CycleRecord) -> None:
                waited_at.append(bucket.count)
                records.may_go_on.set()
                await committed(record)

            monkeypatch.setattr(CycleRecord, "committed", waited_for)
            await collection.cycle()
        assert 5 + 5 <= waited_at[0] < 60
        assert (await collection.state()).stored_total == 60

    async def test_a_put_that_fails_meanwhile_does_not_keep_it_from_being_told(self, aws: Aws) -> None:
        class FailsLater(CountingBucket):
            async def put(self, key: str, content: bytes, sha256: bytes, metadata: dict[str, str]) -> None:
                await super().put(key, content, sha256, metadata)
                if self.count > 120:
                    raise StorageUnavailable("S3 is down.")

        async with ScriptedServer(large_mails(150)) as server:
            collection = Collection(aws, server, max_messages_per_cycle=200)
            records = SlowRecords(collection)
            collection.with_parts(records=records, store=FailsLater(121, records.may_go_on.set))
            with pytest.raises(StorageUnavailable, match="S3 is down"):
                await collection.cycle()
        told = sum(len(cast(list[object], event["messages"])) for event in collection.bus.named("MessageStored"))
        assert told == (await collection.state()).stored_total >= 100

    async def test_a_put_that_fails_in_an_unknown_way_ends_the_cycle(self, aws: Aws) -> None:
        async with ScriptedServer(mails(3)) as server:
            collection = Collection(aws, server)
            collection.with_parts(store=BucketInMemory(BrokenPipeError("EPIPE")))
            with pytest.raises(BrokenPipeError):
                await collection.cycle()
            assert (await collection.state()).stored_total == 0

    async def test_a_commit_that_fails_meanwhile_sends_the_request_back(self, aws: Aws) -> None:
        async with ScriptedServer(mails(150)) as server:
            collection = Collection(aws, server, max_messages_per_cycle=200, after_fetch=AfterFetch.DELETE)
            whole = collection.parts
            records = SlowRecords(collection, StorageUnavailable("The table is down."))
            records.may_go_on.set()
            collection.with_parts(records=records)
            with pytest.raises(StorageUnavailable, match="table is down"):
                await collection.cycle()
            assert len(server.mailbox) == 150
            collection.with_parts(records=whole.records)
            await collection.cycle()
            assert server.mailbox == []
        assert collection.contents() == sorted(mails(150))


class TestCounting:
    async def test_only_what_is_stored_counts(self, aws: Aws) -> None:
        async with ScriptedServer(mails(5), on={}) as server:
            server.on["RETR"] = refusing(server, b"uid-2")
            collection = Collection(aws, server)
            for _ in range(4):
                await collection.cycle()
            assert (await collection.state()).stored_total == 4

    async def test_what_is_left_out_by_the_start_does_not_count_until_it_is_taken(self, aws: Aws) -> None:
        async with ScriptedServer(mails(5)) as server:
            collection = Collection(aws, server, start="now")
            await collection.cycle()
            assert (await collection.state()).stored_total == 0
            TestAnotherStart().restart(aws, collection, "all")
            await collection.cycle()
            assert (await collection.state()).stored_total == 5

    async def test_another_start_or_a_deleted_mailbox_takes_nothing_back(self, aws: Aws) -> None:
        async with ScriptedServer(mails(5)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            TestAnotherStart().restart(aws, collection, "now")
            server.mailbox.clear()
            await collection.cycle()
            assert (await collection.state()).stored_total == 5

    async def test_a_session_that_breaks_counts_what_it_brought_once(self, aws: Aws) -> None:
        async with ScriptedServer(mails(9), on={"RETR 6": [Close(), DEFAULT]}) as server:
            collection = Collection(aws, server)
            while (await collection.cycle()).remaining:
                pass
            assert (await collection.state()).stored_total == 9


class TestFailedSignIn:
    async def test_one_refusal_is_recorded_and_stops_nothing(self, aws: Aws) -> None:
        async with ScriptedServer(on={"PASS": err("[AUTH] no")}) as server:
            collection = Collection(aws, server)
            fetch = await collection.cycle()
            assert (fetch.outcome, fetch.error_code) == (Outcome.FAILED, "authentication")
            assert (await collection.stored_account()).standing is Standing.ACTIVE

    @pytest.mark.parametrize(("answer", "cycles"), [("[AUTH] no", 3), ("go away", 10)])
    @pytest.mark.quirk(number=12, part="b")
    @pytest.mark.quirk(provider="Zoho, Fastmail")
    async def test_a_row_of_refusals_stops_the_account_and_tells_once(self, aws: Aws, answer: str, cycles: int) -> None:
        async with ScriptedServer(on={"PASS": err(answer)}) as server:
            collection = Collection(aws, server)
            for _ in range(cycles - 1):
                await collection.cycle()
            assert collection.bus.named("AccountAuthFailed") == []
            await collection.cycle()
            assert (await collection.stored_account()).standing is Standing.AUTH_FAILED
            (event,) = collection.bus.named("AccountAuthFailed")
            assert (event["code"], event["stopped_at"]) == ("authentication", collection.now.isoformat())
            assert event["server_said"] == answer
            assert str(event["message"]).endswith(f"It says: {answer}")
            collection.account = await collection.stored_account()
            await collection.cycle()
            assert len(collection.bus.named("AccountAuthFailed")) == 1

    async def test_success_starts_the_count_anew(self, aws: Aws) -> None:
        answers = [err("no")] * 9
        async with ScriptedServer(on={"PASS": [*answers, DEFAULT, *answers]}) as server:
            collection = Collection(aws, server)
            for _ in range(19):
                await collection.cycle()
            assert (await collection.stored_account()).standing is Standing.ACTIVE

    @pytest.mark.quirk(number=12, part="a")
    async def test_throttling_is_never_counted_as_a_refusal(self, aws: Aws) -> None:
        async with ScriptedServer(on={"PASS": err("[LOGIN-DELAY] too frequent")}) as server:
            collection = Collection(aws, server)
            for _ in range(15):
                fetch = await collection.cycle()
            assert fetch.error_code == "login_too_frequent"
            assert (await collection.stored_account()).standing is Standing.ACTIVE
            assert (await collection.state()).failures.authentication == 0

    async def test_a_check_by_hand_that_works_brings_the_account_back(self, aws: Aws) -> None:
        async with ScriptedServer(mails(1), on={"PASS": [err("[AUTH] no")] * 3}) as server:
            collection = Collection(aws, server)
            for _ in range(3):
                await collection.cycle()
            collection.account = await collection.stored_account()
            await collection.cycle()
            assert (await collection.stored_account()).standing is Standing.ACTIVE
            assert len(collection.bus.named("AccountRecovered")) == 1
            await collection.cycle()
            assert len(collection.bus.named("AccountRecovered")) == 1
            assert (await collection.state()).stop is None

    async def test_a_stop_that_could_not_be_told_is_told_when_the_request_comes_again(self, aws: Aws) -> None:
        async with ScriptedServer(on={"PASS": err("[AUTH] no")}) as server:
            collection = Collection(aws, server)
            for _ in range(2):
                await collection.cycle()
            working = collection.bus
            collection.with_parts(bus=DeafBus())
            with pytest.raises(StorageUnavailable):
                await collection.cycle()
            assert (await collection.stored_account()).standing is Standing.AUTH_FAILED
            collection.with_parts(bus=working)
            sessions = len(server.sessions)
            for _ in range(2):
                await collection.carry_out()
            assert len(collection.bus.named("AccountAuthFailed")) == 1
            assert len(server.sessions) == sessions

    async def test_a_recovery_that_could_not_be_told_is_told_after_the_next_cycle(self, aws: Aws) -> None:
        async with ScriptedServer(mails(1), on={"PASS": [err("[AUTH] no")] * 3}) as server:
            collection = Collection(aws, server)
            for _ in range(3):
                await collection.cycle()
            collection.account = await collection.stored_account()
            working = collection.bus
            collection.with_parts(bus=DeafBus())
            await collection.cycle()
            collection.account = await collection.stored_account()
            assert collection.account.standing is Standing.ACTIVE
            collection.with_parts(bus=working)
            await collection.cycle()
            assert len(collection.bus.named("AccountRecovered")) == 1

    async def test_an_owner_who_was_quicker_is_not_told(self, aws: Aws) -> None:
        async with ScriptedServer(mails(1), on={"PASS": [err("[AUTH] no")] * 3}) as server:
            collection = Collection(aws, server)
            for _ in range(2):
                await collection.cycle()
            seen, collection.account = collection.account, replace(collection.account, version=99)
            await collection.cycle()
            collection.account = seen
            await collection.cycle()
            assert collection.bus.named("AccountAuthFailed") == collection.bus.named("AccountRecovered") == []
            assert (await collection.state()).stop is None


class TestBadConnections:
    async def test_a_port_where_nobody_listens_is_a_network_error(self, aws: Aws) -> None:
        async with ScriptedServer() as server:
            collection = Collection(aws, server)
        fetch = await collection.cycle()
        assert (fetch.outcome, fetch.error_code) == (Outcome.FAILED, "network")
        assert str(server.port) in (fetch.error_message or "")

    async def test_a_server_that_greets_with_nonsense_is_no_pop3_server(self, aws: Aws) -> None:
        async with ScriptedServer(on={"greeting": b"220 smtp.example.com ESMTP\r\n"}) as server:
            fetch = await Collection(aws, server).cycle()
        assert (fetch.outcome, fetch.error_code) == (Outcome.FAILED, "network")

    async def test_a_server_that_answers_nonsense_is_a_protocol_error(self, aws: Aws) -> None:
        async with ScriptedServer(on={"STAT": b"250 Ok\r\n"}) as server:
            fetch = await Collection(aws, server).cycle()
        assert (fetch.outcome, fetch.error_code) == (Outcome.FAILED, "protocol")

    @pytest.mark.quirk(provider="Zoho, Fastmail")
    async def test_fifty_in_a_row_stop_the_account(self, aws: Aws) -> None:
        async with ScriptedServer() as server:
            collection = Collection(aws, server)
        for _ in range(49):
            await collection.cycle()
        assert (await collection.stored_account()).standing is Standing.ACTIVE
        await collection.cycle()
        assert (await collection.stored_account()).standing is Standing.CONNECTION_FAILED
        (event,) = collection.bus.named("AccountConnectionFailed")
        assert event["server_said"] == ""


class TestConcurrency:
    async def test_a_cycle_that_was_overtaken_stops(self, aws: Aws) -> None:
        async with ScriptedServer(mails(2)) as server:
            collection = Collection(aws, server)

            async def overtake(*_: object) -> None:
                state = await collection.state()
                await collection.records.commit(collection.account, state, "another cycle")

            records = collection.records
            original = records.index

            async def index(messages):  # type: ignore[no-untyped-def]
                await overtake()
                await original(messages)

            records.index = index  # type: ignore[method-assign]
            with pytest.raises(CycleOvertaken):
                await collection.cycle()

    async def test_a_commit_whose_answer_was_lost_is_recognised_as_ours(self, aws: Aws) -> None:
        async with ScriptedServer() as server:
            collection = Collection(aws, server)
            state = await collection.state()
            first = await collection.records.commit(collection.account, state, "cycle")
            again = await collection.records.commit(collection.account, state, "cycle")
        assert first == again == await collection.state()


async def test_a_storage_failure_sends_the_request_back_and_loses_nothing(aws: Aws) -> None:
    async with ScriptedServer(mails(5)) as server:
        collection = Collection(aws, server, after_fetch=AfterFetch.DELETE)
        store = collection.parts.store

        class FailsOnce:
            part_octets = store.part_octets
            failures = 1

            def key(self, *args):  # type: ignore[no-untyped-def]
                return store.key(*args)

            async def put(self, key: str, content: bytes, sha256: bytes, metadata: dict[str, str]) -> None:
                if self.failures:
                    self.failures -= 1
                    raise StorageUnavailable("S3 is down.")
                await store.put(key, content, sha256, metadata)

        collection.with_parts(store=FailsOnce())
        with pytest.raises(StorageUnavailable):
            await collection.cycle()
        assert len(server.mailbox) == 5
        await collection.cycle()
        assert server.mailbox == []
    assert collection.contents() == sorted(mails(5))


async def test_when_no_time_is_left_for_new_messages_they_wait_for_the_next_cycle(aws: Aws) -> None:
    async with ScriptedServer(mails(5)) as server:
        collection = Collection(aws, server)
        fetch = await collection.cycle(seconds_for_new=0)
        assert (fetch.stored, fetch.remaining, fetch.error_code) == (0, 5, None)
        assert server.session.said_quit
        assert (await collection.cycle()).stored == 5


async def test_a_deadline_in_the_middle_ends_the_session_and_is_no_failed_connection(aws: Aws) -> None:
    async with ScriptedServer(mails(5), on={"RETR 3": [Hang()]}) as server:
        collection = Collection(aws, server)
        fetch = await collection.cycle(seconds=1)
        assert (fetch.stored, fetch.error_code) == (2, "deadline")
        assert (await collection.state()).failures.connection == 0
        assert (await collection.cycle()).remaining == 0
    assert collection.contents() == sorted(mails(5))


async def test_many_small_segments_are_packed(aws: Aws) -> None:
    async with ScriptedServer() as server:
        collection = Collection(aws, server)
        for number in range(70):
            server.mailbox.append(Mail(a_message(number), b"uid-%d" % number))
            await collection.cycle(later=timedelta(minutes=1))
        assert len(await collection.ledger()) == 70
        assert len(collection.items("LEDGER#")) < 10
        server.mailbox.pop(5)
        assert (await collection.cycle()).stored == 0


async def test_what_left_the_server_long_ago_is_forgotten(aws: Aws) -> None:
    async with ScriptedServer(mails(10)) as server:
        collection = Collection(aws, server)
        await collection.cycle()
        del server.mailbox[:3]
        await collection.cycle(later=timedelta(days=40))
        ledger = await collection.ledger()
        assert len(ledger) == 7
        assert {entry.disposition for entry in ledger.entries()} == {Disposition.STORED}


def test_a_new_account_has_an_empty_state() -> None:
    assert FetchState().checkpoint is None
