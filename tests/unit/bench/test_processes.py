"""What a process took is told, and one that fails is not taken for a run."""

import os
import sys
import time
from pathlib import Path

import pytest

from tests.bench.processes import RunFailed, cpu_of_process, cpu_of_session, run

MEGABYTE = 1 << 20


def python(text: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", text]


def test_tells_what_a_process_and_its_children_took(tmp_path: Path) -> None:
    child = "import time\nuntil = time.process_time() + 0.1\nwhile time.process_time() < until: pass\nb'x' * 60_000_000"
    spent = run(python(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"), tmp_path)

    assert spent.cpu_seconds >= 0.1
    assert spent.seconds >= 0.1
    assert 60_000_000 < spent.peak_octets < 120_000_000


def test_what_this_process_holds_is_not_told_of_another(tmp_path: Path) -> None:
    held = b"x" * (100 * MEGABYTE)

    spent = run(python("pass"), tmp_path)

    assert spent.peak_octets < len(held)


def test_gives_a_process_what_it_reads_and_keeps_what_it_says(tmp_path: Path) -> None:
    run(python("import sys; print(sys.stdin.read().upper())"), tmp_path, given="hello")

    assert (tmp_path / "output").read_text() == "HELLO\n"


def test_a_process_that_fails_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match=r"(?s)ended with 3.*trouble"):
        run(python("import sys; print('trouble'); sys.exit(3)"), tmp_path)
    run(python("import sys; sys.exit(3)"), tmp_path, good=(0, 3))


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(RunFailed, match="took more than"):
        run(python("import time; time.sleep(30)"), tmp_path, timeout=0.3)
    assert time.monotonic() - began < 10


def test_knows_the_processor_time_of_a_running_process() -> None:
    assert abs(cpu_of_process(os.getpid()) - sum(os.times()[:4])) < 0.1
    assert cpu_of_session(os.getsid(0)) >= cpu_of_process(os.getpid())
