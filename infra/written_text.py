"""Texts in the repository that a program writes, and that ``make check`` compares with what it would write."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class WrittenText:
    """A text that ``python -m {module} write`` writes and ``check`` compares, and the words for both."""

    module: str
    agrees: str
    stale: str

    def obey(self, arguments: Sequence[str], *, kept: str, wanted: str, write: Callable[[str], object]) -> int:
        """Write ``wanted``, or say whether ``kept`` is it; 1 where it is not, 2 where neither was asked for."""
        match list(arguments):
            case ["write"]:
                write(wanted)
                return 0
            case ["check"] if kept == wanted:
                print(self.agrees)
                return 0
            case ["check"]:
                print(self.stale, file=sys.stderr)
                return 1
        print(f"Say `python -m {self.module} write` or `check`.", file=sys.stderr)
        return 2
