import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from popfetch.adapters import cycle_items, fetch_state_items, keys
from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.dynamodb_items import from_wire, to_wire
from popfetch.adapters.fetch_records import ENTRIES_PER_SEGMENT, FetchRecordsTable
from popfetch.domain.account import Account, Standing
from popfetch.domain.errors import AccountNotFound, CycleOvertaken, StorageUnavailable
from popfetch.domain.fetch_state import Checkpoint, FetchState, Progress, Stop
from popfetch.domain.ledger import Ledger, LedgerEntry, uid_print
from popfetch.domain.message import StoredMessage
from tests.bench.metering import size_of
from tests.builders.accounts import NOON, an_account
from tests.builders.aws import Aws


@pytest.fixture
def records(aws: Aws) -> FetchRecordsTable:
    return FetchRecordsTable(aws.dynamodb, aws.table, sleep=lambda _: None)


@pytest.fixture
def account(aws: Aws) -> Account:
    return AccountsTable(aws.dynamodb, aws.table).add(an_account()).account


def entries(count: int, first: int = 0) -> list[LedgerEntry]:
    return [LedgerEntry(uid_print(b"%d" % number), 100, b"content!", 1) for number in range(first, first + count)]


def a_stored_message(account: Account, number: int) -> StoredMessage:
    return StoredMessage(
        account.owner_id,
        account.account_id,
        f"id{number:04}",
        f"mail/{number}.eml",
        b"uid",
        100,
        b"hash",
        NOON,
        NOON,
        NOON,
    )


async def test_state_and_entries_are_committed_together(records: FetchRecordsTable, account: Account) -> None:
    state = FetchState(checkpoint=Checkpoint(3, b"last", 300))
    written = await records.commit(account, state, "cycle", entries(3))
    assert (written.version, written.next_segment, written.fresh_segments) == (1, 1, 1)
    loaded = await records.load(account.owner_id, account.account_id)
    assert loaded is not None
    assert loaded[1] == written
    assert sorted(map(repr, (await records.load_ledger(account.account_id)).entries())) == sorted(map(repr, entries(3)))


def test_a_stop_comes_back_as_it_was_written(account: Account) -> None:
    stop = Stop(Standing.AUTH_FAILED, NOON, "authentication", "It says: no", server_said="no", told=True)
    item = fetch_state_items.to_item(account.owner_id, account.account_id, FetchState(stop=stop))
    assert fetch_state_items.from_item(item).stop == stop


def test_a_stop_from_before_servers_words_were_kept_apart_has_none(account: Account) -> None:
    stop = Stop(Standing.AUTH_FAILED, NOON, "authentication", "It says: no")
    item = fetch_state_items.to_item(account.owner_id, account.account_id, FetchState(stop=stop))
    del item["stop"]["said"]
    assert fetch_state_items.from_item(item).stop == stop


def test_progress_and_count_come_back_as_they_were_written(account: Account) -> None:
    state = FetchState(stored_total=71, progress=Progress(NOON, NOON, listed=100, remaining=29, stored=21))
    item = fetch_state_items.to_item(account.owner_id, account.account_id, state)
    assert fetch_state_items.from_item(from_wire(to_wire(item))) == state


def test_a_state_from_before_messages_were_counted_has_none() -> None:
    item = {"version": 3, "start_applied": True}
    assert fetch_state_items.from_item(item) == FetchState(version=3, start_applied=True)


async def test_more_entries_than_an_item_holds_go_into_several_and_the_checkpoint_comes_last(
    records: FetchRecordsTable, account: Account
) -> None:
    many = entries(ENTRIES_PER_SEGMENT * 2 + 5)
    written = await records.commit(account, FetchState(checkpoint=Checkpoint(1)), "cycle", many)
    assert (written.version, written.next_segment) == (3, 3)
    assert written.checkpoint == Checkpoint(1)
    assert len(await records.load_ledger(account.account_id)) == len(many)


async def test_a_commit_over_a_stale_version_is_overtaken_and_writes_nothing(
    records: FetchRecordsTable, account: Account
) -> None:
    await records.commit(account, FetchState(), "one")
    with pytest.raises(CycleOvertaken):
        await records.commit(account, FetchState(), "other", entries(1))
    assert len(await records.load_ledger(account.account_id)) == 0


@pytest.mark.parametrize("count", [0, 2])
async def test_a_commit_for_an_account_that_is_gone_writes_nothing(
    records: FetchRecordsTable, account: Account, aws: Aws, count: int
) -> None:
    AccountsTable(aws.dynamodb, aws.table).remove(account.owner_id, account.account_id)
    with pytest.raises(AccountNotFound):
        await records.commit(account, FetchState(), "cycle", entries(count))
    assert len(await records.load_ledger(account.account_id)) == 0


