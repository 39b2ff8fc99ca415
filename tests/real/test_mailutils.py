"""Collecting from GNU mailutils' pop3d, which rewrites the messages it serves."""

import os
import re
from collections.abc import Iterator
from random import Random

import pytest

from popfetch.domain.account import AfterFetch
from popfetch.domain.fetch_state import Outcome
from tests.builders.aws import Aws
from tests.real import mailutils
from tests.real.collection import collection_of, counted_calls
from tests.real.mailutils import Mailutils
from tests.real.mixed_mail import KILO, MEGA, a_header, attachment, text

pytestmark = pytest.mark.real

_WRITTEN_BY_THE_SERVER = re.compile(rb"^(?:X-UIDL|X-UID|X-IMAPbase|Status): .*\r\n", re.MULTILINE)


@pytest.fixture
def pop3d() -> Iterator[Mailutils]:
    if mailutils.binary() is None:
        pytest.skip("mailutils-pop3d is not installed")
    if os.getuid():
        pytest.skip("GNU mailutils' pop3d needs root, to become the mail's owner")
    with Mailutils() as server:
        yield server


def messages(count: int) -> list[bytes]:
    random = Random(count)
    odd = [
        b".\r\n..\r\n.leading\r\n",
        b"x" * 100_001 + b"\r\n.\r\n",
        "Grüße, 你好\r\n".encode(),
        b"bare\rcarriage returns\r\r\n",
        b"From the start of a line\r\n",
        attachment(random, MEGA),
    ]
    return [
        a_header(number) + (odd[number % 20] if number % 20 < len(odd) else text(random, 4 * KILO))
        for number in range(1, count + 1)
    ]


async def test_stores_what_the_server_sends(pop3d: Mailutils, cloud: Aws) -> None:
    # given a mailbox that the server has settled by two sessions
    pop3d.deliver("anna", *messages(100))
    for _ in range(2):
        with pop3d.reader("anna") as reader:
            expected = reader.messages()
            reader.quit()
    assert len(expected) == 100

    # when
    collection = collection_of(cloud, pop3d.mailbox("anna"), max_messages_per_cycle=50)
    cycles = [await collection.cycle(), await collection.cycle()]

    # then
    assert [(cycle.stored, cycle.remaining) for cycle in cycles] == [(50, 50), (50, 0)]
    assert collection.contents() == sorted(expected.values())
    assert len(collection.items("MESSAGE#")) == 100


async def test_messages_that_the_server_rewrites_are_stored_once(pop3d: Mailutils, cloud: Aws) -> None:
    # given a mailbox that no session has touched, so that every header changes after the first one
    sent = messages(40)
    pop3d.deliver("anna", *sent)
    collection = collection_of(cloud, pop3d.mailbox("anna"))

    # when
    first = await collection.cycle()
    later = [await collection.cycle() for _ in range(4)]

    # then
    assert first.stored == 40
    assert [cycle.stored for cycle in later] == [0] * 4
    assert [cycle.error_code for cycle in later] == [None] * 4
    stored = [_WRITTEN_BY_THE_SERVER.sub(b"", content) for content in collection.contents()]
    assert sorted(stored) == sorted(sent)
    assert len(collection.items("MESSAGE#")) == 40

    # and once it has settled, a poll asks for nothing more
    with counted_calls(cloud) as calls:
        idle = await collection.cycle()
    print(f"idle: {idle.outcome}, AWS {dict(calls.counted)}")
    assert idle.outcome is Outcome.NOTHING_NEW
    assert calls.of("s3") == []

    # and a new one is taken
    new = a_header(41) + b"New.\r\n"
    pop3d.deliver("anna", new)
    assert (await collection.cycle()).stored == 1
    assert len(collection.items("MESSAGE#")) == 41


async def test_deletes_what_is_stored(pop3d: Mailutils, cloud: Aws) -> None:
    # given
    sent = messages(30)
    pop3d.deliver("anna", *sent)
    collection = collection_of(cloud, pop3d.mailbox("anna"), after_fetch=AfterFetch.DELETE, max_messages_per_cycle=20)

    # when
    cycles = [await collection.cycle() for _ in range(3)]

    # then
    assert [(cycle.stored, cycle.deleted) for cycle in cycles] == [(20, 20), (10, 10), (0, 0)]
    with pop3d.reader("anna") as reader:
        assert reader.uids() == {}
    assert sorted(_WRITTEN_BY_THE_SERVER.sub(b"", content) for content in collection.contents()) == sorted(sent)
