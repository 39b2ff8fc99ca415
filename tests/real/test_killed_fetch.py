"""The fetch function, killed after every single step it takes and run again: nothing lost, nothing twice.

A step is an answered call to AWS, a write to the server, or the end of the session's delete and quit. A relay
before the server holds every DELE back until it has looked that the message is stored and committed.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import pytest

from popfetch.domain.account import AfterFetch, Security
from popfetch.domain.ledger import Disposition, content_print
from tests.builders.aws import Aws
from tests.real.dovecot import Dovecot
from tests.real.fetch_process import FetchProcess, Run
from tests.real.maildir import Maildir
from tests.real.mixed_mail import a_header
from tests.real.moto_process import stack_in_a_process
from tests.real.relay import Relay
from tests.real.stack import Collector

pytestmark = pytest.mark.real

SECONDS = 400
MESSAGES = 12
MOST_RUNS = 8
_DELE = re.compile(rb"^DELE (\d+)\r$", re.MULTILINE | re.IGNORECASE)


def digest(content: bytes) -> bytes:
    return sha256(content).digest()


class Scene:
    """One mailbox, its account, and what was seen on its way."""

    def __init__(self, aws: Aws, dovecot: Dovecot, processes: FetchProcess, number: int, after: AfterFetch) -> None:
        self._aws = aws
        self._dovecot = dovecot
        self._processes = processes
        self._number = number
        self._after = after
        self.deleted = 0
        self.runs: list[Run] = []
        self.maildir: Maildir
        self.collector: Collector
        self.expected: list[str] = []

    @asynccontextmanager
    async def set_up(self) -> AsyncIterator["Scene"]:
        user = f"user{self._number}"
        self.maildir = self._dovecot.maildir(user)
        for number in range(1, MESSAGES + 1):
            content = a_header(number) + b"Hello number %d of %d.\r\n" % (number, self._number) * number
            self.maildir.deliver(content)
            self.expected.append(digest(content).hex())
        self.expected.sort()
        async with Relay(self._dovecot.port, watch=self._look_at_deletions) as relay:
            mailbox = self._dovecot.mailbox(user, Security.NONE, port=relay.port)
            self.collector = await asyncio.to_thread(
                Collector.add, self._aws, mailbox, self._number, after_fetch=self._after
            )
            yield self

    async def _look_at_deletions(self, data: bytes) -> None:
        numbers = [int(number) for number in _DELE.findall(data)]
        if numbers:
            self.deleted += len(numbers)
            await asyncio.to_thread(self._must_be_stored, numbers)

    def _must_be_stored(self, numbers: list[int]) -> None:
        files = self.maildir.files()
        doomed = {digest(files[number - 1].read_bytes()) for number in numbers}
        stored = {bytes.fromhex(text) for text in self.collector.object_digests()}
        settled = self.collector.ledger()
        assert doomed <= stored
        assert self.collector.indexed() == self.collector.object_keys()
        for content in doomed:
            assert any(
                entry.disposition is Disposition.STORED for entry in settled.of_content(content_print(content))
            ), "DELE was sent for a message that the ledger does not hold"

    async def run_until_quiet(self, kill_at: int) -> None:
        """Carry out requests, the first one killed; a delivery comes again until it was done."""
        await asyncio.to_thread(self.collector.ask)
        asked_last = False
        while event := await asyncio.to_thread(self.collector.next_event):
            assert await self._deliver(event, kill_at)
            await asyncio.to_thread(self.collector.settle, event)
            kill_at = 0
            if len(self.runs) > 1 and not asked_last:
                asked_last = True
                await asyncio.to_thread(self.collector.ask)
            elif len(self.runs) == 1:
                await asyncio.to_thread(self.collector.ask)

    async def _deliver(self, event: dict[str, Any], kill_at: int) -> bool:
        while len(self.runs) < MOST_RUNS:
            run = await self._processes.run(event, kill_at=kill_at)
            kill_at = 0
            assert not run.errors, run
            self.runs.append(run)
            if not run.killed and run.answers == [{"batchItemFailures": []}]:
                return True
        return False

    def check(self) -> None:
        """Everything once in the bucket, once in the index, once in the ledger, and the mailbox as it should be."""
        collector = self.collector
        assert collector.object_digests() == self.expected
        assert sorted(collector.indexed()) == sorted(collector.object_keys())
        # one that was entered from the index is entered again with its size, once it was looked at
        entered = {(entry.uid, entry.content) for entry in collector.ledger().entries()}
        assert len({uid for uid, _ in entered}) == len(entered)
        state = collector.state()
        assert state.last_fetch is not None
        assert (state.last_fetch.remaining, state.last_fetch.error_code, state.troubles) == (0, None, {})
        if self._after is AfterFetch.DELETE:
            assert self.maildir.files() == []
        else:
            assert len(entered) == MESSAGES
            assert len(self.maildir.files()) == MESSAGES
            assert self.deleted == 0


@pytest.mark.parametrize("after", [AfterFetch.DELETE, AfterFetch.KEEP])
async def test_a_fetch_killed_after_any_step_loses_nothing_and_stores_nothing_twice(
    after: AfterFetch, dovecot: Dovecot, record_property: Callable[[str, object], None]
) -> None:
    with stack_in_a_process() as (aws, environment):
        async with FetchProcess(environment) as processes:
            # given a run that nobody kills, which tells the steps
            async with Scene(aws, dovecot, processes, 1, after).set_up() as scene:
                await scene.run_until_quiet(0)
                await asyncio.to_thread(scene.check)
                steps = scene.runs[0].steps
            print(f"{after}: {len(steps)} steps: {steps}")
            record_property("steps", len(steps))

            # when it is killed after each, then the next runs put everything right
            for step in range(1, len(steps) + 1):
                async with Scene(aws, dovecot, processes, step + 1, after).set_up() as scene:
                    await scene.run_until_quiet(step)
                    try:
                        assert scene.runs[0].killed
                        await asyncio.to_thread(scene.check)
                    except BaseException as error:
                        error.add_note(f"killed after step {step} of {scene.runs[0].steps}")
                        raise
