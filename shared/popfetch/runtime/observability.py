"""Logging and metrics by Powertools, behind the port that services know."""

import gc
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from types import MappingProxyType
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.ports.metrics import COUNTED_BY, WHOLE, Metric

type Handler = Callable[[Any, LambdaContext], dict[str, Any]]

_CALLER = 3
"""Frames between whoever notes something and the logging module, so that a line's location is theirs."""

TALKATIVE = ("boto3", "botocore", "urllib3", "s3transfer")
"""Libraries whose debugging lines hold whole answers of AWS, plain data keys and client secrets among them.

At ``LogLevel`` DEBUG Lambda sets the level of all loggers that have none of their own.
"""

_UNITS = {
    Metric.OCTETS_STORED: MetricUnit.Bytes,
    Metric.SECONDS_FROM_DUE_TO_DONE: MetricUnit.Seconds,
}

_OF_THE_WHOLE = frozenset(COUNTED_BY[WHOLE])

_ABOUT: ContextVar[Mapping[str, object]] = ContextVar("about", default=MappingProxyType({}))
"""What the lines of this task are about: a batch carries out many requests side by side."""


class PowertoolsJournal:
    """``Journal`` by Powertools: JSON lines, and metrics that are flushed once an invocation.

    Metrics have no dimension beside the function's service, so that their number, and with it their price, is fixed;
    what any function may count has one service for all.
    """

    def __init__(self, logger: Logger, metrics: Metrics) -> None:
        self.logger = logger
        self.metrics = metrics

    def debug(self, message: str, **fields: object) -> None:
        """Note something so common that its line is written at ``LogLevel`` DEBUG alone."""
        self.logger.debug(message, extra={**_ABOUT.get(), **fields}, stacklevel=_CALLER)

    def info(self, message: str, **fields: object) -> None:
        """Note something that went as it should."""
        self.logger.info(message, extra={**_ABOUT.get(), **fields}, stacklevel=_CALLER)

    def warning(self, message: str, **fields: object) -> None:
        """Note something that an operator may want to look at."""
        self.logger.warning(message, extra={**_ABOUT.get(), **fields}, stacklevel=_CALLER)

    def error(self, message: str, **fields: object) -> None:
        """Note something that an operator has to look at; the exception being handled is added."""
        extra = {**_ABOUT.get(), **fields}
        self.logger.error(message, extra=extra, stacklevel=_CALLER, exc_info=sys.exc_info()[0] is not None)

    def count(self, metric: Metric, value: float = 1) -> None:
        """Add to a metric of this invocation; adding nothing writes nothing."""
        if value:
            self.measure(metric, value)

    def measure(self, metric: Metric, value: float) -> None:
        """Add one value, which may be 0, to those of a metric whose average or percentiles are looked at."""
        unit = _UNITS.get(metric, MetricUnit.Count)
        if metric in _OF_THE_WHOLE:
            with single_metric(metric.value, unit, value, default_dimensions={"service": WHOLE}):
                pass
        else:
            self.metrics.add_metric(metric.value, unit, value)

    @contextmanager
    def about(self, **fields: object) -> Iterator[None]:
        """Add fields to each line that this task, and what it begins, notes within; empty ones are left out."""
        before = _ABOUT.set({**_ABOUT.get(), **{name: value for name, value in fields.items() if value}})
        try:
            yield
        finally:
            _ABOUT.reset(before)

    def flushed(self, handler: Handler) -> Handler:
        """Write a handler's metrics as one line when it ends, however it ends; none where it counted nothing."""

        @wraps(handler)
        def flushing(event: Any, context: LambdaContext) -> dict[str, Any]:
            try:
                return handler(event, context)
            finally:
                if self.metrics.metric_set:
                    self.metrics.flush_metrics()

        return flushing


def new_journal() -> PowertoolsJournal:
    """A journal named by the function's ``POWERTOOLS_SERVICE_NAME``; made once all that a handler needs is imported."""
    if not gc.isenabled():
        # What was imported stays for ever: collections, which begin only now, never look at it.
        gc.freeze()
        gc.enable()
    for library in TALKATIVE:
        logging.getLogger(library).setLevel(logging.INFO)
    logging.logAsyncioTasks = False  # type: ignore[attr-defined]
    return PowertoolsJournal(Logger(), Metrics())