@pytest.mark.parametrize("count", [0, 2])
async def test_the_same_commit_again_after_a_lost_answer_is_the_same_commit(
    records: FetchRecordsTable, account: Account, count: int
) -> None:
    first = await records.commit(account, FetchState(), "cycle", entries(count))
    assert await records.commit(account, FetchState(), "cycle", entries(count)) == first
    assert len(await records.load_ledger(account.account_id)) == count


async def test_packing_keeps_every_entry(records: FetchRecordsTable, account: Account) -> None:
    state = FetchState()
    for number in range(5):
        state = await records.commit(account, state, "cycle", entries(3, first=number * 3))
    state = await records.compact(account, state, "cycle")
    ledger = await records.load_ledger(account.account_id)
    assert (len(ledger), ledger.packed_segments, state.fresh_segments) == (15, [0], 0)
    state = await records.commit(account, state, "cycle", entries(1, first=99))
    await records.compact(account, state, "cycle")
    ledger = await records.load_ledger(account.account_id)
    assert (len(ledger), ledger.packed_segments) == (16, [0])


async def test_packing_spills_into_further_segments(records: FetchRecordsTable, account: Account) -> None:
    state = FetchState()
    for number in range(3):
        state = await records.commit(
            account, state, "cycle", entries(ENTRIES_PER_SEGMENT - 1, first=number * ENTRIES_PER_SEGMENT)
        )
    await records.compact(account, state, "cycle")
    ledger = await records.load_ledger(account.account_id)
    assert len(ledger) == 3 * (ENTRIES_PER_SEGMENT - 1)
    assert len(ledger.packed_segments) == 3


async def test_a_rewritten_ledger_replaces_the_old_one(records: FetchRecordsTable, account: Account) -> None:
    state = await records.commit(account, FetchState(), "cycle", entries(5))
    state = await records.compact(account, state, "cycle")
    state = await records.commit(account, state, "cycle", entries(5, first=5))
    ledger = await records.load_ledger(account.account_id)
    kept = Ledger()
    kept.packed_segments = ledger.packed_segments
    kept.extend(entry for entry in ledger.entries() if entry.uid != uid_print(b"0"))
    await records.compact(account, state, "cycle", kept)
    assert len(await records.load_ledger(account.account_id)) == 9


async def test_the_same_message_twice_is_one_item(records: FetchRecordsTable, account: Account, aws: Aws) -> None:
    messages = [a_stored_message(account, number % 30) for number in range(60)]
    await records.index(messages)
    answer = aws.dynamodb.query(
        TableName=aws.table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"ACCOUNT#{account.account_id}"}},
    )
    assert answer["Count"] == 30
    await records.withdraw(messages)
    assert await records.load_ledger(account.account_id) is not None


@given(
    uid=st.binary(max_size=400),
    sender=st.text(max_size=120),
    subject=st.text(max_size=200),
    header_message_id=st.text(max_size=200),
)
@example(b"u" * 256, "Ä" * 120, "会" * 200, "m" * 200)
def test_a_message_is_indexed_by_one_write_unit(uid: bytes, sender: str, subject: str, header_message_id: str) -> None:
    account = an_account()
    message_id = "01m1emr7v8x4c5dvjr82c9c4dw"
    message = StoredMessage(
        account.owner_id,
        account.account_id,
        message_id,
        keys.mail_object(account.owner_id, account.account_id, message_id, NOON),
        uid,
        48_000_000_000,
        bytes(32),
        NOON,
        NOON,
        NOON,
        sender,
        subject,
        header_message_id,
    )
    item = cycle_items.message_to_item(message)
    assert size_of(to_wire(item)) <= 1024
    kept = cycle_items.message_from_item(from_wire(to_wire(item)))
    assert subject.startswith(kept.subject)
    assert sender.startswith(kept.sender)
    if len(uid) + len((sender + subject + header_message_id).encode()) < 500:
        assert (kept.uid, kept.sender, kept.subject, kept.header_message_id) == (
            uid[:256],
            sender,
            subject,
            header_message_id,
        )


async def test_an_account_that_changed_meanwhile_keeps_its_standing(
    records: FetchRecordsTable, account: Account
) -> None:
    assert await records.take_off_wheel(account)
    assert not await records.put_on_wheel(account)


async def test_what_the_table_cannot_do_is_storage_unavailable(aws: Aws, account: Account) -> None:
    elsewhere = FetchRecordsTable(aws.dynamodb, "no-such-table", sleep=lambda _: None)
    with pytest.raises(StorageUnavailable):
        await elsewhere.load(account.owner_id, account.account_id)
    with pytest.raises(StorageUnavailable):
        await elsewhere.commit(account, FetchState(), "cycle")
    with pytest.raises(StorageUnavailable):
        await elsewhere.index([a_stored_message(account, 1)])
