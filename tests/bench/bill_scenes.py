"""Cycles as they are on AWS, counted: the real handlers, batches from the queue, scripted mail servers over TLS."""

import asyncio
import json
import threading
import urllib.request
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.credential_vault import CredentialVault
from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.domain.account import Account, Direction, FetchSettings, Security
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.domain.secret import Secret
from tests.bench.bill_counts import Counted
from tests.bench.function_process import FunctionProcess, Invocation
from tests.bench.layer_copy import FETCH_LOCK, build_layer, copy_locked
from tests.builders.accounts import an_account, an_account_id
from tests.builders.aws import Aws
from tests.builders.deliveries import next_event
from tests.builders.scripted_pop3_server import Mail, ScriptedServer, authority_file
from tests.real.moto_process import stack_in_a_process

MESSAGE_OCTETS = 32 * 1024
"""As long as each message is."""

KEPT_BEFORE = 200
"""Messages that are in a mailbox from the start and of no interest."""

ROUND_TRIPS_TO_GREETING = 3
"""TCP, TLS 1.3, and the greeting."""

_LINE = b"All work and no play makes Jack a dull boy, and so on, and so forth, as it has always been.\r\n"


def a_realistic_message(number: int) -> bytes:
    """A message whose fields are as long as those of most mail."""
    when = (datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    head = (
        f"Received: from mx-out-{number % 7}.example.net (mx-out.example.net [192.0.2.7])\r\n"
        f"\tby pop.example.com (Postfix) with ESMTPS id 4XyZ{number:08d}\r\n\tfor <anna@example.com>; {when}\r\n"
        f"From: Benedikt Sonnenschein <benedikt.sonnenschein@example.net>\r\nTo: anna@example.com\r\n"
        f"Subject: Re: What we said last week about the order, number {number}\r\n"
        f"Message-ID: <CAF{number:08d}x7JdK2mQvN3pR5tW8yB1zE4gH6jL9nM0qS@mail.example.net>\r\nDate: {when}\r\n\r\n"
    ).encode()
    return head + _LINE * ((MESSAGE_OCTETS - len(head)) // len(_LINE))


class MailServers:
    """Scripted servers on an event loop of their own, in a thread; use it as a context manager."""

    def __init__(self) -> None:
        self.running: list[ScriptedServer] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.running:
            self._wait(server.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _wait[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def start(self, messages: int) -> ScriptedServer:
        """One more server, with so many messages."""
        server = ScriptedServer(
            security=Security.TLS,
            capabilities=("TOP", "UIDL", "USER", "SASL PLAIN", "PIPELINING", "RESP-CODES"),
        )
        deliver(server, messages)
        self.running.append(server)
        self._wait(server.__aenter__())
        return server


def deliver(server: ScriptedServer, messages: int) -> None:
    """Put new messages at the end of a server's mailbox."""
    first = len(server.mailbox) + 1
    server.mailbox += [
        Mail(a_realistic_message(number), b"%08x5e2a1f30" % number) for number in range(first, first + messages)
    ]


class Scene:
    """A stack whose AWS is metered, with mail servers and accounts of its own; made by ``scene``."""

    def __init__(self, aws: Aws, endpoint: str, process: FunctionProcess, servers: MailServers) -> None:
        self.aws = aws
        self._endpoint = endpoint
        self._process = process
        self._servers = servers
        self._queue = SqsFetchQueue(aws.sqs, aws.queue_url)
        self._numbers = 0

    def fleet(self, accounts: int, *, messages: int = KEPT_BEFORE, start: str = "now") -> "Fleet":
        """Accounts of as many owners, each with a server of its own."""
        return Fleet(self, [self._account(messages, start) for _ in range(accounts)])

    def server(self) -> ScriptedServer:
        """A mail server that no account has yet."""
        return self._servers.start(0)

    def _account(self, messages: int, start: str) -> tuple[Account, ScriptedServer]:
        server = self._servers.start(messages)
        account = self.add_account(server, start=start)
        return account, server

    def add_account(self, server: ScriptedServer, **settings: Any) -> Account:
        """One more account, alone of its owner, of a server."""
        self._numbers += 1
        owner, account_id = f"0b7d5ad2-5f8c-4d1b-9a55-{self._numbers:012d}", an_account_id(self._numbers)
        vault = CredentialVault(self.aws.kms, self.aws.dynamodb, self.aws.table, self.aws.key_id)
        account = an_account(
            self._numbers,
            owner_id=owner,
            incoming=server.account_server(host="localhost"),
            incoming_secret=vault.seal(Secret(server.password), owner, account_id, Direction.INCOMING),
            fetch=FetchSettings(**settings),
        )
        return AccountsTable(self.aws.dynamodb, self.aws.table).add(account).account

    def ask(self, accounts: list[Account]) -> None:
        """Queue a scheduled check of each account."""
        now = datetime.now(UTC)
        self._queue.send([FetchRequest(a.owner_id, a.account_id, Reason.SCHEDULE, now) for a in accounts])

    def next_batch(self) -> dict[str, Any] | None:
        """What Lambda would hand over next."""
        return next_event(self.aws)

    def invoke(self, function: str, event: dict[str, Any]) -> tuple[Invocation, dict[str, Any]]:
        """Call a handler; returns how it went, and what the meter counted meanwhile."""
        self.read_meter()
        done = self._process.invoke(function, event)
        return done, self.read_meter()

    def settle(self, event: dict[str, Any]) -> None:
        """Delete a batch from the queue, as Lambda does."""
        for record in event["Records"]:
            self.aws.sqs.delete_message(QueueUrl=self.aws.queue_url, ReceiptHandle=record["receiptHandle"])

    def read_meter(self) -> dict[str, Any]:
        """What was counted since the last time."""
        with urllib.request.urlopen(f"{self._endpoint}/_meter") as answer:
            found: dict[str, Any] = json.load(answer)
        return found


def dispatched(scene: Scene, minutes_ahead: int) -> Counted:
    """One minute of dispatch, so many minutes from now; what it asks for stays in the queue."""
    at = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=minutes_ahead)
    done, metered = scene.invoke("dispatch", {"time": at.strftime("%Y-%m-%dT%H:%M:%SZ")})
    counted = Counted(cycles=done.answer["requests"], invocations=1)
    _add(counted, done, metered, 1)
    return counted


class Fleet:
    """Some accounts that are fetched in one batch."""

    def __init__(self, scene: Scene, members: list[tuple[Account, ScriptedServer]]) -> None:
        self._scene = scene
        self.accounts = [account for account, _ in members]
        self.servers = [server for _, server in members]

    def deliver(self, messages: int) -> Self:
        """New messages for each account."""
        for server in self.servers:
            deliver(server, messages)
        return self

    def change_passwords(self) -> Self:
        """Every server refuses the password that its account has."""
        for server in self.servers:
            server.password = "another one"
        return self

    def poll(self) -> Counted:
        """One cycle of each account, and those that they ask for themselves as long as mail waits."""
        counted = Counted()
        self._scene.ask(self.accounts)
        while event := self._scene.next_batch():
            sessions = [len(server.sessions) for server in self.servers]
            done, metered = self._scene.invoke("fetch", event)
            if done.answer != {"batchItemFailures": []}:
                raise RuntimeError(f"A batch came back: {done.answer}, {done.log}")
            self._scene.settle(event)
            counted.cycles += len(event["Records"])
            counted.invocations += 1
            waits = [
                sum(map(_round_trips, server.sessions[before:]))
                for server, before in zip(self.servers, sessions, strict=True)
            ]
            counted.waits += max(waits)
            _add(counted, done, metered, len(event["Records"]))
            counted.messages += metered["requests"].get("s3.PutObject", 0)
            counted.octets += MESSAGE_OCTETS * metered["requests"].get("s3.PutObject", 0)
        return counted


def _add(counted: Counted, done: Invocation, metered: dict[str, Any], cycles: int) -> None:
    counted.units.update(metered["units"])
    counted.requests.update(metered["requests"])
    for sort, octets in metered["item_writes"]:
        counted.item_octets[_family(sort)] = max(octets, counted.item_octets.get(_family(sort), 0))
    counted.cpu += done.cpu
    counted.log_lines += len(done.log)
    counted.log_octets += sum(len(line.encode()) for line in done.log)
    counted.log = done.log
    counted.steps += sum(count for name, count in metered["requests"].items() if not name.startswith("s3.")) / cycles


def _family(sort: str) -> str:
    return "STATE" if sort.endswith("#STATE") else sort.partition("#")[0]


def _round_trips(session: Any) -> int:
    turns = [read for read in session.reads if not read.startswith(b"RETR")]
    return ROUND_TRIPS_TO_GREETING + len(turns) + any(read.startswith(b"RETR") for read in session.reads)


@contextmanager
def scene() -> Iterator[Scene]:
    """An empty stack with a warm function."""
    with (
        TemporaryDirectory() as folder,
        stack_in_a_process("tests.bench.metered_aws") as (aws, environment),
        MailServers() as servers,
    ):
        function = {
            **environment,
            "POPFETCH_CA_FILE": authority_file(Path(folder)),
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }
        layer = Path(folder) / "layer"
        build_layer(layer)
        copy_locked(FETCH_LOCK, layer)
        with FunctionProcess(function, layer) as process:
            yield Scene(aws, environment["AWS_ENDPOINT_URL"], process, servers)
