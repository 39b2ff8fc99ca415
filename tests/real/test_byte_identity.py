"""Two thousand messages of every kind over TLS: what is stored is what dovecot sends, octet for octet."""

import asyncio
import time
from collections.abc import Callable
from hashlib import sha256

import pytest

from popfetch.domain.fetch_state import Outcome
from tests.builders.aws import Aws
from tests.builders.collecting import Collection
from tests.real.collection import collection_of
from tests.real.dovecot import Dovecot
from tests.real.mixed_mail import mixed_messages

pytestmark = pytest.mark.real

SECONDS = 240
MESSAGES = 2_000
LIMIT = 200


def stored_by_uid(collection: Collection) -> dict[bytes, list[str]]:
    """The hashes of the objects in the bucket, by the UID in their metadata."""
    found: dict[bytes, list[str]] = {}
    pages = collection.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=collection.aws.bucket)
    for page in pages:
        for row in page.get("Contents", []):
            answer = collection.aws.s3.get_object(Bucket=collection.aws.bucket, Key=row["Key"])
            found.setdefault(answer["Metadata"]["uid"].encode(), []).append(sha256(answer["Body"].read()).hexdigest())
    return found


async def test_stores_two_thousand_messages_as_they_were_sent(
    dovecot: Dovecot, cloud: Aws, record_property: Callable[[str, object], None]
) -> None:
    # given
    maildir = dovecot.maildir("anna")
    for content in mixed_messages(MESSAGES):
        maildir.deliver(content)
    octets = 0
    expected: dict[bytes, list[str]] = {}
    with dovecot.reader("anna") as reader:
        for number, uid in reader.uids().items():
            content = await asyncio.to_thread(reader.message, number)
            octets += len(content)
            expected[uid] = [sha256(content).hexdigest()]
        reader.quit()
    assert len(expected) == MESSAGES

    # when
    collection = collection_of(cloud, dovecot.mailbox("anna"), max_messages_per_cycle=LIMIT)
    began = time.monotonic()
    cycles = [await collection.cycle()]
    while cycles[-1].remaining:
        cycles.append(await collection.cycle())
        assert len(cycles) <= MESSAGES // LIMIT
    seconds = time.monotonic() - began

    # then
    record_property("octets", octets)
    record_property("seconds", round(seconds, 1))
    print(f"{MESSAGES} messages, {octets / 1e6:.1f} MB, {len(cycles)} cycles, {seconds:.1f} s with S3 in process")
    assert [cycle.stored for cycle in cycles] == [LIMIT] * (MESSAGES // LIMIT)
    assert cycles[-1].outcome is Outcome.STORED
    assert sum(cycle.octets for cycle in cycles) == octets
    assert stored_by_uid(collection) == expected
    assert collection.versions() == MESSAGES
    assert len(collection.items("MESSAGE#")) == MESSAGES
    assert len(list((await collection.ledger()).entries())) == MESSAGES
    assert (await collection.cycle()).outcome is Outcome.NOTHING_NEW
    assert collection.versions() == MESSAGES
