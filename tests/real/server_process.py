"""Servers of ours in processes of their own: modules that print their port and serve until their input ends."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server."""

    port: int
    pid: int


@contextmanager
def server_process(module: str, *, quiet: bool = False) -> Iterator[ServerProcess]:
    """Run a module that prints its port and serves; ``quiet`` drops what it says besides."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}/shared:{ROOT}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.strip().isdigit(), f"{module} did not start"
        yield ServerProcess(int(line), process.pid)
    finally:
        process.kill()
        process.communicate()
