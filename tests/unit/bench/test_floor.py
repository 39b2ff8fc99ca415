"""The least that a client can do finds every end, wherever the octets are cut, and keeps to its window."""

import re
from collections import deque

import pytest

from tests.bench.floor import Floor

MESSAGES = [b"Subject: one\r\n\r\n..dots\r\n", b"", b"x" * 900 + b"\r\n", b"a\r\n.\n.\r\r\n", b"\r\n"]


class _Server:
    """A socket whose other side answers RETR, ``cut`` octets at a time."""

    def __init__(self, cut: int) -> None:
        self._cut = cut
        self._answers: deque[bytes] = deque()
        self.writes: list[list[int]] = []
        self.unanswered = 0
        self.most_unanswered = 0

    def sendall(self, data: bytes) -> None:
        numbers = [int(number) for number in re.findall(rb"RETR (\d+)\r\n", data)]
        self.writes.append(numbers)
        self._answers += [b"+OK\r\n" + MESSAGES[number - 1] + b".\r\n" for number in numbers]
        self.unanswered += len(numbers)
        self.most_unanswered = max(self.most_unanswered, self.unanswered)

    def recv_into(self, buffer: bytearray) -> int:
        if not self._answers:
            return 0
        answer = self._answers.popleft()
        piece, rest = answer[: self._cut], answer[self._cut :]
        if rest:
            self._answers.appendleft(rest)
        else:
            self.unanswered -= 1
        buffer[: len(piece)] = piece
        return len(piece)


def floor(server: _Server) -> Floor:
    made = Floor.__new__(Floor)
    made._socket = server  # type: ignore[assignment]
    return made


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5, 7, 1000])
@pytest.mark.parametrize("window", [0, 1, 2, 4])
def test_finds_every_end_within_its_window(cut: int, window: int) -> None:
    server = _Server(cut)

    assert floor(server).retrieve([len(message) for message in MESSAGES], window, 0) == len(MESSAGES)

    assert [number for write in server.writes for number in write] == [1, 2, 3, 4, 5]
    assert server.most_unanswered <= (window or len(MESSAGES))


def test_octets_bound_it_too_but_for_one_message_that_is_larger() -> None:
    server = _Server(1000)

    assert floor(server).retrieve([len(message) for message in MESSAGES], 0, 100) == len(MESSAGES)

    assert server.writes == [[1, 2, 3], [4, 5]]
