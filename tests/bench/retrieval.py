"""How fast a mailbox is fetched, by popfetch and by others, near the server and far from it.

``python -m tests.bench.retrieval --clients popfetch,mpop --rtt 20 --runs 3`` measures a part, and prints it only.

Clients take turns, so that whatever else the machine does hits all alike; what is compared is compared within a round.
"""

import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.bench import peers
from tests.bench.delay_relay import DelayRelay
from tests.bench.mailboxes import Seeded, seed
from tests.bench.peers import Peer, Place
from tests.bench.popfetch_client import WARM_MESSAGES, WARM_USER, Popfetch
from tests.bench.processes import RunFailed, run
from tests.bench.report import Report
from tests.bench.retrieval_report import Figures, Run, write_up
from tests.bench.stage import Stage, stage
from tests.bench.window import EVERYTHING, PRODUCT

ROUND_TRIPS = (0, 20, 80)
"""Milliseconds."""

MESSAGES = 2_000
SERIAL_MESSAGES = {0: 200, 20: 200, 80: 100}
"""What clients take that wait for each message: the same mixture, and enough of it."""

RUNS, SERIAL_RUNS = 5, 2
ATTEMPTS = 3
"""Peers may fail: getmail now and then misses the end of its own child."""

FLOOR = peers.floor("floor", PRODUCT)
FLOOR_ALL = peers.floor("floor-all", EVERYTHING)
PEERS = (peers.MPOP, FLOOR, FLOOR_ALL, peers.MPOP_SERIAL, peers.POPLIB, peers.FETCHMAIL, peers.FDM, peers.GETMAIL)


@dataclass(frozen=True, slots=True)
class _Own:
    """popfetch, in one of the ways that it is measured."""

    name: str
    warm: bool = True
    instant: bool = False
    serial = False


OWN = (_Own("popfetch"), _Own("popfetch-from-start", warm=False), _Own("popfetch-instant-aws", instant=True))
CLIENTS: dict[str, Peer | _Own] = {client.name: client for client in (*OWN, *PEERS)}

type Tell = Callable[[str], None]


@dataclass
class Retrieval:
    """The measuring of some clients at some round-trip times."""

    stage: Stage
    clients: Sequence[Peer | _Own]
    runs: int
    tell: Tell
    figures: Figures = field(default_factory=Figures)
    failures: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._popfetch = Popfetch(self.stage)
        self._mailboxes: dict[int, Seeded] = {}
        seed(self.stage.dovecot, WARM_USER, WARM_MESSAGES)

    def mailbox(self, count: int) -> Seeded:
        """The mailbox of so many messages."""
        if count not in self._mailboxes:
            self._mailboxes[count] = seed(self.stage.dovecot, f"user{count}", count)
        return self._mailboxes[count]

    def at(self, milliseconds: int) -> None:
        """Measure every client at one round-trip time."""
        with self._relay(milliseconds) as relay:
            for number in range(self.runs):
                for client in self.clients:
                    if client.serial and number >= SERIAL_RUNS:
                        continue
                    count = SERIAL_MESSAGES[milliseconds] if client.serial else MESSAGES
                    measured = self._measured(client, self.mailbox(count), relay, milliseconds, number)
                    self.figures.runs.append(measured)
                    self.tell(str(measured))

    @contextmanager
    def _relay(self, milliseconds: int) -> Iterator[DelayRelay | None]:
        with ExitStack() as stack:
            port = self.stage.dovecot.tls_port
            yield stack.enter_context(DelayRelay(port, milliseconds / 1000)) if milliseconds else None

    def _measured(
        self, client: Peer | _Own, mailbox: Seeded, relay: DelayRelay | None, milliseconds: int, number: int
    ) -> Run:
        for attempt in range(ATTEMPTS):
            try:
                before, passed = self.stage.cpu(), relay.passed() if relay else None
                run = self._run(client, mailbox, relay.port if relay else self.stage.dovecot.tls_port)
                after = self.stage.cpu()
            except RunFailed:
                if isinstance(client, _Own) or attempt == ATTEMPTS - 1:
                    raise
                self.failures[client.name] = self.failures.get(client.name, 0) + 1
            else:
                run.milliseconds, run.round = milliseconds, number
                run.servers = {name: after[name] - before[name] for name in before}
                if relay and passed:
                    now = relay.passed()
                    run.turns = now.turns - passed.turns
                    run.servers["relay"] = now.cpu_seconds - passed.cpu_seconds
                return run
        raise AssertionError("unreachable")

    def _run(self, client: Peer | _Own, mailbox: Seeded, port: int) -> Run:
        if isinstance(client, _Own):
            fetched = self._popfetch.fetch(mailbox, port, warm=client.warm, instant=client.instant)
            took = fetched.cycle if client.warm else fetched.process
            return Run(client.name, mailbox.count, took.seconds, took.cpu_seconds, fetched.process.peak_octets)
        with self.stage.folder() as folder:
            place = Place(port, mailbox.user, self.stage.dovecot.ca_file)
            spent = run(client.command(folder, place), folder, environment=client.environment, good=client.good)
            if (delivered := client.delivered(folder)) != mailbox.count:
                raise RunFailed(f"{client.name} delivered {delivered} of {mailbox.count} messages")
        return Run(client.name, mailbox.count, spent.seconds, spent.cpu_seconds, spent.peak_octets)

    def puts(self) -> None:
        """What the puts alone take, of the same messages."""
        mailbox = self.mailbox(MESSAGES)
        folder = self.stage.dovecot.maildir(mailbox.user).folder / "cur"
        for _ in range(self.runs):
            self.figures.puts.append(self._popfetch.put(folder).cycle.cpu_seconds / mailbox.count)


def measure() -> Report:
    """Measure everything."""
    installed = [client for client in CLIENTS.values() if isinstance(client, _Own) or client.installed]
    return _measure(installed, ROUND_TRIPS, RUNS, lambda line: print(line, file=sys.stderr, flush=True))


def _measure(clients: Sequence[Peer | _Own], round_trips: Sequence[int], runs: int, tell: Tell) -> Report:
    with stage() as running:
        retrieval = Retrieval(running, clients, runs, tell)
        for milliseconds in round_trips:
            retrieval.at(milliseconds)
        if any(client.name == "popfetch" for client in clients):
            retrieval.puts()
    return write_up(retrieval.figures, CLIENTS.keys() - {client.name for client in clients}, retrieval.failures)


def main() -> None:
    """Measure what is named, and print it."""
    parser = ArgumentParser(prog="python -m tests.bench.retrieval", description=__doc__)
    parser.add_argument("--clients", default="popfetch,mpop,floor", help=f"some of {', '.join(CLIENTS)}")
    parser.add_argument("--rtt", default="0,20,80", help="milliseconds of a round trip, some of 0, 20, 80")
    parser.add_argument("--runs", type=int, default=RUNS)
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    clients = [CLIENTS[name] for name in wanted.clients.split(",")]
    round_trips = [int(text) for text in wanted.rtt.split(",")]
    print(_measure(clients, round_trips, wanted.runs, lambda line: print(line, file=sys.stderr, flush=True)))


if __name__ == "__main__":
    main()
