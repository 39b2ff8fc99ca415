"""``python -m tests.bench [part ...]``: run benchmarks, print what they found, and fail where a target is missed.

Without names every part runs; each is a module beside this one with a function ``measure``, which returns its report.
"""

import importlib
import signal
import sys
from argparse import ArgumentParser

from tests.bench.report import RESULTS, Report

PARTS = ("retrieval", "hot_path", "idle_poll", "bill", "cold_start", "dispatch", "wheel_simulation")


def main() -> int:
    """Run the parts that were named; 0 when every target was held."""
    parser = ArgumentParser(prog="python -m tests.bench", description="popfetch's benchmarks")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"one or more of {', '.join(PARTS)}; all by default")
    wanted = parser.parse_args().parts or list(PARTS)
    unknown = sorted(set(wanted) - set(PARTS))
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}; choose from {', '.join(PARTS)}")
    # what is ended takes the servers that it has started with it
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    missed = 0
    for part in wanted:
        print(f"{part} ...", file=sys.stderr, flush=True)
        report: Report = importlib.import_module(f"tests.bench.{part}").measure()
        report.write()
        print(f"{report}\n", flush=True)
        missed += sum(not target.held for target in report.targets)
    print(f"Written to {RESULTS}; targets missed: {missed}.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
