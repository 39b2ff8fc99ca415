"""A message without end, at the limits that are shipped: half a gigabyte passes, and nothing of it stays in memory."""

import resource
from pathlib import Path

import pytest

from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.pop3_dialer import Pop3Dialer
from popfetch.pop3.errors import LimitExceeded
from popfetch.pop3.limits import DEFAULT_LIMITS
from popfetch.ports.maildrop import MessageContent
from tests.builders.hostile_servers import flood
from tests.builders.pop3_sessions import HELLO, dial
from tests.builders.scripted_pop3_server import ScriptedServer, Takeover, ok

pytestmark = pytest.mark.real

MAY_GROW = 32 * 1024 * 1024


def octets_held() -> int:
    """What the process has in memory now; its highest mark would hide behind that of an earlier test."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


async def test_ends_at_the_limit_of_512_mb_within_32_mb_of_memory() -> None:
    on = {"RETR": Takeover(flood(b"x" * 998 + b"\r\n", first=ok("10737418240 octets")))}
    async with ScriptedServer([HELLO], on=on) as server:
        maildrop = await dial(Pop3Dialer(HostGuard(allow_private=True)), server, seconds=120)
        before, highest, seen = octets_held(), 0, 0
        retrieval = maildrop.retrieve(iter([1]))
        while seen < DEFAULT_LIMITS.message_octets:
            event = await anext(retrieval)
            seen += len(event.data) if isinstance(event, MessageContent) else 0
            highest = max(highest, octets_held())
        with pytest.raises(LimitExceeded):
            await anext(retrieval)
        await maildrop.abandon()
    assert seen == DEFAULT_LIMITS.message_octets
    assert highest - before < MAY_GROW
