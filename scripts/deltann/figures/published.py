"""The paper's speedups beside this run's."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from deltann.figures import dots, legends, pages, style

TABLE = "published"
CAPTION = (
    "The paper's published speedups (hollow) beside this run's (filled, with 95 % bootstrap "
    "intervals over images). The paper's devices, compiler (TVM's Relay of 2023; here Relax) "
    "and images differ: compare signs and orders of magnitude, not numbers."
)
TITLE = "Published speedups beside this run's"
PAIR = ["published_baseline", "published_candidate"]
ABSENT = "not in this run"  # the status of a published number alone
# Inches: a mark's lane, the space between rows, and the panels' titles, ticks and axis' name.
LANE, APART, FRAME = 0.1, 0.08, 0.9
QUIET = "#777777"
# Percent; on an axis that spans a larger ratio of times, labels of the first ones would overlap.
WIDE, TICKS, WIDE_TICKS = 30, [-90, -75, -50, 0, 100, 900], [-99, -90, 0, 900, 9900, 99900]


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """A panel per pair of levels, a row per model and framework, a mark per device.

    Rows that this run has no cell for aren't drawn.

    Args:
        table: `published.csv`.
    """
    table = table.assign(row=table["published_model"] + ", " + table["published_framework"])
    here = table["status"] != ABSENT
    drawn = table[table["row"].isin(table["row"][here])].sort_values(
        "published_model", kind="stable"
    )
    if drawn.empty:
        return pages.nothing(TITLE, "the study has none of the paper's levels and models.")
    devices = style.ordered(drawn["published_device"]), style.ordered(drawn["device"].dropna())
    looks = {f"paper: {name}": _paper(number) for number, name in enumerate(devices[0])}
    looks |= {f"here: {name}": _here(number) for number, name in enumerate(devices[1])}
    items = [_Row(name, rows, list(looks)) for name, rows in drawn.groupby("row", sort=False)]
    height = pages.HEIGHT - pages.CAPTION - FRAME - 0.6
    return (_page(page, drawn, looks) for page in pages.paginate(items, height))


@dataclass
class _Row:
    """A model and framework.

    Attributes:
        name: the row's.
        table: its published numbers, with those of this run.
        order: all lanes of the figure, in order.
    """

    name: str
    table: pd.DataFrame
    order: list[str]

    @property
    def lanes(self) -> list[str]:
        """The lanes that the row has something in, from the top."""
        found = {f"paper: {name}" for name in self.table["published_device"]}
        found |= {f"here: {name}" for name in self.table["device"].dropna()}
        return [name for name in self.order if name in found]

    @property
    def height(self) -> float:
        """Inches."""
        return APART + LANE * len(self.lanes)


def _page(items: list[_Row], table: pd.DataFrame, looks: dict[str, dict]) -> Figure:
    found = {lane for item in items for lane in item.lanes}
    rows = pd.concat([item.table for item in items])
    handles: list = [Line2D([], [], label=k, **look) for k, look in looks.items() if k in found]
    if (rows["status"] == "failed").any():
        handles.append(legends.hatch("failed, and where"))
    pairs = list(table.sort_index().groupby(PAIR, sort=False))
    heights = [legends.height(handles), FRAME + sum(item.height for item in items)]
    figure = Figure(figsize=(style.WIDTH, pages.CAPTION + sum(heights)))
    grid = figure.add_gridspec(2, 1, height_ratios=heights)
    legends.draw(figure.add_subplot(grid[0]), handles)
    axes = grid[1].subgridspec(1, len(pairs)).subplots(sharey=True, sharex=True, squeeze=False)[0]
    for ax, ((baseline, candidate), of_pair) in zip(axes, pairs, strict=True):
        _panel(ax, items, (baseline, candidate), looks)
        levels = of_pair[["baseline", "candidate"]].iloc[0]
        ax.set_title(f"{baseline} to {candidate}\n({' to '.join(levels)})", loc="left")
    _axis(axes[0], table)
    axes[len(pairs) // 2].set_xlabel("speedup in percent, log scale of the ratio of times")
    style.caption(figure, TITLE, _caption(table, rows))
    return figure


def _panel(axes: Axes, items: list[_Row], pair: tuple[str, str], looks: dict[str, dict]) -> None:
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    top, middles = 0.0, []
    for item in items:
        if top:
            axes.axhline(top, color="#DDDDDD", linewidth=0.5)
        start = top + (APART + LANE) / 2
        lanes = {name: start + LANE * number for number, name in enumerate(item.lanes)}
        cells = item.table[(item.table[PAIR] == list(pair)).all(axis=1)]
        for _, row in cells.drop_duplicates("published_device").iterrows():
            lane = f"paper: {row['published_device']}"
            axes.plot(1 + row["published_percent"] / 100, lanes[lane], **looks[lane])
        for _, row in cells.drop_duplicates(["device", "importer"]).iterrows():
            lane = f"here: {row['device']}"
            if row["status"] == "ok":
                _measured(axes, lanes[lane], row, looks[lane])
            elif row["status"] == "failed":
                y = lanes[lane]
                dots.failed(axes, y - LANE / 2, y + LANE / 2, dots.reason(row))
        middles.append(top + item.height / 2)
        top += item.height
    axes.set_yticks(middles, [item.name for item in items])
    axes.set_ylim(top, 0)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=style.SMALLEST)
    axes.grid(axis="x", linewidth=0.3)


def _measured(axes: Axes, y: float, row: pd.Series, look: dict) -> None:
    value, low, high = (
        1 + row[name] / 100 for name in ("speedup_percent", "percent_low", "percent_high")
    )
    ends = [[value - low], [high - value]]
    look = look | {"linewidth": 1}
    axes.errorbar(value, y, xerr=None if np.isnan(ends).any() else np.maximum(ends, 0), **look)


def _here(number: int) -> dict:
    colour, marker = style.look(number)
    return {"color": colour, "marker": marker, "markersize": style.MARK, "linewidth": 0}


def _paper(number: int) -> dict:
    """Hollow and grey, so that colours are this run's."""
    hollow = {"color": QUIET, "markerfacecolor": "white", "markersize": style.MARK, "linewidth": 0}
    return hollow | {"marker": style.MARKERS[number % len(style.MARKERS)]}


