"""The octets of a POP3 session on their way: the asyncio protocol under it, and what sockets and TLS say of it.

What arrives goes straight into the core's buffer; when that is full the socket is no longer read, so a slow caller
slows the server down and memory stays bounded whatever the size of a message. Nothing here knows a command. Errors of
sockets and of TLS are translated in ``translated`` and nowhere else.
"""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from popfetch.adapters.mail_sockets import place_name, refused_by_us, speaks_no_tls, tls_sentence
from popfetch.domain.account import Security
from popfetch.pop3.errors import ConnectionFailed, HandshakeFailed, Pop3Error, TlsFailed
from popfetch.pop3.session import Session

READ_OCTETS = 256 * 1024
"""The most that one read takes off the socket."""

FULL_AT_OCTETS = 512 * 1024
"""How much may wait for the caller before the socket is left alone."""


@dataclass(frozen=True, slots=True)
class Place:
    """How a server is called in sentences for a person, and how it was spoken to."""

    host: str
    port: int
    security: Security

    def __str__(self) -> str:
        return place_name(self.host, self.port)


class Wire(asyncio.BufferedProtocol):
    """Moves octets from the transport into the session, and stops reading when the session holds enough.

    ``arrived`` counts octets; ``closed`` is set once nothing more will come, ``error`` to what broke the connection, if
    anything did; ``gone`` is done when the socket is let go of. A wire has one owner: one wait at a time.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._view = memoryview(bytearray(READ_OCTETS))
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[bool] | None = None
        self._paused = False
        self.transport: asyncio.Transport | None = None
        self.arrived = 0
        self.closed = False
        self.error: Exception | None = None
        self.gone: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, to write on and to pause."""
        self.transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's hint is always "any"
        """Lend the one buffer that every read goes through."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what was read; what breaks the protocol drops the connection."""
        session = self._session
        self.arrived += nbytes
        try:
            session.receive(bytes(self._view[:nbytes]))
        except Pop3Error:
            # The session is dead and its owner knows; what still comes is of no use.
            self.drop()
            return
        if session.buffered >= FULL_AT_OCTETS and not self._paused and self.transport is not None:
            self._paused = True
            self.transport.pause_reading()
        self._wake(arrived=True)

    def eof_received(self) -> bool:
        """Take the server's end for the end of both directions."""
        self.closed = True
        self._wake(arrived=True)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end, and the first error that led to it."""
        self.closed = True
        self.error = self.error or exc
        self._wake(arrived=True)
        if not self.gone.done():
            self.gone.set_result(None)

    async def more(self, until: float) -> bool:
        """Wait until something arrives or the connection ends; ``False`` when ``until`` (loop time) came first."""
        if self._paused and self.transport is not None:
            self._paused = False
            self.transport.resume_reading()
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._waiter = waiter
        timer = self._loop.call_at(until, self._expire, waiter)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def drop(self) -> None:
        """Let go of the connection at once, with a farewell at the TLS level where that needs no waiting."""
        self.closed = True
        if self.transport is not None:
            self.transport.close()
            self.transport.abort()

    def _wake(self, *, arrived: bool) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(arrived)

    @staticmethod
    def _expire(waiter: "asyncio.Future[bool]") -> None:
        if not waiter.done():
            waiter.set_result(False)


@contextmanager
def translated(place: Place, *, handshake: bool = False) -> Iterator[None]:
    """Turn the errors of sockets and of TLS into popfetch's own, each with what to do about it."""
    try:
        yield
    except ssl.SSLError as error:
        if speaks_no_tls(error):
            other = "STARTTLS (port 110)" if place.security is Security.TLS else "TLS (port 995)"
            raise HandshakeFailed(f"{place} does not speak TLS here; try {other} if the provider offers it.") from error
        raise (TlsFailed if refused_by_us(error) else HandshakeFailed)(tls_sentence(error, place)) from error
    except TimeoutError as error:
        what = "did not finish the TLS handshake in time" if handshake else "did not answer in time"
        raise (HandshakeFailed if handshake else ConnectionFailed)(
            f"{place} {what}; check host and port if this goes on."
        ) from error
    except ConnectionRefusedError as error:
        raise ConnectionFailed(f"{place} refuses connections; check host and port.") from error
    except OSError as error:
        if handshake:
            raise HandshakeFailed(f"{place} closed the connection during the TLS handshake.") from error
        raise ConnectionFailed(
            f"{place} cannot be reached ({error.strerror or type(error).__name__}); check host and port."
        ) from error
