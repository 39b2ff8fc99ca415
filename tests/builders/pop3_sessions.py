"""Sessions of the POP3 adapters with a scripted server: dialling, and what comes of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager

import pytest

from popfetch.adapters.pop3_dialer import Pop3Dialer
from popfetch.adapters.pop3_maildrop import Pop3Maildrop
from popfetch.domain.account import AuthMethod
from popfetch.domain.secret import Secret
from popfetch.pop3.errors import Pop3Error
from popfetch.pop3.limits import Limits
from popfetch.ports.maildrop import (
    DialAdvice,
    MessageBegan,
    MessageConfirmed,
    MessageContent,
    MessageEnded,
    RetrievalEvent,
)
from tests.builders.scripted_pop3_server import ScriptedServer

HELLO = b"Subject: hello\r\n\r\nHello\r\n"
NO_PIPELINING = ("TOP", "UIDL", "USER")
NO_ADVICE = DialAdvice()
QUICK = Limits(
    connect_seconds=0.2,
    handshake_seconds=0.2,
    greeting_seconds=0.2,
    reply_seconds=0.2,
    idle_seconds=0.2,
    quit_seconds=0.2,
)
"""Limits for servers that are scripted to say nothing."""


async def dial(
    dialer: Pop3Dialer,
    server: ScriptedServer,
    *,
    secret: str | None = None,
    advice: DialAdvice = NO_ADVICE,
    seconds: float = 20,
    host: str | None = None,
    auth: AuthMethod = AuthMethod.PASSWORD,
) -> Pop3Maildrop:
    deadline = asyncio.get_running_loop().time() + seconds
    return await dialer.open(
        server.account_server(host=host, auth=auth), Secret(secret or server.password), advice, deadline
    )


@asynccontextmanager
async def opened(
    dialer: Pop3Dialer, server: ScriptedServer, *, advice: DialAdvice = NO_ADVICE, seconds: float = 20
) -> AsyncIterator[Pop3Maildrop]:
    """The server running and a maildrop on it; the sign-in's commands are already forgotten."""
    async with server:
        maildrop = await dial(dialer, server, advice=advice, seconds=seconds)
        server.session.commands.clear()
        server.session.reads.clear()
        yield maildrop
        await maildrop.abandon()


async def failure(opening: Awaitable[object]) -> Pop3Error:
    with pytest.raises(Pop3Error) as caught:
        await opening
    return caught.value


async def events(maildrop: Pop3Maildrop, numbers: Iterator[int]) -> list[RetrievalEvent]:
    """All events, the content of each message joined."""
    found: list[RetrievalEvent] = []
    async for event in maildrop.retrieve(numbers):
        before = found[-1] if found else None
        if isinstance(event, MessageContent) and isinstance(before, MessageContent):
            found[-1] = MessageContent(event.number, before.data + event.data)
        else:
            found.append(event)
    return found


async def events_before(
    failing: type[Pop3Error], maildrop: Pop3Maildrop, numbers: Iterator[int]
) -> list[RetrievalEvent]:
    """The events before the session broke, which it must."""
    found: list[RetrievalEvent] = []
    try:
        async for event in maildrop.retrieve(numbers):
            found.append(event)  # noqa: PERF401 - what came before the failure is what counts
    except failing:
        return found
    pytest.fail(f"There was no {failing.__name__}.")


def whole(number: int, content: bytes) -> list[RetrievalEvent]:
    """The events of a message that was retrieved and confirmed."""
    began: list[RetrievalEvent] = [MessageBegan(number)]
    if content:
        began.append(MessageContent(number, content))
    return [*began, MessageEnded(number), MessageConfirmed(number)]
