"""Journals that tests can read: one of their own, and what functions log."""

import io
from dataclasses import dataclass, field
from types import ModuleType

import pytest


def log_of(monkeypatch: pytest.MonkeyPatch, *functions: ModuleType) -> io.StringIO:
    """What these functions log from now on, instead of where they would."""
    lines = io.StringIO()
    for function in functions:
        monkeypatch.setattr(function.journal.logger.registered_handler, "stream", lines)
    return lines


@dataclass
class RecordingJournal:
    """A journal that keeps what it was told."""

    lines: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)
    counts: dict[str, float] = field(default_factory=dict)

    def debug(self, message: str, **fields: object) -> None:
        self.lines.append(("debug", message, fields))

    def info(self, message: str, **fields: object) -> None:
        self.lines.append(("info", message, fields))

    def warning(self, message: str, **fields: object) -> None:
        self.lines.append(("warning", message, fields))

    def error(self, message: str, **fields: object) -> None:
        self.lines.append(("error", message, fields))

    def count(self, metric: str, value: float = 1) -> None:
        self.counts[metric] = self.counts.get(metric, 0) + value

    @property
    def messages(self) -> list[str]:
        """What was noted, without its fields."""
        return [message for _, message, _ in self.lines]
