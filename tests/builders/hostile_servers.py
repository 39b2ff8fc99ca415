"""What servers do that want to do harm, or do it without wanting: rampages for ``Takeover``, and hostile texts."""

import asyncio
import socket
import struct

from tests.builders.scripted_pop3_server import Rampage, ScriptedSession

PIECE = 64 * 1024


def flood(block: bytes, *, first: bytes = b"") -> Rampage:
    """``first``, then ``block`` again and again, as fast as the client takes it, until it goes away."""
    piece = block * (PIECE // len(block) or 1)

    async def rampage(session: ScriptedSession, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            session.flooded += len(piece)

    return rampage


def drip(octets: bytes, *, every: float, first: bytes = b"") -> Rampage:
    """``first``, then octets one by one, so many seconds apart, over and over again."""

    async def rampage(session: ScriptedSession, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while not writer.is_closing():
            writer.write(octets[session.flooded % len(octets) :][:1])
            await writer.drain()
            session.flooded += 1
            await asyncio.sleep(every)

    return rampage


def reset(after: bytes = b"") -> Rampage:
    """These octets, then a reset of the connection in place of its end."""

    async def rampage(_: ScriptedSession, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(after)
        await writer.drain()
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return rampage


def half_closed(after: bytes = b"") -> Rampage:
    """These octets and the end of them, while the connection is kept open the other way."""

    async def rampage(_: ScriptedSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(after)
        writer.write_eof()
        while await reader.read(PIECE):
            pass

    return rampage


def in_pieces(*pieces: bytes, pause: float = 0.0) -> Rampage:
    """Pieces, each in a packet of its own, then silence until the client goes away."""

    async def rampage(_: ScriptedSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        while await reader.read(PIECE):
            pass

    return rampage


async def deaf(_: ScriptedSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read nothing any more, and say nothing."""
    del reader, writer
    await asyncio.Event().wait()
