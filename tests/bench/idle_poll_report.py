"""The figures of idle polls: a table, targets and the picture."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Self

from tests.bench.delay_relay import Passed
from tests.bench.pictures import colour, picture
from tests.bench.report import Report, Table, Target

MOST_OCTETS = 2048

NOTES = (
    (
        "Seconds are over TLS on this machine, the median of the runs, with the lowest and the highest. popfetch is"
        " its fetch function in a warm process, its table in another process; the others are processes from their start"
        " to their end."
    ),
    (
        "Octets and turns are those of a whole session of plain POP3, sign-in and sign-off included, counted by a"
        " relay; a turn is a client that speaks after it was spoken to."
    ),
    (
        "State is what is kept to know the mailbox by: files of the others, all of the account's items in popfetch's"
        " table. The files were written in the form that a first run leaves, as some first runs take an hour."
    ),
)


@dataclass(frozen=True, slots=True)
class Poll:
    """One client's poll of a mailbox of ``count`` messages."""

    client: str
    count: int
    seconds: tuple[float, ...]
    octets_up: int
    octets_down: int
    turns: int
    kept_octets: int

    @classmethod
    def of(cls, client: str, count: int, seconds: Sequence[float], passed: Passed, kept_octets: int) -> Self:
        """A poll, with what passed during it."""
        return cls(client, count, tuple(seconds), passed.octets_up, passed.octets_down, passed.turns, kept_octets)

    @property
    def typical(self) -> float:
        """The median of its seconds."""
        return median(self.seconds)

    def __str__(self) -> str:
        return (
            f"{self.count:7} kept  {self.client:10} {self.typical:7.3f} s  {self.octets_down:9} down"
            f" {self.octets_up:5} up  {self.turns:3} turns  {self.kept_octets:9} octets of state"
        )


def write_up(polls: Sequence[Poll], missing: Sequence[str]) -> Report:
    """The report."""
    report = Report("idle_poll", "A poll with nothing new")
    for count in sorted({poll.count for poll in polls}):
        report.tables.append(_table(count, [poll for poll in polls if poll.count == count]))
    report.targets += _targets([poll for poll in polls if poll.count == max(poll.count for poll in polls)])
    report.figures["polls"] = [asdict(poll) for poll in polls]
    report.notes += NOTES
    if missing:
        report.notes.append(f"Not installed, and so not measured: {', '.join(missing)}.")
    return report


def draw(polls: Sequence[Poll], report: Report) -> None:
    """The octets that each client is sent, as bars of two mailboxes."""
    counts = sorted({poll.count for poll in polls})
    clients = list(dict.fromkeys(poll.client for poll in polls))[::-1]
    with picture(report.picture("idle_poll.png"), "Octets that a poll with nothing new is sent", high=4.5) as axes:
        axes.set_xscale("log")
        high = 0.8 / len(counts)
        for index, count in enumerate(reversed(counts)):
            found = {poll.client: poll for poll in polls if poll.count == count}
            for place, client in enumerate(clients):
                poll = found[client]
                at = place + (index - (len(counts) - 1) / 2) * high
                alpha = 1.0 if count == counts[-1] else 0.55
                axes.barh(at, poll.octets_down, high * 0.92, color=colour(client), alpha=alpha)
                axes.annotate(
                    f"{poll.octets_down:,} octets, {poll.typical:.2f} s  ({count:,} kept)",
                    (poll.octets_down, at),
                    (4, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=8,
                )
        axes.set_yticks(range(len(clients)), clients)
        axes.set_xlim(100, max(poll.octets_down for poll in polls) * 130)
        axes.set_xlabel("octets")
        axes.grid(visible=False, axis="y")


def _table(count: int, polls: Sequence[Poll]) -> Table:
    return Table(
        f"{count:,} messages kept on the server",
        ("client", "s", "octets down", "octets up", "turns", "octets of state"),
        [
            (
                poll.client,
                f"{poll.typical:.3f} [{min(poll.seconds):.3f}-{max(poll.seconds):.3f}]",
                f"{poll.octets_down:,}",
                f"{poll.octets_up:,}",
                poll.turns,
                f"{poll.kept_octets:,}",
            )
            for poll in polls
        ],
    )


def _targets(polls: Sequence[Poll]) -> list[Target]:
    own = polls[0]
    targets = [Target(f"octets down on {own.count:,} messages", own.octets_down, MOST_OCTETS, at_most=True)]
    others = polls[1:]
    if others:
        # within a round, as what else the machine does hits all alike
        rounds = zip(own.seconds, zip(*(other.seconds for other in others), strict=True), strict=True)
        ratio = median(mine / min(theirs) for mine, theirs in rounds)
        targets.append(Target(f"time to the fastest peer's on {own.count:,} messages", ratio, 1.0, at_most=True))
    return targets
