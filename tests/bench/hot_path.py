"""Where the processor's time goes while a mailbox is fetched: who works for a message, and by which functions."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from statistics import median

from tests.bench.hot_path_run import Profiled, Worked
from tests.bench.mailboxes import seed
from tests.bench.popfetch_client import WARM_MESSAGES, WARM_USER, Popfetch, asked, environment
from tests.bench.processes import run
from tests.bench.report import Report, Table
from tests.bench.stage import Stage, stage
from tests.builders.aws import BUCKET

MESSAGES = 2_000
RUNS = 3
TOP = 14
PROGRAM = (sys.executable, "-m", "tests.bench.hot_path_run")

_CALLS = {
    "_index": "index entries (`BatchWriteItem`, 25 a call)",
    "_commit": "ledger and checkpoint (`TransactWriteItems`)",
    "publish": "events (`PutEvents`, 10 a call)",
}
READING = "reading, digesting, handing on (the thread that reads)"
PUTS = "puts (OpenDAL's threads), and waiting for each other"


def measure() -> Report:
    """Fetch one mailbox some times, watched."""
    with stage() as running:
        worked, profiled = _fetched(running)
    report = Report("hot_path", "Where the processor's time goes while a mailbox is fetched")
    report.tables = [_workers(worked), _functions(profiled)]
    report.notes = [
        f"{MESSAGES:,} messages in a warm process. Medians of {RUNS} runs, with S3 by rclone on the same processors.",
        "Functions are of one more run, with AWS in memory, under cProfile, which makes each call dearer than it is.",
    ]
    report.figures = {"worked": [asdict(each) for each in worked], "functions": dict(_largest(profiled))}
    return report


def _fetched(running: Stage) -> tuple[list[Worked], Profiled]:
    popfetch = Popfetch(running)
    seed(running.dovecot, WARM_USER, WARM_MESSAGES)
    seed(running.dovecot, "hot", MESSAGES)
    collectors = [popfetch.account(WARM_USER, max_messages_per_cycle=WARM_MESSAGES)]
    collectors += [popfetch.account("hot", max_messages_per_cycle=MESSAGES) for _ in range(RUNS + 1)]
    events = [asked(collector) for collector in collectors]
    with running.folder() as folder:
        results = folder / "results"
        run(
            [*PROGRAM, str(results)],
            folder,
            environment={**environment(running), **running.s3.environment},
            given="".join(json.dumps(event) + "\n" for event in events),
        )
        *measured, last = [json.loads(line) for line in results.read_text().splitlines()]
    for collector, event in zip(collectors, events, strict=True):
        collector.settle(event)
    running.s3.empty(BUCKET)
    return [Worked(**each) for each in measured], Profiled(**last)


def _workers(worked: Sequence[Worked]) -> Table:
    everything = median(each.process for each in worked)
    rows: list[tuple[str, float]] = [(READING, median(each.reading for each in worked))]
    rows += [(what, median(each.calls.get(name, 0.0) for each in worked)) for name, what in _CALLS.items()]
    rows.append(
        ("all other calls", median(sum(s for name, s in each.calls.items() if name not in _CALLS) for each in worked))
    )
    rows.append((PUTS, median(each.process - each.reading - sum(each.calls.values()) for each in worked)))
    rows.sort(key=lambda row: -row[1])
    rows.append(("the process", everything))
    return Table(
        "Who works for a message",
        ("who", "CPU s per 1,000 messages", "share"),
        [(what, f"{seconds / MESSAGES * 1000:.3f}", f"{seconds / everything:.0%}") for what, seconds in rows],
    )


def _largest(profiled: Profiled) -> list[tuple[str, tuple[int, float]]]:
    return sorted(profiled.functions.items(), key=lambda row: -row[1][1])[:TOP]


def _functions(profiled: Profiled) -> Table:
    everything = sum(seconds for _, seconds in profiled.functions.values())
    rows = [
        (f"`{name}`", f"{times / MESSAGES:.1f}", f"{seconds / everything:.0%}")
        for name, (times, seconds) in _largest(profiled)
    ]
    return Table(
        "The thread that reads, by function, its puts and commits left out",
        ("function", "calls a message", "of its own time"),
        rows,
    )
