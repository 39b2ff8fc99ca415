"""popfetch as a client that is measured: an account for each run, its fetch function in a process of its own.

The functions' clients, the sealed password, the queue and its event are those of the product; the servers behind them
are of this machine.
"""

import itertools
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.mailboxes import Seeded
from tests.bench.popfetch_run import Result
from tests.bench.processes import ROOT, RunFailed, Spent, run
from tests.bench.stage import Stage
from tests.builders.aws import BUCKET
from tests.real.stack import Collector

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

    def fetch(self, mailbox: Seeded, port: int, *, warm: bool = True, instant: bool = False) -> Fetched:
        """Take the whole mailbox in one cycle, in a warm process or in one that begins with it. Raises RunFailed."""
        fetched = self.run(mailbox.user, port, warm=warm, instant=instant, max_messages_per_cycle=mailbox.count)
        if instant:
            expected: object = (mailbox.count, mailbox.octets)
            found: object = (fetched.cycle.stored, fetched.cycle.octets)
        else:
            expected, found = mailbox.digests, self.stage.s3.digests(BUCKET)
        self.stage.s3.empty(BUCKET)
        if found != expected:
            raise RunFailed("popfetch did not store what is in the mailbox")
        return fetched

    def run(self, user: str, port: int, *, warm: bool = True, instant: bool = False, **settings: Any) -> Fetched:
        """Run one cycle of a new account; what it stores stays in the bucket."""
        collectors = [self._account(user, port, settings)]
        if warm:
            collectors.insert(0, self._account(WARM_USER, 0, {"max_messages_per_cycle": WARM_MESSAGES}))
        events = []
        for collector in collectors:
            collector.ask()
            event = collector.next_event()
            assert event is not None
            events.append(event)
        fetched = self._process({"events": events, "aws": "instant" if instant else "real"})
        for collector, event in zip(collectors, events, strict=True):
            collector.settle(event)
        if warm and not instant:
            self._drop_warm(collectors[0])
        return fetched

    def put(self, folder: Path) -> Fetched:
        """Put every message of a folder, through the adapter alone."""
        fetched = self._process({"puts": str(folder)})
        self.stage.s3.empty(BUCKET)
        return fetched

    def _account(self, user: str, port: int, settings: dict[str, Any]) -> Collector:
        mailbox = self.stage.dovecot.mailbox(user, port=port)
        return Collector.add(self.stage.aws, mailbox, next(self._numbers), **settings)

    def _drop_warm(self, collector: Collector) -> None:
        account = collector.account
        self.stage.s3.remove(BUCKET, f"mail/{account.owner_id}/{account.account_id}")

    def _process(self, order: dict[str, Any]) -> Fetched:
        with self.stage.folder() as folder:
            (folder / "order").write_text(json.dumps(order))
            command = [sys.executable, "-m", "tests.bench.popfetch_run", str(folder / "order"), str(folder / "result")]
            environment = {**self.stage.environment, "PYTHONPATH": f"{ROOT}/shared:{ROOT}"}
            spent = run(command, folder, environment=environment)
            return Fetched(spent, Result(**json.loads((folder / "result").read_text())))
