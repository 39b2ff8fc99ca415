"""``python -m infra.recovery table|reindex|undelete``: what was lost comes back, and nothing of it twice.

The bucket is the truth of the mail, the table of the accounts. A table of an earlier moment is therefore enough: what
was collected since lies in the bucket, from where ``reindex`` enters it anew. The next cycle enters the same into its
ledger, as it does after a cycle that died; no ledger entry is ever written here, so that no cycle skips what is not
stored. What no ledger knows is fetched again, onto the same key and index entry, as those are functions of it::

    rule disabled, queue empty -> table -> reindex -> rule enabled
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

from botocore.exceptions import BotoCoreError, ClientError

from infra.deployed import Deployed, NoSuchStack, add_arguments, deployed
from popfetch.adapters import cycle_items, fetch_state_items, keys
from popfetch.adapters.accounts_table import ABSENT
from popfetch.adapters.dynamodb_items import condition_held, from_wire, to_wire
from popfetch.adapters.sent_mail import SENT
from popfetch.domain.message import Delivery, DeliveryState, StoredMessage
from popfetch.domain.message_identity import MessageDigest, arrival_of, is_message_id

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectTypeDef

RULE: Final = "DispatchFunctionEveryMinute"
SEGMENTS: Final = 8
"""Parts of a table that are copied side by side."""

_CHUNK = 1 << 20
_UID_MAY_BE_CUT = 512
"""As long as a UID's note in an object's metadata is at most."""


type Say = Callable[[str], None]


class NotQuiet(Exception):
    """Cycles may be under way, which would write into what is being restored; the message says what to do first."""


@dataclass
class Copied:
    """What came of a table's copy: ``kept`` items were there already and are as they were."""

    written: int = 0
    kept: int = 0


@dataclass
class Reindexed:
    """What came of a walk over an account's objects; each of the lists names keys of objects.

    ``doubles`` have the content of another message of the account, ``unlike`` are not what their names say; neither is
    entered.
    """

    known: int = 0
    entered: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{len(self.entered)} entered, {self.known} were in the index"]
        lines += [f"  has the content of another message, not entered: {key}" for key in self.doubles]
        lines += [f"  is not what its name says, not entered: {key}" for key in self.unlike]
        return "\n".join(lines)


