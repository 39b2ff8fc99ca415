"""The least that a client can do: sign in, list, ask for every message ahead, look where each ends, keep nothing.

``python floor.py HOST PORT USER CA_FILE WINDOW OCTETS``, the password in ``POP3_PASSWORD``; prints how many messages
came. At most ``WINDOW`` commands, and by LIST at most ``OCTETS`` octets, wait for their replies; 0 is no bound. Like
popfetch's own it is refilled when a quarter of it has room. A script of the standard library alone.
"""

import base64
import os
import socket
import ssl
import sys
from collections import deque

_END = b"\r\n.\r\n"


class Floor:
    """One session."""

    def __init__(self, host: str, port: int, ca_file: str) -> None:
        plain = socket.create_connection((host, port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = ssl.create_default_context(cafile=ca_file).wrap_socket(plain, server_hostname=host)
        self._line()

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\r\n"):
            line += self._socket.recv(1 << 16)
        if not line.startswith(b"+OK"):
            raise ConnectionError(line)
        return line

    def sign_in(self, user: str, password: str) -> None:
        """One round trip."""
        proof = base64.b64encode(f"\0{user}\0{password}".encode())
        self._socket.sendall(b"AUTH PLAIN %s\r\n" % proof)
        self._line()

    def sizes(self) -> list[int]:
        """The messages' octets, in order; one round trip."""
        self._socket.sendall(b"LIST\r\n")
        listing = b""
        while not listing.endswith(_END):
            listing += self._socket.recv(1 << 18)
        return [int(row.split()[1]) for row in listing.split(b"\r\n")[1:-2]]

    def retrieve(self, sizes: list[int], window: int, octets: int) -> int:
        """Take every message, and sign off behind the last; returns how many came."""
        window = window or len(sizes)
        octets = octets or sum(sizes) + 1
        waiting: deque[int] = deque()
        asked = answered = under_way = 0
        buffer, tail = bytearray(1 << 18), b""
        while answered < len(sizes):
            if asked < len(sizes) and len(waiting) <= window * 3 // 4 and (under_way <= octets * 3 // 4 or not waiting):
                first = asked
                while asked < len(sizes) and len(waiting) < window and (under_way < octets or not waiting):
                    waiting.append(sizes[asked])
                    under_way += sizes[asked]
                    asked += 1
                commands = b"".join(b"RETR %d\r\n" % number for number in range(first + 1, asked + 1))
                self._socket.sendall(commands + (b"QUIT\r\n" if asked == len(sizes) else b""))
            got = self._socket.recv_into(buffer)
            if not got:
                break
            data = tail + buffer[:got]
            ends = data.count(_END)
            tail = bytes(data[data.rfind(_END) + len(_END) :][-4:]) if ends else bytes(data[-4:])
            for _ in range(ends):
                under_way -= waiting.popleft()
            answered += ends
        return answered


def main() -> None:
    """Take a mailbox."""
    host, port, user, ca_file, window, octets = sys.argv[1:]
    session = Floor(host, int(port), ca_file)
    session.sign_in(user, os.environ["POP3_PASSWORD"])
    print(session.retrieve(session.sizes(), int(window), int(octets)))


if __name__ == "__main__":
    main()
