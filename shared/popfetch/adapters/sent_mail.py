"""The copies of what was sent: object and index item as for mail that came, and the mark of the key that sent it.

The copy is there before the message is handed over, so that nothing that was sent is ever without it. In one
transaction with its index item goes the mark of the owner's Idempotency-Key, on two named conditions::

    ABSENT    the key has begun nothing before
    PRESENT   the account is still there

and on a third it is taken away again, should the message be refused::

    OURS      the key's mark is this message's, or gone

Calls to boto3 block, so each runs in a thread of the loop's executor.
"""

import asyncio
import re
from contextlib import suppress
from datetime import timedelta
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from popfetch.adapters import cycle_items, keys
from popfetch.adapters.accounts_table import ABSENT, PRESENT
from popfetch.adapters.dynamodb_items import Item, error_code, from_wire, to_wire, translated
from popfetch.adapters.mail_bucket import MailBucket
from popfetch.adapters.message_index import MessageIndexTable
from popfetch.domain.account import Direction
from popfetch.domain.draft import MESSAGE_ID, Thread
from popfetch.domain.errors import AccountNotFound, StorageUnavailable
from popfetch.domain.message import StoredMessage
from popfetch.domain.message_identity import HEADER_LIMIT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

OURS = f"attribute_not_exists({keys.PARTITION}) OR message_id = :message_id"

MARK_IS_KEPT = timedelta(days=30)
"""How long a key that has begun to send is remembered, whatever became of it."""

MOST_REFERENCES = 40
"""As many of a thread's Message-IDs are kept: the first, and the latest (RFC 5537, section 3.4.4)."""

SENT = {"direction": str(Direction.OUTGOING)}
"""What tells a copy apart in the bucket itself, where nothing else does."""

_MESSAGE_ID = re.compile(MESSAGE_ID)

_CONDITION_FAILED = "ConditionalCheckFailed"


