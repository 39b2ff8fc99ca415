"""The receive buffer: blocks of octets as they arrived, read without copying them more than needed.

Readers look at ``block`` from ``at`` on and move ``at`` forward; only when that is not enough do they ask for
``more``, which joins what is left with everything that arrived since. A large message therefore passes through as
the very blocks that came from the socket.
"""


class ReceiveBuffer:
    """Octets that have arrived and are not consumed yet."""

    __slots__ = ("_waiting", "_waiting_octets", "at", "block")

    def __init__(self) -> None:
        self.block = b""
        self.at = 0
        self._waiting: list[bytes] = []
        self._waiting_octets = 0

    def __len__(self) -> int:
        return len(self.block) - self.at + self._waiting_octets

    def feed(self, data: bytes) -> None:
        """Add octets that have just arrived."""
        if data:
            self._waiting.append(data)
            self._waiting_octets += len(data)

    def more(self) -> bool:
        """Bring what arrived since into ``block``; ``False`` when nothing did."""
        if not self._waiting:
            return False
        if self.at == len(self.block):
            self.block = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        else:
            self.block = b"".join((self.block[self.at :], *self._waiting))
        self.at = 0
        self._waiting.clear()
        self._waiting_octets = 0
        return True

    def line(self, limit: int) -> bytes | None:
        """The next line without its CRLF or bare LF, ``None`` until it is whole.

        Raises OverflowError when the line is longer than ``limit``, whether its end was seen or not.
        """
        while (end := self.block.find(b"\n", self.at)) < 0:
            if not self.more():
                unfinished = len(self.block) - self.at
                if unfinished - self.block.endswith(b"\r", self.at) > limit:
                    raise OverflowError
                return None
        line = self.block[self.at : end].removesuffix(b"\r")
        if len(line) > limit:
            raise OverflowError
        self.at = end + 1
        return line

    def clear(self) -> None:
        """Forget everything."""
        self.block = b""
        self.at = 0
        self._waiting.clear()
        self._waiting_octets = 0
