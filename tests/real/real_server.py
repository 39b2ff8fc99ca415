"""What the real servers of the tests have in common: a folder that their own users may read, a log, an end."""

import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self


class RealServer(ABC):
    """A server of one of the tests, run from a folder of its own; use it as a context manager.

    ``name`` is what its folder and a failure's note call it, ``log_name`` the file in its folder that it logs to.
    """

    name: ClassVar[str]
    log_name: ClassVar[str]
    folder: Path

    @property
    def log(self) -> str:
        """What the server has logged so far."""
        path = self.folder / self.log_name
        return path.read_text(errors="replace") if path.exists() else ""

    def __enter__(self) -> Self:
        # not pytest's folder: that is closed to the users that mail servers' processes run as
        self.folder = Path(tempfile.mkdtemp(prefix=f"popfetch-{self.name}-"))
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(f"the log of {self.name} ends:\n{self.log[-4000:]}")
        self._stop()

    @abstractmethod
    def _start(self) -> None:
        """Start it; what raises is stopped."""

    @abstractmethod
    def _stop(self) -> None:
        """Stop it, however far it came, and remove its folder."""
