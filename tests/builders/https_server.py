"""A web server for tests: HTTPS on a loopback port, each path answered by octets that the test has written.

``pages`` maps ``host/path`` (without query and port) to what the server sends. Its certificate is for ``names``.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.builders.loopback_server import Conversations
from tests.builders.scripted_pop3_server import server_context


@dataclass(frozen=True)
class Page:
    """What a path answers; ``drip`` sends so many octets at a time, with ``pause`` seconds in between."""

    content: bytes = b""
    status: str = "200 OK"
    headers: tuple[str, ...] = ()
    drip: int = 0
    pause: float = 0.0


@dataclass(frozen=True)
class Hang:
    """No answer at all, until the client goes away."""


@dataclass(frozen=True)
class Raw:
    """These octets, whatever they are."""

    octets: bytes


NOT_FOUND = Page(status="404 Not Found")


def moved(location: str, status: str = "302 Found") -> Page:
    """A redirect."""
    return Page(status=status, headers=(f"Location: {location}",))


@dataclass(frozen=True)
class Request:
    """A request as it was received, with the name that the client asked for in its TLS handshake."""

    server_name: str | None
    target: str
    headers: dict[str, str]
    body: bytes = b""


class HttpsServer:
    """A web server on a loopback port; use it as an asynchronous context manager."""

    def __init__(
        self,
        pages: Mapping[str, Page | Hang | Raw],
        *,
        names: tuple[str, ...] = ("example.com", "*.example.com", "*.example.net", "127.0.0.1"),
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.pages = dict(pages)
        self.requests: list[Request] = []
        self.connections = 0
        self.port = 0
        self._context = context or server_context(*names)
        self._context.sni_callback = self._note_name
        self._asked: dict[ssl.SSLObject | ssl.SSLSocket, str | None] = {}
        self._conversations = Conversations()

    async def __aenter__(self) -> Self:
        self.port = await self._conversations.begin(self._converse, ssl=self._context)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._conversations.end()

    def _note_name(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        self._asked[connection] = name

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._serve(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; ``True`` while the connection is kept."""
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().removesuffix("\r\n\r\n").split("\r\n")
        target = first.split(" ")[1]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        server_name = self._asked.get(writer.get_extra_info("ssl_object"))
        self.requests.append(Request(server_name, target, headers, body))
        host = headers["host"].rpartition(":")[0] or headers["host"]
        page = self.pages.get(host + target.partition("?")[0], NOT_FOUND)
        if isinstance(page, Hang):
            await reader.read()
            return False
        if isinstance(page, Raw):
            writer.write(page.octets)
            await writer.drain()
            return False
        head = [f"HTTP/1.1 {page.status}", f"Content-Length: {len(page.content)}", *page.headers]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n")
        step = page.drip or max(1, len(page.content))
        for start in range(0, len(page.content), step):
            writer.write(page.content[start : start + step])
            await writer.drain()
            await asyncio.sleep(page.pause)
        await writer.drain()
        return True
