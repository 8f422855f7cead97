"""A study dataset's cells, as the tables need them."""

import json
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pandas as pd
import xarray as xr

from deltann.cell import NAMES, NATIVE, RUNTIME, SOURCE, UNCONVERTED, Cell
from deltann.dataset import compilation, lowering, meanings
from deltann.dataset.disagreement import differ
from deltann.dataset.meanings import DISTURBANCE, Meaning
from deltann.dataset.prediction_schema import OUTPUT_TEXTS
from deltann.dataset.study_file import MISSING_LABEL
from deltann.study.reference import References
from deltann.tvm.levels import LEVELS

# Columns by name, each with its meaning and unit: see `deltann.dataset.meanings`.
Columns = dict[str, Meaning]
FAILURE: Columns = meanings.FAILURE | {
    "status": ("'ok', 'failed', or why the row has no numbers", "")
}
# Logits of so many images are in memory at a time: 8 MB for 1,000 classes.
BLOCK_IMAGES = 2048


class Study:
    """The cells of a study dataset; a cell's arrays are read on demand.

    Attributes:
        cells: one row per cell, in the dataset's order: cell_name, the names, status, failed_stage,
            error_type, error_message, those of `DISTURBANCE`, disturbed, emulated, output,
            output_warning, what `compilation` and `lowering` say, and whether TVM compiled it.
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        columns = ("cell_name", *NAMES, *FAILURE, "error_message", *DISTURBANCE)
        columns += ("disturbed", "emulated")
        columns += (*OUTPUT_TEXTS, *compilation.TEXTS, *compilation.NUMBERS)
        columns += (*lowering.TEXTS, *lowering.NUMBERS)
        self.cells = pd.DataFrame({name: dataset[name].values for name in columns})
        self.cells["compiled"] = self.cells["schedule"] != RUNTIME
        self._dataset = dataset
        names = self.cells[list(NAMES)].itertuples(index=False, name=None)
        self._names = [Cell(*values) for values in names]
        self._numbers = {cell: number for number, cell in enumerate(self._names)}
        self._references = References(self._names)
        self._indexes: dict[tuple[str, ...], dict[tuple[str, ...], int]] = {}
        # many comparisons share a reference
        self.array = lru_cache(maxsize=8)(self._array)
        self.seconds = lru_cache(maxsize=64)(self._seconds)
        self.answered = lru_cache(maxsize=256)(self._answered)

    def _answered(self, cell: int) -> np.ndarray:
        """Which of the dataset's images a cell answered, bool (image,)."""
        return self._dataset["label"][cell, :, 0].values != MISSING_LABEL

    def _array(self, name: str, cell: int, images: slice = slice(None)) -> np.ndarray:
        """A cell's variable over the images it answered, without the padding of other models."""
        values = self._dataset[name][cell, images].values
        answered = self.answered(cell)[images]
        if not answered.all():  # else copying 20 MB of logits would take most of the time
            values = values[answered]
        if not len(values):
            return values
        padding = np.isnan(values[0]) if values.dtype.kind == "f" else values[0] == MISSING_LABEL
        return values[:, ~padding] if padding.any() else values

    def blocks(self, name: str, cell: int) -> Iterator[np.ndarray]:
        """What `array` gives, in blocks of images: logits are large."""
        for start in range(0, self._dataset.sizes["image"], BLOCK_IMAGES):
            yield self._array(name, cell, slice(start, start + BLOCK_IMAGES))

    def _seconds(self, cell: int) -> np.ndarray:
        """A cell's latencies in seconds, (image, repeat)."""
        return self._array("latency", cell)

    def images(self, cell: int) -> np.ndarray:
        """Names of the images that a cell answered."""
        return self._dataset["image"].values[self.answered(cell)]

    def truth(self, cell: int) -> np.ndarray:
        """True labels of the images that a cell answered, int64, -1 where unknown."""
        truth = self._dataset["true_label"]
        truth = truth[cell] if "cell" in truth.dims else truth
        return truth.values[self.answered(cell)]

    def ok(self, cell: int) -> bool:
        """Whether a cell has answers."""
        return self.cells.status[cell] == "ok"

    def timed(self, cell: int) -> bool:
        """Whether a cell has times: it ran, and its device isn't emulated."""
        return self.ok(cell) and not self.cells.emulated[cell]

    def real_cells(self) -> pd.DataFrame:
        """The cells that tables of time are about: those whose device isn't emulated."""
        return self.cells[self.cells.emulated == 0]

    def names(self, cell: int) -> dict[str, str]:
        """The names of a cell."""
        return dict(self.cells.loc[cell, list(NAMES)])

    def path(self, cell: int) -> str:
        """The names of a cell as one word."""
        return "/".join(self.names(cell).values())

    def failure(self, *cells: int) -> dict[str, str]:
        """Status, stage and error type of the first of these cells that failed."""
        failed = [cell for cell in cells if not self.ok(cell)]
        return dict(self.cells.loc[(failed or cells)[0], list(FAILURE)])

    def disturbed(self, *cells: int) -> int:
        """1 if one of these cells was disturbed while it was timed, else 0."""
        return int(self.cells.disturbed[list(cells)].max())

    def find(self, **names: str) -> int | None:
        """The first cell with these names, whatever its others are."""
        keys = tuple(sorted(names))
        if keys not in self._indexes:
            index: dict[tuple[str, ...], int] = {}
            for cell, values in enumerate(zip(*(self.cells[key] for key in keys), strict=True)):
                index.setdefault(values, cell)
            self._indexes[keys] = index
        return self._indexes[keys].get(tuple(names[key] for key in keys))

    def model_reference(self, cell: int) -> int | None:
        """The native cell of a cell's model: see `References.of_model`."""
        return self._number(self._references.of_model(self._names[cell]))

    def file_reference(self, cell: int) -> int | None:
        """The native cell of a cell's model file: see `References.of_file`."""
        return self._number(self._references.of_file(self._names[cell]))

    def _number(self, cell: Cell | None) -> int | None:
        return None if cell is None else self._numbers[cell]

    def passes(self, cell: int) -> list[str]:
        """The graph passes switched on for a compiled cell."""
        return [name for name in self.cells.passes[cell].split(";") if name]

    def model_file(self, cell: int) -> str:
        """The SHA-256 of the file that a cell ran: its model, or its compiled library."""
        return json.loads(self._dataset["provenance"][cell].item())["model_file"]

    def kernel_times(self, cell: int) -> dict | None:
        """The times of a compiled cell's kernels, see `dataset.kernel_times`; None if unknown."""
        text = self._dataset["kernel_times"][cell].item()
        return json.loads(text) if text else None

    def compiled(self, cell: int) -> bool:
        """Whether TVM compiled a cell."""
        return self.cells.compiled[cell]

    def failed_file(self, cell: int) -> str:
        """The name of the file that a failed cell lacks; empty if it failed to run."""
        return json.loads(self._dataset["provenance"][cell].item()).get("failed_file", "")

    def disagreements(self) -> int:
        """The number of images on which cells of one model disagree."""
        count, models = 0, self.cells.model.to_numpy()
        for start in range(0, self._dataset.sizes["image"], BLOCK_IMAGES):
            label = self._dataset["label"][:, start : start + BLOCK_IMAGES, 0].values
            differing = [differ(label[models == model]) for model in dict.fromkeys(models)]
            count += int(np.any(differing, axis=0).sum())
        return count

    def native_cells(self) -> pd.DataFrame:
        """The cells of the frameworks' own runtimes."""
        return self.cells[self.cells.backend == NATIVE]

    def ladders(self) -> pd.DataFrame:
        """The cells at levels that are compared with each other: TVM's, and runtimes' settings.

        Other sets of passes have a table of their own. Only devices that aren't emulated count.
        """
        cells = self.real_cells()
        settings = ~cells.compiled & (cells.backend != NATIVE)
        return cells[settings | cells.backend.isin(list(LEVELS))]

    def unconverted(self, cells: pd.DataFrame | None = None) -> pd.DataFrame:
        """The cells of models in the framework they come from, with their own preprocessing.

        cells: those to choose from; without it, all.
        """
        cells = self.cells if cells is None else cells
        own = (cells.target == cells.source) & (cells.preprocessing == SOURCE)
        return cells[own & (cells.route == UNCONVERTED)]


def groups(cells: pd.DataFrame, varied: tuple[str, ...]) -> Iterator[tuple[dict, pd.DataFrame]]:
    """Groups of cells that share every name but the varied ones, with the shared names."""
    shared = [name for name in NAMES if name not in varied]
    for values, group in cells.groupby(shared, sort=False):
        yield dict(zip(shared, values, strict=True)), group
