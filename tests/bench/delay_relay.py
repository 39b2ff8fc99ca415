"""A relay that adds a round-trip time, as a network does that neither loses nor throttles.

Each way holds what it is given for half the time; a new connection reaches the server one and a half round trips after
the client was let in, as the handshake of TCP would have taken one. A process of its own, so that its work is nobody
else's: ``python -m tests.bench.delay_relay TARGET_PORT MICROSECONDS`` prints its port, answers each line of its input
by one of JSON (see ``Passed``), and ends with its input.
"""

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Self

from tests.bench.processes import ROOT

READ_OCTETS = 256 * 1024
HELD_OCTETS = 64 * 1024 * 1024
"""As much as each way holds back: far above what any of the measured clients has on the way at once."""

type Act = Callable[[], None]


@dataclass(slots=True)
class Passed:
    """What went through since the start; a turn is a client that speaks after it was spoken to."""

    connections: int = 0
    octets_up: int = 0
    octets_down: int = 0
    turns: int = 0
    cpu_seconds: float = 0.0


class _Way:
    """One way of a connection: what was read, and when it is due."""

    def __init__(self) -> None:
        self.held: deque[tuple[float, memoryview]] = deque()
        self.octets = 0
        self.ended = False
        self.closed = False

    @property
    def due(self) -> float:
        """When the next octets, or the end, may go on; never where there are none."""
        return self.held[0][0] if self.held else float("inf")

    def add(self, due: float, data: bytes) -> None:
        self.held.append((due, memoryview(data)))
        self.octets += len(data)

    def pass_on(self, sink: socket.socket, now: float) -> bool:
        """Send what is due; ``False`` when the other side takes no more for now."""
        while self.held and self.held[0][0] <= now:
            due, data = self.held[0]
            if not data:
                sink.shutdown(socket.SHUT_WR)
                self.held.popleft()
                self.closed = True
                return True
            try:
                sent = sink.send(data)
            except BlockingIOError:
                return False
            self.octets -= sent
            if sent < len(data):
                self.held[0] = (due, data[sent:])
                return False
            self.held.popleft()
        return True


class _Connection:
    """A client, its server, and both ways between them."""

    def __init__(self, relay: "_Relay", client: socket.socket) -> None:
        self._relay = relay
        self._client = client
        self._server: socket.socket | None = None
        self._opens_at = time.monotonic() + 3 * relay.one_way
        self._up, self._down = _Way(), _Way()
        self._server_spoke = True
        self._stuck: set[socket.socket] = set()
        relay.passed.connections += 1
        self.watch()

    @property
    def due(self) -> float:
        """When there is something to do without being asked."""
        if self._server is None:
            return self._opens_at
        up = float("inf") if self._server in self._stuck else self._up.due
        return min(up, float("inf") if self._client in self._stuck else self._down.due)

    def act(self) -> None:
        """Do what is due. An error of either side is the end of both."""
        now = time.monotonic()
        try:
            if self._server is None:
                if now < self._opens_at:
                    return
                self._server = self._relay.connect()
            for way, sink in ((self._up, self._server), (self._down, self._client)):
                self._stuck.discard(sink)
                if not way.pass_on(sink, now):
                    self._stuck.add(sink)
        except OSError:
            self.close()
            return
        if self._up.closed and self._down.closed:
            self.close()
        else:
            self.watch()

    def _read(self, source: socket.socket, way: _Way) -> None:
        try:
            data = source.recv(READ_OCTETS)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        now = time.monotonic()
        way.add(max(now + self._relay.one_way, self._opens_at), data)
        way.ended = not data
        passed = self._relay.passed
        if source is self._client:
            passed.octets_up += len(data)
            passed.turns += bool(data) and self._server_spoke
            self._server_spoke = self._server_spoke and not data
        else:
            passed.octets_down += len(data)
            self._server_spoke = True
        self.watch()

    def watch(self) -> None:
        """Wait for what is of interest now."""
        for source, way in ((self._client, self._up), (self._server, self._down)):
            if source is None:
                continue
            mask = 0 if way.ended or way.octets > HELD_OCTETS else selectors.EVENT_READ
            if source in self._stuck:
                mask |= selectors.EVENT_WRITE
            self._relay.watch(source, mask, lambda source=source, way=way: self._ready(source, way))  # type: ignore[misc]

    def _ready(self, source: socket.socket, way: _Way) -> None:
        if source in self._stuck:
            self.act()
        if not way.ended and way.octets <= HELD_OCTETS:
            self._read(source, way)

    def close(self) -> None:
        self._relay.forget(self, [self._client] + ([self._server] if self._server else []))


class _Relay:
    """The loop: sockets, and one timer, which is finer than what ``select`` waits by."""

    def __init__(self, target: int, one_way: float) -> None:
        self.one_way = one_way
        self.passed = Passed()
        self._target = target
        self._selector = selectors.DefaultSelector()
        self._masks: dict[socket.socket, int] = {}
        self._connections: set[_Connection] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._timer = os.timerfd_create(time.CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK)
        self._armed_for = float("inf")
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._timer, selectors.EVENT_READ, self._tick)
        self._selector.register(sys.stdin, selectors.EVENT_READ, self._answer)
        self._ended = False

    def run(self) -> None:
        print(self._listener.getsockname()[1], flush=True)
        while not self._ended:
            for key, _ in self._selector.select():
                act: Act = key.data
                act()
            self._arm()

    def connect(self) -> socket.socket:
        return _prepared(socket.create_connection(("127.0.0.1", self._target), timeout=10))

    def watch(self, source: socket.socket, mask: int, ready: Act) -> None:
        """Call ``ready`` when ``source`` can do what ``mask`` says, from now on."""
        known = self._masks.get(source, 0)
        if mask == known:
            return
        if not known:
            self._selector.register(source, mask, ready)
        elif mask:
            self._selector.modify(source, mask, ready)
        else:
            self._selector.unregister(source)
        self._masks[source] = mask

    def forget(self, connection: _Connection, sockets: list[socket.socket]) -> None:
        for source in sockets:
            if self._masks.pop(source, 0):
                self._selector.unregister(source)
            source.close()
        self._connections.discard(connection)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        self._connections.add(_Connection(self, _prepared(client)))

    def _tick(self) -> None:
        os.read(self._timer, 8)
        self._armed_for = float("inf")
        now = time.monotonic()
        for connection in [connection for connection in self._connections if connection.due <= now]:
            connection.act()

    def _arm(self) -> None:
        due = min((connection.due for connection in self._connections), default=float("inf"))
        if due < self._armed_for:
            os.timerfd_settime_ns(self._timer, flags=os.TFD_TIMER_ABSTIME, initial=max(1, int(due * 1e9)))
            self._armed_for = due

    def _answer(self) -> None:
        if not sys.stdin.readline():
            self._ended = True
            return
        self.passed.cpu_seconds = time.process_time()
        print(json.dumps(asdict(self.passed)), flush=True)


def _prepared(connection: socket.socket) -> socket.socket:
    connection.setblocking(False)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class DelayRelay:
    """A relay to port ``target`` with a round-trip time of ``seconds``; use it as a context manager."""

    def __init__(self, target: int, seconds: float) -> None:
        self.port = 0
        self._command = [sys.executable, "-m", "tests.bench.delay_relay", str(target), str(round(seconds * 1e6))]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._line())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.communicate()

    def passed(self) -> Passed:
        """What went through it so far."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Passed(**json.loads(self._line()))

    def _line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the relay is gone"
        return line


if __name__ == "__main__":
    _Relay(int(sys.argv[1]), int(sys.argv[2]) / 2e6).run()
