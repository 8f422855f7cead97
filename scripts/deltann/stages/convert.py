"""Convert a model file by one converter. Runs in the child process of the job."""

from pathlib import Path

from deltann import converters, precision, spot_check
from deltann.formats import precisions
from deltann.images.calibration import Calibration
from deltann.images.preprocessing import Preprocessing


def work(
    edge: str,
    converter: str,
    settings: dict,
    preprocessing: dict | None,
    before: dict,
    calibration: str | None,
    model_file: str,
    output: str,
) -> dict:
    """Convert a model file.

    Args:
        edge: the edge's name in the config.
        converter: name of a module in `deltann.converters`.
        settings: the converter's settings.
        preprocessing: of the calibration images, the fields of `Preprocessing`; None without.
        before: the details of the record of `model_file`.
        calibration: the prepared calibration images, NetCDF; None if the converter takes none.
        model_file: the file to read.
        output: the file to write.

    Returns:
        `spot_check.details`; the written file's `precision`, the fields of `precision.Precision`;
        and the `calibration` of it or of a file before it, what `Calibration.describe` returns.
    """
    module, calibrated = converters.get(converter), before.get("calibration")
    if calibration and preprocessing:
        images = Calibration(Path(calibration), Preprocessing(**preprocessing))
        settings, calibrated = settings | {"calibration": images}, images.describe()
    module.convert(Path(model_file), Path(output), **settings)
    operators = precision.look(
        "what the converted model computes in",
        lambda: precisions.operators(module.TARGET, Path(output)),
    )
    found = precision.read(before).after(operators, f"edge {edge}")
    return spot_check.details() | precision.details(found, calibrated)
