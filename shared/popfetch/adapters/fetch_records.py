"""What a cycle reads and commits, in the table.

A commit is one transaction over the fetch state and, where there are entries, one fresh ledger segment. The state
is fenced by two named facts::

    NOT_OVERTAKEN   the stored version is the one this cycle read or wrote last
    OURS            the stored item was written by this very commit, whose answer was lost

Calls to boto3 block, so each runs in a thread of the loop's executor.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from popfetch.adapters import account_items, cycle_items, fetch_state_items, keys
from popfetch.adapters.accounts_table import write_standing
from popfetch.adapters.dynamodb_items import Item, WireItem, error_code, from_wire, to_wire, translated
from popfetch.domain.account import Account
from popfetch.domain.errors import AccountNotFound, CycleOvertaken, StorageUnavailable
from popfetch.domain.fetch_state import FetchState, LastFetch
from popfetch.domain.ledger import ENTRY_OCTETS, Ledger, LedgerEntry, day_number, pack, uid_print
from popfetch.domain.message import QuarantinedMessage, StoredMessage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOT_OVERTAKEN = f"attribute_exists({keys.PARTITION}) AND {fetch_state_items.VERSION} = :seen_version"

ENTRIES_PER_SEGMENT = 12_000
"""324,000 octets, under the 400 KB that an item may have."""

ITEMS_PER_BATCH_WRITE = 25
SEGMENTS_PER_TRANSACTION = 5
FRESH_SEGMENTS_PER_PACKING = 90
FRESH_OCTETS_PER_PACKING = 1_500_000
"""A transaction may have 100 items and 4 MB; what it deletes may count as much as what it puts."""

_BATCH_ATTEMPTS = 8


class FetchRecordsTable:
    """``FetchRecords`` on the table."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table_name: str,
        *,
        wheel_shards: int = 1,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._table = table_name
        self._wheel_shards = wheel_shards
        self._sleep = sleep

    # --- reading ----------------------------------------------------------------------------------------------

    async def load(self, owner_id: str, account_id: str) -> tuple[Account, FetchState] | None:
        """The account and its state in one consistent read; ``None`` when there is no such account."""
        return await asyncio.to_thread(self._load, owner_id, account_id)

    def _load(self, owner_id: str, account_id: str) -> tuple[Account, FetchState] | None:
        with translated("Reading the account"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression=f"{keys.PARTITION} = :owner AND begins_with({keys.SORT}, :account)",
                ExpressionAttributeValues=to_wire(
                    {":owner": keys.owner_partition(owner_id), ":account": keys.account_sort_prefix(account_id)}
                ),
                ConsistentRead=True,
            )
        items = {item[keys.SORT]: item for item in map(from_wire, answer["Items"])}
        account = items.get(keys.account(owner_id, account_id)[keys.SORT])
        if account is None:
            return None
        state = items.get(keys.fetch_state(owner_id, account_id)[keys.SORT])
        return account_items.from_item(account), fetch_state_items.from_item(state)

    async def load_ledger(self, account_id: str) -> Ledger:
        """The whole ledger of an account, read consistently."""
        return await asyncio.to_thread(self._load_ledger, account_id)

    def _load_ledger(self, account_id: str) -> Ledger:
        ledger = Ledger()
        for item in self._items(account_id, keys.LEDGER):
            if item[keys.SORT].startswith(keys.PACKED_SEGMENTS):
                ledger.packed_segments.append(keys.segment_sequence(item[keys.SORT]))
            ledger.extend_packed(item[cycle_items.SEGMENT])
        return ledger

    def _items(self, account_id: str, prefix: str, **options: Any) -> Iterator[Item]:
        with translated("Reading ledger or index"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression=f"{keys.PARTITION} = :account AND begins_with({keys.SORT}, :prefix)",
                ExpressionAttributeValues=to_wire({":account": keys.account_partition(account_id), ":prefix": prefix}),
                ConsistentRead=True,
                **options,
            )
            for page in pages:
                yield from map(from_wire, page["Items"])

    # --- the index --------------------------------------------------------------------------------------------

    async def indexed_beyond(self, account_id: str, ledger: Ledger, since: datetime) -> list[LedgerEntry]:
        """Entries for the fetched messages of the index that the ledger does not know; reads all of the index.

        Of messages that were stored ``since`` then, the ledger has to know UID and content, of others the UID.
        """
        return await asyncio.to_thread(self._indexed_beyond, account_id, ledger, since)

    def _indexed_beyond(self, account_id: str, ledger: Ledger, since: datetime) -> list[LedgerEntry]:
        names = ("uid", "sha256", "stored_at", "delivery")
        items = self._items(
            account_id,
            keys.MESSAGES,
            ProjectionExpression=", ".join(f"#{name}" for name in names),
            ExpressionAttributeNames={f"#{name}": name for name in names},
        )
        first_day = day_number(since)
        missing = []
        for entry in (cycle_items.ledger_entry_of_message(item) for item in items if not item.get("delivery")):
            known = ledger.of_uid(entry.uid)
            # the content of one that was stored before may be told by its stable octets alone, which the index has not
            is_late = entry.day >= first_day
            if not known or (is_late and all(one.content != entry.content for one in known)):
                missing.append(entry)
        return missing

    async def index(self, messages: Sequence[StoredMessage]) -> None:
        """Add messages to the index; the same message again changes nothing."""
        by_id = {message.message_id: message for message in messages}
        await asyncio.gather(
            *(
                asyncio.to_thread(self._index, group)
                for group in batched(by_id.values(), ITEMS_PER_BATCH_WRITE, strict=False)
            )
        )

    def _index(self, messages: Sequence[StoredMessage]) -> None:
        puts = [{"PutRequest": {"Item": to_wire(cycle_items.message_to_item(message))}} for message in messages]
        self._batch_write("Indexing messages", puts)

    async def withdraw(self, messages: Sequence[StoredMessage]) -> None:
        """Take messages out of the index again: their account went away before they were committed."""
        gone = {m.message_id: keys.message(m.account_id, m.message_id) for m in messages}
        deletes = [{"DeleteRequest": {"Key": to_wire(key)}} for key in gone.values()]
        await asyncio.to_thread(self._batch_write, "Withdrawing messages", deletes)

    def _batch_write(self, operation: str, writes: Sequence[WireItem]) -> None:
        for group in batched(writes, ITEMS_PER_BATCH_WRITE, strict=False):
            waiting: Any = {self._table: list(group)}
            for attempt in range(_BATCH_ATTEMPTS):
                with translated(operation):
                    waiting = self._client.batch_write_item(RequestItems=waiting).get("UnprocessedItems")
                if not waiting:
                    break
                self._sleep(min(0.05 * 2**attempt, 1.0))
            else:
                raise StorageUnavailable(f"{operation} failed: the table is throttled; it is tried again.")

    # --- committing -------------------------------------------------------------------------------------------

    async def commit(
        self, account: Account, state: FetchState, cycle_id: str, entries: Sequence[LedgerEntry] = ()
    ) -> FetchState:
        """Write ``state`` over the version it carries together with ``entries``; returns it as it now stands.

        Raises CycleOvertaken, AccountNotFound and StorageUnavailable.
        """
        return await asyncio.to_thread(self._commit, account, state, cycle_id, entries)

    def _commit(self, account: Account, state: FetchState, cycle_id: str, entries: Sequence[LedgerEntry]) -> FetchState:
        groups = list(batched(entries, ENTRIES_PER_SEGMENT, strict=False)) or [()]
        for early in groups[:-1]:
            # a checkpoint must not run ahead of the entries it stands for
            held_back = replace(state, checkpoint=None)
            written = self._write_state(account, held_back, cycle_id, early)
            state = replace(
                state,
                version=written.version,
                next_segment=written.next_segment,
                fresh_segments=written.fresh_segments,
            )
        return self._write_state(account, state, cycle_id, groups[-1])

    def _write_state(
        self, account: Account, state: FetchState, cycle_id: str, entries: Sequence[LedgerEntry]
    ) -> FetchState:
        after = replace(state, version=state.version + 1)
        writes: list[WireItem] = []
        if entries:
            after = replace(after, next_segment=state.next_segment + 1, fresh_segments=state.fresh_segments + 1)
            segment = cycle_items.fresh_segment_to_item(account.account_id, state.next_segment, pack(entries))
            writes.append({"Put": {"TableName": self._table, "Item": to_wire(segment)}})
        self._transact("Committing the cycle", account, state.version, after, cycle_id, writes)
        return after

    async def compact(
        self, account: Account, state: FetchState, cycle_id: str, rewritten: Ledger | None = None
    ) -> FetchState:
        """Pack the ledger's fresh segments, or all of it as ``rewritten``; raises as ``commit`` does."""
        return await asyncio.to_thread(self._compact, account, state, cycle_id, rewritten)

    def _compact(self, account: Account, state: FetchState, cycle_id: str, rewritten: Ledger | None) -> FetchState:
        if rewritten is not None:
            return self._rewrite(account, state, cycle_id, rewritten)
        account_id = account.account_id
        fresh = _as_many_as_fit(self._items(account_id, keys.FRESH_SEGMENTS))
        tail = next(
            self._items(account_id, keys.PACKED_SEGMENTS, ScanIndexForward=False, PaginationConfig={"MaxItems": 1}),
            None,
        )
        octets = b"".join(item[cycle_items.SEGMENT] for item in fresh)
        sequence = 0
        if tail is not None:
            sequence = keys.segment_sequence(tail[keys.SORT])
            if len(tail[cycle_items.SEGMENT]) + ENTRY_OCTETS <= ENTRIES_PER_SEGMENT * ENTRY_OCTETS:
                octets = tail[cycle_items.SEGMENT] + octets
            else:
                sequence += 1
        writes = self._packed_puts(account_id, sequence, octets)
        writes += [self._delete(keys.fresh_segment(account_id, keys.segment_sequence(i[keys.SORT]))) for i in fresh]
        after = replace(state, version=state.version + 1, fresh_segments=max(0, state.fresh_segments - len(fresh)))
        self._transact("Packing the ledger", account, state.version, after, cycle_id, writes)
        return after

    def _rewrite(self, account: Account, state: FetchState, cycle_id: str, ledger: Ledger) -> FetchState:
        """Write ``ledger`` behind the packed segments, then drop what it replaces; never the other way round.

        Every fresh segment up to now is in ``ledger`` too: what this cycle committed was entered into it.
        """
        account_id = account.account_id
        fresh = self._items(account_id, keys.FRESH_SEGMENTS, ProjectionExpression=keys.SORT)
        old = [keys.fresh_segment(account_id, keys.segment_sequence(item[keys.SORT])) for item in fresh]
        old += [keys.packed_segment(account_id, sequence) for sequence in ledger.packed_segments]
        after = state
        puts = self._packed_puts(account_id, max(ledger.packed_segments, default=-1) + 1, pack(ledger.entries()))
        for group in batched(puts, SEGMENTS_PER_TRANSACTION, strict=False):
            written = replace(after, version=after.version + 1, fresh_segments=0)
            self._transact("Rewriting the ledger", account, after.version, written, cycle_id, list(group))
            after = written
        self._batch_write("Rewriting the ledger", [{"DeleteRequest": {"Key": to_wire(key)}} for key in old])
        return after

    def _packed_puts(self, account_id: str, first: int, octets: bytes) -> list[WireItem]:
        step = ENTRIES_PER_SEGMENT * ENTRY_OCTETS
        return [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": to_wire(
                        cycle_items.packed_segment_to_item(account_id, first + index, octets[start : start + step])
                    ),
                }
            }
            for index, start in enumerate(range(0, len(octets), step))
        ]

    def _delete(self, key: keys.Key) -> WireItem:
        return {"Delete": {"TableName": self._table, "Key": to_wire(key)}}

    def _transact(
        self,
        operation: str,
        account: Account,
        seen_version: int,
        after: FetchState,
        cycle_id: str,
        writes: list[WireItem],
    ) -> None:
        written_by = f"{cycle_id}:{after.version}"
        item = fetch_state_items.to_item(account.owner_id, account.account_id, after)
        put = {
            "TableName": self._table,
            "Item": to_wire({**item, fetch_state_items.WRITTEN_BY: written_by}),
            "ConditionExpression": NOT_OVERTAKEN,
            "ExpressionAttributeValues": to_wire({":seen_version": seen_version}),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            with translated(operation):
                if writes:
                    self._client.transact_write_items(TransactItems=[{"Put": put}, *writes])  # type: ignore[list-item,typeddict-item]
                else:
                    self._client.put_item(**put)  # type: ignore[arg-type]
        except StorageUnavailable as failure:
            stored = _failed_condition(failure.__cause__)
            if stored is None:
                raise
            if stored.get(fetch_state_items.WRITTEN_BY) != written_by:
                self._refuse(account, stored, failure)

    def _refuse(self, account: Account, stored: Item, failure: StorageUnavailable) -> None:
        if not stored:
            raise AccountNotFound(account.account_id) from failure
        raise CycleOvertaken(
            f"Another cycle of account {account.account_id} has committed meanwhile; this one stops, nothing is lost."
        ) from failure

    # --- quarantine, history, standing ------------------------------------------------------------------------

    async def quarantine(self, message: QuarantinedMessage) -> None:
        """Keep a visible record of a message that could not be taken."""
        item = to_wire(cycle_items.quarantined_to_item(message))
        await asyncio.to_thread(self._put, "Quarantining a message", item)

    async def release(self, account_id: str, uid: bytes) -> None:
        """Drop the record of a quarantined message that could be taken after all."""
        key = to_wire(keys.quarantined(account_id, uid_print(uid)))
        with translated("Releasing a message from quarantine"):
            await asyncio.to_thread(self._client.delete_item, TableName=self._table, Key=key)

    async def add_history(self, account: Account, cycle_id: str, fetch: LastFetch) -> None:
        """Keep a finished cycle for the owner to see, for a bounded time."""
        item = to_wire(cycle_items.finished_cycle_to_item(account, cycle_id, fetch))
        await asyncio.to_thread(self._put, "Keeping the cycle's history", item)

    def _put(self, operation: str, item: WireItem) -> None:
        with translated(operation):
            self._client.put_item(TableName=self._table, Item=item)

    async def take_off_wheel(self, account: Account) -> bool:
        """Store ``account.standing`` and leave the wheel; ``False`` when the account was changed meanwhile."""
        return await self._write_standing(account_items.change_standing(account, self._wheel_shards))

    async def put_on_wheel(self, account: Account) -> bool:
        """Store ``account.standing`` and join the wheel; ``False`` when the account was changed meanwhile."""
        return await self._write_standing(account_items.change_standing(account, self._wheel_shards))

    async def _write_standing(self, update: account_items.UpdateRequest) -> bool:
        return await asyncio.to_thread(write_standing, self._client, self._table, update)


def _as_many_as_fit(segments: Iterator[Item]) -> list[Item]:
    """The first fresh segments that one packing can merge; at least one."""
    fitting: list[Item] = []
    octets = 0
    for item in segments:
        octets += len(item[cycle_items.SEGMENT])
        if fitting and (octets > FRESH_OCTETS_PER_PACKING or len(fitting) == FRESH_SEGMENTS_PER_PACKING):
            break
        fitting.append(item)
    return fitting


def _failed_condition(cause: BaseException | None) -> Item | None:
    """The stored state that a commit's condition failed on, empty where there is none; ``None`` for other errors."""
    if not isinstance(cause, ClientError):
        return None
    code = error_code(cause)
    response: Any = cause.response
    if code == "ConditionalCheckFailedException":
        return from_wire(response.get("Item") or {})
    if code == "TransactionCanceledException":
        first = (response.get("CancellationReasons") or [{}])[0]
        if first.get("Code") == "ConditionalCheckFailed":
            return from_wire(first.get("Item") or {})
    return None