def _axis(axes: Axes, table: pd.DataFrame) -> None:
    names = ["published_percent", "speedup_percent", "percent_low", "percent_high"]
    percents = table[names].to_numpy(float)
    ratios = 1 + percents[np.isfinite(percents)] / 100
    # so that marks and intervals at both ends are whole
    margin = (ratios.max() / ratios.min()) ** 0.04
    low, high = ratios.min() / margin, ratios.max() * margin
    ticks = np.array(TICKS if high / low < WIDE else WIDE_TICKS)
    ticks = ticks[(1 + ticks / 100 >= low) & (1 + ticks / 100 <= high)]
    axes.set_xlim(low, high)
    axes.set_xticks(1 + ticks / 100, [f"{tick:+d}" if tick else "0" for tick in ticks])
    axes.minorticks_off()


def _caption(table: pd.DataFrame, shown: pd.DataFrame) -> str:
    return (
        "Hollow: the configurations that ran in tables I, II and V to XI of the paper's appendix "
        f"(about 5,500 images). Filled, with 95 % bootstrap intervals over {style.images(table)}: "
        "the same levels of the same frameworks' unconverted models in this run. Positive: the "
        "candidate level is faster. The paper's devices (a desktop-class NVIDIA GPU, a Jetson AGX "
        "Xavier, a HiKey 970, a laptop's integrated GPU), compiler (TVM's Relay of 2023; here "
        "Relax) and images differ: compare signs and orders of magnitude, not numbers."
        f"{style.hatched(shown)}"
    )
