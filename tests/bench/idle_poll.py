"""What it takes to find out that nothing is new, on mailboxes that are kept on the server.

Seconds are measured over TLS, what passes over plain POP3 through a relay that counts and does not delay. popfetch is a
function that is warm; the others are programs that start each time.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from popfetch.domain.account import Security
from popfetch.domain.fetch_state import Outcome
from tests.bench import kept_states
from tests.bench.delay_relay import DelayRelay, Passed
from tests.bench.idle_poll_report import Poll, draw, write_up
from tests.bench.peers import FDM, FETCHMAIL, GETMAIL, MPOP, Peer, Place
from tests.bench.popfetch_client import Popfetch, WarmFunction
from tests.bench.processes import RunFailed, run
from tests.bench.report import Report
from tests.bench.stage import Stage, stage
from tests.bench.table_sizes import octets_of_account
from tests.real.mixed_mail import a_header
from tests.real.stack import Collector

SIZES = (20_000, 100_000)
RUNS = 5
PEERS = (MPOP, FETCHMAIL, FDM, GETMAIL)


@dataclass
class _Counted:
    """What passes through a relay while something is done."""

    relay: DelayRelay
    passed: Passed = field(default_factory=Passed)

    def during(self, act: Callable[[], object]) -> None:
        before = self.relay.passed()
        act()
        after = self.relay.passed()
        self.passed = Passed(
            octets_up=after.octets_up - before.octets_up,
            octets_down=after.octets_down - before.octets_down,
            turns=after.turns - before.turns,
        )


class _Own:
    """popfetch, with an account for each way that leads to the mailbox; both have been imported."""

    def __init__(self, stage: Stage, popfetch: Popfetch, function: WarmFunction, user: str, relay: DelayRelay) -> None:
        self._stage = stage
        self._function = function
        self._direct = popfetch.account(user, start="now")
        self._counted = popfetch.account(user, Security.NONE, port=relay.port, start="now")
        self._relay = relay
        for collector in (self._direct, self._counted):
            function.fetch(collector)

    def seconds(self) -> float:
        return self._poll(self._direct)

    def poll(self, count: int, seconds: Sequence[float]) -> Poll:
        counted = _Counted(self._relay)
        counted.during(lambda: self._poll(self._counted))
        kept = octets_of_account(self._stage.aws, self._direct.account)
        return Poll.of("popfetch", count, seconds, counted.passed, kept)

    def _poll(self, collector: Collector) -> float:
        seconds = self._function.fetch(collector).seconds
        last = collector.state().last_fetch
        if last is None or last.outcome is not Outcome.NOTHING_NEW:
            raise RunFailed(f"popfetch did not find that nothing is new: {last}")
        return seconds


class _Other:
    """A peer, with a folder for each way that leads to the mailbox; both know all of it."""

    def __init__(
        self, peer: Peer, stage: Stage, folders: tuple[Path, Path], user: str, uids: Sequence[str], relay: DelayRelay
    ) -> None:
        self._peer = peer
        self._relay = relay
        self._direct = folders[0], Place(stage.dovecot.tls_port, user, stage.dovecot.ca_file)
        self._counted = folders[1], Place(relay.port, user)
        for folder, place in (self._direct, self._counted):
            kept_states.keep(peer, folder, place, uids)

    def seconds(self) -> float:
        return self._poll(*self._direct)

    def poll(self, count: int, seconds: Sequence[float]) -> Poll:
        counted = _Counted(self._relay)
        counted.during(lambda: self._poll(*self._counted))
        kept = kept_states.octets_kept(self._peer, *self._direct)
        return Poll.of(self._peer.name, count, seconds, counted.passed, kept)

    def _poll(self, folder: Path, place: Place) -> float:
        peer = self._peer
        kept_states.forget_mail(folder)
        spent = run(peer.command(folder, place), folder, environment=peer.environment, good=peer.good)
        if delivered := peer.delivered(folder):
            raise RunFailed(f"{peer.name} delivered {delivered} messages that it knows")
        return spent.seconds


def _at(stage: Stage, popfetch: Popfetch, count: int) -> list[Poll]:
    user = f"kept{count}"
    stage.dovecot.maildir(user).fill(a_header(1) + b"Kept.\r\n", count)
    with stage.dovecot.reader(user) as reader:
        uids = [uid.decode() for uid in reader.uids().values()]
        reader.rows("LIST")
        reader.quit()
    with ExitStack() as stack:
        relay = stack.enter_context(DelayRelay(stage.dovecot.port, 0))
        function = stack.enter_context(WarmFunction(stage))
        clients: list[_Own | _Other] = [_Own(stage, popfetch, function, user, relay)]
        for peer in PEERS:
            if peer.installed:
                folders = stack.enter_context(stage.folder()), stack.enter_context(stage.folder())
                clients.append(_Other(peer, stage, folders, user, uids, relay))
        took: list[list[float]] = [[] for _ in clients]
        for _ in range(RUNS):
            for client, seconds in zip(clients, took, strict=True):
                seconds.append(client.seconds())
        polls = [client.poll(count, seconds) for client, seconds in zip(clients, took, strict=True)]
    for poll in polls:
        print(poll, file=sys.stderr, flush=True)
    return polls


def measure() -> Report:
    """Measure everything."""
    with stage() as running:
        popfetch = Popfetch(running)
        polls = [poll for count in SIZES for poll in _at(running, popfetch, count)]
    report = write_up(polls, [peer.name for peer in PEERS if not peer.installed])
    draw(polls, report)
    return report
