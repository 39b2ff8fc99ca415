"""What is said of the figures of retrieval: tables, targets and the picture."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import median

from tests.bench.pictures import colour, picture, spread
from tests.bench.report import Report, Table, Target
from tests.bench.retrieval_figures import Figures, Run
from tests.bench.window import PRODUCT

FASTER_THAN_MPOP = {0: 1.0, 20: 1.5, 80: 2.0}
"""Messages a second to mpop's, at each round-trip time."""

FASTER_THAN_SERIAL = 50.0
NEAR_THE_FLOOR = 1.3
MOST_MEGABYTES = 150.0
AT_WORK = 0.8
"""With more of the processors at work than this, it is they that bound a run."""

LABELS = {
    "popfetch": "popfetch",
    "popfetch-from-start": "popfetch, from its start",
    "popfetch-cheap-s3": "popfetch, S3 by nginx",
    "popfetch-instant-aws": "popfetch, AWS in memory",
    "mpop": "mpop, pipelining",
    "mpop-serial": "mpop, no pipelining",
    "poplib": "poplib loop",
    "floor": "floor, popfetch's window",
    "floor-all": "floor, all at once",
}


def write_up(figures: Figures, missing: Sequence[str], failures: Mapping[str, int]) -> Report:
    """The report."""
    report = Report("retrieval", "Fetching a mailbox")
    report.tables += [_speeds(figures, milliseconds) for milliseconds in figures.round_trips]
    report.tables += [_processors(figures, milliseconds) for milliseconds in figures.round_trips]
    if rows := _room_rows(figures):
        report.tables.append(_room(rows))
    if figures.peaks:
        report.tables.append(_peaks(figures))
    if figures.relays:
        report.tables.append(_relays(figures))
    report.targets += _targets(figures)
    report.notes += _notes(figures)
    report.notes += [f"{name} failed {count} times and was run again." for name, count in failures.items()]
    if missing:
        report.notes.append(f"Not installed, and so not measured: {', '.join(missing)}.")
    report.figures |= {
        "runs": [asdict(run) for run in figures.runs],
        "put_cpu_seconds": figures.puts,
        "peak_octets": figures.peaks,
        "relays": [asdict(relay) for relay in figures.relays],
    }
    return report


def draw(figures: Figures, report: Report) -> None:
    """Messages a second by client and round-trip time."""
    round_trips = figures.round_trips
    with picture(report.picture("retrieval.png"), "Messages a second by round-trip time", high=6.0) as axes:
        axes.set_yscale("log")
        ends = []
        for client in figures.clients:
            speeds = [figures.rate(client, milliseconds) for milliseconds in round_trips]
            known = [(place, speed) for place, speed in enumerate(speeds) if speed]
            style = ":" if client.startswith("floor") else "--" if client.startswith("popfetch-") else "-"
            width = 2.5 if client == "popfetch" else 1.3
            axes.plot(*zip(*known, strict=True), style, color=colour(client), linewidth=width, marker="o", markersize=4)
            ends.append((client, *known[-1]))
        places = spread([math.log10(speed) for _, _, speed in ends], 0.085)
        for (client, at, speed), place in zip(ends, places, strict=True):
            axes.annotate(
                f"{LABELS.get(client, client)}  {speed:,.0f}",
                (at, speed),
                (len(round_trips) - 0.92, 10**place),
                va="center",
                color=colour(client),
                fontweight="bold" if client == "popfetch" else None,
                arrowprops={"arrowstyle": "-", "color": "#cbd5e1", "linewidth": 0.7, "shrinkA": 0, "shrinkB": 3},
            )
        axes.set_xticks(range(len(round_trips)), [f"{milliseconds} ms" for milliseconds in round_trips])
        axes.set_xlim(-0.2, len(round_trips) + 0.1)
        axes.set_ylabel("messages a second")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


# --- Tables ---------------------------------------------------------------------------------------------------


