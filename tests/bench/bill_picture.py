"""The bill as a picture: stacked bars of where the dollars go."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle


def draw(path: Path, month: Mapping[str, float], millions: Mapping[str, Mapping[str, float]]) -> None:
    """Draw an account's month, and a million messages of each kind, beside each other."""
    path.parent.mkdir(exist_ok=True)
    bars = {"an account and month": month, **millions}
    names = list(dict.fromkeys(name for parts in bars.values() for name in parts))
    colours = dict(zip(names, plt.get_cmap("tab20").colors, strict=False))  # type: ignore[attr-defined]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 6), width_ratios=(1, 3), layout="constrained")
    _stack(left, {"nothing new, every 5 minutes": month}, colours)
    left.set_ylabel("USD for an account and month")
    _stack(right, millions, colours)
    right.set_ylabel("USD for a million messages")
    handles = [Rectangle((0, 0), 1, 1, color=colours[name]) for name in names]
    figure.legend(handles, names, loc="outside right upper", frameon=False)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _stack(axes: Axes, bars: Mapping[str, Mapping[str, float]], colours: Mapping[str, object]) -> None:
    for position, parts in enumerate(bars.values()):
        height = 0.0
        whole = sum(parts.values())
        for name, usd in parts.items():
            axes.bar(position, usd, bottom=height, width=0.6, color=colours[name])
            if usd > 0.05 * whole:
                axes.text(position, height + usd / 2, f"{usd:.3g}", ha="center", va="center", fontsize=8)
            height += usd
        axes.text(position, height, f"{whole:.3g}", ha="center", va="bottom", fontweight="bold")
    axes.set_xticks(range(len(bars)), list(bars))
    axes.spines[["top", "right"]].set_visible(False)
