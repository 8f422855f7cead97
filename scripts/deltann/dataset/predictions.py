"""The prediction file: one NetCDF file per cell. All reading and writing of it is here."""

import json
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5netcdf
import h5py
import numpy as np

from deltann.cell import NAMES, Cell
from deltann.dataset import compilation, kernel_times, lowering
from deltann.dataset.prediction_schema import (
    LOGITS,
    LOGITS_COMMENT,
    NO_OUTPUT,
    PROBABILITIES,
    SCHEMA_VERSION,
    VARIABLES,
    check,
    check_values,
)
from deltann.errors import StudyError
from deltann.provenance import files, netcdf_checksum

if TYPE_CHECKING:  # importing xarray takes half a second
    import xarray as xr

RANKS = 5


def rank(
    logits: np.ndarray, output: str = LOGITS, ranks: int = RANKS
) -> tuple[np.ndarray, np.ndarray]:
    """The most probable classes and their probabilities.

    Args:
        logits: (image, class) float32, the model's outputs.
        output: what they are, logits or probabilities. The softmax of logits is computed here.
        ranks: the number of classes per image.

    Returns:
        `label` (image, rank) int32, sorted by falling output and then by rising class;
        `probability` (image, rank) float32, computed in float64.
    """
    label = np.argsort(-logits, axis=1, kind="stable")[:, :ranks].astype(np.int32)
    if output == PROBABILITIES:
        return label, np.take_along_axis(logits, label, axis=1)
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    probability = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    return label, np.take_along_axis(probability, label, axis=1).astype(np.float32)


def attributes(
    inputs: str,
    inputs_digest: str,
    probe_drift: float,
    contention: float,
    pass_spread: float,
    provenance: dict,
    compiled: dict[str, str | float] = compilation.NOTHING,
    lowered: dict[str, str | float] = lowering.NOTHING,
    timed: dict[str, str] = kernel_times.NOTHING,
    output: str = LOGITS,
    output_warning: str = "",
    emulated: bool = False,
) -> dict[str, str | float | int]:
    """The attributes of the prediction file of a cell that ran.

    Args:
        inputs: geometry and resizer of the prepared images, joined by `/`.
        inputs_digest: digest of the prepared images.
        probe_drift, contention, pass_spread: how the machine disturbed the timing; see the
            functions of these names in `deltann.stages.disturbance`.
        provenance: what the predictions come from; written as JSON.
        compiled: from `compilation.describe`.
        lowered: from `lowering.describe`.
        timed: from `kernel_times.describe`.
        output: what the model's outputs are, logits or probabilities.
        output_warning: how the native model's outputs contradict what the config declares.
        emulated: whether the device is emulated, where no time is taken.
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
        "pass_spread": pass_spread,
        "provenance": json.dumps(provenance, sort_keys=True),
        "emulated": int(emulated),
        "output": output,
        "output_warning": output_warning,
        **compiled,
        **lowered,
        **timed,
    }


def succeeded(
    cell: Cell,
    logits: np.ndarray,
    latency: np.ndarray,
    image: np.ndarray,
    true_label: np.ndarray,
    **described: Any,
) -> "xr.Dataset":
    """The prediction dataset of a cell that ran, all its images in one part.

    Args:
        cell: the cell.
        logits: (image, class) float32.
        latency: (image, repeat) float64, seconds.
        image: (image,) names.
        true_label: (image,) int64, -1 where unknown.
        described: the arguments of `attributes`.
    """
    import xarray as xr

    attrs = attributes(**described)
    label, probability = rank(logits, str(attrs["output"]))
    data = {
        "logits": logits,
        "label": label,
        "probability": probability,
        "latency": latency,
        "true_label": true_label,
        "part": np.zeros(len(image), np.int32),
    }
    variables = {name: (VARIABLES[name][0], value) for name, value in data.items()}
    dataset = xr.Dataset(variables, coords={"image": image.astype(object)} | _names(cell))
    dataset["latency"].attrs["units"] = "s"
    dataset["logits"].attrs["comment"] = LOGITS_COMMENT
    return dataset.assign_attrs(attrs)


def failed(
    cell: Cell,
    record: dict,
    inputs: str,
    inputs_digest: str,
    provenance: dict,
    compiled: dict[str, str | float] = compilation.NOTHING,
    emulated: bool = False,
) -> "xr.Dataset":
    """The prediction dataset of a cell that failed: the stage and the error, no predictions.

    Args:
        cell: the cell.
        record: describes the failure: `failed_stage` and `error`.
        inputs, inputs_digest, provenance, compiled, emulated: see `attributes`.
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
        pass_spread=float("nan"),
        provenance=json.dumps(
            provenance
            | {
                "traceback": record["error"]["traceback"],
                "failed_file": record["error"].get("file", ""),
            },
            sort_keys=True,
        ),
        emulated=int(emulated),
        **NO_OUTPUT,
        **compiled,
        **lowering.NOTHING,
        **kernel_times.NOTHING,
    )


def _names(cell: Cell) -> dict[str, str]:
    return dict(zip(NAMES, astuple(cell), strict=True))


def write(dataset: "xr.Dataset", path: Path) -> None:
    """Check a prediction dataset and write it atomically, with a checksum of its content.

    Raises:
        StudyError: the dataset doesn't fit the schema.
    """
    check(dataset, str(path))
    with files.atomic(path) as part, h5netcdf.File(part, "w") as file:
        _describe(file, {name: dataset[name].item() for name in NAMES}, dataset.attrs)
        if dataset.status == "ok":
            _create(
                file,
                dataset["image"].values,
                {str(name): size for name, size in dataset.sizes.items()},
            )
            for name in VARIABLES:
                file[name][...] = dataset[name].values
        netcdf_checksum.write(file)


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
        path: the file to write.
        cell: the cell.
        attributes: from the function of this name.
        image: the images' names.
        true_label: (image,) int64, -1 where unknown.
        parts: for each part of the images, in order: `logits` (image, class) float32 and
            `latency` (image, repeat) float64 in seconds.

    Raises:
        StudyError: images are missing, or see `check_values`.
    """
    done = 0
    with files.atomic(path) as part, h5netcdf.File(part, "w") as file:
        _describe(file, _names(cell), attributes)
        for number, (logits, latency) in enumerate(parts):
            check_values(logits, latency, bool(attributes["emulated"]), str(path))
            label, probability = rank(logits, str(attributes["output"]))
            if not done:
                sizes = {"class": logits.shape[1], "rank": label.shape[1]}
                _create(file, image, sizes | {"repeat": latency.shape[1]})
                file["true_label"][...] = true_label
            where = slice(done, done + len(logits))
            file["logits"][where], file["latency"][where] = logits, latency
            file["label"][where], file["probability"][where] = label, probability
            file["part"][where] = number
            done += len(logits)
        if done != len(image):
            raise StudyError(f"{path}: predictions of {done} images; expected {len(image)}")
        netcdf_checksum.write(file)


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
    file["logits"].attrs["comment"] = LOGITS_COMMENT


def read(path: Path) -> "xr.Dataset":
    """Read a prediction file into memory and check it.

    Raises:
        StudyError: the file is damaged, isn't a prediction file, or has a checksum mismatch.
    """
    import xarray as xr

    try:
        dataset = xr.load_dataset(path, engine="h5netcdf")
    except netcdf_checksum.UNREADABLE as error:
        raise StudyError(f"{path}: not a readable prediction file: {error}") from error
    check(dataset, str(path))
    netcdf_checksum.check(path, "prediction file")
    return dataset
