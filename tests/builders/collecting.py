"""An account, a scripted POP3 server and moto's table and bucket, put together so that a test can run cycles."""

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from popfetch.adapters import keys
from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.dynamodb_items import Item, from_wire
from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.adapters.fetch_records import FetchRecordsTable
from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.mail_bucket import MailBucket
from popfetch.adapters.pop3_dialer import Pop3Dialer
from popfetch.domain.account import Account, Direction, FetchSettings
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.domain.fetch_state import FetchState, LastFetch
from popfetch.domain.ledger import Ledger
from popfetch.domain.secret import Secret, TokenUse
from popfetch.pop3.limits import DEFAULT_LIMITS, Limits
from popfetch.services.cycle_record import CycleParts
from popfetch.services.fetch_account import carry_out_request
from popfetch.services.fetch_cycle import FetchCycle
from popfetch.services.message_taking import TimeFrame
from popfetch.services.octet_budget import OctetBudget
from tests.builders.accounts import NOON, OWNER, an_account
from tests.builders.aws import Aws
from tests.builders.journals import RecordingJournal
from tests.builders.oauth import ServerInMemory, sign_in_secrets
from tests.builders.scripted_pop3_server import ScriptedServer

HASTY = replace(DEFAULT_LIMITS, greeting_seconds=0.5, reply_seconds=0.5, idle_seconds=0.5)
"""Limits for servers that are scripted to say nothing."""


@dataclass
class PlainVault:
    """A vault whose seal is none: every password is the one it was made with, and tokens are what they are."""

    password: str

    def seal(self, secret: Secret, owner_id: str, account_id: str, use: Direction | TokenUse) -> bytes:
        return secret.reveal().encode()

    def open(self, sealed: bytes, owner_id: str, account_id: str, use: Direction | TokenUse) -> Secret:
        return Secret(sealed.decode() if isinstance(use, TokenUse) else self.password)


@dataclass
class RecordingBus:
    """A bus that keeps what was published."""

    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def publish(self, name: str, detail: dict[str, object]) -> None:
        json.dumps(detail)
        self.events.append((name, detail))

    def named(self, name: str) -> list[dict[str, object]]:
        return [detail for published, detail in self.events if published == name]


