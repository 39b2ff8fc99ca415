"""The stack in other processes: accounts, their requests, and what became of them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from popfetch.adapters import keys
from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.credential_vault import CredentialVault
from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.adapters.fetch_records import FetchRecordsTable
from popfetch.domain.account import Account, Direction, FetchSettings
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.domain.fetch_state import FetchState
from popfetch.domain.ledger import Ledger
from popfetch.domain.secret import Secret
from tests.builders.accounts import an_account, an_account_id
from tests.builders.aws import Aws
from tests.builders.deliveries import next_event
from tests.real.mailbox import Mailbox


@dataclass(frozen=True)
class Collector:
    """One account of the stack."""

    aws: Aws
    account: Account

    @classmethod
    def add(cls, aws: Aws, mailbox: Mailbox, number: int, *, owner: str = "", **settings: Any) -> "Collector":
        """Add account ``number``, alone of its owner unless one is named, with its password sealed."""
        owner = owner or f"owner-{number}"
        vault = CredentialVault(aws.kms, aws.dynamodb, aws.table, aws.key_id)
        sealed = vault.seal(Secret(mailbox.password), owner, an_account_id(number), Direction.INCOMING)
        account = an_account(
            number,
            owner_id=owner,
            incoming=mailbox.account_server(),
            incoming_secret=sealed,
            fetch=FetchSettings(**settings),
        )
        return cls(aws, AccountsTable(aws.dynamodb, aws.table).add(account).account)

    # --- Asking for fetches -----------------------------------------------------------------------------------

    def ask(self) -> None:
        """Queue a check."""
        request = FetchRequest(self.account.owner_id, self.account.account_id, Reason.CHECK_NOW, datetime.now(UTC))
        SqsFetchQueue(self.aws.sqs, self.aws.queue_url).send([request])

    def next_event(self) -> dict[str, Any] | None:
        """The queue's next delivery as Lambda hands it over; it stays until ``settle``."""
        event = next_event(self.aws, at_most=1)
        if event is not None:
            assert json.loads(event["Records"][0]["body"])["account_id"] == self.account.account_id
        return event

    def settle(self, event: dict[str, Any]) -> None:
        """The delivery is done."""
        receipt = event["Records"][0]["receiptHandle"]
        self.aws.sqs.delete_message(QueueUrl=self.aws.queue_url, ReceiptHandle=receipt)

    # --- What became of them ----------------------------------------------------------------------------------

    def object_keys(self) -> list[str]:
        prefix = keys.mail_prefix(self.account.owner_id, self.account.account_id)
        pages = self.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=self.aws.bucket, Prefix=prefix)
        return [row["Key"] for page in pages for row in page.get("Contents", [])]

    def object_digest(self, key: str) -> str:
        """The SHA-256 of an object, read in pieces."""
        digest = sha256()
        for piece in self.aws.s3.get_object(Bucket=self.aws.bucket, Key=key)["Body"].iter_chunks(1 << 20):
            digest.update(piece)
        return digest.hexdigest()

    def object_digests(self) -> list[str]:
        return sorted(map(self.object_digest, self.object_keys()))

    def indexed(self) -> list[str]:
        """The object keys in the index."""
        answer = self.aws.dynamodb.query(
            TableName=self.aws.table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={
                ":pk": {"S": keys.account_partition(self.account.account_id)},
                ":prefix": {"S": keys.MESSAGES},
            },
        )
        assert "LastEvaluatedKey" not in answer
        return [item["key"]["S"] for item in answer["Items"]]

    def ledger(self) -> Ledger:
        return self._records._load_ledger(self.account.account_id)

    def state(self) -> FetchState:
        loaded = self._records._load(self.account.owner_id, self.account.account_id)
        assert loaded is not None
        return loaded[1]

    @property
    def _records(self) -> FetchRecordsTable:
        return FetchRecordsTable(self.aws.dynamodb, self.aws.table)
