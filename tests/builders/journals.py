"""Journals that tests can read: one of their own, and what functions log."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import ModuleType

import pytest

from popfetch.ports.metrics import Metric

_NOTHING: dict[str, object] = {}
_SUBJECT: ContextVar[dict[str, object]] = ContextVar("subject", default=_NOTHING)


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
    values: dict[str, list[float]] = field(default_factory=dict)

    def debug(self, message: str, **fields: object) -> None:
        self.lines.append(("debug", message, {**_SUBJECT.get(), **fields}))

    def info(self, message: str, **fields: object) -> None:
        self.lines.append(("info", message, {**_SUBJECT.get(), **fields}))

    def warning(self, message: str, **fields: object) -> None:
        self.lines.append(("warning", message, {**_SUBJECT.get(), **fields}))

    def error(self, message: str, **fields: object) -> None:
        self.lines.append(("error", message, {**_SUBJECT.get(), **fields}))

    def count(self, metric: Metric, value: float = 1) -> None:
        if value:
            self.measure(metric, value)

    def measure(self, metric: Metric, value: float) -> None:
        self.counts[metric] = self.counts.get(metric, 0) + value
        self.values.setdefault(metric, []).append(value)

    @contextmanager
    def about(self, **fields: object) -> Iterator[None]:
        before = _SUBJECT.set({**_SUBJECT.get(), **{name: value for name, value in fields.items() if value}})
        try:
            yield
        finally:
            _SUBJECT.reset(before)

    @property
    def messages(self) -> list[str]:
        """What was noted, without its fields."""
        return [message for _, message, _ in self.lines]