class SentMailStore:
    """``SentMail`` on the bucket and the table."""

    def __init__(self, s3: "S3Client", bucket_name: str, dynamodb: "DynamoDBClient", table_name: str) -> None:
        self._s3 = s3
        self._bucket_name = bucket_name
        self._bucket = MailBucket(s3, bucket_name)
        self._dynamodb = dynamodb
        self._table = table_name
        self._index = MessageIndexTable(dynamodb, table_name)

    async def earlier(self, account_id: str, key_hash: str) -> StoredMessage | None:
        """The message that a key has begun to send, whatever became of it; ``None`` where it began none."""
        mark = await asyncio.to_thread(self._item, keys.sending(account_id, key_hash))
        return await self.stored(account_id, mark["message_id"]) if mark else None

    async def stored(self, account_id: str, message_id: str) -> StoredMessage | None:
        """A message of the index, whether it came or was sent; ``None`` where there is none."""
        return await asyncio.to_thread(self._index.get, account_id, message_id)

    def _item(self, key: keys.Key) -> Item | None:
        with translated("Reading a message"):
            found = self._dynamodb.get_item(TableName=self._table, Key=to_wire(key), ConsistentRead=True).get("Item")
        return from_wire(found) if found else None

    async def begin(self, message: StoredMessage, content: bytes, key_hash: str) -> bool:
        """Keep the copy and mark the key, if there is one; ``False`` when the key has begun another meanwhile.

        Raises AccountNotFound and StorageUnavailable; nothing is kept then.
        """
        await self._bucket.put(message.key, content, message.sha256, SENT)
        try:
            entered = await asyncio.to_thread(self._enter, message, key_hash)
        except AccountNotFound:
            await self._discard(message.key)
            raise
        except StorageUnavailable:
            # It may be there all the same, with only the answer lost.
            with suppress(StorageUnavailable):
                await self.withdraw(message, key_hash)
            raise
        if not entered:
            await self._discard(message.key)
        return entered

    def _enter(self, message: StoredMessage, key_hash: str) -> bool:
        account = {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": to_wire(keys.account(message.owner_id, message.account_id)),
                "ConditionExpression": PRESENT,
            }
        }
        writes: list[dict[str, Any]] = [account, self._put(cycle_items.message_to_item(message))]
        if key_hash:
            writes.append(self._put(self._mark(message, key_hash)))
        with translated("Keeping what is sent"):
            try:
                self._dynamodb.transact_write_items(TransactItems=writes)  # type: ignore[arg-type]
            except ClientError as error:
                gone, *taken = _failed_conditions(error, len(writes))
                if gone:
                    raise AccountNotFound(message.account_id) from error
                if not any(taken):
                    raise
                return False
        return True

    def _put(self, item: Item) -> dict[str, Any]:
        return {"Put": {"TableName": self._table, "Item": to_wire(item), "ConditionExpression": ABSENT}}

    def _mark(self, message: StoredMessage, key_hash: str) -> Item:
        return {
            **keys.sending(message.account_id, key_hash),
            "message_id": message.message_id,
            keys.EXPIRES_AT: int((message.stored_at + MARK_IS_KEPT).timestamp()),
        }

    async def conclude(self, message: StoredMessage) -> None:
        """Write down how the sending of a message that was begun went. Raises StorageUnavailable."""
        item = to_wire(cycle_items.message_to_item(message))
        with translated("Noting what became of a message"):
            await asyncio.to_thread(self._dynamodb.put_item, TableName=self._table, Item=item)

    async def withdraw(self, message: StoredMessage, key_hash: str) -> None:
        """Take copy and mark away again: the message was surely not sent. Raises StorageUnavailable."""
        await asyncio.to_thread(self._remove, message, key_hash)
        await self._discard(message.key)

    def _remove(self, message: StoredMessage, key_hash: str) -> None:
        """Delete the index item, and the mark unless it is another message's."""
        item = {"TableName": self._table, "Key": to_wire(keys.message(message.account_id, message.message_id))}
        mark = {
            "TableName": self._table,
            "Key": to_wire(keys.sending(message.account_id, key_hash)),
            "ConditionExpression": OURS,
            "ExpressionAttributeValues": to_wire({":message_id": message.message_id}),
        }
        with translated("Withdrawing a message"):
            if key_hash:
                try:
                    self._dynamodb.transact_write_items(TransactItems=[{"Delete": item}, {"Delete": mark}])  # type: ignore[typeddict-item]
                except ClientError as error:
                    if not any(_failed_conditions(error, 2)):
                        raise
                else:
                    return
            self._dynamodb.delete_item(**item)  # type: ignore[arg-type]

    async def _discard(self, key: str) -> None:
        """Delete a copy that nothing names any more; one that stays is only in the way."""
        try:
            await asyncio.to_thread(self._s3.delete_object, Bucket=self._bucket_name, Key=key)
        except (ClientError, BotoCoreError):
            return

    async def thread_of(self, account_id: str, message_id: str) -> Thread | None:
        """The thread that an answer to a stored message belongs to; ``None`` where there is no such message.

        It is read from the message itself: what it names as its References, or else what it answers, and itself
        (RFC 5322, section 3.6.4). A message without a Message-ID has no thread either.
        """
        message = await self.stored(account_id, message_id)
        if message is None:
            return None
        block = await asyncio.to_thread(self._bucket.read, message.key, HEADER_LIMIT) or b""
        fields = BytesHeaderParser().parsebytes(block)
        own = _message_ids(fields.get("Message-ID"))[:1]
        before = _message_ids(fields.get("References")) or _message_ids(fields.get("In-Reply-To"))[:1]
        return Thread(own[0], _shortened((*before, *own))) if own else None

    async def content(self, message: StoredMessage) -> bytes | None:
        """A message octet for octet, all of it; ``None`` where it has gone from the bucket."""
        return await asyncio.to_thread(self._bucket.read, message.key)


def _message_ids(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(str(value or ""))))


def _shortened(references: tuple[str, ...]) -> tuple[str, ...]:
    if len(references) <= MOST_REFERENCES:
        return references
    return (references[0], *references[-(MOST_REFERENCES - 1) :])


def _failed_conditions(error: ClientError, writes: int) -> list[bool]:
    """Which of a transaction's conditions did not hold."""
    if error_code(error) != "TransactionCanceledException":
        return [False] * writes
    reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return [reason.get("Code") == _CONDITION_FAILED for reason in reasons] or [False] * writes
