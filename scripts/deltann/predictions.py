"""The prediction file: one NetCDF file per cell, written, checked and read here only."""

import json
from dataclasses import astuple
from pathlib import Path

import numpy as np
import xarray as xr

from deltann import compilation, files
from deltann.cell import NAMES, Cell
from deltann.errors import StudyError

SCHEMA_VERSION = 3
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


def succeeded(
    cell: Cell,
    logits: np.ndarray,
    latency: np.ndarray,
    image: np.ndarray,
    true_label: np.ndarray,
    inputs: str,
    inputs_digest: str,
    probe_drift: float,
    contention: float,
    provenance: dict,
    compiled: dict[str, str | float] = compilation.NOTHING,
) -> xr.Dataset:
    """A prediction dataset from what a runner measured.

    Args:
        cell: its names.
        logits: (image, class) float32.
        latency: (image, repeat) float64, seconds.
        image: (image,) names.
        true_label: (image,) int64, -1 where unknown.
        inputs: geometry and resizer of the prepared images, joined by `/`.
        inputs_digest: of the prepared images.
        probe_drift: time of the fixed probe after the timing over that before it.
        contention: see `probe.contention`.
        provenance: JSON-able.
        compiled: what `compilation.describe` says.
    """
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
    return dataset.assign_attrs(
        schema_version=SCHEMA_VERSION,
        status="ok",
        failed_stage="",
        error_type="",
        error_message="",
        inputs=inputs,
        inputs_digest=inputs_digest,
        probe_drift=probe_drift,
        contention=contention,
        provenance=json.dumps(provenance, sort_keys=True),
        **compiled,
    )


def failed(
    cell: Cell,
    record: dict,
    inputs: str,
    inputs_digest: str,
    provenance: dict,
    compiled: dict[str, str | float] = compilation.NOTHING,
) -> xr.Dataset:
    """A dataset without predictions, that says in which stage and how the cell failed.

    Args:
        cell: its names.
        record: of the failure: `failed_stage` and `error`.
        inputs, inputs_digest, provenance, compiled: as of a cell that succeeded.
    """
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


def check(dataset: xr.Dataset, where: str) -> None:
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
    expect(bool(np.isfinite(dataset["logits"]).all()), "logits that are not finite")
    expect(bool((dataset["latency"] > 0).all()), "latencies that are not positive")


def write(dataset: xr.Dataset, path: Path) -> None:
    """Check a prediction dataset and write it atomically.

    Raises:
        StudyError: it doesn't fit the schema.
    """
    check(dataset, str(path))
    with files.atomic(path) as part:
        dataset.to_netcdf(part, engine="h5netcdf")


def read(path: Path) -> xr.Dataset:
    """Read and check a prediction file, into memory.

    Raises:
        StudyError: the file is truncated, of another kind, or doesn't fit the schema.
    """
    try:
        dataset = xr.load_dataset(path, engine="h5netcdf")
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise StudyError(f"{path}: not a readable prediction file: {error}") from error
    check(dataset, str(path))
    return dataset
