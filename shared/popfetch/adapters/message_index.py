"""The index of messages, page by page from the table: the newest first, of one account or of many at once.

The messages of each account are read in the order of their ids, which is that of their arrival, and merged by it. How
much is read for one page is bounded; where that is all looked at, the page says how far it has come, and its cursor
goes on from there. A cursor is a position in the order and nothing else: it leads to no account of its own.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from popfetch.adapters import cycle_items, keys
from popfetch.adapters.cursors import from_cursor, to_cursor
from popfetch.adapters.dynamodb_items import Item, from_wire, to_wire, translated
from popfetch.domain.errors import InvalidCursor
from popfetch.domain.mailbox import is_account_id
from popfetch.domain.message import StoredMessage
from popfetch.domain.message_identity import arrival_of, earliest_id, is_message_id
from popfetch.domain.message_list import MessageRow, Wanted
from popfetch.ports.stored_mail import MessagePage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_READ = 2_000
"""Messages that are looked at for one page; an item has less than 1 KB, so that these are two megabytes at the most."""

MOST_AT_ONCE = 500
SMALLEST_READ = 10
SIDE_BY_SIDE = 8

_AFTER_ALL_IDS = "~"
_NAMES = {"#octets": "octets", "#delivery": "delivery", "#state": "state"}
_SHOWN = (
    f"{keys.PARTITION}, {keys.SORT}, sender, subject, dated, arrived, stored_at, "
    "#octets, #delivery.#state, #delivery.recipients"
)
_POSITION = re.compile(r"([0-9a-z]{26})\.([a-z2-7]{1,40})")

type Position = tuple[str, str]
"""Where a message stands in the order: its id, then its account's."""


@dataclass(slots=True)
class _Strand:
    """The messages of one account, as far as they were read and not yet looked at."""

    account_id: str
    rows: deque[MessageRow] = field(default_factory=deque)
    start: Item | None = None
    ended: bool = False


class MessageIndexTable:
    """``MessageIndex`` on the table."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table = table_name

    def get(self, account_id: str, message_id: str) -> StoredMessage | None:
        """A message of the index; ``None`` where there is none."""
        with translated("Reading a message"):
            found = self._client.get_item(
                TableName=self._table, Key=to_wire(keys.message(account_id, message_id)), ConsistentRead=True
            ).get("Item")
        return cycle_items.message_from_item(from_wire(found)) if found else None

    def page(self, account_ids: Sequence[str], wanted: Wanted, *, limit: int, cursor: str | None = None) -> MessagePage:
        """One page of these accounts' messages. Raises InvalidCursor."""
        after = _position_of(cursor) if cursor is not None else None
        reading = _Reading(self._client, self._table, wanted, after, account_ids)
        found: list[MessageRow] = []
        last: MessageRow | None = None
        for row in reading.rows(limit):
            last = row
            if wanted.fits(row):
                found.append(row)
            if len(found) >= limit:
                break
        if last is None or not reading.has_more:
            return MessagePage(found, None, None)
        return MessagePage(found, to_cursor(f"{last.message_id}.{last.account_id}"), arrival_of(last.message_id))


class _Reading:
    """One page being read."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table_name: str,
        wanted: Wanted,
        after: Position | None,
        account_ids: Sequence[str],
    ) -> None:
        self._client = client
        self._after = after
        self._strands = [_Strand(account_id) for account_id in dict.fromkeys(account_ids)]
        self._left = MOST_READ
        self._everything = wanted.everything
        ends = [earliest_id(wanted.before)] if wanted.before else []
        ends += [after[0]] if after else []
        self._between = (
            keys.message_sort(earliest_id(wanted.since) if wanted.since else ""),
            keys.message_sort(min(ends, default=_AFTER_ALL_IDS)),
        )
        self._request: dict[str, Any] = {
            "TableName": table_name,
            "KeyConditionExpression": f"{keys.PARTITION} = :account AND {keys.SORT} BETWEEN :oldest AND :newest",
            "ProjectionExpression": _SHOWN,
            "ExpressionAttributeNames": _NAMES,
            "ScanIndexForward": False,
        }

    @property
    def has_more(self) -> bool:
        """Whether there may be messages beyond those that were looked at."""
        return any(strand.rows or not strand.ended for strand in self._strands)

    def rows(self, limit: int) -> Iterator[MessageRow]:
        """The messages in order, until there are no more or as many were read as may be."""
        # One more than is asked for, so that a page that is full knows whether it is the last.
        share = (limit + 1 if self._everything else MOST_AT_ONCE) * (2 if len(self._strands) > 1 else 1)
        at_once = min(MOST_AT_ONCE, max(SMALLEST_READ, -(-share // max(1, len(self._strands)))))
        with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
            while True:
                empty = [strand for strand in self._strands if not strand.rows and not strand.ended]
                if empty:
                    if self._left <= 0:
                        return
                    list(pool.map(lambda strand: self._read(strand, at_once), empty))
                    self._left -= sum(len(strand.rows) for strand in empty)
                    continue
                newest = max((strand for strand in self._strands if strand.rows), key=_head, default=None)
                if newest is None:
                    return
                yield newest.rows.popleft()

    def _read(self, strand: _Strand, at_once: int) -> None:
        oldest, newest = self._between
        request = {
            **self._request,
            "Limit": at_once,
            "ExpressionAttributeValues": to_wire(
                {":account": keys.account_partition(strand.account_id), ":oldest": oldest, ":newest": newest}
            ),
            **({"ExclusiveStartKey": strand.start} if strand.start else {}),
        }
        if oldest > newest:
            strand.ended = True
            return
        with translated("Reading the list of messages"):
            answer = self._client.query(**request)
        strand.start = answer.get("LastEvaluatedKey")
        strand.ended = not strand.start
        rows = (cycle_items.message_row_from_item(from_wire(wire)) for wire in answer["Items"])
        strand.rows.extend(row for row in rows if self._after is None or _place(row) < self._after)


def _place(row: MessageRow) -> Position:
    return row.message_id, row.account_id


def _head(strand: _Strand) -> Position:
    return _place(strand.rows[0])


def _position_of(cursor: str) -> Position:
    found = _POSITION.fullmatch(from_cursor(cursor))
    if not found or not is_message_id(found[1]) or not is_account_id(found[2]):
        raise InvalidCursor
    return found[1], found[2]
