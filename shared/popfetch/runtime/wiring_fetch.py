"""The wiring of fetch: adapters are built once, on first use; what belongs to an event loop, once an invocation."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache

from popfetch.adapters.event_bus import EventBridgeBus
from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.adapters.fetch_records import FetchRecordsTable
from popfetch.adapters.mail_bucket import MailBucket
from popfetch.adapters.opendal_mail_store import OpendalMailStore
from popfetch.domain.fetch_request import FetchRequest
from popfetch.ports.invocation import Journal
from popfetch.ports.schedule import Delivery, Erasure
from popfetch.runtime.aws_clients import aws_client, bucket_place, signing_key
from popfetch.runtime.mail_servers import maildrop_dialer, sign_in_secrets
from popfetch.runtime.settings import Settings
from popfetch.services.batch_time import BatchTime
from popfetch.services.cycle_record import CycleParts
from popfetch.services.fetch_account import carry_out_request
from popfetch.services.fetch_batch import carry_out
from popfetch.services.octet_budget import OctetBudget

THREADS = 48
"""Blocking calls to AWS that are under way at once."""

OCTETS_UNDER_WAY = 16 * 1024 * 1024
"""Octets of whole messages on their way to the bucket at once, all accounts of a batch together."""

SECONDS_TO_CONCLUDE = 45.0
"""What is kept of the function's time for committing and reporting."""


@cache
def fetch_queue() -> SqsFetchQueue:
    """The stack's fetch queue and its dead letters."""
    settings = Settings.from_environment()
    return SqsFetchQueue(
        aws_client("sqs"), settings.require("fetch_queue_url"), settings.require("dead_letter_queue_url")
    )


@cache
def _records() -> FetchRecordsTable:
    settings = Settings.from_environment()
    return FetchRecordsTable(aws_client("dynamodb"), settings.require("table_name"), wheel_shards=settings.wheel_shards)


@cache
def _store() -> OpendalMailStore:
    name = Settings.from_environment().require("mail_bucket_name")
    return OpendalMailStore(bucket_place(name), signing_key, lambda: MailBucket(aws_client("s3"), name))


@cache
def _bus() -> EventBridgeBus:
    return EventBridgeBus(aws_client("events"), Settings.from_environment().require("event_bus_name"))


def cycle_parts(journal: Journal) -> CycleParts:
    """What the cycles of one invocation work with."""
    return CycleParts(
        records=_records(),
        store=_store(),
        dialer=maildrop_dialer(),
        secrets=sign_in_secrets(journal),
        queue=fetch_queue(),
        bus=_bus(),
        journal=journal,
        clock=lambda: datetime.now(UTC),
        pause=asyncio.sleep,
        budget=OctetBudget(OCTETS_UNDER_WAY),
    )


def fetch_batch(batch: Sequence[Delivery], seconds_left: float, journal: Journal) -> list[str]:
    """Carry out a batch within ``seconds_left``; returns the ids of deliveries that are to come again."""

    async def run() -> list[str]:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="aws"))
        time = BatchTime((delivery.group for delivery in batch), max(1.0, seconds_left - SECONDS_TO_CONCLUDE))
        parts = cycle_parts(journal)

        async def carry(request: FetchRequest | Erasure) -> None:
            await carry_out_request(request, parts, time.turn(request.owner_id))

        return await carry_out(batch, fetch_queue(), carry, journal)

    return asyncio.run(run())
