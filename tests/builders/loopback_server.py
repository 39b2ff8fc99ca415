"""What servers for tests have in common: how they end."""

import asyncio
from collections.abc import Iterable


async def end_serving(listener: asyncio.Server, conversations: Iterable[asyncio.Task[None]]) -> None:
    """Listen no more, and let go of every client, those too that were still shaking hands."""
    listener.close()
    under_way = list(conversations)
    for conversation in under_way:
        conversation.cancel()
    if under_way:
        await asyncio.wait(under_way, timeout=5)
    listener.abort_clients()
    await listener.wait_closed()
