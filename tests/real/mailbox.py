"""A mailbox on a real server, as a collection and an independent reader need it."""

import socket
import ssl
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from popfetch.domain.account import Server


@dataclass(frozen=True)
class Mailbox:
    """Where a mailbox is and what opens it."""

    server: Server
    password: str
    ca_file: str | None = None

    def account_server(self) -> Server:
        """The settings of an account that collects it."""
        return self.server


class PlainReader:
    """A second opinion: a small blocking POP3 client, one command at a time, line by line, sharing no code.

    Lines end at CRLF and nowhere else; a first dot is taken off; a line that is one dot ends a message.
    """

    def __init__(self, port: int, user: str, password: str, *, tls: ssl.SSLContext | None = None) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket: socket.socket = tls.wrap_socket(plain, server_hostname="localhost") if tls else plain
        self._pending = bytearray()
        self.line()
        self.ask(f"USER {user}")
        self.ask(f"PASS {password}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def ask(self, command: str) -> bytes:
        """Send one command and return its status line, which must be a good one."""
        status = self.try_to(command)
        assert status.startswith(b"+OK"), (command.split(" ")[0], status)
        return status

    def try_to(self, command: str) -> bytes:
        """Send one command and return its status line."""
        self._socket.sendall(command.encode() + b"\r\n")
        return self.line()

    def rows(self, command: str) -> list[bytes]:
        """The lines of a multi-line reply, unstuffed."""
        self.ask(command)
        lines = []
        while (line := self.line()) != b".":
            lines.append(line.removeprefix(b"."))
        return lines

    def uids(self) -> dict[int, bytes]:
        """The UID of every message, by number."""
        pairs = (row.split(b" ", 1) for row in self.rows("UIDL"))
        return {int(number): uid for number, uid in pairs}

    def message(self, number: int) -> bytes:
        """The octets of one message."""
        return b"".join(line + b"\r\n" for line in self.rows(f"RETR {number}"))

    def messages(self) -> dict[bytes, bytes]:
        """Every message by its UID."""
        return {uid: self.message(number) for number, uid in self.uids().items()}

    def quit(self) -> None:
        self.ask("QUIT")

    def line(self) -> bytes:
        """The next line, without its CRLF."""
        searched = 0
        while (end := self._pending.find(b"\r\n", searched)) < 0:
            searched = max(0, len(self._pending) - 1)
            data = self._socket.recv(1 << 18)
            assert data, "the server closed the connection"
            self._pending += data
        line = bytes(self._pending[:end])
        del self._pending[: end + 2]
        return line
