"""Handlers in a process of their own, as warm as Lambda keeps one: what they log and what they take is measured.

The process sees the layer and nothing of the development environment: some libraries take other ways where more is
installed.

``python -m tests.bench.function_process`` reads one JSON order a line (``function``, ``event``) and answers each by
one: what the handler answered, the processor's seconds it took, and the lines it logged.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.bench.layer_copy import bare_python
from tests.bench.processes import ROOT

REMAINING_MILLISECONDS = 900_000


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a handler: its ``answer``, seconds of the processor and of the clock, and its log."""

    answer: Any
    cpu: float
    wall: float
    log: list[str]


class FunctionProcess:
    """The process; use it as a context manager. ``environment`` is added to this process's own."""

    def __init__(self, environment: dict[str, str], layer: Path) -> None:
        self._environment = {**environment, "PYTHONPATH": f"{layer}:{ROOT}"}
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [bare_python(), "-m", "tests.bench.function_process"],
            cwd=ROOT,
            env={**os.environ, **self._environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def invoke(self, function: str, event: dict[str, Any]) -> Invocation:
        """Call a function's handler once."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"function": function, "event": event}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"The process of {function} ended; its last words are above.")
        return Invocation(**json.loads(answer))


# --- In the process -------------------------------------------------------------------------------------------------


class _Context:
    """What a handler asks of Lambda, as long as Lambda has it: it is in each line of the log."""

    memory_limit_in_mb = 512
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def __init__(self, function: str) -> None:
        self.function_name = f"popfetch-{function.title()}Function-Ab3dE6gH9jKl"
        self.invoked_function_arn = f"arn:aws:lambda:us-east-1:123456789012:function:{self.function_name}:live"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return REMAINING_MILLISECONDS


def main() -> None:
    """Obey orders until there are no more."""
    os.environ["_X_AMZN_TRACE_ID"] = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    answers = os.fdopen(os.dup(1), "w")
    with tempfile.TemporaryFile("w+b") as log:
        os.dup2(log.fileno(), 1)
        for line in sys.stdin:
            order = json.loads(line)
            os.environ["POWERTOOLS_SERVICE_NAME"] = order["function"]
            handler = importlib.import_module(f"functions.{order['function']}.handler").handler
            began, spent = time.perf_counter(), time.process_time()
            answer = handler(order["event"], _Context(order["function"]))
            spent, took = time.process_time() - spent, time.perf_counter() - began
            sys.stdout.flush()
            log.seek(0)
            said = log.read().decode().splitlines()
            log.seek(0)
            log.truncate()
            answers.write(json.dumps({"answer": answer, "cpu": spent, "wall": took, "log": said}) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
