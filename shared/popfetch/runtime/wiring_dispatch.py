"""The wiring of dispatch: each piece is built once, on first use."""

from functools import cache

from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.adapters.wheel_table import WheelTable
from popfetch.runtime.aws_clients import aws_client
from popfetch.runtime.settings import Settings


@cache
def wheel() -> WheelTable:
    """The wheel in the stack's table."""
    settings = Settings.from_environment()
    return WheelTable(aws_client("dynamodb"), settings.require("table_name"), shards=settings.wheel_shards)


@cache
def fetch_queue() -> SqsFetchQueue:
    """The stack's fetch queue."""
    return SqsFetchQueue(aws_client("sqs"), Settings.from_environment().require("fetch_queue_url"))
