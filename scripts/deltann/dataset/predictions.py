"""The prediction file: one NetCDF file per cell, written, checked and read here only."""

import json
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

import h5netcdf
import h5py
import numpy as np

from deltann.cell import NAMES, Cell
from deltann.dataset import compilation
from deltann.errors import StudyError
from deltann.provenance import files, netcdf_digest

if TYPE_CHECKING:  # xarray, half a second, is imported only where a dataset is made
    import xarray as xr

SCHEMA_VERSION = 4
RANKS = 5
VARIABLES = {
    "logits": (("image", "class"), np.float32),
    "label": (("image", "rank"), np.int32),
    "probability": (("image", "rank"), np.float32),
    "latency": (("image", "repeat"), np.float64),
    "true_label": (("image",), np.int64),
}
ATTRIBUTES = (
    "status",
    "failed_stage",
    "error_type",
    "error_message",
    "inputs",
    "inputs_digest",
    "probe_drift",
    "contention",
    "provenance",
    *compilation.TEXTS,
    *compilation.NUMBERS,
)


def rank(logits: np.ndarray, ranks: int = RANKS) -> tuple[np.ndarray, np.ndarray]:
    """The most probable classes and their softmax probabilities.

    Args:
        logits: (image, class) float32.
        ranks: how many.

    Returns:
        `label` (image, rank) int32 by falling logit, equal ones by rising class, and
        `probability` (image, rank) float32, computed in float64.
    """
    label = np.argsort(-logits, axis=1, kind="stable")[:, :ranks].astype(np.int32)
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    probability = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    return label, np.take_along_axis(probability, label, axis=1).astype(np.float32)


