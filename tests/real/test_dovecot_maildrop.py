"""Collecting from a mailbox that lives: others deliver, delete and lock, and the owner wants things deleted."""

from datetime import timedelta

import pytest

from popfetch.domain.account import AfterFetch, Security
from popfetch.domain.fetch_state import Outcome
from tests.builders.aws import Aws
from tests.real.collection import collection_of
from tests.real.dovecot import Dovecot
from tests.real.maildir import Maildir
from tests.real.mixed_mail import a_header
from tests.real.relay import Relay

pytestmark = pytest.mark.real


def deliver(maildir: Maildir, *numbers: int) -> list[bytes]:
    """Deliver numbered messages; returns them sorted."""
    contents = [a_header(number) + b"Hello number %d.\r\n" % number for number in numbers]
    for content in contents:
        maildir.deliver(content)
    return sorted(contents)


async def test_a_message_that_another_client_deleted_disturbs_nobody(dovecot: Dovecot, cloud: Aws) -> None:
    # given
    maildir = dovecot.maildir("anna")
    first = deliver(maildir, *range(1, 11))
    collection = collection_of(cloud, dovecot.mailbox("anna"))
    assert (await collection.cycle()).stored == 10

    # when somebody else deletes one, and another one comes
    with dovecot.reader("anna") as reader:
        reader.ask("DELE 4")
        reader.quit()
    more = deliver(maildir, 11)
    fetched = await collection.cycle()

    # then
    assert (fetched.stored, fetched.remaining) == (1, 0)
    assert collection.contents() == sorted(first + more)
    assert collection.versions() == 11
    assert (await collection.cycle()).outcome is Outcome.NOTHING_NEW


async def test_as_many_deleted_as_delivered_is_noticed(dovecot: Dovecot, cloud: Aws) -> None:
    # given
    maildir = dovecot.maildir("anna")
    first = deliver(maildir, *range(1, 10))
    collection = collection_of(cloud, dovecot.mailbox("anna"))
    await collection.cycle()

    # when the count, and even the octets, are the same as before
    with dovecot.reader("anna") as reader:
        reader.ask("DELE 1")
        reader.quit()
    more = deliver(maildir, 2)
    await collection.cycle()

    # then
    assert collection.contents() == sorted(first + more)


async def test_a_message_delivered_during_a_session_comes_with_the_next(dovecot: Dovecot, cloud: Aws) -> None:
    # given
    maildir = dovecot.maildir("anna")
    contents = deliver(maildir, *range(1, 6))

    async def deliver_one_more(data: bytes) -> None:
        if b"RETR 1\r\n" in data:
            contents.extend(deliver(maildir, 6))

    async with Relay(dovecot.port, watch=deliver_one_more) as relay:
        collection = collection_of(cloud, dovecot.mailbox("anna", Security.NONE, port=relay.port))

        # when
        first = await collection.cycle()
        second = await collection.cycle()

    # then
    assert (first.stored, second.stored) == (5, 1)
    assert collection.contents() == sorted(contents)
    assert collection.versions() == 6


async def test_a_busy_maildrop_waits_for_the_next_cycle(dovecot_installed: None, cloud: Aws) -> None:
    with Dovecot(lock_session=True) as server:
        # given
        contents = deliver(server.maildir("anna"), 1, 2)
        collection = collection_of(cloud, server.mailbox("anna"))

        # when
        with server.reader("anna") as other:
            busy = await collection.cycle()
            other.quit()
        free = await collection.cycle(later=timedelta(hours=1))

    # then
    assert (busy.outcome, busy.error_code) == (Outcome.FAILED, "in_use")
    assert free.outcome is Outcome.STORED
    assert collection.contents() == contents


