"""popfetch as a client that is measured: an account for each run, its fetch function in a process of its own.

The functions' clients, the sealed password, the queue and its event are those of the product; the servers behind them
are of this machine.
"""

import itertools
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from popfetch.domain.account import Security
from tests.bench.mailboxes import Seeded
from tests.bench.popfetch_run import Result
from tests.bench.processes import ROOT, RunFailed, Spent, run
from tests.bench.s3_server import S3Server
from tests.bench.stage import Stage
from tests.builders.aws import BUCKET
from tests.real.stack import Collector

PROGRAM = (sys.executable, "-m", "tests.bench.popfetch_run")
WARM_USER = "warm"
WARM_MESSAGES = 20


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a process took as a whole, and the measured cycle within it."""

    process: Spent
    cycle: Result


@dataclass
class Popfetch:
    """Runs popfetch on a stage; ``seed`` the mailbox that warms it up first."""

    stage: Stage
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def fetch(
        self, mailbox: Seeded, port: int, *, warm: bool = True, instant: bool = False, s3: S3Server | None = None
    ) -> Fetched:
        """Take the whole mailbox in one cycle, in a warm process or in one that begins with it. Raises RunFailed."""
        s3 = s3 or self.stage.s3
        fetched = self.run(mailbox.user, port, warm=warm, instant=instant, s3=s3, max_messages_per_cycle=mailbox.count)
        if instant:
            expected: object = (mailbox.count, mailbox.octets)
            found: object = (fetched.cycle.stored, fetched.cycle.octets)
        else:
            expected, found = mailbox.digests, s3.digests(BUCKET)
        s3.empty(BUCKET)
        if found != expected:
            raise RunFailed("popfetch did not store what is in the mailbox")
        return fetched

    def run(
        self,
        user: str,
        port: int,
        *,
        warm: bool = True,
        instant: bool = False,
        s3: S3Server | None = None,
        **settings: Any,
    ) -> Fetched:
        """Run one cycle of a new account; what it stores stays in the bucket."""
        s3 = s3 or self.stage.s3
        collectors = [self.account(user, port=port, **settings)]
        if warm:
            collectors.insert(0, self.account(WARM_USER, max_messages_per_cycle=WARM_MESSAGES))
        events = [asked(collector) for collector in collectors]
        fetched = self._process([{"event": event} for event in events], s3, instant=instant)
        for collector, event in zip(collectors, events, strict=True):
            collector.settle(event)
        if warm and not instant:
            account = collectors[0].account
            s3.remove(BUCKET, f"mail/{account.owner_id}/{account.account_id}")
        return fetched

    def put(self, folder: Path) -> Fetched:
        """Put every message of a folder, through the adapter alone."""
        fetched = self._process([{"puts": str(folder)}], self.stage.s3)
        self.stage.s3.empty(BUCKET)
        return fetched

    def account(self, user: str, security: Security = Security.TLS, *, port: int = 0, **settings: Any) -> Collector:
        """A new account, of an owner of its own; ``port`` leads through a relay."""
        mailbox = self.stage.dovecot.mailbox(user, security, port=port)
        return Collector.add(self.stage.aws, mailbox, next(self._numbers), **settings)

    def _process(self, orders: list[dict[str, Any]], s3: S3Server, *, instant: bool = False) -> Fetched:
        with self.stage.folder() as folder:
            results = folder / "results"
            spent = run(
                [*PROGRAM, "instant" if instant else "real", str(results)],
                folder,
                environment={**environment(self.stage), **s3.environment},
                given="".join(json.dumps(order) + "\n" for order in orders),
            )
            return Fetched(spent, Result(**json.loads(results.read_text().splitlines()[-1])))


class WarmFunction:
    """The fetch function as a process that waits for its next event; use it as a context manager."""

    def __init__(self, stage: Stage) -> None:
        reading, writing = os.pipe()
        self._process = subprocess.Popen(
            [*PROGRAM, "real", f"/dev/fd/{writing}"],
            cwd=ROOT,
            env={**os.environ, **environment(stage)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            pass_fds=[writing],
        )
        os.close(writing)
        self._results = os.fdopen(reading)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
        self._results.close()

    def fetch(self, collector: Collector) -> Result:
        """Run one cycle of an account. Raises RunFailed."""
        event = asked(collector)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"event": event}) + "\n")
        self._process.stdin.flush()
        line = self._results.readline()
        if not line:
            raise RunFailed("popfetch's function has ended")
        collector.settle(event)
        return Result(**json.loads(line))


def environment(stage: Stage) -> dict[str, str]:
    """What the process of the fetch function finds its modules and the stage's servers by."""
    return {**stage.environment, "PYTHONPATH": f"{ROOT}/shared:{ROOT}"}


def asked(collector: Collector) -> dict[str, Any]:
    """The event of a request that is queued now; it stays in the queue until it is settled."""
    collector.ask()
    event = collector.next_event()
    assert event is not None
    return event
