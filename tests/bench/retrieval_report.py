"""The figures of retrieval: tables, targets and the picture."""

from collections.abc import Collection
from dataclasses import dataclass, field
from statistics import median

from tests.bench.report import Report, Table


@dataclass(slots=True)
class Run:
    """One run of one client."""

    client: str
    messages: int
    seconds: float
    cpu_seconds: float
    peak_octets: int
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

    def __str__(self) -> str:
        servers = ", ".join(f"{name} {seconds / self.messages * 1000:.2f}" for name, seconds in self.servers.items())
        return (
            f"{self.milliseconds:3} ms  {self.client:22} {self.rate:7.0f} msg/s  {self.cpu_each * 1000:6.3f} CPU s/1000"
            f"  {self.peak_octets / 1e6:4.0f} MB  {self.turns if self.turns is not None else '-':>5} turns ({servers})"
        )


@dataclass(slots=True)
class Figures:
    """All that was measured."""

    runs: list[Run] = field(default_factory=list)
    puts: list[float] = field(default_factory=list)

    def of(self, client: str, milliseconds: int) -> list[Run]:
        """The runs of a client, in order."""
        return [run for run in self.runs if (run.client, run.milliseconds) == (client, milliseconds)]

    def ratio(self, client: str, other: str, milliseconds: int) -> float | None:
        """How much faster ``client`` is than ``other``: the median of the rounds that both ran in."""
        rates = {run.round: run.rate for run in self.of(other, milliseconds)}
        both = [run.rate / rates[run.round] for run in self.of(client, milliseconds) if run.round in rates]
        return median(both) if both else None

    @property
    def milliseconds(self) -> list[int]:
        return sorted({run.milliseconds for run in self.runs})

    @property
    def clients(self) -> list[str]:
        return list(dict.fromkeys(run.client for run in self.runs))


def write_up(figures: Figures, missing: Collection[str], failures: dict[str, int]) -> Report:
    """The report."""
    report = Report("retrieval", "Fetching a mailbox")
    report.tables += [_table(figures, milliseconds) for milliseconds in figures.milliseconds]
    return report


def _table(figures: Figures, milliseconds: int) -> Table:
    rows = []
    for client in figures.clients:
        runs = figures.of(client, milliseconds)
        if not runs:
            continue
        rates = sorted(run.rate for run in runs)
        ratio = figures.ratio(client, "mpop", milliseconds)
        rows.append(
            [
                client,
                f"{median(rates):.0f} [{rates[0]:.0f}-{rates[-1]:.0f}]",
                f"{ratio:.2f}" if ratio else "-",
                f"{median(run.cpu_each for run in runs) * 1000:.2f}",
                f"{max(run.peak_octets for run in runs) / 1e6:.0f}",
            ]
        )
    return Table(f"RTT {milliseconds} ms", ["client", "msg/s", "to mpop", "CPU s per 1,000", "peak MB"], rows)
