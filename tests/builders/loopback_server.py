"""What servers for tests have in common: a port of this machine, conversations on it, and how they end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

HOST = "127.0.0.1"

type Converse = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Conversations:
    """The conversations on one port, from ``begin`` to ``end``."""

    def __init__(self) -> None:
        self._listener: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def begin(self, converse: Converse, *, port: int = 0, **options: Any) -> int:
        """Listen, and hold each conversation by ``converse``, which is called as they come; returns the port.

        The port is ``port`` where that is given, any that is free otherwise.
        """

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(converse(reader, writer))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

        self._listener = await asyncio.start_server(accept, HOST, port, **options)
        taken: int = self._listener.sockets[0].getsockname()[1]
        return taken

    async def end(self) -> None:
        """Listen no more, and let go of every client, those too that were still shaking hands."""
        assert self._listener is not None
        self._listener.close()
        under_way = list(self._running)
        for conversation in under_way:
            conversation.cancel()
        if under_way:
            await asyncio.wait(under_way, timeout=5)
        self._listener.abort_clients()
        await self._listener.wait_closed()

    async def all_left(self) -> None:
        """Wait until every client has gone."""
        await asyncio.gather(*self._running)
