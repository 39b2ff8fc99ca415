"""A poll of a hundred thousand kept messages costs nothing but the asking; a new one costs itself."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from popfetch.domain.account import Security
from popfetch.domain.fetch_state import Outcome
from tests.builders.aws import Aws
from tests.builders.collecting import Collection
from tests.real.collection import AwsCalls, collection_of, counted_calls
from tests.real.dovecot import Dovecot
from tests.real.mixed_mail import a_header
from tests.real.relay import Conversation, Relay

pytestmark = pytest.mark.real

SECONDS = 180
MESSAGES = 100_000
READS = {"GetItem", "Query", "BatchGetItem", "Scan", "TransactGetItems"}


async def poll(collection: Collection) -> AwsCalls:
    """Carry out the next scheduled request."""
    collection.now += timedelta(minutes=5)
    with counted_calls(collection.aws) as calls:
        await collection.carry_out()
    return calls


def report(title: str, conversation: Conversation, calls: AwsCalls) -> str:
    up, down = len(conversation.sent), len(conversation.received)
    return f"{title}: {conversation.commands}, {up} octets up, {down} down after sign-in, AWS {dict(calls.counted)}"


async def test_polls_a_hundred_thousand_messages_at_the_price_of_the_new_ones(
    dovecot: Dovecot, cloud: Aws, record_property: Callable[[str, object], None]
) -> None:
    # given a mailbox that was there before, of which only what is new is wanted
    maildir = dovecot.maildir("anna")
    maildir.fill(a_header(1) + b"Kept.\r\n", MESSAGES)
    async with Relay(dovecot.port) as relay:
        mailbox = dovecot.mailbox("anna", Security.NONE, port=relay.port)
        collection = collection_of(cloud, mailbox, start="now")
        await poll(collection)
        state = await collection.state()
        assert state.last_fetch is not None
        assert (state.last_fetch.listed, state.last_fetch.skipped) == (MESSAGES, MESSAGES)

        # when nothing is new
        calls = await poll(collection)

        # then it asks one question in one write, and is told in one
        talk = relay.last.after_sign_in()
        print(report("nothing new", talk, calls))
        record_property("idle_octets_up", len(talk.sent))
        record_property("idle_octets_down", len(talk.received))
        assert talk.commands == ["STAT", f"UIDL {MESSAGES}", "QUIT"]
        assert talk.passed[0] == ("client", b"STAT\r\nUIDL %d\r\n" % MESSAGES)
        assert len(talk.sent) + len(talk.received) < 1024
        assert calls.of("s3") == []
        assert len([name for name in calls.of("dynamodb") if name in READS]) <= 1
        assert len([name for name in calls.of("dynamodb") if name not in READS]) <= 1
        assert (await collection.state()).last_fetch.outcome is Outcome.NOTHING_NEW  # type: ignore[union-attr]

        # when one message has come
        message = a_header(2) + b"New.\r\n"
        maildir.deliver(message)
        calls = await poll(collection)

        # then it costs itself
        talk = relay.last.after_sign_in()
        print(report("one new", talk, calls))
        record_property("one_new_octets_up", len(talk.sent))
        record_property("one_new_octets_down", len(talk.received))
        assert len(talk.commands) <= 8
        assert len(talk.sent) + len(talk.received) - len(message) < 4096
        assert not [params for _, params in calls.made if "LEDGER" in str(params.get("ExpressionAttributeValues"))]
        assert len([name for name in calls.of("dynamodb") if name in READS]) == 1
        assert collection.contents() == [message]

        # and is not taken again
        calls = await poll(collection)
        assert calls.of("s3") == []
        assert collection.versions() == 1