def _speeds(figures: Figures, milliseconds: int) -> Table:
    rows = []
    for client in figures.clients:
        runs = figures.of(client, milliseconds)
        if not runs:
            continue
        rates = sorted(run.rate for run in runs)
        ratio = figures.ratio(client, "mpop", milliseconds)
        turns = [run.turns / run.messages for run in runs if run.turns is not None]
        rows.append(
            (
                LABELS.get(client, client),
                f"{runs[0].messages:,}",
                f"{median(rates):,.0f} [{rates[0]:,.0f}-{rates[-1]:,.0f}]",
                f"{ratio:.2f}" if ratio else "-",
                f"{median(run.cpu_each for run in runs) * 1000:.2f}",
                f"{max(run.peak_octets for run in runs) / 1e6:.0f}",
                f"{median(turns):.2f}" if turns else "-",
            )
        )
    columns = ("client", "messages", "messages/s", "to mpop's", "CPU s per 1,000", "peak MB", "turns per message")
    return Table(f"Round trip of {milliseconds} ms", columns, rows)


def _processors(figures: Figures, milliseconds: int) -> Table:
    names = ["dovecot", "S3", "table", *(["relay"] if milliseconds else [])]
    rows = []
    for client in figures.clients:
        runs = [run for run in figures.of(client, milliseconds) if run.servers]
        if runs and not runs[0].serial:
            each = [median(run.servers.get(name, 0.0) / run.messages * 1000 for run in runs) for name in names]
            own = median(run.cpu_each for run in runs) * 1000
            busy = median(run.at_work for run in runs)
            cells = [f"{seconds:.2f}" for seconds in (own, *each, own + sum(each))]
            rows.append((LABELS.get(client, client), *cells, f"{busy:.0%}"))
    return Table(
        f"Who used the processors, round trip of {milliseconds} ms: CPU s per 1,000 messages",
        ("client", "client's own", *names, "all", "processors at work"),
        rows,
    )


def _room(rows: Sequence[Sequence[str]]) -> Table:
    columns = (
        "round trip",
        "popfetch with",
        "servers' CPU s per 1,000",
        "a client that takes none: messages/s",
        "wanted beside mpop",
        "left for a client, CPU s per 1,000",
        "popfetch's own",
    )
    return Table(f"What {os.cpu_count()} processors leave for any client", columns, rows)


def _room_rows(figures: Figures) -> Sequence[tuple[str, ...]]:
    """What the servers leave of all processors at the speed that is wanted, at best: with no wait anywhere."""
    processors = os.cpu_count() or 1
    rows = []
    for milliseconds, bound in FASTER_THAN_MPOP.items():
        mpop = figures.rate("mpop", milliseconds)
        for client, with_what in (("popfetch", "S3 by rclone"), ("popfetch-cheap-s3", "S3 by nginx")):
            runs = figures.of(client, milliseconds)
            servers = median([sum(run.servers.values()) / run.messages for run in runs] or [0.0])
            if not servers or not mpop:
                continue
            left = (processors / (bound * mpop) - servers) * 1000
            rows.append(
                (
                    f"{milliseconds} ms",
                    with_what,
                    f"{servers * 1000:.2f}",
                    f"{processors / servers:,.0f}",
                    f"{bound * mpop:,.0f}",
                    f"{left:.2f}" if left > 0 else "less than nothing",
                    f"{median(run.cpu_each for run in runs) * 1000:.2f}",
                )
            )
    return rows


def _peaks(figures: Figures) -> Table:
    rows = [(what, f"{octets / 1e6:.0f}") for what, octets in figures.peaks.items()]
    return Table("Memory of the popfetch process", ("mailbox", "peak MB"), rows)


def _relays(figures: Figures) -> Table:
    rows = [
        (
            f"{relay.milliseconds} ms",
            f"{relay.noop_seconds * 1000:.1f}",
            f"{relay.octets_per_second / 1e6:,.0f}",
            f"{relay.cpu_per_gigabyte:.2f}",
        )
        for relay in figures.relays
    ]
    return Table("The relay", ("round trip", "of NOOP, ms", "at most MB/s", "CPU s per GB"), rows)


# --- Targets --------------------------------------------------------------------------------------------------


