"""Processes that are measured: a client from its start to its end, a server over a while."""

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LAUNCH = str(Path(__file__).with_name("launch.py"))
_TICKS = os.sysconf("SC_CLK_TCK")


class RunFailed(Exception):
    """A measured process did not do what it was started for."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took, its children with it: seconds on the wall, of the processors, and octets of memory."""

    seconds: float
    cpu_seconds: float
    peak_octets: int


def run(
    command: Sequence[str],
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    given: str = "",
    good: Collection[int] = (0,),
    timeout: float = 300.0,
) -> Spent:
    """Run a command in ``folder``, which also keeps its output; ``given`` is what it reads.

    Raises RunFailed unless its exit status is ``good``.
    """
    result, output, input_ = folder / "spent", folder / "output", folder / "input"
    input_.write_text(given)
    with output.open("wb") as sink, input_.open("rb") as source:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", _LAUNCH, str(result), *command],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=source,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise RunFailed(f"{command[0]} took more than {timeout:.0f} s:\n{_tail(output)}") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if not result.exists():
        raise RunFailed(f"{command[0]} did not start:\n{_tail(output)}")
    seconds, cpu_seconds, peak, status = result.read_text().split()
    exit_status = os.waitstatus_to_exitcode(int(status))
    if exit_status not in good:
        raise RunFailed(f"{command[0]} ended with {exit_status}:\n{_tail(output)}")
    return Spent(float(seconds), float(cpu_seconds), int(peak))


def cpu_of_process(pid: int) -> float:
    """Seconds of processor that a running process has had, and those of its children that have ended."""
    return _cpu(Path(f"/proc/{pid}/stat").read_text())


def cpu_of_session(session: int) -> float:
    """The same of every process in the session that process ``session`` leads."""
    total = 0.0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = file.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(_fields(text)[3]) == session:
            total += _cpu(text)
    return total


def _fields(stat: str) -> list[str]:
    """What follows the name, which may have spaces and parentheses of its own: the state is the first."""
    return stat.rpartition(")")[2].split()


def _cpu(stat: str) -> float:
    return sum(map(int, _fields(stat)[11:15])) / _TICKS


def _tail(output: Path) -> str:
    return output.read_text(errors="replace")[-3000:]
