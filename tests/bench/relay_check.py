"""Whether the relay does what it says: the round trip of a NOOP through it, the most that it carries, its own work."""

import socket
import threading
import time
from dataclasses import dataclass
from statistics import median

from tests.bench.delay_relay import DelayRelay
from tests.real.dovecot import Dovecot

_NOOPS = 15
_OCTETS = 256 * 1024 * 1024
_PIECE = bytes(1 << 20)


@dataclass(frozen=True, slots=True)
class RelayCheck:
    """What was found at one round-trip time."""

    milliseconds: int
    noop_seconds: float
    octets_per_second: float
    cpu_per_gigabyte: float


def check_relay(server: Dovecot, user: str, milliseconds: int) -> RelayCheck:
    """Look at a relay of this round-trip time."""
    with DelayRelay(server.port, milliseconds / 1000) as relay:
        noop = _noop(server, user, relay)
    listener = socket.create_server(("127.0.0.1", 0))
    sender = threading.Thread(target=_send, args=(listener,), daemon=True)
    sender.start()
    with listener, DelayRelay(listener.getsockname()[1], milliseconds / 1000) as relay:
        began = time.perf_counter()
        _drain(relay.port)
        seconds = time.perf_counter() - began
        cpu = relay.passed().cpu_seconds
    sender.join()
    return RelayCheck(milliseconds, noop, _OCTETS / seconds, cpu / _OCTETS * 1e9)


def _noop(server: Dovecot, user: str, relay: DelayRelay) -> float:
    seconds = []
    with server.reader(user, port=relay.port) as reader:
        for _ in range(_NOOPS):
            began = time.perf_counter()
            reader.ask("NOOP")
            seconds.append(time.perf_counter() - began)
        reader.quit()
    return median(seconds)


def _send(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        for _ in range(_OCTETS // len(_PIECE)):
            connection.sendall(_PIECE)


def _drain(port: int) -> None:
    buffer = bytearray(1 << 20)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        left = _OCTETS
        while left:
            got = connection.recv_into(buffer)
            assert got, "the relay lost octets"
            left -= got