class Recovery:
    """Bringing back what a stack has lost."""

    def __init__(self, stack: Deployed) -> None:
        self._stack = stack
        self._table = stack.named("Table")
        self._bucket = stack.named("MailBucket")

    # --- the table --------------------------------------------------------------------------------------------

    def see_that_all_is_quiet(self) -> None:
        """Raises NotQuiet while the rule is enabled or the queue holds requests."""
        rule = self._stack.named(RULE)
        if self._stack.events.describe_rule(Name=rule)["State"] != "DISABLED":
            raise NotQuiet(f"Collecting goes on; disable the rule {rule} first, and wait until the queue is empty.")
        counts = self._stack.sqs.get_queue_attributes(
            QueueUrl=self._stack.named("FetchQueue"),
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        if waiting := sum(map(int, counts.values())):
            raise NotQuiet(f"{waiting} fetch requests are in the queue or under way; wait until it is empty.")

    def copy_table(self, source: str, *, overwrite: bool = False) -> Copied:
        """Put the items of a restored table into the stack's; those that are there stay, unless told otherwise.

        Run again after an interruption, it goes on where it was.
        """
        with ThreadPoolExecutor(SEGMENTS, thread_name_prefix="copy") as workers:
            parts = list(workers.map(lambda part: self._copy_part(source, part, overwrite=overwrite), range(SEGMENTS)))
        return Copied(sum(part.written for part in parts), sum(part.kept for part in parts))

    def _copy_part(self, source: str, part: int, *, overwrite: bool) -> Copied:
        copied = Copied()
        pages = self._stack.dynamodb.get_paginator("scan").paginate(
            TableName=source, Segment=part, TotalSegments=SEGMENTS, ConsistentRead=True
        )
        condition: Any = {} if overwrite else {"ConditionExpression": ABSENT}
        for page in pages:
            for item in page["Items"]:
                if condition_held(lambda: self._stack.dynamodb.put_item(TableName=self._table, Item=item, **condition)):  # noqa: B023
                    copied.written += 1
                else:
                    copied.kept += 1
        return copied

    # --- the index --------------------------------------------------------------------------------------------

    def accounts(self) -> list[tuple[str, str]]:
        """Owner and account of every account in the table, which is read whole for it."""
        pages = self._stack.dynamodb.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression=f"begins_with({keys.PARTITION}, :owner) AND attribute_exists(standing)",
            ExpressionAttributeValues=to_wire({":owner": keys.owner_partition("")}),
            ProjectionExpression="owner_id, account_id",
        )
        items = (from_wire(item) for page in pages for item in page["Items"])
        return [(item["owner_id"], item["account_id"]) for item in items]

    def with_mail(self) -> list[tuple[str, str]]:
        """Owner and account of all that has mail in the bucket."""
        top = keys.mail_prefix("", "").rstrip("/") + "/"
        return [
            (owner.removeprefix(top).rstrip("/"), account.removeprefix(owner).rstrip("/"))
            for owner in self._below(top)
            for account in self._below(owner)
        ]

    def _below(self, prefix: str) -> Iterator[str]:
        pages = self._stack.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/"
        )
        return (found["Prefix"] for page in pages for found in page.get("CommonPrefixes", []))

    def reindex(self, owner_id: str, account_id: str) -> Reindexed:
        """Enter into the index what an account has only in the bucket; again, it finds nothing to do."""
        done = Reindexed()
        known = self._indexed(account_id)
        contents = set(known.values())
        pages = self._stack.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=keys.mail_prefix(owner_id, account_id)
        )
        for page in pages:
            for found in page.get("Contents", []):
                message_id = found["Key"].rpartition("/")[2].removesuffix(".eml")
                if message_id in known:
                    done.known += 1
                    continue
                message = self._read(owner_id, account_id, message_id, found)
                if message is None:
                    done.unlike.append(found["Key"])
                elif message.sha256 in contents:
                    done.doubles.append(found["Key"])
                else:
                    self._enter(message)
                    contents.add(message.sha256)
                    done.entered.append(found["Key"])
        if done.entered:
            self._say_that_index_is_ahead(owner_id, account_id)
        return done

    def _indexed(self, account_id: str) -> dict[str, bytes]:
        """The messages in the index by their ids: the hash of each."""
        pages = self._stack.dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=f"{keys.PARTITION} = :account AND begins_with({keys.SORT}, :messages)",
            ExpressionAttributeValues=to_wire(
                {":account": keys.account_partition(account_id), ":messages": keys.MESSAGES}
            ),
            ProjectionExpression=f"{keys.SORT}, sha256",
            ConsistentRead=True,
        )
        items = (from_wire(item) for page in pages for item in page["Items"])
        return {item[keys.SORT].removeprefix(keys.MESSAGES): item["sha256"] for item in items}

    def _read(self, owner_id: str, account_id: str, message_id: str, found: "ObjectTypeDef") -> StoredMessage | None:
        """A message as its object tells of it; ``None`` where the object's name is not that of its content."""
        answer = self._stack.s3.get_object(Bucket=self._bucket, Key=found["Key"])
        digest = MessageDigest()
        for piece in answer["Body"].iter_chunks(_CHUNK):
            digest.feed(piece)
        digest.finish()
        metadata = answer["Metadata"]
        sent = SENT.items() <= metadata.items()
        uid = unquote_to_bytes(metadata.get("uid", ""))
        is_whole = len(metadata.get("uid", "")) < _UID_MAY_BE_CUT
        if not is_message_id(message_id):
            return None
        if not sent and is_whole and digest.message_id(account_id, uid) != message_id:
            return None
        fields = digest.fields
        at = arrival_of(message_id) if sent else None
        return StoredMessage(
            owner_id=owner_id,
            account_id=account_id,
            message_id=message_id,
            key=found["Key"],
            uid=uid,
            octets=digest.octets,
            sha256=digest.sha256,
            dated=at or fields.dated,
            arrived=at or fields.arrived,
            stored_at=found["LastModified"].astimezone(UTC),
            sender=fields.sender,
            subject=fields.subject,
            header_message_id=fields.message_id,
            # whether the server took it is in no object
            delivery=Delivery(DeliveryState.UNCONFIRMED, ()) if sent else None,
        )

    def _enter(self, message: StoredMessage) -> None:
        item = to_wire(cycle_items.message_to_item(message))
        condition_held(
            lambda: self._stack.dynamodb.put_item(TableName=self._table, Item=item, ConditionExpression=ABSENT)
        )

    def _say_that_index_is_ahead(self, owner_id: str, account_id: str) -> None:
        """Have the next cycle enter into its ledger what was entered here, to know it under whatever UID."""
        condition_held(
            lambda: self._stack.dynamodb.update_item(
                TableName=self._table,
                Key=to_wire(keys.fetch_state(owner_id, account_id)),
                UpdateExpression=f"SET {fetch_state_items.INDEX_AHEAD_SINCE} = :now",
                ConditionExpression=f"attribute_exists({keys.PARTITION})",
                ExpressionAttributeValues=to_wire({":now": fetch_state_items.instant_to_text(datetime.now(UTC))}),
            )
        )

    # --- the bucket -------------------------------------------------------------------------------------------

    def undelete(self, owner_id: str, account_id: str, since: datetime) -> list[str]:
        """Bring back the messages of an account that were deleted since an instant; returns their keys.

        S3 keeps what was deleted for 30 days, behind a mark, which is taken away.
        """
        pages = self._stack.s3.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=keys.mail_prefix(owner_id, account_id)
        )
        back = []
        for page in pages:
            for mark in page.get("DeleteMarkers", []):
                if mark["IsLatest"] and mark["LastModified"] >= since:
                    self._stack.s3.delete_object(Bucket=self._bucket, Key=mark["Key"], VersionId=mark["VersionId"])
                    back.append(mark["Key"])
        return back


