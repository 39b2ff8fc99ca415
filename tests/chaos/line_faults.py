"""A line to a POP3 server that fails: between a client and the server on loopback ports, with faults of its own."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from tests.builders.loopback_server import HOST, Conversations
from tests.chaos.aws_faults import kill
from tests.chaos.dice import chosen


class LineFault(StrEnum):
    """What may happen to a connection."""

    REFUSED = "POP3: connection closed at once"
    CUT = "POP3: cut after so many octets"
    CUT_BEFORE = "POP3: cut before a command came through"
    REPLY_LOST = "POP3: command done, and the reply lost"
    STALLED = "POP3: silent after so many octets"
    DRIBBLED = "POP3: a few octets at a time"
    KILLED_BEFORE = "killed before a POP3 command"
    KILLED_AFTER = "killed after a POP3 command"
    KILLED_INSIDE = "killed inside a reply"


_KINDS: tuple[tuple[float, LineFault], ...] = (
    (2, LineFault.REFUSED),
    (5, LineFault.CUT),
    (3, LineFault.CUT_BEFORE),
    (4, LineFault.REPLY_LOST),
    (1, LineFault.STALLED),
    (2, LineFault.DRIBBLED),
    (2, LineFault.KILLED_BEFORE),
    (2, LineFault.KILLED_AFTER),
    (2, LineFault.KILLED_INSIDE),
)
_AT_A_COMMAND = {LineFault.CUT_BEFORE, LineFault.REPLY_LOST, LineFault.KILLED_BEFORE, LineFault.KILLED_AFTER}
_KILLS = {LineFault.KILLED_BEFORE, LineFault.KILLED_AFTER, LineFault.KILLED_INSIDE}


DRIBBLED_OCTETS = 3000
"""As many octets of a connection come a few at a time; all of them would take too long."""


@dataclass(frozen=True)
class LinePlan:
    """What happens to the next connection: at its ``at``-th command, or after ``at`` octets of the server's."""

    fault: LineFault
    at: int


def a_line_plan(random: Random) -> LinePlan:
    """A plan by chance: commands are few, and octets many."""
    fault = chosen(random, _KINDS)
    if fault in _AT_A_COMMAND:
        return LinePlan(fault, random.randint(1, 12))
    return LinePlan(fault, int(10 ** random.uniform(0, 4.5)))


class FaultyLine:
    """Passes connections on to ``target``; ``plans`` are used up, one a connection. Kills the process of ``pid_file``.

    Use it as an asynchronous context manager.
    """

    def __init__(self, target: int, pid_file: Path) -> None:
        self.port = 0
        self.plans: list[LinePlan] = []
        self.done: Counter[LineFault] = Counter()
        self._target = target
        self._pid_file = pid_file
        self._conversations = Conversations()

    async def __aenter__(self) -> Self:
        self.port = await self._conversations.begin(self._join)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._conversations.end()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        plan = self.plans.pop(0) if self.plans else None
        if plan and plan.fault is LineFault.REFUSED:
            self.done[plan.fault] += 1
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(HOST, self._target)
        line = _Line(self, plan, reader, writer, there, back)
        ways = [asyncio.create_task(line.pass_commands()), asyncio.create_task(line.pass_replies())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            # what the server says last is passed on
            await asyncio.wait(ways, timeout=0.2)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            writer.transport.abort()
            back.transport.abort()

    def kill(self) -> None:
        """Kill the client."""
        kill(self._pid_file)


class _Line:
    """One connection."""

    def __init__(
        self,
        owner: FaultyLine,
        plan: LinePlan | None,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there: asyncio.StreamReader,
        back: asyncio.StreamWriter,
    ) -> None:
        self._owner = owner
        self._plan = plan
        self._reader, self._writer = reader, writer
        self._there, self._back = there, back
        self._commands = 0
        self._octets = 0
        self._deaf = False
        self._dribbled = False

    async def pass_commands(self) -> None:
        """The client's way."""
        with suppress(ConnectionError):
            while line := await self._reader.readline():
                self._commands += 1
                if self._is_at_a_command:
                    await self._fail_at(line)
                    return
                self._back.write(line)

    async def pass_replies(self) -> None:
        """The server's way."""
        with suppress(ConnectionError):
            while data := await self._there.read(1 << 16):
                if self._deaf:
                    continue
                cut = self._room_for(data)
                if cut is not None:
                    await self._write(data[:cut])
                    await self._fail_inside()
                    return
                self._octets += len(data)
                await self._write(data)

    @property
    def _is_at_a_command(self) -> bool:
        plan = self._plan
        return plan is not None and plan.fault in _AT_A_COMMAND and plan.at == self._commands

    def _room_for(self, data: bytes) -> int | None:
        """How many of the octets still pass where not all do."""
        plan = self._plan
        if plan is None or plan.fault not in {LineFault.CUT, LineFault.STALLED, LineFault.KILLED_INSIDE}:
            return None
        left = plan.at - self._octets
        return left if left < len(data) else None

    async def _fail_at(self, line: bytes) -> None:
        assert self._plan is not None
        fault = self._plan.fault
        self._note(fault)
        if fault in {LineFault.REPLY_LOST, LineFault.KILLED_AFTER}:
            self._deaf = True
            self._back.write(line)
            await asyncio.sleep(0.05)  # the server does it
        if fault in _KILLS:
            self._owner.kill()

    async def _fail_inside(self) -> None:
        assert self._plan is not None
        self._note(self._plan.fault)
        if self._plan.fault is LineFault.KILLED_INSIDE:
            self._owner.kill()
        if self._plan.fault is LineFault.STALLED:
            while await self._there.read(1 << 16):
                pass

    async def _write(self, data: bytes) -> None:
        if self._plan and self._plan.fault is LineFault.DRIBBLED and self._octets < DRIBBLED_OCTETS:
            if not self._dribbled:
                self._dribbled = True
                self._note(LineFault.DRIBBLED)
            for start in range(0, len(data), 7):
                self._writer.write(data[start : start + 7])
                await asyncio.sleep(0)
            return
        self._writer.write(data)
        await self._writer.drain()

    def _note(self, fault: LineFault) -> None:
        self._owner.done[fault] += 1
