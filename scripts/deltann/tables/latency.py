"""Time of every cell, and relative to O0 of the same model file on the same device."""

from collections.abc import Iterator

from deltann.cell import NAMES, NATIVE
from deltann.tables import parts
from deltann.tables.study import FAILURE, Study

# The lowest level: what the others' times are relative to.
BASE = "O0"
COLUMNS = [*NAMES, *FAILURE, *parts.TIME, "probe_drift"]


def rows(study: Study) -> Iterator[dict]:
    """One row per cell. A native cell, that TVM doesn't import, is relative to the first O0."""
    for cell in study.cells.index:
        wanted = study.names(cell) | {"backend": BASE}
        if study.cells.backend[cell] == NATIVE:
            del wanted["importer"]
        row = parts.compared_time(study, study.find(**wanted), cell)
        yield row | {"probe_drift": study.cells.probe_drift[cell]}
