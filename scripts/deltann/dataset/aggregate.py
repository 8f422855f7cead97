"""The study dataset: every cell's prediction file, failed ones too, stacked along `cell`.

| variable | dimensions | type | missing |
| --- | --- | --- | --- |
| logits, probability | cell, image, class or rank | float32 | NaN |
| label | cell, image, rank | int32 | -1 |
| latency, seconds | cell, image, repeat | float64 | NaN |
| true_label | image; cell, image where models disagree | int64 | -1 |
| probe_drift, contention, pass_spread | cell | float64 | NaN |
| disturbed | cell | int8, 0 or 1 | 0 |
| compile_seconds, kernels, unscheduled, code_bytes | cell | float64 | NaN |
| failed_stage, error_type, error_message, inputs, inputs_digest, provenance | cell | str | empty |
| passes, idle_passes | cell | str | empty |
| digest: of the prediction file's content | cell | str | |

Coordinates on `cell`: the cell's path as index, its names, and its status.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import h5netcdf
import h5py
import numpy as np
import xarray as xr

from deltann.cell import NAMES
from deltann.dataset import compilation, predictions
from deltann.errors import StudyError
from deltann.images import prepared
from deltann.provenance import files, netcdf_digest

MISSING_LABEL = -1
TEXTS = ("failed_stage", "error_type", "error_message", "inputs", "inputs_digest", "provenance")
TEXTS += ("digest", *compilation.TEXTS)
# Logits are read image by image or cell by cell: about a megabyte a chunk serves both.
CHUNK_IMAGES = 256
# What a prediction file says of the machine while the cell was timed.
MACHINE = {
    "probe_drift": "time of a fixed probe after the timing over before",
    "contention": "share of the processor time asked for that other processes had",
}
# What its latencies say of it.
PASS_SPREAD = "time of the median timed pass over that of the fastest"
SCALED = {"logits": "class", "probability": "rank", "latency": "repeat"}


@dataclass
class Survey:
    """What the dataset must have room for: found in a first pass over the files' headers."""

    sizes: dict[str, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    labels_agree: bool = True

    @property
    def images(self) -> list[str]:
        """The union of the cells' image names, in the order of their first appearance."""
        return list(self.labels)


@dataclass(frozen=True)
class Tolerances:
    """What a cell's timing may suffer without being `disturbed`.

    Attributes:
        drift: share by which the time of its probe may change, or its passes' exceed the fastest.
        contention: share of the processor time it asked for that others may have.
    """

    drift: float
    contention: float

    def exceeded(self, drift: float, contention: float, spread: float) -> bool:
        """Whether one is exceeded; a NaN, of a failed cell or of the unknown, exceeds nothing.

        Args:
            drift, contention: of the cell, as measured.
            spread: see `pass_spread`.
        """
        changed = abs(drift - 1) > self.drift or spread - 1 > self.drift
        return changed or contention > self.contention


def pass_spread(latency: np.ndarray) -> float:
    """Time of the median timed pass over that of the fastest.

    A machine that is slow in some passes and not in others shows here, if nowhere else. A cell of
    many images is timed part by part: each part's passes count.

    Args:
        latency: (image, repeat), seconds.
    """
    parts = prepared.parts(len(latency))
    passes = np.concatenate([np.median(latency[part], axis=0) for part in parts])
    return float(np.median(passes) / passes.min())


@contextmanager
def _opened(path: Path) -> Iterator[h5netcdf.File]:
    try:
        with h5netcdf.File(path, "r") as file:
            yield file
    except netcdf_digest.UNREADABLE as error:
        raise StudyError(f"{path}: not a readable prediction file: {error}") from error


def survey(paths: list[Path]) -> Survey:
    """Read sizes, images and true labels, without the predictions.

    Raises:
        StudyError: a file can't be read, or two cells of the same inputs saw different images.
    """
    found = Survey({"class": 1, "rank": 1, "repeat": 1})
    first: dict[str, tuple[str, Path]] = {}
    digests = set()
    for path in paths:
        with _opened(path) as file:
            digest = str(file.attrs.get("inputs_digest", ""))
            if not digest:  # a cell that failed before inference saw no images
                continue
            inputs = str(file.attrs["inputs"])
            expected, where = first.setdefault(inputs, (digest, path))
            if digest != expected:
                raise StudyError(
                    f"cells of inputs {inputs} saw different images: {where} has the inputs' "
                    f"digest {expected}, and {path} {digest}. Delete the older file and run again"
                )
            if "logits" not in file.variables:
                continue
            for dimension in found.sizes:
                size = file.dimensions[dimension].size
                found.sizes[dimension] = max(found.sizes[dimension], size)
            # The digest covers names and true labels: one file of each speaks for the others.
            if digest not in digests:
                digests.add(digest)
                _add_images(found, file)
    return found


def _add_images(found: Survey, file: h5netcdf.File) -> None:
    for name, label in zip(file["image"][:], file["true_label"][:], strict=True):
        known = found.labels.setdefault(_text(name), int(label))
        found.labels_agree &= known == label


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def aggregate(
    paths: list[Path], output: Path, tolerances: Tolerances, environment_digest: str
) -> None:
    """Write the study dataset, with one cell in memory at a time.

    Args:
        paths: the prediction files; their order is that of the cells.
        output: the NetCDF-4 file to make, atomically.
        tolerances: beyond which a cell is `disturbed`.
        environment_digest: of the environment that aggregates.

    Raises:
        StudyError: no cell at all, an unreadable or malformed file, or see `survey`.
    """
    if not paths:
        raise StudyError("no prediction file to aggregate: the list of cells is empty")
    found = survey(paths)
    place = {name: number for number, name in enumerate(found.images)}
    with files.atomic(output) as part, h5netcdf.File(part, "w") as study:
        _create(study, len(paths), found)
        study.attrs["title"] = "DeltaNN study: one entry along 'cell' per prediction file"
        study.attrs["coordinates"] = " ".join((*NAMES, "status"))
        study.attrs["probe_tolerance"] = float(tolerances.drift)
        study.attrs["contention_tolerance"] = float(tolerances.contention)
        study.attrs["aggregation_environment"] = environment_digest
        for number, path in enumerate(paths):
            dataset = predictions.read(path)
            _write_description(study, number, dataset, tolerances)
            if dataset.status == "ok":
                _write_arrays(study, number, dataset, place)


def _create(study: h5netcdf.File, cells: int, found: Survey) -> None:
    """Declare dimensions and variables."""
    images = len(found.labels)
    # A study whose cells all failed has no images; HDF5 chunks can't be empty.
    study.dimensions = {"cell": cells, "image": images} | found.sizes
    text = h5py.string_dtype()
    for name in ("cell", *NAMES, "status", *TEXTS):
        study.create_variable(name, ("cell",), text)
    study.create_variable("image", ("image",), text)[:] = np.array(found.images, object)
    for name, meaning in MACHINE.items():
        study.create_variable(name, ("cell",), np.float64, fillvalue=np.nan)
        study[name].attrs["long_name"] = meaning
    study.create_variable("pass_spread", ("cell",), np.float64, fillvalue=np.nan)
    study["pass_spread"].attrs["long_name"] = PASS_SPREAD
    for name in compilation.NUMBERS:
        study.create_variable(name, ("cell",), np.float64, fillvalue=np.nan)
    for name, text in compilation.LONG_NAMES.items():
        study[name].attrs["long_name"] = text
    study["compile_seconds"].attrs["units"] = "s"
    study.create_variable("disturbed", ("cell",), np.int8)
    study["disturbed"].attrs["long_name"] = "1 where the machine disturbed the timing"
    for name, last in SCALED.items():
        _create_scaled(study, name, last, predictions.VARIABLES[name][1], fillvalue=np.nan)
    study["latency"].attrs["units"] = "s"
    # No _FillValue: xarray would make floats of the labels.
    _create_scaled(study, "label", "rank", np.int32)
    study["label"].attrs["comment"] = f"{MISSING_LABEL}: the cell has no answer for the image"
    shape = ("image",) if found.labels_agree else ("cell", "image")
    truth = study.create_variable("true_label", shape, np.int64)
    truth.attrs["comment"] = f"{MISSING_LABEL}: unknown"
    truth[...] = list(found.labels.values()) if found.labels_agree else MISSING_LABEL


def _create_scaled(study: h5netcdf.File, name: str, last: str, dtype: type, **fill) -> None:
    images, width = study.dimensions["image"].size, study.dimensions[last].size
    chunks = (1, min(CHUNK_IMAGES, images), width) if images else None
    # Uncompressed: deflating logits, whose low bits are noise, takes minutes and saves a tenth.
    study.create_variable(name, ("cell", "image", last), dtype, chunks=chunks, **fill)


def _write_description(
    study: h5netcdf.File, number: int, dataset: xr.Dataset, tolerances: Tolerances
) -> None:
    names = {name: dataset[name].item() for name in NAMES}
    for name, value in names.items():
        study[name][number] = value
    study["cell"][number] = "/".join(names.values())
    for name in ("status", *TEXTS, *compilation.NUMBERS):
        study[name][number] = dataset.attrs[name]
    measured = [float(dataset.attrs[name]) for name in MACHINE]
    for name, value in zip(MACHINE, measured, strict=True):
        study[name][number] = value
    spread = pass_spread(dataset["latency"].values) if dataset.status == "ok" else np.nan
    study["pass_spread"][number] = spread
    study["disturbed"][number] = tolerances.exceeded(*measured, spread)
    if study.dimensions["image"].size:
        study["label"][number] = MISSING_LABEL


def _write_arrays(
    study: h5netcdf.File, number: int, dataset: xr.Dataset, place: dict[str, int]
) -> None:
    where = np.array([place[name] for name in dataset["image"].values])
    names = [*SCALED, "label"] + (["true_label"] if study["true_label"].ndim == 2 else [])
    # Run by run of images that are neighbours here and there; of one set of images there is one.
    for run in np.split(np.arange(where.size), np.flatnonzero(np.diff(where) != 1) + 1):
        rows = slice(where[run[0]], where[run[-1]] + 1)
        for name in names:
            values = dataset[name].values[run[0] : run[-1] + 1]
            # beyond a narrower cell's columns HDF5 leaves what is missing
            columns = () if values.ndim == 1 else (slice(values.shape[1]),)
            study[name][(number, rows, *columns)] = values
