"""The real fetch handler in processes that can be measured, and killed at every step.

``python -m tests.real.fetch_process`` reads one JSON order a line and answers each by one line. For each order it
forks a process that has everything imported and nothing connected, and runs the handler in it: an execution
environment that costs milliseconds. An order has ``events``, handled one after another, by the ``function`` of that
name, and ``kill_at``, the number of the step right after which the process kills itself; 0 lets it live. Its clock is
``ahead`` by so many seconds, and its process id stands in the file ``pid_file``, where one is named, for as long as
it runs.

A step is whatever others notice: an answered call to AWS, commands written to the POP3 server, its session's delete
and quit. To be killed before a step is to be killed after the one before it, and the first kills before anything.
"""

import asyncio
import functools
import itertools
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from tests.builders.fetch_context import FetchContext

ROOT = Path(__file__).parents[2]
SECONDS_LEFT = 180


@dataclass(frozen=True)
class Run:
    """How an order went: ``killed``, the ``steps`` taken, what the handler answered, and memory in octets."""

    killed: bool
    steps: list[str]
    answers: list[Any]
    growth: list[int]
    errors: str = ""


class FetchProcess:
    """The starter of fetch processes; use it as an asynchronous context manager. What they say goes into ``log``."""

    def __init__(
        self, environment: dict[str, str], *, module: str = "tests.real.fetch_process", log: IO[bytes] | None = None
    ) -> None:
        self._environment = environment
        self._module = module
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self._module,
            cwd=ROOT,
            env={**os.environ, **self._environment, "PYTHONPATH": f"{ROOT}/shared:{ROOT}"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
            limit=1 << 24,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        await self._process.communicate()

    async def run(
        self, *events: dict[str, Any], kill_at: int = 0, function: str = "fetch", ahead: float = 0, pid_file: str = ""
    ) -> Run:
        """Handle ``events`` in a new process."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {
            "events": events,
            "kill_at": kill_at,
            "function": function,
            "ahead": ahead,
            "pid_file": pid_file,
        }
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        answer = await asyncio.wait_for(self._process.stdout.readline(), 120)
        assert answer, "the starter of fetch processes is gone"
        if pid_file:
            Path(pid_file).unlink(missing_ok=True)
        return Run(**json.loads(answer))


# --- In the processes ---------------------------------------------------------------------------------------------


class _Steps:
    """Counts the steps into a pipe, so that they are known of a killed process too."""

    def __init__(self, pipe: int, kill_at: int) -> None:
        self._pipe = pipe
        self._kill_at = kill_at
        self._numbers = itertools.count(1)
        self._turn = threading.Lock()

    def take(self, name: str) -> None:
        with self._turn:
            os.write(self._pipe, f"{name}\n".encode())
            if next(self._numbers) == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Put steps around what leaves the process."""
        from botocore.client import BaseClient

        from popfetch.adapters.opendal_mail_store import OpendalMailStore
        from popfetch.adapters.pop3_line import Line
        from popfetch.adapters.pop3_maildrop import Pop3Maildrop

        def called(_: Any, operation: str, *__: Any) -> str:
            return operation

        def written(_: Any, *commands: Any) -> str:
            return f"write {commands[0].name} x{len(commands)}"

        around: list[tuple[Any, str, Callable[..., str]]] = [
            (BaseClient, "_make_api_call", called),
            (Line, "send", written),
        ]
        for owner, name, describe in around:
            setattr(owner, name, self._around(getattr(owner, name), describe))
        for owner, name in ((Pop3Maildrop, "delete"), (Pop3Maildrop, "quit"), (OpendalMailStore, "put")):
            setattr(owner, name, self._around_async(getattr(owner, name), name))

    def _around(self, method: Callable[..., Any], describe: Callable[..., str]) -> Callable[..., Any]:
        @functools.wraps(method)
        def watched(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            self.take(describe(*args, **kwargs))
            return result

        return watched

    def _around_async(self, method: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(method)
        async def watched(*args: Any, **kwargs: Any) -> Any:
            result = await method(*args, **kwargs)
            self.take(name)
            return result

        return watched


def _memory(line: str) -> int:
    """``VmRSS`` or ``VmHWM`` of this process, in octets."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{line}:")[2].split()[0]) * 1024


def _put_clock_ahead(seconds: float) -> None:
    wiring: Any = import_module("popfetch.runtime.wiring_fetch")

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=seconds)

    wiring.datetime = Ahead


def _handle(order: dict[str, Any], pipe: int) -> None:
    handler = import_module(f"functions.{order['function']}.handler").handler
    if order["pid_file"]:
        # nobody must ever read half a process id
        written = Path(f"{order['pid_file']}.new")
        written.write_text(str(os.getpid()))
        written.rename(order["pid_file"])
    if order["ahead"]:
        _put_clock_ahead(order["ahead"])
    steps = _Steps(pipe, order["kill_at"])
    steps.watch()
    steps.take("start")
    answers, growth = [], []
    for event in order["events"]:
        before = _memory("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        answers.append(handler(event, cast(Any, FetchContext(SECONDS_LEFT))))
        growth.append(_memory("VmHWM") - before)
    os.write(pipe, f"\n{json.dumps({'answers': answers, 'growth': growth})}\n".encode())


def _fork(order: dict[str, Any]) -> Run:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(reading)
            os.dup2(2, 1)
            _handle(order, writing)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        steps, _, result = pipe.read().partition("\n\n")
    _, status = os.waitpid(child, 0)
    ended = json.loads(result) if result else {"answers": [], "growth": []}
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return Run(killed, steps.split("\n"), **ended, errors="" if killed or not status else f"exit status {status}")


def main() -> None:
    """Obey orders until there are no more."""
    import functions.dispatch.handler  # noqa: F401 - for those who are forked
    from functions.fetch.handler import journal
    from popfetch.runtime.wiring_dispatch import fetch_queue, wheel
    from popfetch.runtime.wiring_fetch import cycle_parts

    wheel(), fetch_queue()
    cycle_parts(journal)  # clients are made here once; they connect when they are used
    for line in sys.stdin:
        run = _fork(json.loads(line))
        sys.stdout.write(json.dumps({name: getattr(run, name) for name in Run.__dataclass_fields__}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
