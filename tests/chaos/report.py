"""A campaign's findings as people read them."""

from collections import Counter

from tests.chaos.verdict import Fate, Findings

WRONGS_SHOWN = 40


def report(findings: Findings, seconds: float) -> str:
    """What a campaign did, what failed in it, and what became of the mail."""
    began = (
        f"Fault campaign, seed {findings.seed}: {findings.cycles:,} cycles in {seconds:,.0f} s, with"
        f" {findings.requests:,} requests to AWS and {sum(findings.faults.values()):,} faults."
        f" Everything was looked at after each turn, and {findings.calms} times in a calm."
    )
    leftovers = (
        "Objects that no index entry named, as a process was killed when it had put them and they had"
        f" other UIDs or were gone: {findings.reindexed + findings.copies:,}. Of these `recovery reindex` entered"
        f" {findings.reindexed:,}, which another client has taken away since; the rest are copies of indexed mail."
    )
    return "\n".join(
        [
            began,
            *_table("Cycles, by what they met", findings.weather),
            *_table("Faults, by kind", findings.faults),
            *_table("Changes of the maildrops", findings.changes),
            *_table("Messages", Counter({str(fate): findings.fates[fate] for fate in Fate})),
            "",
            leftovers,
            *_verdict(findings),
        ]
    )


def _table(title: str, counts: Counter[str]) -> list[str]:
    width = max((len(name) for name in counts), default=0)
    rows = sorted(counts.items(), key=lambda row: -row[1])
    return ["", title, *(f"  {name:<{width}}  {times:>7,}" for name, times in rows)]


def _verdict(findings: Findings) -> list[str]:
    lost, doubled = findings.fates[Fate.LOST], findings.fates[Fate.DOUBLED]
    if findings.is_good:
        return ["", f"lost: {lost}; doubled: {doubled}; deleted from a server and not stored: 0; changed: 0"]
    shown = [f"  {wrong}" for wrong in findings.wrong[:WRONGS_SHOWN]]
    return ["", f"lost: {lost}; doubled: {doubled}; {len(findings.wrong)} things are wrong:", *shown]
