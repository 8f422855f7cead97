"""What a prediction file contains: its variables and attributes, and the check of them."""

from typing import TYPE_CHECKING

import numpy as np

from deltann.cell import NAMES
from deltann.dataset import compilation, kernel_times, lowering
from deltann.errors import StudyError

if TYPE_CHECKING:  # importing xarray takes half a second
    import xarray as xr

SCHEMA_VERSION = 8
# What a model's outputs are, the attribute `output`. The variable `logits` has them as they are.
LOGITS, PROBABILITIES = "logits", "probabilities"
OUTPUT_TEXTS = ("output", "output_warning")
NO_OUTPUT = dict.fromkeys(OUTPUT_TEXTS, "")
# For the attribute `comment` of `logits`, in prediction files and in the study dataset.
LOGITS_COMMENT = (
    "the model's outputs, without the background; probabilities where `output` says so, for a model"
    " that ends in softmax"
)
VARIABLES = {
    "logits": (("image", "class"), np.float32),
    "label": (("image", "rank"), np.int32),
    "probability": (("image", "rank"), np.float32),
    "latency": (("image", "repeat"), np.float64),
    "true_label": (("image",), np.int64),
    # Images with the same number were timed together: all passes over them, then the next part.
    "part": (("image",), np.int32),
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
    "pass_spread",
    "provenance",
    "emulated",
    *OUTPUT_TEXTS,
    *compilation.TEXTS,
    *compilation.NUMBERS,
    *lowering.TEXTS,
    *lowering.NUMBERS,
    *kernel_times.TEXTS,
)


def check(dataset: "xr.Dataset", where: str) -> None:
    """Check that a dataset fits the schema.

    Args:
        dataset: the content of a prediction file.
        where: the file, for messages.

    Raises:
        StudyError: something is missing, of another type, or out of range.
    """

    def expect(holds: bool, fault: str) -> None:
        if not holds:
            raise StudyError(f"{where}: not a prediction file: {fault}")

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
    kinds = (LOGITS, PROBABILITIES)
    expect(dataset.output in kinds, f"output {dataset.output!r}; expected {' or '.join(kinds)}")
    expect("image" in dataset.coords, "coordinate 'image' is missing")
    for name, (dimensions, dtype) in VARIABLES.items():
        expect(name in dataset, f"variable {name!r} is missing")
        variable = dataset[name]
        expect(variable.dims == dimensions, f"{name!r} has {variable.dims}; expected {dimensions}")
        expect(variable.dtype == dtype, f"{name!r} is {variable.dtype}; expected {dtype}")
    emulated = bool(dataset.emulated)
    check_values(dataset["logits"].values, dataset["latency"].values, emulated, where)


def check_values(logits: np.ndarray, latency: np.ndarray, emulated: bool, where: str) -> None:
    """Check what was measured.

    Args:
        logits: (image, class).
        latency: (image, repeat), seconds.
        emulated: whether the device is emulated, where no time is taken.
        where: the file, for messages.

    Raises:
        StudyError: logits aren't finite; or latencies aren't positive, or not NaN if `emulated`.
    """
    if emulated:
        times = (np.isnan(latency).all(), "latencies of an emulated device")
    else:
        times = ((latency > 0).all(), "latencies that are not positive")
    for holds, what in ((np.isfinite(logits).all(), "logits that are not finite"), times):
        if not holds:
            raise StudyError(f"{where}: not a prediction file: {what}")
