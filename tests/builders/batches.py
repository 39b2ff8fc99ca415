"""A batch with a bad account in it: two good ones beside it, one that waits behind it and one of another owner."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from popfetch.domain.fetch_request import FetchRequest
from popfetch.domain.fetch_state import LastFetch
from popfetch.pop3.limits import DEFAULT_LIMITS, Limits
from popfetch.ports.schedule import Erasure
from popfetch.services.batch_time import BatchTime
from popfetch.services.fetch_account import carry_out_request
from popfetch.services.fetch_batch import carry_out
from tests.builders.accounts import OTHER_OWNER, OWNER
from tests.builders.aws import Aws
from tests.builders.collecting import Collection, a_message
from tests.builders.deliveries import RecordingDeliveries, a_delivery
from tests.builders.scripted_pop3_server import ScriptedServer


@dataclass
class MixedBatch:
    """The bad account comes first in its owner's group; ``bad`` has it, ``good`` the other two."""

    bad: Collection
    good: list[Collection]
    seconds: float
    returned: list[str] = field(default_factory=list)
    unhandled: list[dict[str, Any]] = field(default_factory=list)
    took: float = 0.0

    async def run(self) -> LastFetch:
        """Carry the batch out as the fetch function does; returns how it went with the bad account."""
        accounts = {collection.account.account_id: collection for collection in (self.bad, *self.good)}
        batch = [
            a_delivery(number, owner=collection.account.owner_id, account_id=collection.account.account_id)
            for number, collection in enumerate(accounts.values())
        ]
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.unhandled.append(context))
        time = BatchTime((delivery.group for delivery in batch), self.seconds)

        async def carry(request: FetchRequest | Erasure) -> None:
            await carry_out_request(request, accounts[request.account_id].parts, time.turn(request.owner_id))

        began = loop.time()
        self.returned = await carry_out(batch, RecordingDeliveries(), carry, self.bad.journal)
        self.took = loop.time() - began
        fetch = (await self.bad.state()).last_fetch
        assert fetch is not None, "the bad account has no record of its cycle"
        return fetch

    async def assert_others_unharmed(self) -> None:
        """Both good accounts are collected, nothing comes again, and nothing was left to the event loop."""
        for collection in self.good:
            assert collection.contents() == sorted(mail.content for mail in collection.server.mailbox)
            fetch = (await collection.state()).last_fetch
            assert fetch is not None
            assert fetch.error_code is None
        assert self.returned == []
        assert self.unhandled == []
        assert not any(level == "error" for level, _, _ in self.bad.journal.lines)


def good_server() -> ScriptedServer:
    """A server as it should be, with two messages."""
    return ScriptedServer([a_message(101), a_message(102)])


def a_mixed_batch(
    aws: Aws,
    bad: ScriptedServer,
    good: ScriptedServer,
    *,
    limits: Limits = DEFAULT_LIMITS,
    seconds: float = 60.0,
    ca_file: str | None = None,
    **settings: Any,
) -> MixedBatch:
    """The three accounts, all servers listening already; ``limits`` and ``settings`` are the bad account's."""
    return MixedBatch(
        Collection(aws, bad, limits=limits, ca_file=ca_file, **settings),
        [
            Collection(aws, good, number=2, owner_id=OWNER),
            Collection(aws, good, number=3, owner_id=OTHER_OWNER),
        ],
        seconds,
    )
