"""The figures of retrieval, and what they say of each other."""

import os
from dataclasses import dataclass, field
from statistics import median

from tests.bench.relay_check import RelayCheck


@dataclass(slots=True)
class Run:
    """One run of one client; ``servers`` has the processor's seconds that each server took for it."""

    client: str
    messages: int
    seconds: float
    cpu_seconds: float
    peak_octets: int
    serial: bool = False
    milliseconds: int = 0
    round: int = 0
    turns: int | None = None
    servers: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds

    @property
    def cpu_each(self) -> float:
        """Seconds of processor for one message."""
        return self.cpu_seconds / self.messages

    @property
    def at_work(self) -> float:
        """How much of all processors the client and its servers had."""
        return (self.cpu_seconds + sum(self.servers.values())) / self.seconds / (os.cpu_count() or 1)

    def __str__(self) -> str:
        servers = ", ".join(f"{name} {seconds / self.messages * 1000:.2f}" for name, seconds in self.servers.items())
        turns = "-" if self.turns is None else str(self.turns)
        return (
            f"{self.milliseconds:3} ms  {self.client:22} {self.rate:7.0f} msg/s  {self.cpu_each * 1000:6.3f} CPU s/1000"
            f"  {self.peak_octets / 1e6:4.0f} MB  {turns:>5} turns ({servers})"
        )


@dataclass(slots=True)
class Figures:
    """All that was measured: runs, a message's put alone in seconds of processor, peaks by what was fetched, relays."""

    runs: list[Run] = field(default_factory=list)
    puts: list[float] = field(default_factory=list)
    peaks: dict[str, int] = field(default_factory=dict)
    relays: list[RelayCheck] = field(default_factory=list)

    def of(self, client: str, milliseconds: int) -> list[Run]:
        """The runs of a client at a round-trip time, in order."""
        return [run for run in self.runs if (run.client, run.milliseconds) == (client, milliseconds)]

    def rate(self, client: str, milliseconds: int) -> float | None:
        """The median of its messages a second."""
        runs = self.of(client, milliseconds)
        return median(run.rate for run in runs) if runs else None

    def ratio(self, client: str, other: str, milliseconds: int) -> float | None:
        """How much faster ``client`` is than ``other``: the median of the rounds that both ran in."""
        rates = {run.round: run.rate for run in self.of(other, milliseconds)}
        both = [run.rate / rates[run.round] for run in self.of(client, milliseconds) if run.round in rates]
        return median(both) if both else None

    @property
    def round_trips(self) -> list[int]:
        """The round-trip times that were measured, in milliseconds."""
        return sorted({run.milliseconds for run in self.runs})

    @property
    def clients(self) -> list[str]:
        """Those that were measured, in order."""
        return list(dict.fromkeys(run.client for run in self.runs))
