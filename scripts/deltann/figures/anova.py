"""How much time depends on one factor (device, level, framework, ...), all others fixed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deltann.figures import legends, pages, style

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
    fitting = int((pages.HEIGHT - pages.CAPTION - AXES - 0.3) / ROW)
    chunks = (rows[i : i + fitting] for i in range(0, len(rows), fitting))
    return (_page(table, chunk) for chunk in chunks)


def _page(table: pd.DataFrame, rows: list[str]) -> Figure:
    handles = _legend(table[table["row"].isin(rows)])
    heights = [legends.height(handles), AXES + ROW * len(rows)]
    figure = Figure(figsize=(style.WIDTH, pages.CAPTION + sum(heights)))
    grid = figure.add_gridspec(2, 1, height_ratios=heights)
    legends.draw(figure.add_subplot(grid[0]), handles)
    axes = grid[1].subgridspec(1, len(EFFECTS)).subplots(sharey=True, squeeze=False)[0]
    for ax, (value, p, title) in zip(axes, EFFECTS, strict=True):
        _panel(ax, table, rows, value, p)
        ax.set_title(title, loc="left")
    axes[0].set_yticks(range(len(rows)), rows)
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    for ax in axes[:2]:
        ax.set_xlim(-0.05, 1.05)
    axes[2].set_xscale("log")
    _round_ticks(axes[2], table["ratio"])
    style.caption(figure, TITLE, _caption(table))
    return figure


def _panel(axes: Axes, table: pd.DataFrame, rows: list[str], value: str, p: str) -> None:
    for number, row in enumerate(rows):
        tests = table[table["row"] == row].sort_values(value)
        offsets = np.linspace(-0.3, 0.3, len(tests)) if len(tests) > 1 else np.zeros(1)
        colour = style.COLOURS[list(FACTORS).index(tests["varied"].iloc[0])]
        for offset, (_, one) in zip(offsets, tests.iterrows(), strict=True):
            face = colour if one[p] <= LEVEL else "white"
            look: dict[str, Any] = {"color": colour, "markerfacecolor": face}
            axes.plot(one[value], number + offset, "o", markersize=style.MARK, **look)
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


def _legend(table: pd.DataFrame) -> list:
    """Entries of what these rows have."""
    found = {bool(p <= LEVEL) for _, p, _ in EFFECTS for p in table[p]}
    entries = {True: f"Holm-corrected p at most {LEVEL}", False: "not significant"}
    return [
        legends.dot("black", "o", label, filled=filled, size=style.MARK)
        for filled, label in entries.items()
        if filled in found
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
