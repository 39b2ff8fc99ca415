"""What the pictures of benchmarks share: quiet axes, popfetch in the one strong colour, names beside the marks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

OWN = "#c2410c"
OTHER = "#64748b"


@contextmanager
def picture(path: Path, title: str, *, wide: float = 9.0, high: float = 5.5) -> Iterator[Axes]:
    """Axes to draw on; saved at the end."""
    mpl.use("Agg")
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(wide, high), layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(title, loc="left", fontweight="bold")
        axes.grid(visible=True, axis="both", color="#e2e8f0", linewidth=0.6)
        axes.set_axisbelow(True)
        yield axes
        path.parent.mkdir(exist_ok=True)
        figure.savefig(path, dpi=150)


def colour(client: str) -> str:
    """Whose line or bar it is."""
    return OWN if client.startswith("popfetch") else OTHER


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Places for labels as near to ``heights`` as may be, none nearer to its neighbour than ``gap``."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    places = [heights[index] for index in order]
    for _ in range(100):
        for lower, upper in zip(range(len(places)), range(1, len(places)), strict=False):
            missing = gap - (places[upper] - places[lower])
            if missing > 0:
                places[lower] -= missing / 2
                places[upper] += missing / 2
    return [place for _, place in sorted(zip(order, places, strict=True))]
