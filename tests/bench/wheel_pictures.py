"""The picture of the wheel's simulation: load, queue, batches at once, dollars."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from tests.bench import quotas
from tests.bench.wheel_sizes import Size

matplotlib.use("Agg")

INK, GRID = "#222222", "#dddddd"
LIMIT = "#b3261e"


def draw(sizes: Sequence[Size], path: Path) -> None:
    """Draw all four, and save them."""
    figure = Figure(figsize=(13, 9), layout="constrained")
    (load, queue), (needed, bill) = figure.subplots(2, 2)
    _draw_load(load, sizes)
    _draw_queue(queue, sizes)
    _draw_needed(needed, sizes)
    _draw_bill(bill, sizes)
    for axes in (load, queue, needed, bill):
        axes.grid(color=GRID, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.title.set_fontweight("bold")
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=120)


def _draw_load(axes: Axes, sizes: Sequence[Size]) -> None:
    hours = np.arange(1440) / 60
    for size in sizes:
        axes.plot(hours, size.load / size.load.mean(), label=_count(size.accounts), linewidth=0.9)
    axes.axhline(1.1, color=LIMIT, linestyle="--", linewidth=1)
    axes.set(title="Accounts due in a minute, against the mean", xlabel="hour of the day (UTC)", xlim=(0, 24))
    axes.xaxis.set_major_locator(MultipleLocator(4))
    axes.legend(title="accounts", ncols=len(sizes), loc="upper center", fontsize=9, frameon=False)
    axes.set_ylim(0.5, 1.6)
    axes.annotate("1.1", (24, 1.1), color=LIMIT, fontsize=9, va="center", xytext=(3, 0), textcoords="offset points")


def _draw_queue(axes: Axes, sizes: Sequence[Size]) -> None:
    hours = np.arange(1440) / 60
    for size in sizes:
        deepest = size.day.waiting.reshape(1440, 60).max(axis=1)
        axes.plot(hours, deepest, label=_count(size.accounts), linewidth=0.9)
    axes.axhline(quotas.IN_FLIGHT.limit, color=LIMIT, linestyle="--", linewidth=1)
    axes.annotate("a FIFO queue looks at 120,000", (0.3, 140_000), color=LIMIT, fontsize=9)
    axes.set(
        title="Requests waiting, deepest in each minute", xlabel="hour of the day (UTC)", xlim=(0, 24), yscale="log"
    )
    axes.set_ylim(10, 3_000_000)
    axes.xaxis.set_major_locator(MultipleLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _count(value)))


def _draw_needed(axes: Axes, sizes: Sequence[Size]) -> None:
    accounts = [size.accounts for size in sizes]
    axes.plot(accounts, [size.needed for size in sizes], "o-", label="needed on average (Little)")
    axes.plot(accounts, [size.concurrency for size in sizes], "s--", label="FetchConcurrency to be set")
    lines = [(50, "50 by default"), (1_000, "Lambda and MaximumConcurrency: 1,000")]
    lines += [(12_000, "in flight, 120,000 messages"), (20_000, "provisioned mode: 20,000")]
    for limit, name in lines:
        axes.axhline(limit, color=LIMIT, linestyle="--", linewidth=1)
        axes.annotate(name, (accounts[0], limit * 1.06), color=LIMIT, fontsize=9, va="bottom")
    axes.set(title="Batches fetched at once", xlabel="accounts", xscale="log", yscale="log")
    axes.set_ylim(1, 60_000)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _count(value)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _count(value)))
    axes.legend(loc="lower right", frameon=False, fontsize=9)


def _draw_bill(axes: Axes, sizes: Sequence[Size]) -> None:
    accounts = [size.accounts for size in sizes]
    for name in sizes[0].dollars():
        axes.plot(accounts, [size.dollars()[name] for size in sizes], "o-", label=name, linewidth=1, markersize=3)
    totals = [sum(size.dollars().values()) for size in sizes]
    axes.plot(accounts, totals, "o-", color=INK, label="all", linewidth=2)
    for size, total in zip(sizes, totals, strict=True):
        text = f"${total:,.0f}"
        axes.annotate(text, (size.accounts, total), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=9)
    axes.set_ylim(0.3, 3e6)
    axes.set(title="Dollars a month, without storage", xlabel="accounts", xscale="log", yscale="log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _count(value)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"${value:,.0f}" if value >= 1 else f"${value:g}"))
    axes.legend(loc="lower right", frameon=False, fontsize=9)


def _count(value: float) -> str:
    for bound, unit in ((1e6, " M"), (1e3, " k")):
        if value >= bound:
            return f"{value / bound:g}{unit}"
    return f"{value:g}"
