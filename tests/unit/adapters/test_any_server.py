"""Whole sessions with servers that answer anything to anything: what comes is mail or a typed error."""

import asyncio
from collections.abc import Awaitable, Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.pop3_dialer import Pop3Dialer
from popfetch.pop3.errors import Pop3Error
from popfetch.ports.maildrop import DialAdvice, MessageConfirmed
from tests.builders.hostile_servers import half_closed, reset
from tests.builders.pop3_sessions import HELLO, QUICK, dial
from tests.builders.scripted_pop3_server import Answer, Close, ScriptedServer, Takeover, err, ok, stuffed

VERBS = (
    *("greeting", "CAPA", "AUTH", "USER", "PASS", "APOP", "STAT", "UIDL", "LIST"),
    *("RETR", "RETR 2", "TOP", "DELE", "NOOP", "QUIT"),
)
LINES = st.one_of(
    st.sampled_from(
        [
            ok(),
            ok("2 99"),
            err("no"),
            err("[SYS/TEMP] later"),
            err("[IN-USE] x"),
            b"+ YWJj\r\n",
            b"+OK\r\n1 a\r\n2 b\r\n.\r\n",
            b"+OK\r\n1 5\r\n2 5\r\n.\r\n",
            b"+OK\r\n.\r\n",
            ok() + stuffed(HELLO),
            ok() + stuffed(b"\r\n.\r\n.."),
            b".\r\n",
            b"\n",
        ]
    ),
    st.binary(max_size=20).map(lambda junk: junk + b"\r\n"),
    st.binary(max_size=20).map(lambda junk: b"+OK " + junk + b"\r\n"),
)
ANSWERS: st.SearchStrategy[Answer] = st.one_of(
    LINES,
    LINES.map(Close),
    LINES.map(lambda octets: Takeover(reset(octets))),
    LINES.map(lambda octets: Takeover(half_closed(octets[:-1]))),
    st.lists(LINES, min_size=2, max_size=3).map(b"".join),
)


@settings(max_examples=settings().max_examples * 3 // 5)
@given(
    on=st.dictionaries(st.sampled_from(VERBS), ANSWERS, max_size=3),
    advice=st.builds(DialAdvice, pipeline=st.sampled_from([None, True, False]), skip_capa=st.booleans()),
    capabilities=st.sampled_from([None, ("UIDL", "USER"), ("UIDL", "USER", "PIPELINING"), ("SASL PLAIN LOGIN",)]),
)
def test_ends_in_mail_or_in_a_typed_error(
    on: dict[str, Answer], advice: DialAdvice, capabilities: tuple[str, ...] | None
) -> None:
    left = run(lambda dialer: collect(dialer, on, advice, capabilities))
    assert left == []


def run(session: Callable[[Pop3Dialer], Awaitable[None]]) -> list[str]:
    """Run a session to its end; returns what it left to the event loop."""
    left: list[str] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: left.append(str(context)))
        async with asyncio.timeout(60):
            await session(Pop3Dialer(HostGuard(allow_private=True), limits=QUICK))

    asyncio.run(watched())
    return left


async def collect(
    dialer: Pop3Dialer, on: dict[str, Answer], advice: DialAdvice, capabilities: tuple[str, ...] | None
) -> None:
    async with ScriptedServer([HELLO, HELLO], on=on, capabilities=capabilities, apop=True) as server:
        try:
            maildrop = await dial(dialer, server, advice=advice, seconds=5)
        except Pop3Error:
            return
        taken: list[int] = []
        try:
            _, listed = await maildrop.stat_and_listing()
            numbers = [message.number for message in listed][:5]
            async for number, block in maildrop.headers(iter(numbers)):
                assert isinstance(block, bytes)
                assert number in numbers
            async for event in maildrop.retrieve(iter(numbers)):
                taken += [event.number] if isinstance(event, MessageConfirmed) else []
            assert await maildrop.delete(taken) <= set(taken)
        except Pop3Error:
            assert len(taken) <= 5
        assert await maildrop.quit() in {True, False}
        assert len(taken) == len(set(taken))