class Collection:
    """One account of a scripted server; ``now`` is the time, which only tests move."""

    def __init__(
        self,
        aws: Aws,
        server: ScriptedServer,
        *,
        limits: Limits = DEFAULT_LIMITS,
        number: int = 1,
        owner_id: str = OWNER,
        ca_file: str | None = None,
        **settings: Any,
    ) -> None:
        self.aws = aws
        self.server = server
        self.now = NOON
        self.journal = RecordingJournal()
        self.bus = RecordingBus()
        self.queue = SqsFetchQueue(aws.sqs, aws.queue_url)
        self.records = FetchRecordsTable(aws.dynamodb, aws.table, sleep=lambda _: None)
        self.vault = PlainVault(server.password)
        self.authorization_server = ServerInMemory(lambda: self.now)
        self.secrets = sign_in_secrets(
            self.vault, aws, servers=self.authorization_server, journal=self.journal, clock=lambda: self.now
        )
        self._ids = itertools.count()
        self.pauses: list[float] = []
        self.parts = CycleParts(
            records=self.records,
            store=MailBucket(aws.s3, aws.bucket),
            dialer=Pop3Dialer(HostGuard(allow_private=True), limits=limits, ca_file=ca_file),
            secrets=self.secrets,
            queue=self.queue,
            bus=self.bus,
            journal=self.journal,
            clock=lambda: self.now,
            pause=self._let_pass,
            budget=OctetBudget(32 * 1024 * 1024),
        )
        account = an_account(
            number, owner_id=owner_id, incoming=server.account_server(), fetch=FetchSettings(**settings)
        )
        self.account: Account = AccountsTable(aws.dynamodb, aws.table).add(account).account

    async def _let_pass(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)

    def with_parts(self, **parts: Any) -> None:
        """Replace parts, by faulty ones for example."""
        self.parts = replace(self.parts, **parts)

    def settings(self, **changes: Any) -> None:
        """Change the account's fetch settings, as a person would."""
        self.account = replace(self.account, fetch=replace(self.account.fetch, **changes))

    async def cycle(
        self,
        *,
        seconds: float = 60.0,
        seconds_for_new: float | None = None,
        later: timedelta = timedelta(minutes=5),
    ) -> LastFetch:
        """Run one cycle with the stored state, ``later`` than the one before."""
        self.now += later
        state = await self.state()
        loop = asyncio.get_running_loop()
        for_new = seconds if seconds_for_new is None else seconds_for_new
        frame = TimeFrame(stop_at=loop.time() + for_new, deadline=loop.time() + seconds)
        return await FetchCycle(self.parts, self.account, state, f"cycle-{next(self._ids)}", frame).run()

    async def carry_out(
        self, reason: Reason = Reason.SCHEDULE, *, due_at: datetime | None = None, correlation_id: str = ""
    ) -> None:
        """Carry out a request of the queue."""
        loop = asyncio.get_running_loop()
        frame = TimeFrame(loop.time() + 60, loop.time() + 60)
        request = FetchRequest(
            self.account.owner_id, self.account.account_id, reason, due_at or self.now, correlation_id
        )
        await carry_out_request(request, self.parts, frame)

    async def state(self) -> FetchState:
        loaded = await self.records.load(self.account.owner_id, self.account.account_id)
        assert loaded is not None
        return loaded[1]

    async def stored_account(self) -> Account:
        loaded = await self.records.load(self.account.owner_id, self.account.account_id)
        assert loaded is not None
        return loaded[0]

    async def ledger(self) -> Ledger:
        return await self.records.load_ledger(self.account.account_id)

    def objects(self) -> dict[str, bytes]:
        """What is in the bucket for the account, by key."""
        prefix = keys.mail_prefix(self.account.owner_id, self.account.account_id)
        pages = self.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=self.aws.bucket, Prefix=prefix)
        found = [row["Key"] for page in pages for row in page.get("Contents", [])]
        return {key: self.aws.s3.get_object(Bucket=self.aws.bucket, Key=key)["Body"].read() for key in found}

    def contents(self) -> list[bytes]:
        """What is in the bucket, sorted."""
        return sorted(self.objects().values())

    def versions(self) -> int:
        """How many puts the bucket has seen."""
        pages = self.aws.s3.get_paginator("list_object_versions").paginate(Bucket=self.aws.bucket)
        return sum(len(page.get("Versions", [])) for page in pages)

    def items(self, prefix: str) -> list[Item]:
        """The items of the account's partition whose sort key begins with ``prefix``."""
        pages = self.aws.dynamodb.get_paginator("query").paginate(
            TableName=self.aws.table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={
                ":pk": {"S": f"ACCOUNT#{self.account.account_id}"},
                ":prefix": {"S": prefix},
            },
        )
        return [from_wire(item) for page in pages for item in page["Items"]]

    def queued(self) -> list[dict[str, Any]]:
        """The bodies of the requests in the queue, taken from it."""
        bodies = []
        while messages := self.aws.sqs.receive_message(QueueUrl=self.aws.queue_url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                bodies.append(json.loads(message["Body"]))
                self.aws.sqs.delete_message(QueueUrl=self.aws.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


def a_message(number: int, *, octets: int = 0, date: datetime | None = None, body: bytes = b"") -> bytes:
    """Message ``number``, at least ``octets`` long."""
    when = (date or datetime(2026, 11, 1, 8, 0, tzinfo=UTC) + timedelta(minutes=number)).strftime(
        "%a, %d %b %Y %H:%M:%S +0000"
    )
    head = (
        f"Received: from mx.example.net by pop.example.com; {when}\r\n"
        f"From: Ben <ben@example.net>\r\nTo: anna@example.com\r\nSubject: Message {number}\r\n"
        f"Message-ID: <{number}@example.net>\r\nDate: {when}\r\n\r\n"
    ).encode()
    body = body or b"Hello number %d.\r\n" % number
    missing = octets - len(head) - len(body)
    line = b"All work and no play makes Jack a dull boy, and so on and so forth.\r\n"
    return head + body + (line * (missing // len(line) + 1) if missing > 0 else b"")


type Killer = Callable[[str], None]