def main(arguments: Sequence[str] | None = None, say: Say = print) -> int:
    """Do what was asked; 1 with the reason when it did not work."""
    parser = ArgumentParser(prog="python -m infra.recovery", description="What was lost comes back")
    actions = parser.add_subparsers(dest="action", required=True)
    table = actions.add_parser("table", help="copy a restored table's items into the stack's table")
    table.add_argument("--from", dest="source", required=True, help="the restored table's name")
    table.add_argument("--overwrite", action="store_true", help="also the items that are in the stack's table")
    reindex = actions.add_parser("reindex", help="enter into the index what is only in the bucket")
    undelete = actions.add_parser("undelete", help="bring back deleted messages of an account")
    undelete.add_argument("--since", type=_instant, required=True, help="deleted since, as 2026-11-26T10:00:00Z")
    for action in (reindex, undelete):
        action.add_argument("--owner", required=action is undelete, help="the owner's id")
        action.add_argument("--account", required=action is undelete, help="the account's id")
    for action in (table, reindex, undelete):
        add_arguments(action)
    chosen = parser.parse_args(arguments)
    if chosen.action == "reindex" and bool(chosen.owner) != bool(chosen.account):
        parser.error("name owner and account, or neither for all accounts")
    try:
        recovery = Recovery(deployed(chosen))
        if chosen.action == "table":
            recovery.see_that_all_is_quiet()
            copied = recovery.copy_table(chosen.source, overwrite=chosen.overwrite)
            say(f"{copied.written} items written, {copied.kept} were there.")
        elif chosen.action == "reindex":
            named = [(chosen.owner, chosen.account)] if chosen.owner else recovery.accounts()
            for owner_id, account_id in named:
                say(f"account {account_id} of owner {owner_id}: {recovery.reindex(owner_id, account_id)}")
            if not chosen.owner:
                for owner_id, account_id in sorted({*recovery.with_mail()} - {*named}):
                    say(f"account {account_id} of owner {owner_id} is not in the table; its mail stays in the bucket")
        else:
            back = recovery.undelete(chosen.owner, chosen.account, chosen.since)
            say(f"{len(back)} messages are back; `reindex` puts those into the index that are not there.")
    except (NoSuchStack, NotQuiet, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
