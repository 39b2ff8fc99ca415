"""The copies of sent mail: kept or not kept, never half, and read again for the thread of an answer."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from popfetch.adapters import keys
from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.dynamodb_items import from_wire, to_wire
from popfetch.adapters.sent_mail import MOST_REFERENCES, SentMailStore
from popfetch.domain.draft import Thread
from popfetch.domain.errors import AccountNotFound, StorageUnavailable
from popfetch.domain.message import Delivery, DeliveryState, Refusal, StoredMessage
from tests.builders.accounts import NOON, OWNER, an_account
from tests.builders.aws import Aws

ACCOUNT_ID = an_account().account_id
KEY_HASH = "c0ffee" * 10


def a_message(number: int = 1, **changes: Any) -> StoredMessage:
    message_id = f"01m1emr7v8x4c5dvjr82c9c4{number:02d}"
    defaults: dict[str, Any] = {
        "owner_id": OWNER,
        "account_id": ACCOUNT_ID,
        "message_id": message_id,
        "key": keys.mail_object(OWNER, ACCOUNT_ID, message_id, NOON),
        "uid": b"",
        "octets": 5,
        "sha256": b"s" * 32,
        "dated": NOON,
        "arrived": NOON,
        "stored_at": NOON,
        "subject": "Hello",
        "header_message_id": "<1@example.com>",
        "delivery": Delivery(
            DeliveryState.SENDING, ("bert@example.org",), (Refusal("carl@example.net", "temporary", "Later.", "4.2.1"),)
        ),
    }
    return StoredMessage(**{**defaults, **changes})


@pytest.fixture
def store(aws: Aws) -> SentMailStore:
    AccountsTable(aws.dynamodb, aws.table).add(an_account())
    return SentMailStore(aws.s3, aws.bucket, aws.dynamodb, aws.table)


def kept(aws: Aws) -> tuple[list[str], list[str]]:
    """The objects, and the items of the account beside them."""
    objects = [found["Key"] for found in aws.s3.list_objects_v2(Bucket=aws.bucket).get("Contents", [])]
    items = aws.dynamodb.query(
        TableName=aws.table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=to_wire({":pk": keys.account_partition(ACCOUNT_ID)}),
    )["Items"]
    return objects, [from_wire(item)["sk"] for item in items]


def begin(store: SentMailStore, message: StoredMessage, key_hash: str = KEY_HASH) -> bool:
    return asyncio.run(store.begin(message, b"hello", key_hash))


class TestBeginning:
    def test_keeps_the_copy_and_marks_the_key(self, aws: Aws, store: SentMailStore) -> None:
        message = a_message()
        assert begin(store, message)
        assert kept(aws) == ([message.key], [f"MESSAGE#{message.message_id}", f"SENDING#{KEY_HASH}"])
        assert asyncio.run(store.earlier(ACCOUNT_ID, KEY_HASH)) == message
        assert asyncio.run(store.stored(ACCOUNT_ID, message.message_id)) == message

    def test_without_a_key_marks_none(self, aws: Aws, store: SentMailStore) -> None:
        assert begin(store, a_message(), "")
        assert kept(aws)[1] == [f"MESSAGE#{a_message().message_id}"]

    def test_with_a_key_that_has_begun_another_keeps_nothing(self, aws: Aws, store: SentMailStore) -> None:
        assert begin(store, a_message(1))
        before = kept(aws)
        assert not begin(store, a_message(2))
        assert kept(aws) == before
        assert asyncio.run(store.earlier(ACCOUNT_ID, KEY_HASH)) == a_message(1)

    def test_for_an_account_that_is_gone_keeps_nothing(self, aws: Aws, store: SentMailStore) -> None:
        AccountsTable(aws.dynamodb, aws.table).remove(OWNER, ACCOUNT_ID)
        with pytest.raises(AccountNotFound):
            begin(store, a_message())
        assert kept(aws) == ([], [])

    @pytest.mark.parametrize("lost", ["the request", "its answer"])
    def test_that_fails_keeps_nothing(
        self, aws: Aws, store: SentMailStore, monkeypatch: pytest.MonkeyPatch, lost: str
    ) -> None:
        enter = store._enter

        def fail(message: StoredMessage, key_hash: str) -> bool:
            if lost == "its answer":
                enter(message, key_hash)
            raise StorageUnavailable("no")

        monkeypatch.setattr(store, "_enter", fail)
        with pytest.raises(StorageUnavailable):
            begin(store, a_message())
        assert kept(aws) == ([], [])

    def test_that_fails_leaves_another_ones_mark(
        self, aws: Aws, store: SentMailStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begin(store, a_message(1))
        before = kept(aws)

        def fail(*_: object) -> bool:
            raise StorageUnavailable("no")

        monkeypatch.setattr(store, "_enter", fail)
        with pytest.raises(StorageUnavailable):
            begin(store, a_message(2))
        assert kept(aws) == before


def test_withdrawn_nothing_is_left_and_the_key_is_free(aws: Aws, store: SentMailStore) -> None:
    begin(store, a_message(1))
    asyncio.run(store.withdraw(a_message(1), KEY_HASH))
    assert kept(aws) == ([], [])
    assert begin(store, a_message(2))


def test_concluded_it_says_what_became_of_it(store: SentMailStore) -> None:
    message = a_message()
    begin(store, message)
    assert message.delivery is not None
    sent = replace(message, delivery=replace(message.delivery, state=DeliveryState.SENT))
    asyncio.run(store.conclude(sent))
    assert asyncio.run(store.earlier(ACCOUNT_ID, KEY_HASH)) == sent


class TestThread:
    def thread_of(self, aws: Aws, store: SentMailStore, content: bytes) -> Thread | None:
        message = a_message()
        begin(store, message, "")
        aws.s3.put_object(Bucket=aws.bucket, Key=message.key, Body=content)
        return asyncio.run(store.thread_of(ACCOUNT_ID, message.message_id))

    @pytest.mark.parametrize(
        ("header", "references"),
        [
            (b"Message-ID: <2@b>\r\n", ("<2@b>",)),
            (b"message-id:<2@b>\n", ("<2@b>",)),
            (b"Message-ID:\r\n <2@b>\r\n", ("<2@b>",)),
            (b"Message-ID: <2@b>\r\nIn-Reply-To: <1@b>\r\n", ("<1@b>", "<2@b>")),
            (b"Message-ID: <2@b>\r\nIn-Reply-To: Your mail of Monday <1@b> <x@y>\r\n", ("<1@b>", "<2@b>")),
            (
                b"Message-ID: <2@b>\r\nReferences: <0@b>\r\n\t<1@b>\r\nIn-Reply-To: <9@b>\r\n",
                ("<0@b>", "<1@b>", "<2@b>"),
            ),
            (b"Message-ID: <2@b>\r\nReferences: <0@b> <0@b>\xff junk <1@\r\n b>\r\n", ("<0@b>", "<2@b>")),
        ],
    )
    def test_is_what_the_message_names_and_itself(
        self, aws: Aws, store: SentMailStore, header: bytes, references: tuple[str, ...]
    ) -> None:
        assert self.thread_of(aws, store, header + b"Subject: x\r\n\r\nbody") == Thread("<2@b>", references)

    @pytest.mark.parametrize("content", [b"", b"Subject: x\r\n\r\nMessage-ID: <2@b>", b"Message-ID: none\r\n\r\n"])
    def test_is_none_of_a_message_without_a_name(self, aws: Aws, store: SentMailStore, content: bytes) -> None:
        assert self.thread_of(aws, store, content) is None

    def test_of_a_long_one_keeps_the_first_and_the_latest(self, aws: Aws, store: SentMailStore) -> None:
        before = b"\r\n ".join(b"<%d@b>" % number for number in range(100))
        thread = self.thread_of(aws, store, b"Message-ID: <100@b>\r\nReferences: " + before + b"\r\n\r\n")
        assert thread is not None
        assert len(thread.references) == MOST_REFERENCES
        assert (thread.references[0], thread.references[1], thread.references[-1]) == ("<0@b>", "<62@b>", "<100@b>")

    def test_of_a_message_whose_object_is_gone_is_none(self, aws: Aws, store: SentMailStore) -> None:
        begin(store, a_message(), "")
        aws.s3.delete_object(Bucket=aws.bucket, Key=a_message().key)
        assert asyncio.run(store.thread_of(ACCOUNT_ID, a_message().message_id)) is None

    def test_of_no_message_is_none(self, store: SentMailStore) -> None:
        assert asyncio.run(store.thread_of(ACCOUNT_ID, "0" * 26)) is None
