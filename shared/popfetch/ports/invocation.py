"""What everything needs that runs: the time, a journal, a bus."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from popfetch.ports.metrics import Metric

Clock = Callable[[], datetime]
"""Tells the time, always with UTC as its zone."""

Pause = Callable[[float], Awaitable[None]]
"""Lets so many seconds pass."""


class Journal(Protocol):
    """What operators read: structured log lines and metrics. Nothing secret goes in."""

    def debug(self, message: str, **fields: object) -> None:
        """Note something so common that its line is written at ``LogLevel`` DEBUG alone."""

    def info(self, message: str, **fields: object) -> None:
        """Note something that went as it should."""

    def warning(self, message: str, **fields: object) -> None:
        """Note something that an operator may want to look at."""

    def error(self, message: str, **fields: object) -> None:
        """Note something that an operator has to look at; the exception being handled is added."""

    def count(self, metric: Metric, value: float = 1) -> None:
        """Add to a metric of this invocation; adding nothing writes nothing."""

    def measure(self, metric: Metric, value: float) -> None:
        """Add one value, which may be 0, to those of a metric whose average or percentiles are looked at."""

    def about(self, **fields: object) -> AbstractContextManager[None]:
        """Add fields to each line that this task, and what it begins, notes within."""


class EventBus(Protocol):
    """Tells others what happened. Events are named in the past tense and never hold a secret."""

    def publish(self, name: str, detail: dict[str, object]) -> None:
        """Publish one event. Raises StorageUnavailable."""


class Once(Protocol):
    """What was done under a name, so that it is not done twice."""

    def once(self, name: str, work: Callable[[], str], fingerprint: str = "") -> tuple[str, bool]:
        """Do ``work`` unless it was done under ``name`` before; returns its result, and whether it was done now.

        What ``work`` raises is passed on, and it counts as not done. Raises UnderWay while another invocation is at
        it, KeyReused where the same name came with another ``fingerprint``, and StorageUnavailable.
        """