def _targets(figures: Figures) -> list[Target]:
    targets = [target for at, bound in FASTER_THAN_MPOP.items() if (target := _to_mpop(figures, at, bound))]
    if floor := figures.ratio("floor", "popfetch", 80):
        targets.append(Target("time to the floor's with the same window at 80 ms", floor, NEAR_THE_FLOOR, at_most=True))
    targets += [
        Target(f"messages/s to {peer}'s at 80 ms", ratio, FASTER_THAN_SERIAL)
        for peer in ("getmail6", "fetchmail")
        if (ratio := figures.ratio("popfetch", peer, 80))
    ]
    own, mpop = figures.of("popfetch", 20), figures.of("mpop", 20)
    if own and mpop and figures.puts:
        cpu = median(run.cpu_each for run in own) * 1000
        bound = (2 * median(run.cpu_each for run in mpop) + median(figures.puts)) * 1000
        what = "CPU per 1,000 messages at 20 ms, to twice mpop's and the puts alone"
        targets.append(Target(what, cpu, round(bound, 2), " s", at_most=True))
    peaks = [run.peak_octets for run in figures.runs if run.client == "popfetch"]
    if peaks:
        targets.append(Target("peak memory", max(peaks) / 1e6, MOST_MEGABYTES, " MB", at_most=True))
    for what, octets in figures.peaks.items():
        targets.append(Target(f"peak memory, {what}", octets / 1e6, MOST_MEGABYTES, " MB", at_most=True))
    return targets


def _to_mpop(figures: Figures, milliseconds: int, bound: float) -> Target | None:
    """popfetch's speed to mpop's; with the S3 that costs next to nothing, where rclone's processor time is the limit.

    In production S3 uses no processor of this machine.
    """
    full = figures.ratio("popfetch", "mpop", milliseconds)
    cheap = figures.ratio("popfetch-cheap-s3", "mpop", milliseconds)
    if full is None:
        return None
    what = f"messages/s to mpop's at {milliseconds} ms"
    if full >= bound or cheap is None or not _s3_is_the_limit(figures.of("popfetch", milliseconds)):
        return Target(what, full, bound)
    return Target(f"{what}, S3 by nginx (by rclone, on the same processors: {full:.2f})", cheap, bound)


def _s3_is_the_limit(runs: Sequence[Run]) -> bool:
    """Whether the processors were at work, and S3's server had a good part of them."""
    busy = median(run.at_work for run in runs)
    share = median(run.servers["S3"] / run.seconds / (os.cpu_count() or 1) for run in runs)
    return busy >= AT_WORK and share >= busy / 4


# --- Notes ----------------------------------------------------------------------------------------------------


def _notes(figures: Figures) -> list[str]:
    notes = [
        (
            f"{os.cpu_count()} processors for all: clients, dovecot, relay, S3 and table. One mailbox over TLS, kept on"
            " the server; clients that wait for each message take a smaller one of the same mixture. Clients take"
            " turns, and ratios are medians of those within a round; speeds are medians with the lowest and highest."
        ),
        (
            "popfetch is its fetch function handling one event in a warm process, with the real adapters: S3 is rclone,"
            " DynamoDB a table of our own that knows what a cycle asks, SQS, KMS and EventBridge are moto, each a"
            " process of its own. *From its start* is the same as a process that starts for it, as the other clients'"
            " figures are. *S3 by nginx* is the same function and the same signed requests, to a server that takes a"
            " tenth of rclone's processor time, as it looks at neither signature nor checksum. *AWS in memory* takes"
            " the octets and discards them, and writes nothing to the table: what the fetch alone can do."
        ),
        (
            f"The floors are Python that discards what comes: with popfetch's window ({PRODUCT}), and with every RETR"
            " sent at once. mpop, fdm and poplib write one file of all messages, fetchmail one of BSMTP, getmail a"
            " Maildir, all in memory. S3 is plain HTTP here, so that its requests are signed over their content."
        ),
        (
            "The relay delays, and neither loses nor throttles, nor does it start slowly as TCP does; a turn is a"
            " client that speaks after it was spoken to. CPU and peak are what the kernel says of the process and its"
            " children when it has ended, for warm popfetch the CPU of the cycle; below 9 MB no peak is seen."
        ),
    ]
    if figures.puts:
        each = median(figures.puts) * 1000
        notes.append(f"The puts alone, of the same messages through popfetch's adapter: {each:.2f} CPU s per 1,000.")
    return notes
