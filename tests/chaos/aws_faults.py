"""AWS that fails: moto behind doors, each with its own faults.

A door is a port. What comes in by it is done by moto, one request at a time as DynamoDB's conditions ask for, unless
its faults say otherwise: refused, throttled, left without an answer, done without an answer, done only after whoever
asked has given up, answered by halves, or done in part; and whoever asked may be killed before or after it is done.
"""

import copy
import json
import os
import signal
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from random import Random
from threading import Condition, Lock, Thread
from typing import Any
from unittest.mock import patch

from moto.dynamodb.models.dynamo_type import Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from tests.chaos.dice import Dice, chosen

LONGER_THAN_PATIENCE = 0.8
"""Seconds after which whoever asked has given up."""

type Started = Callable[..., Any]


class AwsFault(StrEnum):
    """What may happen to a request."""

    ERROR = "AWS: an internal error"
    THROTTLE = "AWS: throttled"
    CONFLICT = "AWS: a transaction in conflict"
    SILENCE = "AWS: no answer, and not done"
    LATE = "AWS: no answer, and done later"
    LOST = "AWS: done, and the answer lost"
    CUT = "AWS: done, and the answer cut short"
    PART = "AWS: done in part"
    DELAY = "AWS: answered slowly"
    KILLED_BEFORE = "killed before an AWS request"
    KILLED_AFTER = "killed after an AWS request"


_KINDS: tuple[tuple[float, AwsFault], ...] = (
    (4, AwsFault.ERROR),
    (4, AwsFault.THROTTLE),
    (2, AwsFault.CONFLICT),
    (0.5, AwsFault.SILENCE),
    (0.5, AwsFault.LATE),
    (5, AwsFault.LOST),
    (2, AwsFault.CUT),
    (3, AwsFault.PART),
    (2, AwsFault.DELAY),
)

PARTS = {"BatchWriteItem", "SendMessageBatch", "PutEvents"}
"""Operations that may do some of what they are asked for and leave the rest."""


@dataclass
class AwsPlan:
    """The faults of one invocation: every so many requests one, operations that are down, and a kill.

    What happens to the n-th request of an operation is drawn for that n-th request: threads that overtake each other
    change nothing about it.
    """

    dice: Dice
    rate: float = 0.0
    down: frozenset[str] = frozenset()
    kill: tuple[int, AwsFault] | None = None
    _asked: Counter[str] = field(default_factory=Counter)
    _requests: int = 0

    def fault(self, operation: str) -> tuple[AwsFault | None, Random]:
        """What happens to the next request of ``operation``, and a stream of chance for it."""
        self._requests += 1
        self._asked[operation] += 1
        random = self.dice.about("aws", operation, self._asked[operation])
        if self.kill and self._requests == self.kill[0]:
            return self.kill[1], random
        if operation in self.down:
            return chosen(random, [(3, AwsFault.ERROR), (3, AwsFault.THROTTLE), (1, AwsFault.LOST)]), random
        if random.random() >= self.rate:
            return None, random
        kind = chosen(random, _KINDS)
        if kind is AwsFault.PART and operation not in PARTS:
            kind = AwsFault.LOST
        if kind is AwsFault.CONFLICT and operation != "TransactWriteItems":
            kind = AwsFault.THROTTLE
        return kind, random


def _copying_once() -> AbstractContextManager[object]:
    """Have moto copy a table once in a request: what it goes back to where a transaction fails.

    It copies the whole table for each item of a transaction, which takes half a minute where a ledger is packed.
    """
    before: dict[int, Table] = {}

    def as_before(table: Table, _: dict[int, Any]) -> Table:
        if id(table) not in before:
            before[id(table)] = _copy_of(table)
        return before[id(table)]

    return patch.object(Table, "__deepcopy__", as_before, create=True)


def _copy_of(table: Table) -> Table:
    twin = copy.copy(table)
    items: dict[Any, Any] = table.items
    twin.items = defaultdict(dict)
    for partition, within in items.items():
        twin.items[partition] = (
            {sort: _detached(item) for sort, item in within.items()} if table.has_range_key else _detached(within)
        )
    return twin


