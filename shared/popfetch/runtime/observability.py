"""Logging and metrics by Powertools, behind the port that services know."""

import logging
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

type Handler = Callable[[Any, LambdaContext], dict[str, Any]]

_CALLER = 3
"""Frames between whoever notes something and the logging module, so that a line's location is theirs."""

_UNITS = {"OctetsStored": MetricUnit.Bytes}


class PowertoolsJournal:
    """``Journal`` by Powertools: JSON lines, and metrics that are flushed once an invocation.

    Metrics have no dimension beside the function's service, so that their number, and with it their price, is fixed.
    """

    def __init__(self, logger: Logger, metrics: Metrics) -> None:
        self.logger = logger
        self.metrics = metrics

    def info(self, message: str, **fields: object) -> None:
        """Note something that went as it should."""
        self.logger.info(message, extra=fields, stacklevel=_CALLER)

    def warning(self, message: str, **fields: object) -> None:
        """Note something that an operator may want to look at."""
        self.logger.warning(message, extra=fields, stacklevel=_CALLER)

    def error(self, message: str, **fields: object) -> None:
        """Note something that an operator has to look at; the exception being handled is added."""
        self.logger.error(message, extra=fields, stacklevel=_CALLER, exc_info=sys.exc_info()[0] is not None)

    def count(self, metric: str, value: float = 1) -> None:
        """Add to a metric of this invocation."""
        if value:
            self.metrics.add_metric(metric, _UNITS.get(metric, MetricUnit.Count), value)

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
    """A journal named by the function's ``POWERTOOLS_SERVICE_NAME``."""
    logging.logAsyncioTasks = False  # type: ignore[attr-defined]
    return PowertoolsJournal(Logger(), Metrics())
