"""Times across frameworks, per device and level: the paper's figures 6 to 14."""

from collections.abc import Iterator

from deltann.cell import SOURCE, UNCONVERTED
from deltann.dataset.meanings import CELL
from deltann.tables import comparisons
from deltann.tables.study import FAILURE, Columns, Study

CATEGORY = "Time"
TITLE = "Times across frameworks"
NEEDS = "frameworks"
CAPTION = (
    "Time per image at batch 1 over n images, and its ratio to the reference framework's "
    "unconverted model on the same device with the same backend, with 95 % bootstrap "
    "intervals over images. Converted: each target against the model it was converted from. "
    "Native: each framework's own model against that of the first framework (the paper's "
    "figures 6 to 14)."
)
COLUMNS: Columns = {
    "comparison": ("'converted': with the source's model; 'native': of two sources' models", ""),
    **CELL,
    **FAILURE,
    "reference_framework": ("framework of the cell compared with", ""),
    **comparisons.TIME,
}
# The two comparisons: targets of a source; and, as in the paper, the sources' own models.
CONVERTED, NATIVES = "converted", "native"


def rows(study: Study) -> Iterator[dict]:
    """One row per cell and comparison, relative to the reference framework's on the same device.

    `converted`: every cell against its unconverted model. `native`: every unconverted model against
    that of the model's first source, if it has several. Both run on the same device with the same
    resizer and backend. If the importers of the two frameworks differ, the reference is the cell
    with its framework's first importer.
    """
    for cell in study.real_cells().index:
        source = study.cells.source[cell]
        yield _row(study, cell, CONVERTED, source)
    unconverted = study.unconverted(study.real_cells())
    for _, group in unconverted.groupby("model", sort=False):
        if group.source.nunique() > 1:
            for cell in group.index:
                yield _row(study, cell, NATIVES, group.source.iloc[0])


def _row(study: Study, cell: int, comparison: str, reference: str) -> dict:
    reference_names = study.names(cell) | {"source": reference, "target": reference}
    reference_names |= {"route": UNCONVERTED, "preprocessing": SOURCE}
    if study.compiled(cell) and reference != study.cells.target[cell]:
        del reference_names["importer"]
    names = {"comparison": comparison, "reference_framework": reference}
    return names | comparisons.compared_time(study, study.find(**reference_names), cell)
