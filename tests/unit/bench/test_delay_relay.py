"""The relay keeps what passes for as long as it says, in order and whole, and counts it."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.bench.delay_relay import DelayRelay

ROUND_TRIP = 0.04
LATER = 0.03
"""A busy machine may take so much longer, at the best of several tries."""


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that sends back what it is sent, one client after the other."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(1 << 18):
                    connection.sendall(data)

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def ask(connection: socket.socket, data: bytes) -> float:
    """Send octets, and return the seconds until they are back."""
    began = time.monotonic()
    connection.sendall(data)
    found = bytearray()
    while len(found) < len(data):
        found += connection.recv(1 << 18)
    assert bytes(found) == data
    return time.monotonic() - began


def test_a_round_trip_takes_its_time_and_the_handshake_one_more(echo: int) -> None:
    with DelayRelay(echo, ROUND_TRIP) as relay:
        firsts, others = [], []
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", relay.port)) as connection:
                firsts.append(ask(connection, b"first"))
                others += [ask(connection, b"%d" % number) for number in range(3)]

        assert ROUND_TRIP <= min(others) < ROUND_TRIP + LATER
        assert 2 * ROUND_TRIP <= min(firsts) < 2 * ROUND_TRIP + LATER
        passed = relay.passed()
        assert (passed.connections, passed.turns) == (3, 12)
        assert passed.octets_up == passed.octets_down == 3 * (5 + 3)


def test_much_passes_in_order_and_at_once(echo: int) -> None:
    data = b"".join(b"%08d" % number for number in range(1 << 19))
    with (
        DelayRelay(echo, ROUND_TRIP) as relay,
        socket.create_connection(("127.0.0.1", relay.port)) as connection,
    ):
        sender = threading.Thread(target=connection.sendall, args=(data,))
        sender.start()
        found = bytearray()
        while len(found) < len(data):
            found += connection.recv(1 << 18)
        sender.join()

        assert bytes(found) == data
        # an end passes too
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


def test_without_a_delay_it_only_counts(echo: int) -> None:
    with DelayRelay(echo, 0) as relay:
        with socket.create_connection(("127.0.0.1", relay.port)) as connection:
            assert ask(connection, b"hello") < LATER
        assert relay.passed().octets_down == 5
