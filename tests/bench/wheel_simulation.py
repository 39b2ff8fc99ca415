"""How far the wheel, the queue and AWS's quotas carry: ten million accounts over a day, by the product's own hashing.

Deterministic. The mix of accounts is in ``wheel_population``, what a poll takes in ``fetch_model``, what it asks of AWS
in ``wheel_sizes``, what AWS allows in ``quotas``.
"""

import time
from collections.abc import Sequence

from tests.bench.fetch_model import IDLE_SECONDS, MAIL_SECONDS, MAIL_SHARE, SLOW_SECONDS, SLOW_SHARE, batch_seconds
from tests.bench.quotas import Quota
from tests.bench.report import Report, Table, Target
from tests.bench.wheel_pictures import draw
from tests.bench.wheel_population import ACCOUNTS_OF_OWNERS, PROVIDER_SHARES, WANTED, Population, population
from tests.bench.wheel_sizes import HEADROOM, Size, size

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
SHORTEST_INTERVAL = 300
"""Seconds: the shortest interval of the mix."""

EVEN_FROM = 100_000
"""Below so many accounts chance alone makes some minutes a tenth fuller than the mean."""


def measure() -> Report:
    """Simulate every size, and set it against the quotas."""
    began = time.perf_counter()
    people = population(SIZES[-1])
    batches = batch_seconds(people)
    prompt = float(batch_seconds(people, slow_share=0.0).mean())
    sizes = [size(people.first(count), batches) for count in SIZES]
    report = Report("wheel_simulation", "The wheel with ten million accounts")
    report.tables += [_sizes_table(sizes), _needs_table(sizes), _quota_table(sizes), _bill_table(sizes)]
    draw(sizes, report.picture("wheel_simulation.png"))
    report.targets += _targets(sizes)
    report.notes += _notes(people, float(batches.mean()), prompt)
    report.figures |= _figures(sizes) | {"batch_seconds": float(batches.mean()), "batch_seconds_without_slow": prompt}
    report.notes.append(f"Simulated in {time.perf_counter() - began:.0f} s.")
    return report


def reached_at(quota: Quota, at: Size) -> float:
    """The accounts at which a quota is used up, in proportion to what ``at`` uses of it."""
    return quota.limit / at.uses()[quota] * at.accounts


def _targets(sizes: Sequence[Size]) -> list[Target]:
    even = [one for one in sizes if one.accounts >= EVEN_FROM]
    fullest = max(float(one.load.max() / one.load.mean()) for one in even)
    hottest = max(one.partition_reads for one in sizes)
    waits = max(one.day.longest_wait for one in sizes)
    return [
        Target(f"fullest minute to the mean, from {EVEN_FROM:,} accounts on", fullest, 1.1, "x", at_most=True),
        Target("read units of the hottest partition in a second", hottest, 3_000, at_most=True),
        Target("longest wait in the queue, any size", waits, SHORTEST_INTERVAL, " s", at_most=True),
        Target("sizes whose queue is empty at the day's end", sum(one.day.emptied for one in sizes), len(sizes)),
    ]


def _sizes_table(sizes: Sequence[Size]) -> Table:
    rows = [
        [
            f"{one.accounts:,}",
            f"{one.load.min():,} / {one.load.mean():,.0f} / {one.load.max():,}",
            f"{one.load.max() / one.load.mean():.3f}",
            f"{one.per_second:,.1f}",
            f"{one.day.waiting.max():,.0f}",
            f"{one.day.longest_wait:.0f} s",
        ]
        for one in sizes
    ]
    columns = ["accounts", "due a minute: least / mean / most", "most to mean", "polls a second"]
    return Table("A day", [*columns, "deepest queue", "longest wait"], rows)


def _needs_table(sizes: Sequence[Size]) -> Table:
    rows: list[list[str | int | float]] = [
        [
            f"{one.accounts:,}",
            f"{one.needed:,.0f}",
            f"{one.concurrency:,}",
            one.shards,
            f"{one.hottest_shard:,}",
            f"{one.partition_reads:,.0f}",
        ]
        for one in sizes
    ]
    columns = ["accounts", "batches at once, mean", "FetchConcurrency", "WheelShards", "accounts in the fullest shard"]
    return Table("What is to be set", [*columns, "its read units, in one second"], rows)


def _quota_table(sizes: Sequence[Size]) -> Table:
    largest = sizes[-1]
    rows = [
        [
            quota.name,
            f"{quota.limit:,.0f}{quota.unit if quota.unit.startswith('/') else ' ' + quota.unit}".strip(),
            *(f"{one.uses()[quota]:,.0f}" for one in sizes[2:]),
            f"{reached_at(quota, largest):,.0f}",
            quota.remedy,
        ]
        for quota in sorted(largest.uses(), key=lambda quota: reached_at(quota, largest))
    ]
    columns = ["quota", "default", *(f"used at {one.accounts:,}" for one in sizes[2:]), "reached at", "then"]
    return Table("Quotas, in the order in which they are reached", columns, rows)


def _bill_table(sizes: Sequence[Size]) -> Table:
    names = list(sizes[0].dollars())
    rows = []
    for one in sizes:
        dollars = one.dollars()
        total = sum(dollars.values())
        each = [f"{dollars[name]:,.0f}" for name in names]
        rows.append([f"{one.accounts:,}", *each, f"{total:,.0f}", f"{total / one.accounts:.4f}"])
    return Table("Dollars a month, without storage and free tiers", ["accounts", *names, "all", "an account"], rows)


def _notes(people: Population, mean: float, prompt: float) -> list[str]:
    chosen = ", ".join(f"{share:.0%} {interval}" for interval, share in WANTED.items())
    at = ", ".join(f"{share:.0%} {provider}" for provider, share in PROVIDER_SHARES.items())
    found = ", ".join(f"{counts.sum() / len(people):.0%} {n}" for n, counts in people.slot_counts().items())
    owners = ", ".join(f"{share:.0%} have {count}" for count, share in ACCOUNTS_OF_OWNERS.items())
    return [
        f"Intervals chosen, in minutes: {chosen}; by what providers tolerate ({at}) they become {found}.",
        f"Owners: {owners}. Owners of a batch are fetched side by side, an owner's accounts one after the other.",
        f"A poll takes {IDLE_SECONDS} s; {MAIL_SHARE:.0%} find mail, {MAIL_SECONDS} s more.",
        f"{SLOW_SHARE:.0%} of polls wait {SLOW_SECONDS:.0f} s for a server that says nothing, as if none backed off.",
        f"A batch ends with its slowest account: {mean:.1f} s on average, {prompt:.1f} s without slow servers.",
        "Batches at once, and Lambda's part of the bill, are in proportion to that.",
        f"FetchConcurrency is {HEADROOM} times what the fullest minute needs on average.",
        "Use grows with the number of accounts, so that a quota's place is its limit over the use of one account.",
    ]


def _figures(sizes: Sequence[Size]) -> dict[str, object]:
    return {
        f"accounts_{one.accounts}": {
            "due_least": int(one.load.min()),
            "due_mean": float(one.load.mean()),
            "due_most": int(one.load.max()),
            "batches_at_once": one.needed,
            "fetch_concurrency": one.concurrency,
            "wheel_shards": one.shards,
            "deepest_queue": float(one.day.waiting.max()),
            "longest_wait_seconds": one.day.longest_wait,
            "dollars": one.dollars(),
            "quotas": {quota.name: use for quota, use in one.uses().items()},
        }
        for one in sizes
    }
