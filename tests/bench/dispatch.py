"""Dispatch with 100,000 accounts: what a minute takes, what of it is its own, and how far one invocation reaches.

The handler runs as Lambda calls it, through its own wiring. With moto as AWS it shows that every account that is due is
asked for and none twice; moto looks at every item for each query, which is most of that time. So dispatch's own part is
measured with a stand-in that answers at once, or after 10 ms, in moto's place.
"""

import io
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from popfetch.domain.account import Account, FetchSettings
from popfetch.domain.wheel import instant_of, minute_of, shard_of, slot_of
from tests.bench.report import Report, Table, Target
from tests.bench.stand_in import StandIn
from tests.builders.accounts import an_account

ACCOUNTS = 100_000
INTERVALS = (5, 15, 60)
LATENCY = 0.010
"""Seconds that a request to SQS or DynamoDB is taken to last."""

MEMORY_MB, TIMEOUT = 512, 60.0
MB_OF_A_PROCESSOR = 1769
"""At how many MB Lambda gives a function one whole processor; below, a share in proportion."""

FIRST = minute_of(datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/popfetch.fifo"
ENVIRONMENT = {
    "POPFETCH_TABLE_NAME": "popfetch-table",
    "POPFETCH_FETCH_QUEUE_URL": URL,
    "POWERTOOLS_SERVICE_NAME": "dispatch",
    "POWERTOOLS_METRICS_NAMESPACE": "popfetch",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
}


@dataclass(frozen=True)
class Run:
    """One invocation: accounts due, seconds on the clock and on the processor, requests by operation, and verdicts."""

    due: int
    wall: float
    processor: float
    requests: Counter[str]
    missed: int
    twice: int
    at_once: int = 0


def population(count: int, interval: int) -> list[Account]:
    """Accounts, two to an owner."""
    settings = FetchSettings(interval_minutes=interval)
    return [
        an_account(number, owner_id=f"0b7d5ad2-5f8c-4d1b-9a55-{number // 2:012d}", position=number % 2, fetch=settings)
        for number in range(count)
    ]


def due_in(accounts: list[Account], minutes: range) -> set[str]:
    """The deduplication ids that these minutes owe, by the rule that README and wheel state: minute % n == slot."""
    return {
        f"{account.account_id}.schedule.{instant_of(minute).timestamp():.3f}"
        for account in accounts
        for minute in minutes
        if (minute - slot_of(account.owner_id, account.fetch.interval_minutes)) % account.fetch.interval_minutes == 0
    }


@contextmanager
def wired(**environment: str) -> Iterator[Any]:
    """The handler of dispatch with this environment; what it prints goes nowhere."""
    from tests.builders.wiring import forget_wiring

    with mock.patch.dict(os.environ, {**ENVIRONMENT, **environment}), redirect_stdout(io.StringIO()):
        from functions.dispatch import handler as dispatch

        dispatch.journal.logger.registered_handler.stream = io.StringIO()  # type: ignore[attr-defined]
        dispatch.journal.metrics.provider.namespace = "popfetch"
        dispatch.journal.metrics.provider.service = "dispatch"
        forget_wiring()
        try:
            yield dispatch.handler
        finally:
            forget_wiring()


def invoke(handler: Any, minute: int, seconds: float = 3600.0) -> tuple[dict[str, Any], float, float]:
    """Call the handler for a minute; its answer, and the seconds it took on the clock and on the processor."""
    began, used = time.perf_counter(), time.process_time()
    context = SimpleNamespace(
        function_name="dispatch",
        memory_limit_in_mb=MEMORY_MB,
        invoked_function_arn="arn",
        aws_request_id="request",
        get_remaining_time_in_millis=lambda: (seconds - (time.perf_counter() - began)) * 1000,
    )
    answer: dict[str, Any] = handler({"time": instant_of(minute).isoformat()}, context)
    return answer, time.perf_counter() - began, time.process_time() - used


def with_stand_in(accounts: list[Account], *, latency: float, minutes: int = 1, shards: int = 1) -> Run:
    """Dispatch ``minutes`` at one event, as after minutes that were lost, with the stand-in as AWS."""
    from popfetch.adapters import keys
    from popfetch.runtime.aws_clients import aws_client

    slots: dict[str, list[str]] = {}
    for account in accounts:
        interval = account.fetch.interval_minutes
        shard = shard_of(account.owner_id, shards)
        partition = keys.wheel_slot(interval, slot_of(account.owner_id, interval), shard)
        order = keys.wheel_order(account.owner_id, account.position, account.account_id)
        slots.setdefault(partition, []).append(order)
    aws = StandIn({name: sorted(orders) for name, orders in slots.items()}, latency)
    with wired(POPFETCH_WHEEL_SHARDS=str(shards)) as handler:
        aws.attach(aws_client("dynamodb"), aws_client("sqs"))
        invoke(handler, FIRST - 1)  # makes the clients' models and threads, as in a warm function
        aws.sent.clear()
        aws.requests.clear()
        aws.processor, aws.minute = 0.0, FIRST - 1
        answer, wall, processor = invoke(handler, FIRST + minutes - 1)
    sent = [deduplication for _, deduplication in aws.sent]
    owed = due_in(accounts, range(FIRST, FIRST + minutes))
    assert answer["minutes_left"] == 0
    assert answer["requests"] == len(sent)
    return Run(
        due=len(owed),
        wall=wall,
        processor=processor - aws.processor,
        requests=aws.requests,
        missed=len(owed - set(sent)),
        twice=len(sent) - len(set(sent)),
        at_once=aws.at_once,
    )


def peak_memory(due: int) -> float:
    """The most memory, in MB, that a process has held which dispatches a minute with so many accounts due."""
    command = [sys.executable, "-m", "tests.bench.dispatch", str(due)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def seconds_at(run: Run, memory_mb: int) -> float:
    """What a run would take on Lambda: at most its processor time at that share of one, and its waits, 16 at once."""
    from popfetch.adapters.fetch_queue import SENDERS

    share = min(1.0, memory_mb / MB_OF_A_PROCESSOR)
    return run.processor / share + run.requests.total() * LATENCY / SENDERS


def reach(run: Run, memory_mb: int) -> int:
    """How many accounts one invocation can send before its time is over, at what ``run`` took for each."""
    return int(TIMEOUT / (seconds_at(run, memory_mb) / run.due))


def measure() -> Report:
    """Everything above, for intervals of 5, 15 and 60 minutes."""
    from tests.bench.dispatch_on_moto import with_moto

    populations = {interval: population(ACCOUNTS, interval) for interval in INTERVALS}
    own = {interval: with_stand_in(accounts, latency=0.0) for interval, accounts in populations.items()}
    waiting = {interval: with_stand_in(accounts, latency=LATENCY) for interval, accounts in populations.items()}
    lost = with_stand_in(populations[5], latency=LATENCY, minutes=2)
    sharded = with_stand_in(populations[5], latency=LATENCY, shards=16)
    moto = with_moto(populations)
    memory = {due: peak_memory(due) for due in (0, own[5].due, 60_000)}
    report = Report("dispatch", f"Dispatch of a minute, with {ACCOUNTS:,} accounts")
    _add_runs(report, own, waiting, moto)
    _add_catching_up(report, {"two minutes": lost, "one, in 16 shards": sharded})
    _add_reach(report, own[5], memory)
    runs = [*own.values(), *waiting.values(), *moto.values(), lost, sharded]
    report.targets += [
        Target("a minute of 100,000 accounts at 5 minutes, 10 ms a request", waiting[5].wall, 60, " s", at_most=True),
        Target("the same at 512 MB, computed", seconds_at(own[5], MEMORY_MB), 60, " s", at_most=True),
        Target("accounts missed, of all runs", sum(run.missed for run in runs), 0, at_most=True),
        Target("accounts asked for twice, of all runs", sum(run.twice for run in runs), 0, at_most=True),
        Target("peak memory of that minute", memory[own[5].due], MEMORY_MB, " MB", at_most=True),
    ]
    report.notes += [
        "Index entries go straight into moto's store, and what its queue gets is only noted, for speed.",
        "moto takes one request at a time, so that its clock is no measure of calls that are made side by side.",
        "Dispatch's own processor time is that of boto3 and popfetch, without TLS and sockets.",
        (
            f"A function with {MEMORY_MB} MB has {MEMORY_MB / MB_OF_A_PROCESSOR:.2f} of a processor; one of this "
            "machine's, as busy as it was, is the measure. Python uses one, however many a function has."
        ),
    ]
    return report


def _add_runs(report: Report, own: dict[int, Run], waiting: dict[int, Run], moto: dict[int, Run]) -> None:
    rows: list[list[str | int | float]] = []
    for interval, run in own.items():
        calls = run.requests
        rows.append(
            [
                f"{interval} min",
                f"{run.due:,}",
                f"{calls['Query']} + {calls['SendMessageBatch']:,}",
                f"{run.processor:.2f} s",
                f"{run.processor / run.due * 1e6:.0f} ms",
                f"{waiting[interval].wall:.2f} s",
                f"{calls.total() * LATENCY + run.processor:.1f} s",
                f"{moto[interval].wall:.1f} s",
                f"{max(0.0, 1 - run.wall / moto[interval].wall):.0%}",
            ]
        )
        report.figures[f"interval_{interval}"] = {
            "due": run.due,
            "requests": dict(calls),
            "own_processor_seconds": run.processor,
            "wall_seconds_at_10_ms": waiting[interval].wall,
            "wall_seconds_moto": moto[interval].wall,
            "at_once": waiting[interval].at_once,
        }
    columns = ["interval", "due", "Query + SendMessageBatch", "own processor time", "of 1,000 due"]
    columns += ["at 10 ms a request", "one call after the other", "on moto", "of it moto's"]
    report.tables.append(Table("One minute", columns, rows))


def _add_catching_up(report: Report, runs: dict[str, Run]) -> None:
    rows: list[list[str | int | float]] = [
        [what, f"{run.due:,}", f"{run.wall:.2f} s", run.missed, run.twice] for what, run in runs.items()
    ]
    report.tables.append(
        Table(
            "Several minutes at once, 5-minute accounts, 10 ms a request", ["", "due", "took", "missed", "twice"], rows
        )
    )
    report.figures["catching_up"] = {what: {"due": run.due, "wall_seconds": run.wall} for what, run in runs.items()}


def _add_reach(report: Report, run: Run, memory: dict[int, float]) -> None:
    rows = [
        [f"{mb} MB", f"{seconds_at(run, mb):.1f} s", f"{reach(run, mb):,}", f"{reach(run, mb) * 5:,}"]
        for mb in (512, 1024, MB_OF_A_PROCESSOR)
    ]
    columns = ["memory of dispatch", f"{run.due:,} due take", "due in 60 s", "accounts, all at 5 minutes"]
    report.tables.append(Table("How far one invocation reaches, computed", columns, rows))
    report.tables.append(
        Table("Peak memory", ["due", "MB"], [[f"{due:,}", f"{megabytes:.0f}"] for due, megabytes in memory.items()])
    )
    report.figures["reach"] = {mb: reach(run, mb) for mb in (512, 1024, MB_OF_A_PROCESSOR)}
    report.figures["own_processor_milliseconds_of_1000_due"] = run.processor / run.due * 1e6
    report.figures["peak_memory_mb"] = memory


def _main() -> None:
    """Dispatch a minute in which as many accounts as the argument says are due; print this process's peak memory."""
    accounts = population(int(sys.argv[1]), 1)
    with_stand_in(accounts, latency=0.0)
    status = Path("/proc/self/status").read_text()
    print(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024)


if __name__ == "__main__":
    _main()