def _detached(item: Item) -> Any:
    twin = copy.copy(item)
    twin.attrs = LimitedSizeDict()
    dict.update(twin.attrs, item.attrs)  # which does not measure them once more
    return twin


class FaultyAws:
    """moto, and the doors to it."""

    def __init__(self) -> None:
        self.done: Counter[AwsFault] = Counter()
        self.requests = 0
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._one_at_a_time = Lock()
        self._under_way: Counter[str] = Counter()
        self._quiet = Condition()

    def door(self, *, pid_file: Path | None = None) -> "Door":
        """A way in; ``pid_file`` names the process that its kills are for."""
        return Door(self, pid_file)

    def ask(self, environ: dict[str, Any], body: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
        """Have moto do a request: its status line, headers and body."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], None]:
            started[:] = [status, headers]
            return lambda _: None

        environ = {**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        with self._one_at_a_time, _copying_once():
            self.requests += 1
            answer = b"".join(self._moto(environ, start_response))
        return started[0], started[1], answer

    def begin(self, operation: str) -> None:
        """A request is under way."""
        with self._quiet:
            self._under_way[operation] += 1

    def end(self, operation: str, fault: AwsFault | None) -> None:
        """It has ended, late effects too."""
        with self._quiet:
            self._under_way[operation] -= 1
            if fault is not None:
                self.done[fault] += 1
            self._quiet.notify_all()

    def wait_until_quiet(self) -> None:
        """Wait until nothing is under way: what comes late has come."""
        with self._quiet:
            ended = self._quiet.wait_for(lambda: not self._under_way.total(), timeout=30)
            assert ended, f"requests that never end: {+self._under_way}"


class Door:
    """One port; ``plan`` is what happens there from now on."""

    def __init__(self, aws: FaultyAws, pid_file: Path | None) -> None:
        self.plan: AwsPlan | None = None
        self._aws = aws
        self._pid_file = pid_file
        self._server: BaseWSGIServer = make_server("127.0.0.1", 0, self._serve, threaded=True, request_handler=_Quietly)
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.port = int(self._server.server_address[1])

    def close(self) -> None:
        """Let nobody in any more."""
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, environ: dict[str, Any], start_response: Started) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        if len(body) < length:
            # whoever was asking was killed meanwhile
            _hang_up(environ)
        operation = _operation(environ)
        fault, random = self.plan.fault(operation) if self.plan else (None, None)
        self._aws.begin(operation)
        try:
            if fault is None or random is None:
                status, headers, answer = self._aws.ask(environ, body)
            else:
                status, headers, answer = self._meddle(fault, random, operation, environ, body)
        finally:
            self._aws.end(operation, fault)
        start_response(status, headers)
        return [answer]

    def _meddle(
        self, fault: AwsFault, random: Random, operation: str, environ: dict[str, Any], body: bytes
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        match fault:
            case AwsFault.ERROR | AwsFault.THROTTLE | AwsFault.CONFLICT:
                return _refusal(fault, environ)
            case AwsFault.SILENCE:
                time.sleep(LONGER_THAN_PATIENCE)
                _hang_up(environ)
            case AwsFault.KILLED_BEFORE:
                self._kill()
                _hang_up(environ)
            case AwsFault.LATE:
                time.sleep(LONGER_THAN_PATIENCE)
            case AwsFault.DELAY:
                time.sleep(random.uniform(0.05, 0.2))
            case AwsFault.PART:
                return _in_part(self._aws, operation, environ, body)
        status, headers, answer = self._aws.ask(environ, body)
        if fault is AwsFault.KILLED_AFTER:
            self._kill()
        if fault is AwsFault.CUT:
            _cut_short(environ, status, headers, answer)
        if fault is not AwsFault.DELAY:
            _hang_up(environ)
        return status, headers, answer

    def _kill(self) -> None:
        if self._pid_file is not None:
            kill(self._pid_file)


def kill(pid_file: Path) -> None:
    """Kill the process whose id stands in a file, while it is there."""
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int(pid_file.read_text()), signal.SIGKILL)


class _Quietly(MotoRequestHandler):
    """Says nothing of requests, nor of those that hung up."""

    def log(self, *_: Any) -> None: ...

    def connection_dropped(self, *_: Any) -> None: ...


def _operation(environ: dict[str, Any]) -> str:
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return str(target.rpartition(".")[2])
    query, method = environ.get("QUERY_STRING", ""), environ["REQUEST_METHOD"]
    if "uploads" in query.split("&")[0]:
        return "CreateMultipartUpload"
    if "uploadId" in query:
        return {"PUT": "UploadPart", "POST": "CompleteMultipartUpload"}.get(method, "AbortMultipartUpload")
    return f"{method.title()}Object"


def _refusal(fault: AwsFault, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    if not target:
        code = "InternalError" if fault is AwsFault.ERROR else "SlowDown"
        words = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>by chance</Message></Error>"
        status = "500 Internal Server Error" if fault is AwsFault.ERROR else "503 Slow Down"
        return status, [("Content-Type", "application/xml")], words.encode()
    said: dict[str, Any] = {"message": "by chance"}
    if fault is AwsFault.ERROR:
        said["__type"] = "InternalServerError"
    elif fault is AwsFault.CONFLICT:
        said["__type"] = "TransactionCanceledException"
        said["CancellationReasons"] = [{"Code": "TransactionConflict", "Message": "by chance"}, {"Code": "None"}]
    else:
        of_table = target.startswith("DynamoDB")
        said["__type"] = "ProvisionedThroughputExceededException" if of_table else "ThrottlingException"
    status = "500 Internal Server Error" if fault is AwsFault.ERROR else "400 Bad Request"
    return status, [("Content-Type", "application/x-amz-json-1.0")], json.dumps(said).encode()


def _in_part(
    aws: FaultyAws, operation: str, environ: dict[str, Any], body: bytes
) -> tuple[str, list[tuple[str, str]], bytes]:
    """Do the first half of a batch, and answer that the rest was not done."""
    asked = json.loads(body)
    if operation == "BatchWriteItem":
        ((table, writes),) = asked["RequestItems"].items()
        rest = writes[len(writes) // 2 :]
        done = {**asked, "RequestItems": {table: writes[: len(writes) // 2]}}
        left: dict[str, Any] = {"UnprocessedItems": {table: rest}}
    elif operation == "SendMessageBatch":
        rest = asked["Entries"][len(asked["Entries"]) // 2 :]
        done = {**asked, "Entries": asked["Entries"][: len(asked["Entries"]) // 2]}
        left = {"Failed": [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in rest]}
    else:
        rest = asked["Entries"]
        done = None
        left = {"FailedEntryCount": len(rest), "Entries": [{"ErrorCode": "ThrottlingException"} for _ in rest]}
    headers = [("Content-Type", "application/x-amz-json-1.0")]
    answered: dict[str, Any] = {}
    if done and next(iter(done.get("RequestItems", {}).values()), done.get("Entries")):
        status, headers, answer = aws.ask(environ, json.dumps(done).encode())
        if not status.startswith("200"):
            return status, headers, answer
        answered = json.loads(answer)
    headers = [(name, value) for name, value in headers if name.lower() not in {"content-length", "x-amz-crc32"}]
    return "200 OK", headers, json.dumps({**answered, **left}).encode()


def _cut_short(environ: dict[str, Any], status: str, headers: list[tuple[str, str]], answer: bytes) -> None:
    """Write the beginning of an answer."""
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    head = "".join(f"{name}: {value}\r\n" for name, value in [*kept, ("Content-Length", str(len(answer) + 10))])
    with suppress(OSError):
        _socket(environ).sendall(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + answer[: len(answer) // 2])


def _hang_up(environ: dict[str, Any]) -> None:
    """Close the connection without a word more."""
    with suppress(OSError):
        _socket(environ).shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


def _socket(environ: dict[str, Any]) -> socket.socket:
    found = environ["werkzeug.socket"]
    assert isinstance(found, socket.socket)
    return found
