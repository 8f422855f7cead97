"""What each factor of the grid changes alone: pairs of cells that differ only in that factor.

| factor | its pairs |
| --- | --- |
| conversion | a converted model file and the unconverted one, each in its framework's own runtime |
| import | a model file in TVM and in its framework's own runtime |
| level | a set of graph passes and the smallest one |
| schedule | a schedule and none |
| compiler | a version of TVM and the first one |
| runtime | a runtime with settings of the config's and with its own |
| preprocessing, resizer, device | each and the first one |
| source | two frameworks' own models |
| precision | a model in another precision than float32, and in float32: see `Siblings` |

A pair that differs in precision belongs to that factor alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd

from deltann.cell import COMPILATION, NATIVE, SOURCE, UNCONVERTED, UNSCHEDULED
from deltann.dataset.meanings import CELL
from deltann.precision import FLOAT32
from deltann.tables import comparisons
from deltann.tables.conversions import NO_REFERENCE
from deltann.tables.siblings import Siblings
from deltann.tables.study import FAILURE, Columns, Study, groups

CATEGORY = "Answers"
TITLE = "What each factor alone changes"
CAPTION = (
    "What each factor of the grid changes alone. A row compares two cells that differ only in "
    "that factor: top-1 labels that differ, in percent of n images with Wilson's 95 % interval; "
    "the largest logit difference; answers that turned wrong or right. An import into TVM is "
    "compared with the file's own runtime, at the lowest level and schedule that ran. A cell in "
    "another precision is compared with the same runtime in float32; `cause` says what made it so."
)
COLUMNS: Columns = {
    "factor": ("what differs between the two cells", ""),
    "value": ("the cell's value of the factor", ""),
    "reference_value": ("the reference's value of the factor", ""),
    "cause": ("what made the precision so; empty for other factors", ""),
    **CELL,
    **FAILURE,
    **comparisons.OUTCOME,
    **comparisons.DISSIMILARITY,
    **comparisons.LOGIT_DIFFERENCES,
    **comparisons.ACCURACY,
    **comparisons.REFERENCE,
}
CONVERSION, IMPORT, PREPROCESSING, MODELS = "conversion", "import", "preprocessing", "source"
PRECISION = "precision"


@dataclass(frozen=True)
class Factor:
    """A factor of the grid.

    Attributes:
        name: the factor's.
        varied: the names of a cell that vary with it; the first of them tells its values apart.
        cells: the cells that it is about.
        order: sorts a group's cells; the first one that ran is the reference of the others.
        only: the cells of a group that are compared with the reference, or None for all others.
        reference: whether a cell can be the reference, or None if any can.
    """

    name: str
    varied: tuple[str, ...]
    cells: Callable[[Study], pd.DataFrame]
    order: Callable[[Study, int], tuple] = lambda study, cell: ()
    reference: Callable[[Study, int], bool] | None = None
    only: Callable[[Study, list[int]], list[int]] = lambda study, cells: cells


def _everything(study: Study) -> pd.DataFrame:
    return study.cells


def _compiled(study: Study) -> pd.DataFrame:
    return study.cells[study.cells.compiled]


def _converted(study: Study) -> pd.DataFrame:
    cells = study.native_cells()
    return cells[cells.preprocessing == SOURCE]


def _imported(study: Study) -> pd.DataFrame:
    return study.cells[study.cells.compiled | (study.cells.backend == NATIVE)]


def _runtimes(study: Study) -> pd.DataFrame:
    return study.cells[~study.cells.compiled]


def _own_models(study: Study) -> pd.DataFrame:
    cells = study.unconverted()
    return cells[cells.backend == NATIVE]


def _size(study: Study, cell: int) -> tuple:
    """Fewer passes come first, and no schedule before one."""
    return (len(study.passes(cell)), study.cells.schedule[cell] != UNSCHEDULED)


def _lowest(study: Study, cells: list[int]) -> list[int]:
    """Per importer and compiler, the cell with the least compilation that ran, or the first."""
    lowest: dict[tuple, int] = {}
    for cell in sorted(cells, key=lambda cell: (not study.ok(cell), *_size(study, cell))):
        names = study.names(cell)
        lowest.setdefault((names["importer"], names["compiler"]), cell)
    return sorted(lowest.values())


def _native(study: Study, cell: int) -> bool:
    return study.cells.backend[cell] == NATIVE


def _unconverted(study: Study, cell: int) -> bool:
    return study.cells.route[cell] == UNCONVERTED


FACTORS = (
    Factor(CONVERSION, ("route", "target"), _converted, reference=_unconverted),
    Factor(IMPORT, (*COMPILATION, "backend"), _imported, reference=_native, only=_lowest),
    Factor("level", ("backend",), _compiled, order=_size),
    Factor("schedule", ("schedule",), _compiled, order=_size),
    Factor("compiler", ("compiler",), _compiled),
    Factor("runtime", ("backend",), _runtimes, reference=_native),
    Factor(PREPROCESSING, ("preprocessing",), _everything),
    Factor("resizer", ("resizer",), _everything),
    Factor("device", ("device",), _everything),
    Factor(MODELS, ("source", "target"), _own_models),
)
NAMES_OF_FACTORS = (PRECISION, *(factor.name for factor in FACTORS))


def rows(study: Study) -> Iterator[dict]:
    """One row per factor and cell that has a reference, from which it differs only in the factor.

    If no cell of a group ran, there is nothing to compare, and the group has no row, unless the
    factor has one reference, which failed: then the status is `no_reference`.
    """
    for factor in FACTORS:
        for _, group in groups(factor.cells(study), factor.varied):
            yield from _rows(study, factor, list(group.index))
    yield from _precisions(study)


def _rows(study: Study, factor: Factor, cells: list[int]) -> Iterator[dict]:
    candidates = [
        cell for cell in cells if factor.reference is None or factor.reference(study, cell)
    ]
    if factor.reference is None:
        candidates = [cell for cell in candidates if study.ok(cell)]
    if not candidates:
        return
    reference = min(candidates, key=lambda cell: factor.order(study, cell))
    others = [cell for cell in cells if cell != reference]
    value = factor.varied[0]
    for cell in factor.only(study, others):
        if not _lowered(study, reference, cell):
            yield _row(study, factor.name, value, reference, cell)


def _lowered(study: Study, reference: int, cell: int) -> bool:
    """Whether both cells ran, in two precisions."""
    one, other = (study.cells.precision[item] for item in (reference, cell))
    return study.ok(reference) and study.ok(cell) and one != other


def _precisions(study: Study) -> Iterator[dict]:
    siblings = Siblings(study)
    for cell in study.cells.index:
        if study.ok(cell) and study.cells.precision[cell] != FLOAT32:
            sibling = siblings.of(cell)
            if sibling is not None:
                row = _row(study, PRECISION, "precision", sibling, cell)
                yield row | {"cause": study.cells.precision_cause[cell]}


def _row(study: Study, factor: str, value: str, reference: int, cell: int) -> dict:
    row: dict = {"factor": factor, "value": study.cells[value][cell]}
    row |= {"reference_value": study.cells[value][reference]}
    row |= study.names(cell) | study.failure(cell) | {"reference": study.path(reference)}
    if not study.ok(reference):  # if the cell failed too, then not by this factor
        return row | {"status": NO_REFERENCE}
    if not study.ok(cell):
        return row | {"outcome": comparisons.FAILED}
    row |= comparisons.dissimilarity(study, reference, cell)
    row |= comparisons.logits(study, reference, cell)
    row |= comparisons.accuracy(study, reference, cell)
    return row | {"outcome": comparisons.outcome(row)}
