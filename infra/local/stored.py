"""What the stack has stored for an account, read from the bucket and the table as an operator would."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.conditions import Key

from infra.local.clients import Clients
from popfetch.adapters import keys


@dataclass(frozen=True)
class StoredObject:
    """One object of the bucket."""

    key: str
    size: int


class StoredAccount:
    """One account's objects and items."""

    def __init__(self, clients: Clients, outputs: Mapping[str, str], owner_id: str, account_id: str) -> None:
        self._s3 = clients.s3()
        self._table = clients.dynamodb().Table(outputs["TableName"])
        self._bucket = outputs["MailBucketName"]
        self._owner_id = owner_id
        self._account_id = account_id

    @property
    def prefix(self) -> str:
        """What the keys of the stored messages begin with."""
        return keys.mail_prefix(self._owner_id, self._account_id)

    def objects(self) -> list[StoredObject]:
        """The stored messages, by key."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self.prefix)
        return [StoredObject(item["Key"], item["Size"]) for page in pages for item in page.get("Contents", [])]

    def content(self, key: str) -> bytes:
        """The octets of a stored message."""
        return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def state(self) -> dict[str, Any]:
        """The item of the account's fetch state; empty before the first cycle."""
        return self._table.get_item(Key=keys.fetch_state(self._owner_id, self._account_id)).get("Item", {})

    def item_counts(self) -> dict[str, int]:
        """How many items of each kind the account has accumulated."""
        counts: Counter[str] = Counter()
        start: dict[str, Any] = {}
        while True:
            page = self._table.query(
                KeyConditionExpression=Key(keys.PARTITION).eq(keys.account_partition(self._account_id)), **start
            )
            counts.update(str(item[keys.SORT]).partition("#")[0].lower() for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return dict(counts)
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def last_log_lines(clients: Clients, stack_name: str, count: int = 15) -> str:
    """The last lines that each function logged, for the reader of a failure."""
    logs = clients.logs()
    parts = []
    groups = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{stack_name}-")["logGroups"]
    for group in groups:
        events = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        lines = [event["message"].rstrip()[:600] for event in events]
        lines = [line for line in lines if line and not line.startswith(("START ", "END ", "REPORT "))]
        parts.append(f"--- {group['logGroupName']}\n" + "\n".join(lines[-count:]))
    return "\n".join(parts)
