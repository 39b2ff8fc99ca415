"""A process that outlives the command that started it, found again by its number and its command line."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BackgroundProcess:
    """A process that leads a session of its own; ``folder`` holds its ``pid`` and ``log`` files.

    A process number alone may have passed to a stranger, so ``mark`` must stand in the process's command line.
    """

    folder: Path
    mark: str

    @property
    def log(self) -> Path:
        """What it printed since it was started last."""
        return self.folder / "log"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "pid"

    def pid(self) -> int | None:
        """Its number while it runs."""
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        listing = subprocess.run(
            ["ps", "-ww", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout.strip()
        return pid if listing and not listing.startswith("Z") and self.mark in listing else None

    def start(self, command: Sequence[str], environment: Mapping[str, str], directory: Path) -> None:
        """Start it; whoever calls waits for it to be ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._pid_file.write_text(str(process.pid))
        process.returncode = 0  # it is meant to outlive this object, which would complain about that otherwise

    def stop(self, patience_seconds: float = 20) -> bool:
        """End it and what it started: politely first, so that it can save its state. ``False`` if it did not run."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            give_up_at = time.monotonic() + patience_seconds
            while self._is_alive(pid) and time.monotonic() < give_up_at:
                time.sleep(0.1)
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        self._pid_file.unlink(missing_ok=True)
        return pid is not None

    def _is_alive(self, pid: int) -> bool:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        return self.pid() is not None

    def last_lines(self, count: int = 20) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])
