"""The file of a study's dataset: its dimensions, variables and attributes, by the CF conventions.

| variable | dimensions | type | missing |
| --- | --- | --- | --- |
| logits, probability | cell, image, class or rank | float32 | NaN |
| label | cell, image, rank | int32 | -1 |
| latency, seconds | cell, image, repeat | float64 | NaN, also where `emulated` |
| true_label | image; cell, image where models disagree | int64 | -1 |
| disturbed, emulated | cell | int8, 0 or 1 | 0 |
| those of `NUMBERS` | cell | float64 | NaN |
| those of `TEXTS` | cell | str | empty |

Coordinates are `COORDINATES` on `cell`, of which `cell` is the index, the names of the images, and
`class_name`. `deltann.dataset.meanings` says what each variable means.
"""

from collections.abc import Sequence

import h5netcdf
import h5py
import numpy as np

from deltann.cell import NAMES
from deltann.dataset import compilation, kernel_times, lowering, meanings
from deltann.dataset.meanings import DISTURBANCE
from deltann.dataset.prediction_schema import LOGITS_COMMENT, OUTPUT_TEXTS, VARIABLES
from deltann.provenance import netcdf_checksum

CONVENTIONS = "CF-1.11"
MISSING_LABEL = -1
# Attributes of prediction files that are variables along `cell`.
TEXTS: tuple[str, ...] = (
    "failed_stage",
    "error_type",
    "error_message",
    "inputs",
    "inputs_digest",
    "provenance",
)
TEXTS += (netcdf_checksum.ATTRIBUTE, *OUTPUT_TEXTS, *compilation.TEXTS, *lowering.TEXTS)
TEXTS += kernel_times.TEXTS
NUMBERS = (*DISTURBANCE, *compilation.NUMBERS, *lowering.NUMBERS)
COORDINATES = ("cell_name", *NAMES, "status", "precision")
# Variables along `cell` and `image`, with their last dimension.
SCALED = {"logits": "class", "probability": "rank", "latency": "repeat", "label": "rank"}
# Logits are read by image or by cell; chunks of about one megabyte are fast for both. They aren't
# compressed: deflate saves a fifth at most, as their low bits are noise, and takes 15 s for 1 GB.
CHUNK_IMAGES = 256
# The other variables are small, and read whole.
SMALL_CHUNK_IMAGES = 8192
COMPRESSION = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
FLAGS = {"disturbed": "undisturbed disturbed", "emulated": "real emulated"}
COMMENTS = {
    "logits": LOGITS_COMMENT,
    "label": f"{MISSING_LABEL}: the cell has no answer for the image",
    "true_label": f"{MISSING_LABEL}: unknown",
}


def create(
    study: h5netcdf.File,
    sizes: dict[str, int],
    labels: dict[str, int],
    labels_agree: bool,
    class_names: Sequence[str],
) -> None:
    """Declare dimensions and variables, and write what doesn't belong to a cell.

    Args:
        study: the new file.
        sizes: of the dimensions `cell`, `class`, `rank` and `repeat`.
        labels: the true label of each image, by name.
        labels_agree: whether all cells have these true labels.
        class_names: of the first classes, in order.
    """
    study.dimensions = {"image": len(labels)} | sizes
    text = h5py.string_dtype()
    for name in dict.fromkeys(("cell", *COORDINATES, *TEXTS)):
        study.create_variable(name, ("cell",), text)
    study.create_variable("image", ("image",), text)[:] = np.array(list(labels), object)
    study.create_variable("class_name", ("class",), text)
    _fill_text(study, "class_name", [*class_names, *[""] * sizes["class"]][: sizes["class"]])
    for name in NUMBERS:
        study.create_variable(name, ("cell",), np.float64, fillvalue=np.nan)
    for name in FLAGS:
        study.create_variable(name, ("cell",), np.int8)
    for name, last in SCALED.items():
        _create_scaled(study, name, last)
    shape = ("image",) if labels_agree else ("cell", "image")
    truth = study.create_variable("true_label", shape, np.int64)
    truth[...] = list(labels.values()) if labels_agree else MISSING_LABEL
    _describe(study)


def _create_scaled(study: h5netcdf.File, name: str, last: str) -> None:
    dtype = VARIABLES[name][1]
    images, width = study.dimensions["image"].size, study.dimensions[last].size
    # HDF5's chunks can't be empty: a study in which every cell failed has no images.
    small = name != "logits"
    most = SMALL_CHUNK_IMAGES if small else CHUNK_IMAGES
    chunks = (1, min(most, images), width) if images else None
    options = COMPRESSION if images and small else {}
    # A label has no _FillValue: with one, xarray would convert the labels to floats.
    fill = {} if dtype == np.int32 else {"fillvalue": np.nan}
    study.create_variable(name, ("cell", "image", last), dtype, chunks=chunks, **options, **fill)


def _describe(study: h5netcdf.File) -> None:
    """Add the attributes of all variables."""
    places = {name: study[name].dimensions for name in (*COORDINATES, "class_name")}
    for name, (meaning, unit) in meanings.VARIABLES.items():
        variable = study[name]
        variable.attrs["long_name"] = meaning
        if unit:
            variable.attrs["units"] = unit
        if name in COMMENTS:
            variable.attrs["comment"] = COMMENTS[name]
        if name in places or name in study.dimensions:
            continue
        own = [other for other, where in places.items() if {*where} <= {*variable.dimensions}]
        if own:
            variable.attrs["coordinates"] = " ".join(own)
    for name in ("label", "true_label"):
        study[name].attrs["valid_min"] = study[name].dtype.type(0)
    for name, words in FLAGS.items():
        study[name].attrs["flag_values"] = np.array([0, 1], np.int8)
        study[name].attrs["flag_meanings"] = words


def write_cells(study: h5netcdf.File, columns: dict[str, list]) -> None:
    """Write the variables that have one value per cell.

    Args:
        study: the file.
        columns: the values by variable, in the order of the cells.
    """
    for name, values in columns.items():
        if study[name].dtype == object:
            _fill_text(study, name, values)
        else:
            study[name][:] = np.array(values)


def _fill_text(study: h5netcdf.File, name: str, values: Sequence[str]) -> None:
    study[name][:] = np.array(values, object)
