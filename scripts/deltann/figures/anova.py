"""How much time depends on one factor (device, level, framework, ...), all others fixed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from deltann.figures import pages, style

TABLE = "anova"
CAPTION = (
    "Effect of one factor with all others fixed; each mark is one comparison. Eta squared of "
    "a one-way ANOVA, the effect size of a rank-based test within images, and the slowest "
    "value's time over the fastest's. Filled: significant at 0.05 after Holm's correction "
    "over all comparisons."
)
TITLE = "Which factor does time depend on?"
LEVEL = 0.05
EFFECTS = (
    ("eta_squared", "p_holm", "one-way ANOVA:\neta squared"),
    ("effect", "rank_p_holm", "rank-based test:\neffect size"),
    ("ratio", "rank_p_holm", "slowest over fastest\n(time)"),
)
ROW, AXES = 0.42, 0.7  # inches of a row, and of the panels' titles and ticks


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """A row per model and factor, a panel per measure, a mark per comparison.

    Args:
        table: `anova.csv`, one row per factor and combination of the other names.
    """
    table = table[table["f"].notna() | table["effect"].notna()]
    if table.empty:
        return pages.nothing(
            TITLE, "no factor has two values that ran, or there are fewer than two images."
        )
    names = table["model"] + "\nvaried: " + table["varied"]
    table = table.assign(row=names).sort_values("model", kind="stable")
    rows = style.ordered(table["row"])
    fitting = int((pages.HEIGHT - pages.CAPTION - AXES) / ROW)
    chunks = (rows[i : i + fitting] for i in range(0, len(rows), fitting))
    return (_page(table, chunk) for chunk in chunks)


def _page(table: pd.DataFrame, rows: list[str]) -> Figure:
    size = (style.WIDTH, pages.CAPTION + AXES + ROW * len(rows))
    figure, axes = plt.subplots(1, len(EFFECTS), figsize=size, sharey=True)
    for ax, (value, p, title) in zip(axes, EFFECTS, strict=True):
        _panel(ax, table, rows, value, p)
        ax.set_title(title, loc="left")
    axes[0].set_yticks(range(len(rows)), rows)
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    for ax in axes[:2]:
        ax.set_xlim(-0.05, 1.05)
    axes[2].set_xscale("log")
    _round_ticks(axes[2], table["ratio"])
    figure.legend(handles=_legend(), loc="outside right upper", frameon=False)
    style.caption(figure, TITLE, _caption(table))
    return figure


def _panel(axes: Axes, table: pd.DataFrame, rows: list[str], value: str, p: str) -> None:
    for number, row in enumerate(rows):
        tests = table[table["row"] == row].sort_values(value)
        offsets = np.linspace(-0.3, 0.3, len(tests)) if len(tests) > 1 else np.zeros(1)
        colour = style.COLOURS[list(FACTORS).index(tests["varied"].iloc[0])]
        for offset, (_, one) in zip(offsets, tests.iterrows(), strict=True):
            face = colour if one[p] <= LEVEL else "white"
            axes.plot(
                one[value], number + offset, "o", markersize=3.2, color=colour, markerfacecolor=face
            )
        if number:
            axes.axhline(number - 0.5, color="#DDDDDD", linewidth=0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", linewidth=0.3)


FACTORS = {
    "device": "devices",
    "level": "levels",
    "schedule": "where TVM's kernels come from",
    "compiler": "versions of TVM",
    "target": "targets of a source",
    "source": "the frameworks' own models",
}


def _round_ticks(axes: Axes, values: pd.Series) -> None:
    high = max(2.0, 1.1 * values.max())
    steps = np.array([1, 1.5, 2, 3, 5, 7, 10, 20, 30, 50, 100, 300, 1000])
    ticks = steps[steps <= high]
    # at most six fit side by side
    ticks = ticks[:: -(-len(ticks) // 6)]
    axes.set_xlim(0.95, high)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def _legend() -> list:
    look: dict[str, Any] = {"color": "black", "marker": "o", "markersize": 3.2, "linewidth": 0}
    return [
        Line2D([], [], **look, label=f"Holm-corrected\np at most {LEVEL}"),
        Line2D([], [], **look, markerfacecolor="white", label="not significant"),
    ]


def _caption(table: pd.DataFrame) -> str:
    varied = "; ".join(
        f"{name}: {text}" for name, text in FACTORS.items() if name in set(table["varied"])
    )
    fewer = int(table["left_out"].notna().sum())
    left_out = f" {fewer} of them leave out values that failed." if fewer else ""
    tests = ", ".join(
        f"{test} with {effect}"
        for test, effect in dict.fromkeys(zip(table["test"], table["effect_name"], strict=True))
    )
    return (
        f"Each mark is one comparison of all values of a factor ({varied}), all other names fixed, "
        f"over {style.images(table)}; each image counts with its median latency. Tests within "
        f"images: {tests}. p-values are corrected by Holm over all {len(table)} comparisons."
        f"{left_out} With many images even tiny effects are significant, so look at their size. "
        "The tests describe one run, without the variation between runs. The table has F, p and "
        "the bootstrap intervals."
    )
