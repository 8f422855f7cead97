"""The study's tables: every comparison of cells, each number with its interval and image count.

One module per table, with its COLUMNS and `rows(study)`. All metrics are those of
`deltann.metrics`; percentages run from 0 to 100, intervals are of 95 %. A failed cell has its row
too, with status, stage and error, and empty numbers. Comparisons of time hold every other name of
a cell equal.
"""

from collections.abc import Callable, Iterator

import pandas as pd

from deltann.cell import NATIVE
from deltann.tables import (
    accuracy,
    anova,
    compilations,
    compilers,
    conversions,
    devices,
    frameworks,
    inputs,
    latency,
    natives,
    passes,
    published,
    routes,
    speedups,
    targets,
)
from deltann.tables.study import Study

__all__ = ["COLUMNS", "MAKERS", "NATIVE", "Study", "table"]

_MODULES = {
    "accuracy": accuracy,
    "targets": targets,
    "natives": natives,
    "conversions": conversions,
    "routes": routes,
    "compilers": compilers,
    "compilations": compilations,
    "passes": passes,
    "inputs": inputs,
    "latency": latency,
    "speedups": speedups,
    "devices": devices,
    "frameworks": frameworks,
    "anova": anova,
    "published": published,
}
COLUMNS: dict[str, list[str]] = {name: module.COLUMNS for name, module in _MODULES.items()}
MAKERS: dict[str, Callable[[Study], Iterator[dict]]] = {
    name: module.rows for name, module in _MODULES.items()
}
# Whole numbers, that an empty cell of the table must not turn into floats.
COUNTS = ("n", "n_labelled", "differing", "disturbed", "reference_disturbed", "correct_to_wrong")
COUNTS += ("wrong_to_correct", "top1_correct", "top5_correct", "groups", "cells", "failed_cells")
COUNTS += ("kernels", "unscheduled", "code_bytes", "idle", "same_code", "differing_to_all")


def table(name: str, study: Study) -> pd.DataFrame:
    """One table, with the same columns whatever the study holds.

    Args:
        name: a key of `MAKERS`.
        study: the cells.
    """
    rows = pd.DataFrame(MAKERS[name](study), columns=COLUMNS[name])
    return rows.astype({column: "Int64" for column in COUNTS if column in rows})
