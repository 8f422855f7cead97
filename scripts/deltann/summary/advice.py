"""What to do, as far as this study's images can tell."""

import pandas as pd

from deltann import metrics
from deltann.cell import SOURCE, UNCONVERTED
from deltann.summary.formatting import count, route, some
from deltann.tables.comparisons import FAILED, LABELS
from deltann.tvm.levels import LEVELS

# A study should be able to rule out changes of so many percent of the labels.
RULED_OUT = 1.0


def lines(tables: dict[str, pd.DataFrame], cells: pd.DataFrame) -> list[str]:
    """One line per decision."""
    return [
        *_routes(tables["routes"]),
        *_level(tables["compilers"]),
        *_images(tables["conversions"]),
        *_again(cells),
    ]


def _routes(routes: pd.DataFrame) -> list[str]:
    routes = routes[(routes["route"] != UNCONVERTED) & (routes["preprocessing"] == SOURCE)]
    if routes.empty:
        return []
    bad = [
        f"{route(row)} ({row['outcome']})"
        for _, row in routes[routes["outcome"].isin([FAILED, LABELS])].iterrows()
    ]
    safe = int(routes["outcome"].notna().sum()) - len(bad)
    advice = [f"Convert by {count(safe, 'route')} that changed no label (tables/routes.csv)"]
    return advice + ([f"Don't convert by: {some(bad, '; ')}"] if bad else [])


def _level(compilers: pd.DataFrame) -> list[str]:
    """The highest level of TVM up to which no compiled cell changed a label."""
    ran = compilers[compilers["differing"].notna() & compilers["backend"].isin(list(LEVELS))]
    changed = {level: int((rows["differing"] > 0).sum()) for level, rows in ran.groupby("backend")}
    if not changed:
        return []
    levels = sorted(changed)
    first = next((level for level in levels if changed[level]), None)
    if first is None:
        return [f"Compile at {levels[-1]} or below: no level changed a label"]
    safe = [level for level in levels if level < first]
    many = f"{changed[first]} of {count(int((ran['backend'] == first).sum()), 'cell')}"
    start = f"Compile at {safe[-1]} or below" if safe else "Compile with care"
    return [f"{start}: {first} changed labels in {many} (tables/compilers.csv)"]


def _images(conversions: pd.DataFrame) -> list[str]:
    """The images to look at, and how many more the study needs."""
    ran = conversions[conversions["status"] == "ok"]
    if ran.empty:
        return []
    differing = ran["differing_images"].dropna().astype(str)
    images = {name for names in differing for name in names.split(";") if name}
    advice = []
    if images:
        advice.append(
            f"Look at the {count(len(images), 'image')} on which cells disagree, in the gallery"
        )
    n, needed = int(ran["n"].min()), metrics.wilson_sample_size(RULED_OUT)
    if n < needed:
        advice.append(
            f"Take more images: {count(n, 'image')} without a change rule out changes of more than "
            f"{metrics.wilson_interval(0, n).high:.1f} % of labels (95 % interval); to rule out "
            f"{RULED_OUT:g} %, take {needed}"
        )
    return advice


def _again(cells: pd.DataFrame) -> list[str]:
    disturbed = int((cells["disturbed"] == 1).sum())
    if not disturbed:
        return []
    return [
        f"Time {count(disturbed, 'cell')} again on a quiet machine before trusting their "
        "latencies: remove study.nc and their prediction files, and run again"
    ]
