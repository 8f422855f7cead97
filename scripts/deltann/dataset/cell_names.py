"""Names of cells for people: only what tells a study's cells apart."""

from collections.abc import Iterable

from deltann.cell import DIRECT, NAMES, NATIVE, SOURCE, UNCONVERTED, Cell
from deltann.images import conventions

OWN_RUNTIME = "own runtime"


class CellNames:
    """Names of a study's cells, each different.

    A name says the framework, the conversion and what runs the file, such as `tflite by
    litert_torch, TVM O4, imagenet convention`. It says the model, the source, the device and the
    like only where the study has several. The model's own preprocessing goes without saying.

    Args:
        cells: all cells of the study.
    """

    def __init__(self, cells: Iterable[Cell]):
        self._cells = list(cells)
        self._several = {
            name: len({getattr(cell, name) for cell in self._cells}) > 1 for name in NAMES
        }
        compiled = [cell for cell in self._cells if cell.compiled]
        for name in ("compiler", "schedule"):  # of other cells they are `runtime`
            self._several[name] = len({getattr(cell, name) for cell in compiled}) > 1

    def of(self, cell: Cell) -> str:
        """The name of a cell of the study."""
        model = f"{cell.model}: " if self._several["model"] else ""
        return f"{model}{self._file(cell)}, {', '.join([self._runs(cell), *self._more(cell)])}"

    def _file(self, cell: Cell) -> str:
        if cell.route == UNCONVERTED:
            return cell.source
        source = f"{cell.source} to " if self._several["source"] else ""
        return f"{source}{cell.target} by {cell.route}"

    def _runs(self, cell: Cell) -> str:
        if not cell.compiled:
            return OWN_RUNTIME if cell.backend == NATIVE else cell.backend
        words = [f"TVM {cell.backend}"]
        if cell.importer != DIRECT:
            words.append(f"import {cell.importer}")
        words += [
            f"{name} {getattr(cell, name)}"
            for name in ("compiler", "schedule")
            if self._several[name]
        ]
        return ", ".join(words)

    def _more(self, cell: Cell) -> list[str]:
        words = []
        if cell.preprocessing != SOURCE:
            words.append(conventions.in_words(cell.preprocessing).removeprefix("the "))
        if self._several["resizer"]:
            words.append(f"{cell.resizer} resize")
        if self._several["device"]:
            words.append(f"on {cell.device}")
        return words
