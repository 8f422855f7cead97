"""Does time depend on one factor, all others fixed? The published archive's analysis, and more.

The archive fixes two of (framework, level, device) and makes a one-way ANOVA over the third, with F
and p. The same images are measured for every value, so this table adds a rank-based test within
images, effect sizes with intervals, and p corrected by Holm over all tests of the study.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from deltann import metrics
from deltann.cell import SOURCE
from deltann.dataset.meanings import CELL
from deltann.tables import comparisons
from deltann.tables.study import FAILURE, Columns, Study, groups

CATEGORY = "Tests"
TITLE = "Does time depend on one factor? Tests"
NEEDS = "timed factors"
CAPTION = (
    "Does one factor change time? Each row varies one factor and keeps all others fixed, over "
    "n images; each image counts with its median latency. Two tests: a one-way ANOVA (F, p, "
    "eta squared with its 95 % bootstrap interval over images), as in the paper's published "
    "archive, and a rank-based test within images (Friedman with Kendall's W; for two groups "
    "Wilcoxon with the rank-biserial correlation). p-values are also given corrected by Holm "
    "over all tests of the study. The tests describe one run; they don't include the "
    "variation between runs."
)
COLUMNS: Columns = {
    "varied": ("the factor that varies", ""),
    **CELL,
    **FAILURE,
    "groups": ("cells compared", "1"),
    "compared": ("their values of the factor, joined by ';'", ""),
    "left_out": ("values of the factor whose cells failed, joined by ';'", ""),
    **comparisons.N,
    "f": ("F of the one-way ANOVA over the images' median times", "1"),
    "p": ("its p value", "1"),
    "p_holm": ("that, corrected by Holm over all tests of the study", "1"),
    "eta_squared": ("share of the variance that the factor explains", "1"),
    **comparisons.range_columns("eta_squared", "1", "eta_squared, by bootstrap over images"),
    "test": ("the rank test", ""),
    "statistic": ("its statistic", "1"),
    "rank_p": ("its p value", "1"),
    "rank_p_holm": ("that, corrected by Holm over all tests of the study", "1"),
    "effect_name": ("the rank test's effect size", ""),
    "effect": ("its value", "1"),
    "fastest": ("value of the factor with the smallest mean time", ""),
    "slowest": ("value of the factor with the largest mean time", ""),
    "ratio": ("the slowest's time over the fastest's", "1"),
    **comparisons.range_columns("ratio", "1", "the ratio, by bootstrap over images"),
    "disturbed": ("1 if the timing of one of the cells was disturbed, else 0", "1"),
}
# Each factor, and the names that vary with it: another target also has another route and importer.
FACTORS = {
    "device": ("device",),
    "level": ("backend",),
    "schedule": ("schedule",),
    "compiler": ("compiler",),
    "target": ("target", "route", "importer"),
    "source": ("source", "target", "importer"),
}


def rows(study: Study) -> Iterator[dict]:
    """One row per factor and combination of the other names; the names that vary are empty.

    Levels are those of TVM and the settings of a runtime. Targets are compared under the source's
    preprocessing, sources by their unconverted models. A test takes each image's median latency of
    the cells that ran; the others are in `left_out`.
    """
    tested = [
        _row(study, factor, shared, group)
        for factor, varied in FACTORS.items()
        for shared, group in groups(_cells(study, factor), varied)
        if len(group) > 1
    ]
    for p in ("p", "rank_p"):
        corrected = metrics.holm([row.get(p, np.nan) for row in tested])
        for row, value in zip(tested, corrected, strict=True):
            row[f"{p}_holm"] = value
    yield from tested


def _cells(study: Study, factor: str) -> pd.DataFrame:
    cells = study.real_cells()
    if factor == "level":
        return study.ladders()
    if factor == "target":
        return cells[cells.preprocessing == SOURCE]
    return study.unconverted(cells) if factor == "source" else cells


def _row(study: Study, factor: str, shared: dict, group: pd.DataFrame) -> dict:
    labels = _cell_labels(group, FACTORS[factor])
    ran = [cell for cell in group.index if study.ok(cell)]
    row = {"varied": factor, **shared, **study.failure(*(ran or group.index))}
    row["left_out"] = ";".join(labels[cell] for cell in group.index if cell not in ran)
    row |= {"groups": len(ran), "compared": ";".join(labels[cell] for cell in ran)}
    if len(ran) < 2:
        return row | study.failure(*group.index)
    row |= {"disturbed": study.disturbed(*ran), "n": len(study.images(ran[0]))}
    row |= _extremes(study, ran, labels)
    return row | _tests(
        [comparisons.image_seconds(study, cell) for cell in ran], _paired(study, ran)
    )


def _cell_labels(group: pd.DataFrame, varied: tuple[str, ...]) -> dict[int, str]:
    """Labels of a group's cells: the first varied name, and the next ones until they are unique."""
    for depth in range(1, len(varied) + 1):
        names = group[list(varied[:depth])].agg(" ".join, axis=1)
        if names.is_unique:
            break
    return dict(names)


def _paired(study: Study, cells: list[int]) -> bool:
    first = study.images(cells[0])
    return all(np.array_equal(first, study.images(cell)) for cell in cells[1:])


def _extremes(study: Study, cells: list[int], labels: dict[int, str]) -> dict:
    order = sorted(cells, key=lambda cell: comparisons.image_seconds(study, cell).mean())
    ratio = comparisons.ratio(study, order[0], order[-1])
    ratio.pop("reference_disturbed")
    return {"fastest": labels[order[0]], "slowest": labels[order[-1]]} | ratio


def _tests(seconds: list[np.ndarray], paired: bool) -> dict:
    """The columns of the tests; empty for a single image, which has no variance."""
    if min(array.size for array in seconds) < 2:
        return {}
    variance = metrics.one_way_anova(seconds)
    ranks = metrics.rank_test(seconds, paired)
    row: dict = {"f": variance.f, "p": variance.p, "eta_squared": variance.eta_squared}
    if paired:
        row |= comparisons.ends(
            metrics.eta_squared_interval(seconds, comparisons.SEED), "eta_squared"
        )
    row |= {"test": ranks.test, "statistic": ranks.statistic, "rank_p": ranks.p}
    return row | {"effect_name": ranks.effect_name, "effect": ranks.effect}
