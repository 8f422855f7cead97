"""The study dataset: every cell's prediction file, failed ones too, stacked along `cell`.

`deltann.dataset.study_file` says which variables it has.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import h5netcdf
import numpy as np
import xarray as xr

from deltann.cell import NAMES, Cell
from deltann.dataset import origins, predictions, study_file
from deltann.dataset.cell_names import CellNames
from deltann.dataset.meanings import DISTURBANCE
from deltann.dataset.study_file import MISSING_LABEL, NUMBERS, SCALED, TEXTS
from deltann.errors import StudyError
from deltann.provenance import files, netcdf_checksum


@dataclass
class Survey:
    """What the dataset must have room for, read from the headers of the prediction files.

    Attributes:
        sizes: the largest size of each dimension but `image`.
        labels: the true label of each image, by name.
        labels_agree: whether every image has the same true label in all files.
    """

    sizes: dict[str, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    labels_agree: bool = True

    @property
    def images(self) -> list[str]:
        """The union of the cells' image names, in the order of their first appearance."""
        return list(self.labels)


@dataclass(frozen=True)
class Tolerances:
    """The limits beyond which a cell counts as `disturbed`.

    Attributes:
        drift: share by which the time of the probe may change, and by which the time of the median
            pass may exceed that of the fastest.
        contention: share of the requested processor time that others may get.
    """

    drift: float
    contention: float

    def exceeded(self, probe_drift: float, contention: float, pass_spread: float) -> bool:
        """Whether a cell exceeds a limit; NaN, the value where it is unknown, never does.

        Args:
            probe_drift, contention, pass_spread: of the cell: see `deltann.stages.disturbance`.
        """
        changed = abs(probe_drift - 1) > self.drift or pass_spread - 1 > self.drift
        return changed or contention > self.contention


@contextmanager
def _open(path: Path) -> Iterator[h5netcdf.File]:
    try:
        with h5netcdf.File(path, "r") as file:
            yield file
    except netcdf_checksum.UNREADABLE as error:
        raise StudyError(f"{path}: not a readable prediction file: {error}") from error


def survey(paths: list[Path]) -> Survey:
    """Read sizes, images and true labels, without the predictions.

    Raises:
        StudyError: a file can't be read, or two cells with the same inputs had different images.
    """
    result = Survey({"class": 1, "rank": 1, "repeat": 1})
    first: dict[str, tuple[str, Path]] = {}
    digests = set()
    for path in paths:
        with _open(path) as file:
            digest = str(file.attrs.get("inputs_digest", ""))
            if not digest:  # a cell that failed before inference saw no images
                continue
            inputs = str(file.attrs["inputs"])
            expected, where = first.setdefault(inputs, (digest, path))
            if digest != expected:
                raise StudyError(
                    f"cells of inputs {inputs} saw different images: the inputs' digest is "
                    f"{expected} in {where} and {digest} in {path}. Delete the older file and run "
                    "again"
                )
            if "logits" not in file.variables:
                continue
            for dimension in result.sizes:
                size = file.dimensions[dimension].size
                result.sizes[dimension] = max(result.sizes[dimension], size)
            # Files with the same digest have the same names and true labels: one is enough.
            if digest not in digests:
                digests.add(digest)
                _add_images(result, file)
    return result


def _add_images(result: Survey, file: h5netcdf.File) -> None:
    for name, label in zip(file["image"][:], file["true_label"][:], strict=True):
        known = result.labels.setdefault(_text(name), int(label))
        result.labels_agree &= known == label


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def aggregate(
    paths: list[Path],
    output: Path,
    tolerances: Tolerances,
    environment_digest: str,
    class_names: Sequence[str] = (),
) -> None:
    """Write the study dataset, with one cell in memory at a time.

    Args:
        paths: the prediction files, in the order of the cells.
        output: the NetCDF-4 file to write atomically.
        tolerances: the limits beyond which a cell is `disturbed`.
        environment_digest: digest of the environment that this runs in.
        class_names: the classes' names in order, if they have any.

    Raises:
        StudyError: there is no cell, a file is damaged or malformed, or from `survey`.
    """
    if not paths:
        raise StudyError("no prediction file to aggregate: the list of cells is empty")
    surveyed = survey(paths)
    rows = {name: number for number, name in enumerate(surveyed.images)}
    columns: dict[str, list] = {}
    with files.atomic(output) as part, h5netcdf.File(part, "w") as study:
        sizes = {"cell": len(paths)} | surveyed.sizes
        study_file.create(study, sizes, surveyed.labels, surveyed.labels_agree, class_names)
        for number, path in enumerate(paths):
            dataset = predictions.read(path)
            for name, value in _description(dataset, tolerances).items():
                columns.setdefault(name, []).append(value)
            if rows:
                study["label"][number] = MISSING_LABEL
            if dataset.status == "ok":
                _write_arrays(study, number, dataset, rows)
        study_file.write_cells(study, columns | _cell_names(columns))
        study.attrs.update(_attributes(columns, tolerances, environment_digest))


def _description(dataset: xr.Dataset, tolerances: Tolerances) -> dict[str, str | float]:
    """A cell's names, status and attributes."""
    description = {name: dataset[name].item() for name in NAMES}
    description |= {name: dataset.attrs[name] for name in ("status", "emulated", *TEXTS, *NUMBERS)}
    measured = {name: float(dataset.attrs[name]) for name in DISTURBANCE}
    return description | {"disturbed": tolerances.exceeded(**measured)}


def _cell_names(columns: dict[str, list]) -> dict[str, list[str]]:
    cells = [Cell(*names) for names in zip(*(columns[name] for name in NAMES), strict=True)]
    named = CellNames(cells)
    return {"cell": [cell.path for cell in cells], "cell_name": [named.of(cell) for cell in cells]}


def _attributes(
    columns: dict[str, list], tolerances: Tolerances, environment_digest: str
) -> dict[str, str | float]:
    """What holds for the whole study. No date: the same answers make the same file."""
    cells = len(columns["status"])
    return {
        "Conventions": study_file.CONVENTIONS,
        "title": "DeltaNN study: one entry along 'cell' per prediction file",
        "history": f"scripts/aggregate.py: {cells} prediction files, one along 'cell' each",
        "probe_tolerance": float(tolerances.drift),
        "contention_tolerance": float(tolerances.contention),
        "aggregation_environment": environment_digest,
        **origins.attributes(columns["provenance"]),
    }


def _write_arrays(
    study: h5netcdf.File, number: int, dataset: xr.Dataset, rows: dict[str, int]
) -> None:
    """Write a cell's arrays into the rows of its images."""
    where = np.array([rows[name] for name in dataset["image"].values])
    names = [*SCALED] + (["true_label"] if study["true_label"].ndim == 2 else [])
    # One write per run of images that follow each other in both files: one run in most studies.
    for run in np.split(np.arange(where.size), np.flatnonzero(np.diff(where) != 1) + 1):
        target_rows = slice(where[run[0]], where[run[-1]] + 1)
        for name in names:
            values = dataset[name].values[run[0] : run[-1] + 1]
            # a cell with fewer columns leaves the fill value in the others
            columns = () if values.ndim == 1 else (slice(values.shape[1]),)
            study[name][(number, target_rows, *columns)] = values
