"""Each fault of a line: what the client still sees, and what the server has done."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.builders.scripted_pop3_server import ScriptedServer
from tests.chaos import line_faults
from tests.chaos.line_faults import FaultyLine, LineFault, LinePlan

HELLO = b"Subject: hello\r\n\r\nHello\r\n"
SIGN_IN = b"USER alex\r\nPASS open sesame\r\n"


class Said:
    """What a client saw until the line went dead or silent."""

    def __init__(self, octets: bytes, ended: bool) -> None:
        self.octets, self.ended = octets, ended


@asynccontextmanager
async def line(*plans: LinePlan) -> AsyncIterator[tuple[ScriptedServer, FaultyLine]]:
    async with ScriptedServer([HELLO]) as server, FaultyLine(server.port, Path("/nonexistent")) as faulty:
        faulty.plans = list(plans)
        yield server, faulty


async def talk(faulty: FaultyLine, commands: bytes) -> Said:
    reader, writer = await asyncio.open_connection("127.0.0.1", faulty.port)
    seen = b""
    try:
        writer.write(commands)
        while data := await asyncio.wait_for(reader.read(1 << 16), 0.4):
            seen += data
    except TimeoutError:
        return Said(seen, ended=False)
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()
    return Said(seen, ended=True)


async def test_without_a_plan_everything_passes() -> None:
    async with line() as (_, faulty):
        said = await talk(faulty, SIGN_IN + b"RETR 1\r\nQUIT\r\n")
    assert said.octets.endswith(HELLO + b".\r\n+OK bye\r\n")
    assert not faulty.done


async def test_refused_is_over_before_the_greeting() -> None:
    async with line(LinePlan(LineFault.REFUSED, 1)) as (server, faulty):
        said = await talk(faulty, b"")
        assert (said.octets, said.ended, server.sessions) == (b"", True, [])


async def test_cut_and_stalled_pass_so_many_octets() -> None:
    for fault, ended in ((LineFault.CUT, True), (LineFault.STALLED, False)):
        async with line(LinePlan(fault, 5)) as (_, faulty):
            said = await talk(faulty, SIGN_IN)
        assert (said.octets, said.ended) == (b"+OK r", ended)
        assert faulty.done == {fault: 1}


@pytest.mark.parametrize(("fault", "is_done"), [(LineFault.CUT_BEFORE, False), (LineFault.REPLY_LOST, True)])
async def test_at_a_command_it_is_done_or_not_and_never_answered(fault: LineFault, is_done: bool) -> None:
    async with line(LinePlan(fault, 4)) as (server, faulty):
        said = await talk(faulty, SIGN_IN + b"DELE 1\r\nQUIT\r\n")
        assert said.ended
        assert b"bye" not in said.octets
        assert (server.mailbox == []) == is_done


async def test_dribbled_brings_all_of_it() -> None:
    async with line(LinePlan(LineFault.DRIBBLED, 1)) as (_, faulty):
        said = await talk(faulty, SIGN_IN + b"RETR 1\r\nQUIT\r\n")
    assert said.octets.endswith(HELLO + b".\r\n+OK bye\r\n")
    assert faulty.done == {LineFault.DRIBBLED: 1}


@pytest.mark.parametrize("fault", [LineFault.KILLED_BEFORE, LineFault.KILLED_AFTER, LineFault.KILLED_INSIDE])
async def test_a_kill_is_for_the_process_that_is_named(fault: LineFault, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[Path] = []
    note: Callable[[Path], None] = killed.append
    monkeypatch.setattr(line_faults, "kill", note)
    async with line(LinePlan(fault, 2)) as (_, faulty):
        await talk(faulty, SIGN_IN)
    assert killed == [Path("/nonexistent")]
