"""What a benchmark found: tables, pictures and targets, written where they can be read and compared.

Each part writes ``results/<name>.md`` for people and ``results/<name>.json`` for programs, its pictures beside them.
Figures are those of one machine on one day. What is judged is the targets, most of them ratios within one run.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a figure: at least ``bound``, or at most it."""

    what: str
    seen: float
    bound: float
    unit: str = ""
    at_most: bool = False

    @property
    def held(self) -> bool:
        """Whether the figure keeps to its bound."""
        return self.seen <= self.bound if self.at_most else self.seen >= self.bound

    def __str__(self) -> str:
        verdict = "held  " if self.held else "MISSED"
        side = "at most" if self.at_most else "at least"
        return f"{verdict}  {self.what}: {self.seen:.4g}{self.unit} ({side} {self.bound:g}{self.unit})"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a heading; cells are written as they are."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | int | float]]

    def __str__(self) -> str:
        lines = [f"### {self.title}", "", _row(self.columns), _row(["---"] * len(self.columns))]
        return "\n".join([*lines, *map(_row, self.rows)])


@dataclass(slots=True)
class Report:
    """All that one part found; ``figures`` are what its tables were made of, ``notes`` what must be said of them."""

    name: str
    title: str
    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)

    def picture(self, name: str) -> Path:
        """Where a picture is to be saved; it is shown in the report from now on."""
        self.pictures.append(name)
        return RESULTS / name

    def write(self) -> None:
        """Write both files."""
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{self.name}.md").write_text(f"{self}\n")
        (RESULTS / f"{self.name}.json").write_text(
            json.dumps(
                {"targets": [asdict(target) | {"held": target.held} for target in self.targets], **self.figures},
                indent=1,
            )
            + "\n"
        )

    def __str__(self) -> str:
        parts = [f"# {self.title}"]
        if self.targets:
            parts.append("\n".join(["```", *map(str, self.targets), "```"]))
        parts += [str(table) for table in self.tables]
        parts += [f"![{name}]({name})" for name in self.pictures]
        if self.notes:
            parts.append("\n".join(f"- {note}" for note in self.notes))
        return "\n\n".join(parts)


def _row(cells: Sequence[str | int | float]) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"
