"""Which message is which, when UIDs and sizes do not say: nothing is taken for another, and nothing is stored twice."""

from datetime import timedelta
from typing import Any

import pytest

from popfetch.domain.account import AfterFetch
from popfetch.domain.errors import StorageUnavailable
from popfetch.domain.fetch_state import Checkpoint, Outcome
from tests.builders.aws import Aws
from tests.builders.collecting import Collection, a_message
from tests.builders.scripted_pop3_server import Close, Mail, ScriptedServer, err

TOMORROW = timedelta(days=1)


def numbered(*numbers: int) -> list[Mail]:
    """Messages of different sizes, whose UIDs are their places: servers count so after a reset."""
    return [Mail(of_one_size(number, 400 + number), b"%d" % place) for place, number in enumerate(numbers, 1)]


def of_one_size(number: int, octets: int = 600) -> bytes:
    """Message ``number``, exactly ``octets`` long, as notices of one kind are."""
    head = a_message(number, body=b"x\r\n")[:-3]
    return head + b"x" * (octets - len(head) - 2) + b"\r\n"


class TestUidsCountedAgain:
    async def test_messages_that_have_each_others_uids_are_not_stored_again(self, aws: Aws) -> None:
        async with ScriptedServer(numbered(1, 2, 3, 4)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.mailbox[:] = numbered(2, 3, 4)
            fetch = await collection.cycle()
            assert (fetch.stored, fetch.skipped) == (0, 3)
            assert (await collection.cycle()).outcome is Outcome.NOTHING_NEW
        assert len(collection.items("MESSAGE#")) == len(collection.objects()) == 4

    async def test_a_new_message_of_a_known_uid_and_the_size_of_another_is_stored(self, aws: Aws) -> None:
        async with ScriptedServer(numbered(1, 2, 3, 4)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            new = Mail(of_one_size(9, 401), b"1")  # as long as message 1, which had UID 1
            server.mailbox[:] = [new, *(Mail(m.content, b"%d" % n) for n, m in enumerate(numbered(3, 2, 4), 2))]
            assert (await collection.cycle(later=TOMORROW)).stored == 1
        assert new.content in collection.contents()
        assert len(collection.items("MESSAGE#")) == 5

    async def test_two_messages_alike_are_two_though_one_was_renamed(self, aws: Aws) -> None:
        async with ScriptedServer([Mail(a_message(1), b"old")]) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.mailbox[:] = [Mail(a_message(1), b"new"), Mail(a_message(1), b"twin")]
            fetch = await collection.cycle()
        assert (fetch.stored, fetch.skipped) == (1, 1)

    async def test_a_field_that_was_added_once_is_no_reason_to_distrust_sizes(self, aws: Aws) -> None:
        async with ScriptedServer(numbered(1, 2, 3, 4)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.mailbox[:] = [Mail(b"Status: RO\r\n" + mail.content, mail.uid) for mail in server.mailbox]
            assert (await collection.cycle(later=TOMORROW)).skipped == 4
            server.mailbox[:] = [Mail(of_one_size(9, 700), b"4")]
            assert (await collection.cycle(later=TOMORROW)).stored == 1

    async def test_looking_again_for_another_reason_is_no_reason_either(self, aws: Aws) -> None:
        async with ScriptedServer(numbered(1, 2, 3, 4)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            for _ in range(4):  # each time one size is another, so that all four are looked at
                first, *others = server.mailbox
                server.mailbox[:] = [*others, Mail(b"Status: RO\r\n" + first.content, first.uid)]
                await collection.cycle(later=TOMORROW)
            traits = (await collection.state()).traits
        assert (traits.size_surprises, traits.sizes_unstable) == (0, False)

    async def test_entries_that_a_dead_cycle_has_doubled_are_no_reason_either(self, aws: Aws) -> None:
        async with ScriptedServer(numbered(1, 2, 3, 4)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            again = list((await collection.ledger()).entries())
            await collection.records.commit(collection.account, await collection.state(), "another", again)
            server.mailbox[:] = [Mail(b"Status: RO\r\n" + mail.content, mail.uid) for mail in server.mailbox]
            await collection.cycle(later=TOMORROW)
            traits = (await collection.state()).traits
        assert (traits.size_surprises, traits.sizes_unstable) == (0, False)


class TestRenamingThatIsFoundOutBitByBit:
    """A session that breaks while renamed messages are looked at leaves the others to be looked at as well."""

    @pytest.mark.parametrize("broken", [1, 2, 3])
    async def test_what_waits_is_not_taken_for_new(self, aws: Aws, broken: int) -> None:
        async with ScriptedServer(numbered(1, 2, 3, 4), capabilities=("UIDL", "USER")) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.mailbox[:] = [Mail(mail.content, b"new-" + mail.uid) for mail in server.mailbox]
            server.on[f"RETR {broken}"] = Close()
            await collection.cycle()
            del server.on[f"RETR {broken}"]
            await collection.cycle()
            assert (await collection.cycle()).outcome is Outcome.NOTHING_NEW
        assert len(collection.items("MESSAGE#")) == len(collection.objects()) == 4

    async def test_what_waits_after_a_cycles_limit_is_not_either(self, aws: Aws) -> None:
        async with ScriptedServer(numbered(*range(1, 31))) as server:
            collection = Collection(aws, server, max_messages_per_cycle=20)
            while (await collection.cycle()).remaining:
                pass
            renamed = [Mail(mail.content, b"new-" + mail.uid) for mail in server.mailbox]
            server.mailbox[:] = [*(Mail(of_one_size(n, 800 + n), b"%d-" % n) for n in range(50, 75)), *renamed]
            while (await collection.cycle()).remaining:
                pass
        assert len(collection.items("MESSAGE#")) == len(collection.objects()) == 55


class TestAMaildropThatLooksEmptyForAWhile:
    async def test_its_messages_are_known_when_they_are_back(self, aws: Aws) -> None:
        async with ScriptedServer(numbered(1, 2, 3)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.mailbox[:] = []
            await collection.cycle()
            server.mailbox[:] = [Mail(mail.content, b"new-" + mail.uid) for mail in numbered(1, 2, 3)]
            fetch = await collection.cycle()
        assert (fetch.stored, fetch.skipped) == (0, 3)
        assert len(collection.items("MESSAGE#")) == 3

    async def test_one_that_was_emptied_here_needs_no_ledger_for_what_comes(self, aws: Aws) -> None:
        async with ScriptedServer(numbered(1, 2)) as server:
            collection = Collection(aws, server, after_fetch=AfterFetch.DELETE)
            await collection.cycle()
            server.mailbox[:] = numbered(5)
            state = await collection.state()
            assert state.checkpoint == Checkpoint(0, b"", 0)


class TestDeletingWhatWasStored:
    """Under ``delete``, what is left over from an earlier cycle is read again before it goes."""

    async def test_a_message_under_the_uid_and_size_of_a_stored_one_is_stored_before_it_goes(self, aws: Aws) -> None:
        first, second = of_one_size(1), of_one_size(2)
        async with ScriptedServer([Mail(first, b"7")]) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.mailbox[:] = [Mail(second, b"7")]
            collection.settings(after_fetch=AfterFetch.DELETE)
            await collection.cycle(later=TOMORROW)
            assert server.mailbox == []
        assert collection.contents() == sorted([first, second])

    async def test_what_is_stored_goes_without_being_stored_again(self, aws: Aws) -> None:
        async with ScriptedServer(numbered(1, 2)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            collection.settings(after_fetch=AfterFetch.DELETE)
            fetch = await collection.cycle(later=TOMORROW)
            assert server.mailbox == []
        assert (fetch.stored, fetch.deleted, collection.versions()) == (0, 2, 2)

    @pytest.mark.parametrize("answer", [err("unreadable"), Close(b"+OK\r\nSubj")])
    async def test_what_cannot_be_read_again_stays_and_holds_up_nothing(self, aws: Aws, answer: Any) -> None:
        async with ScriptedServer(numbered(1, 2, 3)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.on["RETR 2"] = answer
            server.mailbox.append(Mail(of_one_size(4, 500), b"4"))
            collection.settings(after_fetch=AfterFetch.DELETE)
            fetch = await collection.cycle(later=TOMORROW)
            assert (fetch.stored, fetch.quarantined, fetch.error_code) == (1, 0, None)
            assert [mail.uid for mail in server.mailbox] == [b"2"]
            assert (await collection.state()).troubles == {}
            del server.on["RETR 2"]
            await collection.cycle(later=TOMORROW)
            assert server.mailbox == []

    async def test_a_message_looked_at_again_keeps_the_day_it_was_stored(self, aws: Aws) -> None:
        async with ScriptedServer(numbered(1)) as server:
            collection = Collection(aws, server, after_fetch=AfterFetch.DELETE_AFTER_DAYS, delete_after_days=7)
            await collection.cycle()
            server.mailbox[:] = [Mail(b"Status: RO\r\n" + server.mailbox[0].content, b"1")]
            await collection.cycle(later=timedelta(days=4))
            assert (await collection.cycle(later=timedelta(days=3, minutes=1))).deleted == 1


class TestACycleThatDiedBetweenIndexAndLedger:
    """The index is written first: what it holds and the ledger does not is stored all the same."""

    async def died(self, collection: Collection, *, before: int = 0) -> None:
        records = collection.parts.records
        commit, commits = records.commit, 0

        async def dying(*arguments: Any, **options: Any) -> Any:
            nonlocal commits
            commits += 1
            if commits > 1:  # the first one only announces
                raise StorageUnavailable("The table is down.")
            return await commit(*arguments, **options)

        records.commit = dying  # type: ignore[method-assign]
        with pytest.raises(StorageUnavailable):
            await collection.cycle()
        records.commit = commit  # type: ignore[method-assign]
        assert len(collection.items("MESSAGE#")) == before + 3
        assert len(await collection.ledger()) == before

    async def test_is_made_good_though_the_messages_have_other_uids_by_then(self, aws: Aws) -> None:
        async with ScriptedServer(numbered(1, 2, 3)) as server:
            collection = Collection(aws, server)
            await self.died(collection)
            server.mailbox[:] = [Mail(mail.content, b"new-" + mail.uid) for mail in server.mailbox]
            await collection.cycle()
            state = await collection.state()
        assert len(collection.items("MESSAGE#")) == len(collection.objects()) == 3
        assert (state.stored_total, state.index_ahead_since) == (3, None)

    async def test_is_made_good_though_the_ledger_knows_the_uids_for_others(self, aws: Aws) -> None:
        async with ScriptedServer(numbered(7, 8, 9)) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            server.mailbox[:] = numbered(1, 2, 3)
            await self.died(collection, before=3)
            server.on["greeting"] = [err("[SYS/TEMP] not now")]
            await collection.cycle()
            server.mailbox[:] = [Mail(mail.content, b"new-" + mail.uid) for mail in server.mailbox]
            await collection.cycle(later=TOMORROW)
        assert len(collection.items("MESSAGE#")) == len(collection.objects()) == 6

    async def test_is_known_to_the_next_cycle_that_signs_in(self, aws: Aws) -> None:
        async with ScriptedServer(numbered(1, 2, 3), on={"greeting": []}) as server:
            collection = Collection(aws, server)
            await self.died(collection)
            server.on["greeting"] = [err("[SYS/TEMP] not now")]
            assert (await collection.cycle()).error_code == "temporary"
            assert (await collection.state()).index_ahead_since
            server.mailbox[:] = [Mail(mail.content, b"new-" + mail.uid) for mail in server.mailbox]
            fetch = await collection.cycle(later=TOMORROW)
        assert (fetch.stored, fetch.skipped) == (0, 3)
        assert len(collection.items("MESSAGE#")) == 3

    async def test_costs_nothing_where_the_messages_are_as_they_were(self, aws: Aws) -> None:
        async with ScriptedServer(numbered(1, 2, 3)) as server:
            collection = Collection(aws, server)
            await self.died(collection)
            fetch = await collection.cycle()
            assert fetch.remaining == 0
            assert (await collection.cycle()).outcome is Outcome.NOTHING_NEW
        assert collection.versions() == 3
