"""A mailbox of the deployed stack whose mail nobody collects: it is put straight into the bucket and the index."""

import asyncio
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import Any

import boto3
from botocore.config import Config

from infra.local.api import account_body
from infra.local.workspace import REGION
from popfetch.adapters.fetch_records import FetchRecordsTable
from popfetch.adapters.mail_bucket import MailBucket
from popfetch.domain.message import StoredMessage
from tests.builders.stored_messages import indexed
from tests.flow.conftest import LocalStack

_SIDE_BY_SIDE = 4
_BATCH = 500


class StoredMailbox:
    """An account of the stack's owner, which is paused."""

    def __init__(self, stack: LocalStack, name: str) -> None:
        self.name = name
        body = account_body(email=f"{name.lower()}@example.com", name=name, host="localhost", port=9, password="none")
        self.account_id: str = stack.api.post("/accounts", {**body, "verify": False})["id"]
        stack.api.post(f"/accounts/{self.account_id}/pause", {})
        self.owner_id = stack.owner.owner_id
        session = boto3.Session("test", "test", region_name=REGION)
        at: dict[str, Any] = {
            "endpoint_url": stack.workspace.endpoint_url,
            "config": Config(max_pool_connections=2 * _SIDE_BY_SIDE),
        }
        self._records = FetchRecordsTable(session.client("dynamodb", **at), stack.outputs["TableName"])
        self._bucket = MailBucket(session.client("s3", **at), stack.outputs["MailBucketName"])

    @property
    def place(self) -> str:
        """Where the console shows it."""
        return f"/mail/{self.account_id}"

    def store(self, contents: Iterable[bytes]) -> list[StoredMessage]:
        """Store messages; returns what the index says of each."""
        stored = []
        for number, content in enumerate(contents):
            message = indexed(content, account_id=self.account_id, owner_id=self.owner_id, number=number)
            self.keep(message, content)
            stored.append(message)
        self.enter(stored)
        return stored

    def keep(self, message: StoredMessage, content: bytes) -> None:
        """Put a message's octets where the index says that they are."""
        _now([self._bucket.put(message.key, content, message.sha256, {})])

    def enter(self, messages: Iterable[StoredMessage]) -> None:
        """Enter messages into the index, whose octets may be nowhere."""
        _now(self._records.index(batch) for batch in batched(messages, _BATCH, strict=False))


def _now(steps: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Take steps in threads, as the browser has an event loop in this one."""
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        list(pool.map(asyncio.run, steps))
