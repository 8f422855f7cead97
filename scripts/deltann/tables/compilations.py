"""What each compilation came to: kernels, those unscheduled, passes without work, seconds."""

from collections.abc import Iterator

from deltann.tables.study import FAILURE, Study

CELL = ["model", "source", "target", "route", "importer", "compiler", "schedule", "backend"]
CELL += ["device"]
COLUMNS = [*CELL, *FAILURE, "kernels", "unscheduled", "idle_passes", "compile_seconds"]
COLUMNS += ["code_bytes"]


def rows(study: Study) -> Iterator[dict]:
    """One row per compiled model file; `idle_passes` found nothing to do, joined by `;`."""
    seen = set()
    for cell in study.cells.index[study.cells.compiled]:
        names = {name: study.names(cell)[name] for name in CELL}
        key = tuple(names.values())
        if key in seen:  # the same file, on images prepared in another way
            continue
        seen.add(key)
        found = study.compilation(cell)
        row = names | study.failure(cell)
        if "kernels" in found:
            row |= {name: found[name] for name in ("kernels", "unscheduled", "code_bytes")}
            row |= {"idle_passes": ";".join(found["idle"]), "compile_seconds": found["seconds"]}
        yield row
