"""popfetch's fetch function, watched: ``python -m tests.bench.hot_path_run RESULTS < EVENTS``.

Events come a line each. The first one warms the process; those that follow are measured by who works for them, the last
one by function, with AWS in memory: there is only the thread that reads then. ``RESULTS`` gets a line for each but the
first.
"""

import asyncio
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from cProfile import Profile
from dataclasses import asdict, dataclass, field
from functools import wraps
from pathlib import Path
from pstats import Stats
from threading import Lock
from typing import Any

from tests.bench.popfetch_run import handle, stand_in_for_aws

_WAITING = "<method 'poll' of 'select.epoll' objects>"


@dataclass(frozen=True, slots=True)
class Worked:
    """Seconds of the processor: of the whole process, of the thread that reads, and of blocking calls by name."""

    process: float
    reading: float
    calls: dict[str, float]
    times: dict[str, int]


@dataclass(frozen=True, slots=True)
class Profiled:
    """Calls of a function and the seconds in it, without what it calls, by ``file:function``."""

    functions: dict[str, tuple[int, float]]


@dataclass
class _Calls:
    """The blocking calls that cycles hand to other threads."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    times: Counter[str] = field(default_factory=Counter)
    _turn: Lock = field(default_factory=Lock)

    def watch(self) -> None:
        """Count what ``asyncio.to_thread`` runs from now on."""
        handed = asyncio.to_thread

        async def to_thread(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            return await handed(self._watched(function), *args, **kwargs)

        asyncio.to_thread = to_thread

    def _watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            began = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                spent = time.thread_time() - began
                with self._turn:
                    self.seconds[function.__name__] += spent
                    self.times[function.__name__] += 1

        return watched


def _measured(event: dict[str, Any], calls: _Calls) -> Worked:
    calls.seconds.clear()
    calls.times.clear()
    process, reading = time.process_time(), time.thread_time()
    handle(event)
    return Worked(time.process_time() - process, time.thread_time() - reading, dict(calls.seconds), dict(calls.times))


def _profiled(event: dict[str, Any]) -> Profiled:
    stand_in_for_aws()
    with Profile() as profile:
        handle(event)
    found: dict[str, tuple[int, float]] = {}
    for (file, _, name), (_, times, own, _, _) in Stats(profile).stats.items():  # type: ignore[attr-defined]
        if name == _WAITING:
            continue
        label = name if file == "~" else f"{'/'.join(Path(file).parts[-2:])}:{name}"
        before = found.get(label, (0, 0.0))
        found[label] = before[0] + times, before[1] + own
    return Profiled(found)


def main() -> None:
    """Handle all events."""
    warm, *events, last = [json.loads(line) for line in sys.stdin]
    handle(warm)
    calls = _Calls()
    calls.watch()
    results: list[Worked | Profiled] = [_measured(event, calls) for event in events]
    results.append(_profiled(last))
    Path(sys.argv[1]).write_text("".join(json.dumps(asdict(result)) + "\n" for result in results))


if __name__ == "__main__":
    main()
