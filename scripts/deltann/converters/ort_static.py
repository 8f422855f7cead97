"""ONNX Runtime's static quantizer: 8-bit weights, and activations by scales of calibration images.

The quantized file has float32 operators between QuantizeLinear and DequantizeLinear (QDQ). The
model's input and output keep their types.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deltann.formats.onnx_types import input_type
from deltann.formats.tensor_types import encode
from deltann.images.calibration import Calibration
from deltann.ours import ours

SOURCE = TARGET = ENVIRONMENT = "onnx"
# How a range is found from the values on the calibration images.
METHODS = {"minmax": "MinMax", "entropy": "Entropy", "percentile": "Percentile"}
ACTIVATIONS = {"uint8": "QUInt8", "int8": "QInt8", "uint16": "QUInt16", "int16": "QInt16"}


def check(method: str = "minmax", activations: str = "uint8", **settings: Any) -> None:
    """Check settings of `convert` before any work.

    Raises:
        ValueError: an unknown method or type of activations.
    """
    if method not in METHODS:
        raise ValueError(f"method {method!r}; expected one of {', '.join(METHODS)}")
    if activations not in ACTIVATIONS:
        raise ValueError(f"activations {activations!r}; expected one of {', '.join(ACTIVATIONS)}")


def convert(
    model_file: Path,
    output: Path,
    calibration: Calibration,
    method: str = "minmax",
    activations: str = "uint8",
    per_channel: bool = True,
) -> None:
    """Quantize an `.onnx` file, after ONNX Runtime's own preparation of it.

    Args:
        model_file: the `.onnx` file.
        output: the `.onnx` file to write.
        calibration: the images on which ranges are found. `entropy` and `percentile` keep all
            activations for all images in memory: about 60 MB an image for EfficientNet-Lite0.
        method: how a range is found: `minmax`, `entropy` or `percentile` (99.999 %). ONNX Runtime
            1.32 counts into as few bins for `entropy` as it quantizes to: it cuts nothing off, and
            writes the same file as for `minmax`.
        activations: the type that activations are rounded to: `uint8`, which ONNX Runtime
            recommends on x86 CPUs; `int8`; `uint16` or `int16`.
        per_channel: whether weights have a scale for each channel; otherwise one for all.

    Raises:
        ValueError: see `check`; or the images don't fit the model's input.
    """
    check(method, activations)
    from onnxruntime import quantization

    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        prepared = Path(folder, "prepared.onnx")
        quantization.quant_pre_process(str(model_file), str(prepared))
        quantization.quantize_static(
            prepared,
            output,
            _Reader(_feeds(model_file, calibration)),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=per_channel,
            activation_type=quantization.QuantType[ACTIVATIONS[activations]],
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod[METHODS[method]],
        )


class _Reader:
    """Images as ONNX Runtime's calibration asks for them: one a call, then None."""

    def __init__(self, feeds: Iterator[dict]) -> None:
        self.feeds = feeds

    def get_next(self) -> dict | None:
        return next(self.feeds, None)


def _feeds(model_file: Path, calibration: Calibration) -> Iterator[dict]:
    """Each calibration image by the name of the model's input, in the type that it takes."""
    import onnx

    with ours("looking at the input of an ONNX file"):
        graph = onnx.load(model_file, load_external_data=False).graph
        (taken,) = graph.input
        shape = tuple(side.dim_value for side in taken.type.tensor_type.shape.dim)
        kind = input_type(graph)
    for image in calibration.inputs(shape):
        yield {taken.name: encode(image, kind)}