def ran(
    inputs: str,
    inputs_digest: str,
    probe_drift: float,
    contention: float,
    provenance: dict,
    compiled: dict[str, str | float] = compilation.NOTHING,
) -> dict[str, str | float | int]:
    """The attributes of a cell that ran.

    Args:
        inputs: geometry and resizer of the prepared images, joined by `/`.
        inputs_digest: of the prepared images.
        probe_drift: time of the fixed probe after the timing over that before it.
        contention: see `probe.contention`.
        provenance: JSON-able.
        compiled: what `compilation.describe` says.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "status": "ok",
        "failed_stage": "",
        "error_type": "",
        "error_message": "",
        "inputs": inputs,
        "inputs_digest": inputs_digest,
        "probe_drift": probe_drift,
        "contention": contention,
        "provenance": json.dumps(provenance, sort_keys=True),
        **compiled,
    }


def succeeded(
    cell: Cell,
    logits: np.ndarray,
    latency: np.ndarray,
    image: np.ndarray,
    true_label: np.ndarray,
    **described,
) -> "xr.Dataset":
    """A prediction dataset in memory.

    Args:
        cell: its names.
        logits: (image, class) float32.
        latency: (image, repeat) float64, seconds.
        image: (image,) names.
        true_label: (image,) int64, -1 where unknown.
        described: as `ran` takes it.
    """
    import xarray as xr

    label, probability = rank(logits)
    data = {
        "logits": logits,
        "label": label,
        "probability": probability,
        "latency": latency,
        "true_label": true_label,
    }
    variables = {name: (VARIABLES[name][0], value) for name, value in data.items()}
    dataset = xr.Dataset(variables, coords={"image": image.astype(object)} | _names(cell))
    dataset["latency"].attrs["units"] = "s"
    return dataset.assign_attrs(ran(**described))


def failed(
    cell: Cell,
    record: dict,
    inputs: str,
    inputs_digest: str,
    provenance: dict,
    compiled: dict[str, str | float] = compilation.NOTHING,
) -> "xr.Dataset":
    """A dataset without predictions, that says in which stage and how the cell failed.

    Args:
        cell: its names.
        record: of the failure: `failed_stage` and `error`.
        inputs, inputs_digest, provenance, compiled: as of a cell that succeeded.
    """
    import xarray as xr

    return xr.Dataset(coords=_names(cell)).assign_attrs(
        schema_version=SCHEMA_VERSION,
        status="failed",
        failed_stage=record["failed_stage"],
        error_type=record["error"]["type"],
        error_message=record["error"]["message"],
        inputs=inputs,
        inputs_digest=inputs_digest,
        probe_drift=float("nan"),
        contention=float("nan"),
        provenance=json.dumps(
            provenance | {"traceback": record["error"]["traceback"]}, sort_keys=True
        ),
        **compiled,
    )


def _names(cell: Cell) -> dict[str, str]:
    return dict(zip(NAMES, astuple(cell), strict=True))


def check(dataset: "xr.Dataset", where: str) -> None:
    """Hold a dataset against the schema.

    Raises:
        StudyError: naming `where` and what is missing, of another type, or out of range.
    """

    def expect(holds: bool, what: str) -> None:
        if not holds:
            raise StudyError(f"{where}: not a prediction file: {what}")

    version = dataset.attrs.get("schema_version")
    expect(version == SCHEMA_VERSION, f"schema_version {version}; expected {SCHEMA_VERSION}")
    for name in ATTRIBUTES:
        expect(name in dataset.attrs, f"attribute {name!r} is missing")
    for name in NAMES:
        expect(name in dataset.coords, f"coordinate {name!r} is missing")
    expect(dataset.status in ("ok", "failed"), f"status {dataset.status!r}")
    if dataset.status == "failed":
        expect(dataset.error_type != "", "a failed cell without an error type")
        return
    expect("image" in dataset.coords, "coordinate 'image' is missing")
    for name, (dimensions, dtype) in VARIABLES.items():
        expect(name in dataset, f"variable {name!r} is missing")
        variable = dataset[name]
        expect(variable.dims == dimensions, f"{name!r} has {variable.dims}; expected {dimensions}")
        expect(variable.dtype == dtype, f"{name!r} is {variable.dtype}; expected {dtype}")
    _check_values(dataset["logits"].values, dataset["latency"].values, where)


def _check_values(logits: np.ndarray, latency: np.ndarray, where: str) -> None:
    for holds, what in (
        (np.isfinite(logits).all(), "logits that are not finite"),
        ((latency > 0).all(), "latencies that are not positive"),
    ):
        if not holds:
            raise StudyError(f"{where}: not a prediction file: {what}")


def write(dataset: "xr.Dataset", path: Path) -> None:
    """Check a prediction dataset and write it atomically, with the digest of its content.

    Raises:
        StudyError: it doesn't fit the schema.
    """
    check(dataset, str(path))
    with files.atomic(path) as part, h5netcdf.File(part, "w") as file:
        _describe(file, {name: dataset[name].item() for name in NAMES}, dataset.attrs)
        if dataset.status == "ok":
            _create(file, dataset["image"].values, dict(dataset.sizes))
            for name in VARIABLES:
                file[name][...] = dataset[name].values
        netcdf_digest.seal(file)


def write_parts(
    path: Path,
    cell: Cell,
    attributes: dict[str, str | float | int],
    image: list[str],
    true_label: np.ndarray,
    parts: Iterable[tuple[np.ndarray, np.ndarray]],
) -> None:
    """Write a cell's predictions atomically, with one part of the images in memory at a time.

    Args:
        path: the file to make.
        cell: its names.
        attributes: what `ran` gives.
        image: names.
        true_label: (image,) int64, -1 where unknown.
        parts: `logits` (image, class) float32 and `latency` (image, repeat) float64 in seconds, of
            the first images, the next ones, and so on: all of them.

    Raises:
        StudyError: logits that aren't finite, latencies that aren't positive, or not of all images.
    """
    done = 0
    with files.atomic(path) as part, h5netcdf.File(part, "w") as file:
        _describe(file, _names(cell), attributes)
        for logits, latency in parts:
            _check_values(logits, latency, str(path))
            label, probability = rank(logits)
            if not done:
                sizes = {"class": logits.shape[1], "rank": label.shape[1]}
                _create(file, image, sizes | {"repeat": latency.shape[1]})
                file["true_label"][...] = true_label
            where = slice(done, done + len(logits))
            file["logits"][where], file["latency"][where] = logits, latency
            file["label"][where], file["probability"][where] = label, probability
            done += len(logits)
        if done != len(image):
            raise StudyError(f"{path}: predictions of {done} images; expected {len(image)}")
        netcdf_digest.seal(file)


def _describe(file: h5netcdf.File, names: dict[str, str], attributes: dict) -> None:
    """Write a cell's names, as scalars, and attributes."""
    for name, value in names.items():
        file.create_variable(name, (), h5py.string_dtype())[...] = value
    file.attrs["coordinates"] = " ".join(names)
    for name, value in attributes.items():
        file.attrs[name] = value


def _create(file: h5netcdf.File, image: Iterable[str], sizes: dict[str, int]) -> None:
    """Declare dimensions and variables, and write the images' names."""
    names = np.array(image, object)
    file.dimensions = {key: sizes[key] for key in ("class", "rank", "repeat")} | {
        "image": len(names)
    }
    file.create_variable("image", ("image",), h5py.string_dtype())[:] = names
    for name, (dimensions, dtype) in VARIABLES.items():
        file.create_variable(name, dimensions, dtype)
    file["latency"].attrs["units"] = "s"


def read(path: Path) -> "xr.Dataset":
    """Read and check a prediction file, into memory.

    Raises:
        StudyError: the file is truncated, of another kind, doesn't fit the schema, or its content
            isn't what its digest is of.
    """
    import xarray as xr

    try:
        dataset = xr.load_dataset(path, engine="h5netcdf")
    except netcdf_digest.UNREADABLE as error:
        raise StudyError(f"{path}: not a readable prediction file: {error}") from error
    check(dataset, str(path))
    netcdf_digest.check(path, "prediction file")
    return dataset