async def test_deletes_what_is_stored_where_the_owner_wants_that(dovecot: Dovecot, cloud: Aws) -> None:
    # given
    maildir = dovecot.maildir("anna")
    contents = deliver(maildir, *range(1, 26))
    collection = collection_of(cloud, dovecot.mailbox("anna"), after_fetch=AfterFetch.DELETE, max_messages_per_cycle=20)

    # when
    first = await collection.cycle()

    # then what was taken is gone, what was not is there
    assert (first.stored, first.deleted, first.remaining) == (20, 20, 5)
    assert len(maildir.files()) == 5

    # when
    second = await collection.cycle()

    # then
    assert (second.stored, second.deleted) == (5, 5)
    assert maildir.files() == []
    assert collection.contents() == contents
    assert (await collection.cycle()).outcome is Outcome.NOTHING_NEW

    # and an emptied mailbox that fills again is collected again
    more = deliver(maildir, 26)
    await collection.cycle()
    assert maildir.files() == []
    assert collection.contents() == sorted(contents + more)


async def test_keeps_what_is_stored_where_the_owner_wants_that(dovecot: Dovecot, cloud: Aws) -> None:
    # given
    maildir = dovecot.maildir("anna")
    contents = deliver(maildir, *range(1, 11))
    async with Relay(dovecot.port) as relay:
        collection = collection_of(cloud, dovecot.mailbox("anna", Security.NONE, port=relay.port))

        # when
        for _ in range(3):
            await collection.cycle(later=timedelta(days=2))

    # then
    assert len(maildir.files()) == 10
    assert not [line for talk in relay.conversations for line in talk.commands if line.startswith("DELE")]
    assert collection.contents() == contents
    assert collection.versions() == 10


async def test_deletes_days_after_storing_where_the_owner_wants_that(dovecot: Dovecot, cloud: Aws) -> None:
    # given messages that were stored on different days
    maildir = dovecot.maildir("anna")
    contents = deliver(maildir, *range(1, 6))
    collection = collection_of(
        cloud, dovecot.mailbox("anna"), after_fetch=AfterFetch.DELETE_AFTER_DAYS, delete_after_days=7
    )
    await collection.cycle()
    contents += deliver(maildir, 6)
    await collection.cycle(later=timedelta(days=3))
    assert len(maildir.files()) == 6

    # when the first ones are old enough
    fetched = await collection.cycle(later=timedelta(days=5))

    # then only they are gone
    assert fetched.deleted == 5
    assert [path.read_bytes() for path in maildir.files()] == contents[-1:]

    # when the last one is
    await collection.cycle(later=timedelta(days=4))

    # then
    assert maildir.files() == []
    assert collection.contents() == sorted(contents)
    assert collection.versions() == 6


async def test_a_message_that_the_server_cannot_send_rightly_is_never_stored_wrongly(
    dovecot: Dovecot, cloud: Aws
) -> None:
    # given one that begins with a dot, which dovecot 2.3 does not stuff: its first line ends it, the rest is junk
    maildir = dovecot.maildir("anna")
    contents = deliver(maildir, 1, 2)
    maildir.deliver(b".\r\nI am no reply to anything.\r\n")
    contents += deliver(maildir, 3, 4)
    collection = collection_of(cloud, dovecot.mailbox("anna"), after_fetch=AfterFetch.DELETE)

    # when
    cycles = [await collection.cycle(later=timedelta(hours=1)) for _ in range(6)]

    # then those beside it are stored, and it is set aside for the owner to see, and never deleted
    assert collection.contents() == sorted(contents)
    assert sum(cycle.quarantined for cycle in cycles) == 1
    assert len(collection.items("QUARANTINE#")) == 1
    assert [path.read_bytes()[:1] for path in maildir.files()] == [b"."]


@pytest.mark.parametrize("uidl_format", ["%g", "%f", "%v.%u", "UID%u-%v"])
async def test_collects_whatever_form_the_uids_have(dovecot_installed: None, cloud: Aws, uidl_format: str) -> None:
    with Dovecot(uidl_format=uidl_format) as server:
        contents = deliver(server.maildir("anna"), 1, 2, 3)
        collection = collection_of(cloud, server.mailbox("anna"))
        assert (await collection.cycle()).stored == 3
        contents += deliver(server.maildir("anna"), 4)
        assert (await collection.cycle()).stored == 1
        assert (await collection.cycle()).outcome is Outcome.NOTHING_NEW
    assert collection.contents() == sorted(contents)
    assert collection.versions() == 4
