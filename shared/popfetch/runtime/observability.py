"""Logging and metrics by Powertools, behind the port that services know."""

import gc
import logging
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

type Handler = Callable[[Any, LambdaContext], dict[str, Any]]

_CALLER = 3
"""Frames between whoever notes something and the logging module, so that a line's location is theirs."""

TALKATIVE = ("boto3", "botocore", "urllib3", "s3transfer")
"""Libraries whose debugging lines hold whole answers of AWS, plain data keys and client secrets among them.

At ``LogLevel`` DEBUG Lambda sets the level of all loggers that have none of their own.
"""

_UNITS = {"OctetsStored": MetricUnit.Bytes}

WHOLE = "popfetch"
"""The ``service`` of metrics that any function may count and that one alarm watches."""

_OF_THE_WHOLE = {"OAuthClientsRefused"}


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
        self.logger.debug(message, extra=fields, stacklevel=_CALLER)

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
        unit = _UNITS.get(metric, MetricUnit.Count)
        if value and metric in _OF_THE_WHOLE:
            with single_metric(metric, unit, value, default_dimensions={"service": WHOLE}):
                pass
        elif value:
            self.metrics.add_metric(metric, unit, value)

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
