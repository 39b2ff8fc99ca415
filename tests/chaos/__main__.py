"""``python -m tests.chaos [--seed N] [--cycles N] [--worlds N]``: run a fault campaign, and print what it found.

A seed names a campaign: what changes in the maildrops, what fails, and when, are drawn from it. Worlds are campaigns of
their own, side by side. Ends with 1 where anything was lost, stored twice, not as it was sent, or deleted unsafely.
"""

import sys
import time
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import mkdtemp

from tests.chaos.campaign import run_world
from tests.chaos.report import report
from tests.chaos.verdict import Findings


def main() -> int:
    """Run the campaign; 0 when everything held."""
    parser = ArgumentParser(prog="python -m tests.chaos", description="popfetch's fault campaign")
    parser.add_argument("--seed", type=int, default=1939, help="which campaign; 1939 by default")
    parser.add_argument("--cycles", type=int, default=3000, help="cycles, all worlds together; 3000 by default")
    parser.add_argument("--worlds", type=int, default=2, help="campaigns side by side; 2 by default")
    asked = parser.parse_args()
    logs = Path(mkdtemp(prefix="popfetch-chaos-"))
    began = time.monotonic()
    # moto keeps what it holds for a whole process
    with ProcessPoolExecutor(asked.worlds, mp_context=get_context("spawn")) as worlds:
        found = list(
            worlds.map(
                run_world,
                [asked.seed + 1_000_000 * number for number in range(asked.worlds)],
                [asked.cycles // asked.worlds] * asked.worlds,
                [logs / f"world-{number}.log" for number in range(asked.worlds)],
            )
        )
    together = Findings.together(asked.seed, found)
    print(report(together, time.monotonic() - began))
    if not together.is_good:
        print(f"What the functions said: {logs}", file=sys.stderr)
    return 0 if together.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
