"""How fast a mailbox is fetched, by popfetch and by others, near the server and far from it.

``python -m tests.bench.retrieval --clients popfetch,mpop --rtt 20 --runs 3`` measures a part, and prints it only.

Clients take turns, so that whatever else the machine does hits all alike; what is compared is compared within a round.
"""

import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256

from tests.bench import peers
from tests.bench.delay_relay import DelayRelay
from tests.bench.mailboxes import Seeded, seed
from tests.bench.peers import Peer, Place
from tests.bench.popfetch_client import WARM_MESSAGES, WARM_USER, Popfetch
from tests.bench.processes import RunFailed, run
from tests.bench.relay_check import check_relay
from tests.bench.report import Report
from tests.bench.retrieval_figures import Figures, Run
from tests.bench.retrieval_report import draw, write_up
from tests.bench.s3_server import nginx
from tests.bench.stage import Stage, stage
from tests.bench.window import EVERYTHING, PRODUCT
from tests.builders.aws import BUCKET
from tests.real.mixed_mail import a_header

ROUND_TRIPS = (0, 20, 80)
"""Milliseconds."""

MESSAGES = 2_000
SERIAL_MESSAGES = {0: 200, 20: 200, 80: 100}
"""What clients take that wait for each message: the same mixture, and enough of it."""

RUNS, SERIAL_RUNS, PUT_RUNS = 5, 2, 3
LARGE_OCTETS = 200_000_000
LONG_LISTING, A_FEW = 100_000, 5
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
    cheap_s3: bool = False
    serial = False

    @property
    def installed(self) -> bool:
        """Whether what it is measured with is there."""
        return not self.cheap_s3 or nginx() is not None


OWN = (
    _Own("popfetch"),
    _Own("popfetch-from-start", warm=False),
    _Own("popfetch-cheap-s3", cheap_s3=True),
    _Own("popfetch-instant-aws", instant=True),
)
CLIENTS: dict[str, Peer | _Own] = {client.name: client for client in (*OWN, *PEERS)}


@dataclass
class Retrieval:
    """The measuring of some clients at some round-trip times."""

    stage: Stage
    clients: Sequence[Peer | _Own]
    runs: int
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
                    _tell(str(measured))

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
                run.serial, run.milliseconds, run.round = client.serial, milliseconds, number
                run.servers = {name: after[name] - before[name] for name in before}
                if relay and passed:
                    now = relay.passed()
                    run.turns = now.turns - passed.turns
                    run.servers["relay"] = now.cpu_seconds - passed.cpu_seconds
                return run
        raise AssertionError("unreachable")

    def _run(self, client: Peer | _Own, mailbox: Seeded, port: int) -> Run:
        if isinstance(client, _Own):
            fetched = self._popfetch.fetch(
                mailbox,
                port,
                warm=client.warm,
                instant=client.instant,
                s3=self.stage.puts if client.cheap_s3 else None,
            )
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
        for _ in range(min(self.runs, PUT_RUNS)):
            self.figures.puts.append(self._popfetch.put(folder).cycle.cpu_seconds / mailbox.count)

    def peaks(self) -> None:
        """What popfetch needs of memory for one message that is large, and for a listing that is long."""
        line = b"All work and no play makes Jack a dull boy, and so on and so forth, 76\r\n"
        large = a_header(1) + line * (LARGE_OCTETS // len(line))
        self.stage.dovecot.maildir("large").deliver(large)
        self._peak(f"one message of {LARGE_OCTETS / 1e6:.0f} MB", "large", [large])
        kept = a_header(1) + b"Kept.\r\n"
        self.stage.dovecot.maildir("long").fill(kept, LONG_LISTING)
        self._peak(f"{A_FEW} of {LONG_LISTING:,} listed", "long", [kept] * A_FEW)

    def _peak(self, what: str, user: str, expected: list[bytes]) -> None:
        port = self.stage.dovecot.tls_port
        fetched = self._popfetch.run(user, port, max_messages_per_cycle=len(expected), catch_up=False)
        if self.stage.s3.digests(BUCKET) != tuple(sorted(sha256(content).digest() for content in expected)):
            raise RunFailed(f"popfetch did not store what it should have: {what}")
        self.stage.s3.empty(BUCKET)
        self.figures.peaks[what] = fetched.process.peak_octets
        _tell(f"peak memory, {what}: {fetched.process.peak_octets / 1e6:.0f} MB")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def measure() -> Report:
    """Measure everything."""
    installed = [client for client in CLIENTS.values() if client.installed]
    with stage() as running:
        retrieval = Retrieval(running, installed, RUNS)
        retrieval.figures.relays += [
            check_relay(running.dovecot, WARM_USER, milliseconds) for milliseconds in ROUND_TRIPS if milliseconds
        ]
        for milliseconds in ROUND_TRIPS:
            retrieval.at(milliseconds)
        retrieval.puts()
        retrieval.peaks()
    missing = [name for name, client in CLIENTS.items() if client not in installed]
    report = write_up(retrieval.figures, missing, retrieval.failures)
    draw(retrieval.figures, report)
    return report


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
    with stage() as running:
        retrieval = Retrieval(running, clients, wanted.runs)
        for milliseconds in round_trips:
            retrieval.at(milliseconds)
        if CLIENTS["popfetch"] in clients:
            retrieval.puts()
    print(write_up(retrieval.figures, [], retrieval.failures))


if __name__ == "__main__":
    main()
