"""A relay on a loopback port between a client and a server: it counts what passes, and may look or meddle."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

type Meddle = Callable[[bytes], bytes]
type Watch = Callable[[bytes], Awaitable[None]]

SIGNED_IN = b"+OK Logged in."
"""How dovecot answers a good password."""


@dataclass
class Conversation:
    """One connection: what each side sent, in the order it passed, a chunk for each read."""

    passed: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def sent(self) -> bytes:
        """All that the client sent."""
        return b"".join(data for side, data in self.passed if side == "client")

    @property
    def received(self) -> bytes:
        """All that the server sent."""
        return b"".join(data for side, data in self.passed if side == "server")

    @property
    def commands(self) -> list[str]:
        """The client's lines."""
        return self.sent.decode("latin-1").split("\r\n")[:-1]

    def after_sign_in(self) -> "Conversation":
        """What passed once the server had let the client in."""
        for index, (side, data) in enumerate(self.passed):
            if side == "server" and SIGNED_IN in data:
                return Conversation(self.passed[index + 1 :])
        raise AssertionError("nobody signed in")

    def __str__(self) -> str:
        return "\n".join(f"{side}: {data[:200]!r}" for side, data in self.passed)


class Relay:
    """Passes every connection on to ``target``; use it as an asynchronous context manager.

    ``watch`` sees the client's octets before they are passed on and may take its time; what it raises keeps them
    back, ends the connection, and is raised again at the end. ``meddle`` replaces the server's octets.
    """

    def __init__(self, target: int, *, watch: Watch | None = None, meddle: Meddle | None = None) -> None:
        self.port = 0
        self.conversations: list[Conversation] = []
        self._target = target
        self._watch = watch
        self._meddle = meddle
        self._listener: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._objections: list[Exception] = []

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listener is not None
        self._listener.close()
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=5)
        if error is not None and self.conversations:
            error.add_note(f"the last conversation:\n{self.conversations[-1]}")
        if self._objections:
            raise self._objections[0]

    @property
    def last(self) -> Conversation:
        """The latest connection."""
        return self.conversations[-1]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = Conversation()
        self.conversations.append(conversation)
        task = asyncio.create_task(self._join(conversation, reader, writer))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _join(
        self, conversation: Conversation, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(
                self._pass("client", conversation, reader, back), self._pass("server", conversation, there, writer)
            )
        except (ConnectionError, BrokenPipeError):
            pass
        finally:
            writer.transport.abort()
            back.transport.abort()

    async def _pass(
        self, side: str, conversation: Conversation, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(1 << 16):
            if side == "server" and self._meddle is not None:
                data = self._meddle(data)
            conversation.passed.append((side, data))
            if side == "client" and self._watch is not None:
                try:
                    await self._watch(data)
                except Exception as objection:
                    self._objections.append(objection)
                    raise ConnectionAbortedError from objection
            writer.write(data)
            await writer.drain()
        if not writer.is_closing() and writer.can_write_eof():
            writer.write_eof()
