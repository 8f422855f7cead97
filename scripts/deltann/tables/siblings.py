"""Each cell's sibling in float32: the same runtime with a model in float32."""

from deltann.cell import NAMES
from deltann.precision import FLOAT32
from deltann.tables.study import Study
from deltann.tables.variant_names import in_common
from deltann.tvm.levels import LOWERING

# What a cell and its sibling have in common beside the runtime.
SHARED = [name for name in NAMES if name not in ("route", "backend")]


class Siblings:
    """Finds each cell's float32 sibling: the same runtime with a model in float32.

    It has all of the cell's names but the route, and among such cells the route that shares most
    edges from the start; of several, it is the first. If none has the cell's backend, it is one of
    another: a framework's own runtime with other settings, or TVM with the same graph passes but
    for the one that lowers the precision.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._float32: dict[tuple[str, ...], list[int]] = {}
        cells = study.cells
        for cell in cells.index[(cells.status == "ok") & (cells.precision == FLOAT32)]:
            self._float32.setdefault(self._key(cell), []).append(cell)

    def _key(self, cell: int) -> tuple[str, ...]:
        return tuple(self._study.cells.loc[cell, SHARED])

    def of(self, cell: int) -> int | None:
        """The sibling of a cell that isn't float32; None if the study has none that ran."""
        backends, routes = self._study.cells.backend, self._study.cells.route.str.split("+")
        found = self._float32.get(self._key(cell), [])
        same = [other for other in found if backends[other] == backends[cell]]
        same = same or [other for other in found if self._like(cell, other)]

        # max keeps the first of equals
        return max(same, key=lambda other: in_common([routes[cell], routes[other]]), default=None)

    def _like(self, cell: int, other: int) -> bool:
        """Whether the backends of two cells differ only in the precision that they ask for."""
        passes, others = (set(self._study.passes(item)) for item in (cell, other))
        return passes - {LOWERING} == others - {LOWERING}
