"""Times across frameworks, per device and level: the paper's figures 6 to 14."""

from collections.abc import Iterator

from deltann.cell import NAMES, SOURCE, UNCONVERTED
from deltann.tables import comparisons
from deltann.tables.study import FAILURE, Study

CATEGORY = "Time"
CAPTION = (
    "Time per image at batch 1 over n images, and its ratio to the reference framework's "
    "unconverted model on the same device with the same backend, with 95 % bootstrap "
    "intervals over images. Converted: each target against the model it was converted from. "
    "Native: each framework's own model against that of the first framework (the paper's "
    "figures 6 to 14)."
)
COLUMNS = ["comparison", *NAMES, *FAILURE, "reference_framework", *comparisons.TIME]
# Between the targets of a source; and, as in the paper, between the sources' own models.
CONVERTED, NATIVES = "converted", "native"


def rows(study: Study) -> Iterator[dict]:
    """One row per cell and comparison, relative to the reference framework's on the same device.

    `converted`: every cell to its unconverted model. `native`: every unconverted model to that of
    the model's first source, where there are several. The device, the resizer and what runs them
    (the frameworks' own runtimes, or one level of TVM) are the same; the first way into TVM is the
    reference's.
    """
    for cell in study.cells.index:
        source = study.cells.source[cell]
        yield _row(study, cell, CONVERTED, source)
    unconverted = study.unconverted()
    for _, group in unconverted.groupby("model", sort=False):
        if group.source.nunique() > 1:
            for cell in group.index:
                yield _row(study, cell, NATIVES, group.source.iloc[0])


def _row(study: Study, cell: int, comparison: str, reference: str) -> dict:
    wanted = study.names(cell) | {"source": reference, "target": reference}
    wanted |= {"route": UNCONVERTED, "preprocessing": SOURCE}
    if study.compiled(cell) and reference != study.cells.target[cell]:
        del wanted["importer"]
    names = {"comparison": comparison, "reference_framework": reference}
    return names | comparisons.compared_time(study, study.find(**wanted), cell)
