"""What a cell computes in, and why, as attributes of prediction files and the study dataset."""

import math
from pathlib import Path

from deltann import precision
from deltann.precision import Precision

TEXTS = ("precision", "precision_operators", "precision_cause")
NUMBERS = ("model_bytes", "calibration_images", "calibration_tested")
# Of each attribute, the meaning and the unit: see `deltann.dataset.meanings`.
MEANINGS = {
    "precision": ("what the cell's convolutions and matrix products compute in, or mixed", ""),
    "precision_operators": ("how many of them compute in each precision", ""),
    "precision_cause": (
        "what made the precision so: the model's file, an edge, TVM, the runtime",
        "",
    ),
    "model_bytes": ("size of the file that the cell's runtime loads", "byte"),
    "calibration_images": ("images that the model was calibrated on", "1"),
    "calibration_tested": ("of these, the ones that the study tests too", "1"),
}
# The attributes of a cell that failed.
NOTHING = dict.fromkeys(TEXTS, "") | dict.fromkeys(NUMBERS, math.nan)


def describe(
    record: dict, model_file: Path, chosen: dict[str, int] | None, runtime: str
) -> dict[str, str | float]:
    """The attributes `TEXTS` and `NUMBERS` of the prediction file of a cell that ran.

    Args:
        record: the record of the file that the cell runs, from any stage.
        model_file: that file.
        chosen: what the runtime computes in, where it decides on that: `Runner.operators`.
        runtime: the cause if it does so, in words.
    """
    details = record["details"]
    found = precision.read(details)
    if chosen is not None:
        found = found.after(chosen, runtime)
    calibration = details.get("calibration", {})
    return _texts(found) | {
        "model_bytes": float(model_file.stat().st_size),
        "calibration_images": float(calibration.get("images", math.nan)),
        "calibration_tested": float(calibration.get("tested", math.nan)),
    }


def _texts(found: Precision) -> dict[str, str]:
    return dict(zip(TEXTS, (found.name, found.text, found.cause), strict=True))
