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
| precision, precision_operators, precision_cause | cell | str | empty |
| model_bytes, calibration_images, calibration_tested | cell | float64 | NaN |
| output: `logits` or `probabilities`, what the variable logits has | cell | str | empty |
| output_warning: how the outputs contradict the config | cell | str | empty |
| checksum: of the prediction file's content | cell | str | |

Coordinates on `cell`: the cell's path as index, its names, its status and its precision.
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
from deltann.dataset import compilation, lowering, predictions
from deltann.dataset.prediction_schema import LOGITS_COMMENT, OUTPUT_TEXTS, VARIABLES
from deltann.errors import StudyError
from deltann.provenance import files, netcdf_checksum

MISSING_LABEL = -1
TEXTS: tuple[str, ...] = (
    "failed_stage",
    "error_type",
    "error_message",
    "inputs",
    "inputs_digest",
    "provenance",
)
TEXTS += (netcdf_checksum.ATTRIBUTE, *OUTPUT_TEXTS, *compilation.TEXTS, *lowering.TEXTS)
NUMBERS = (*compilation.NUMBERS, *lowering.NUMBERS)
# Logits are read by image or by cell; chunks of about one megabyte are fast for both.
CHUNK_IMAGES = 256
# How the machine disturbed the timing of a cell: attributes of its prediction file.
DISTURBANCE = {
    "probe_drift": "time of a fixed probe after the timing over before",
    "contention": "share of the processor time asked for that other processes had",
    "pass_spread": "time of the median timed pass over that of the fastest",
}
# Variables along `cell` and `image`, with their last dimension.
SCALED = {"logits": "class", "probability": "rank", "latency": "repeat"}


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
    paths: list[Path], output: Path, tolerances: Tolerances, environment_digest: str
) -> None:
    """Write the study dataset, with one cell in memory at a time.

    Args:
        paths: the prediction files, in the order of the cells.
        output: the NetCDF-4 file to write atomically.
        tolerances: the limits beyond which a cell is `disturbed`.
        environment_digest: digest of the environment that this runs in.

    Raises:
        StudyError: there is no cell, a file is damaged or malformed, or from `survey`.
    """
    if not paths:
        raise StudyError("no prediction file to aggregate: the list of cells is empty")
    surveyed = survey(paths)
    rows = {name: number for number, name in enumerate(surveyed.images)}
    with files.atomic(output) as part, h5netcdf.File(part, "w") as study:
        _create(study, len(paths), surveyed)
        study.attrs["title"] = "DeltaNN study: one entry along 'cell' per prediction file"
        study.attrs["coordinates"] = " ".join((*NAMES, "status", "precision"))
        study.attrs["probe_tolerance"] = float(tolerances.drift)
        study.attrs["contention_tolerance"] = float(tolerances.contention)
        study.attrs["aggregation_environment"] = environment_digest
        for number, path in enumerate(paths):
            dataset = predictions.read(path)
            _write_description(study, number, dataset, tolerances)
            if dataset.status == "ok":
                _write_arrays(study, number, dataset, rows)


def _create(study: h5netcdf.File, cells: int, surveyed: Survey) -> None:
    """Declare dimensions and variables."""
    images = len(surveyed.labels)
    study.dimensions = {"cell": cells, "image": images} | surveyed.sizes
    text = h5py.string_dtype()
    for name in ("cell", *NAMES, "status", *TEXTS):
        study.create_variable(name, ("cell",), text)
    study.create_variable("image", ("image",), text)[:] = np.array(surveyed.images, object)
    for name, meaning in DISTURBANCE.items():
        study.create_variable(name, ("cell",), np.float64, fillvalue=np.nan)
        study[name].attrs["long_name"] = meaning
    for name in NUMBERS:
        study.create_variable(name, ("cell",), np.float64, fillvalue=np.nan)
    for name, text in (compilation.LONG_NAMES | lowering.LONG_NAMES).items():
        study[name].attrs["long_name"] = text
    study["compile_seconds"].attrs["units"], study["model_bytes"].attrs["units"] = "s", "byte"
    study.create_variable("disturbed", ("cell",), np.int8)
    study["disturbed"].attrs["long_name"] = "1 where the machine disturbed the timing"
    for name, last in SCALED.items():
        _create_scaled(study, name, last, VARIABLES[name][1], fillvalue=np.nan)
    study["latency"].attrs["units"] = "s"
    study["logits"].attrs["comment"] = LOGITS_COMMENT
    # No _FillValue: with one, xarray would convert the labels to floats.
    _create_scaled(study, "label", "rank", np.int32)
    study["label"].attrs["comment"] = f"{MISSING_LABEL}: the cell has no answer for the image"
    shape = ("image",) if surveyed.labels_agree else ("cell", "image")
    truth = study.create_variable("true_label", shape, np.int64)
    truth.attrs["comment"] = f"{MISSING_LABEL}: unknown"
    truth[...] = list(surveyed.labels.values()) if surveyed.labels_agree else MISSING_LABEL


def _create_scaled(study: h5netcdf.File, name: str, last: str, dtype: type, **fill: float) -> None:
    images, width = study.dimensions["image"].size, study.dimensions[last].size
    # HDF5's chunks can't be empty: a study in which every cell failed has no images.
    chunks = (1, min(CHUNK_IMAGES, images), width) if images else None
    # Uncompressed: the low bits of logits are noise, so that deflate takes minutes to save a tenth.
    study.create_variable(name, ("cell", "image", last), dtype, chunks=chunks, **fill)


def _write_description(
    study: h5netcdf.File, number: int, dataset: xr.Dataset, tolerances: Tolerances
) -> None:
    names = {name: dataset[name].item() for name in NAMES}
    for name, value in names.items():
        study[name][number] = value
    study["cell"][number] = "/".join(names.values())
    for name in ("status", *TEXTS, *NUMBERS):
        study[name][number] = dataset.attrs[name]
    measured = {name: float(dataset.attrs[name]) for name in DISTURBANCE}
    for name, value in measured.items():
        study[name][number] = value
    study["disturbed"][number] = tolerances.exceeded(**measured)
    if study.dimensions["image"].size:
        study["label"][number] = MISSING_LABEL


def _write_arrays(
    study: h5netcdf.File, number: int, dataset: xr.Dataset, rows: dict[str, int]
) -> None:
    """Write a cell's arrays into the rows of its images."""
    where = np.array([rows[name] for name in dataset["image"].values])
    names = [*SCALED, "label"] + (["true_label"] if study["true_label"].ndim == 2 else [])
    # One write per run of images that follow each other in both files: one run in most studies.
    for run in np.split(np.arange(where.size), np.flatnonzero(np.diff(where) != 1) + 1):
        target_rows = slice(where[run[0]], where[run[-1]] + 1)
        for name in names:
            values = dataset[name].values[run[0] : run[-1] + 1]
            # a cell with fewer columns leaves the fill value in the others
            columns = () if values.ndim == 1 else (slice(values.shape[1]),)
            study[name][(number, target_rows, *columns)] = values
