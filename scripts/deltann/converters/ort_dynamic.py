"""ONNX Runtime's dynamic quantizer: 8-bit weights, and activations by scales found at run time."""

import tempfile
from pathlib import Path

from deltann.converters import accept

SOURCE = TARGET = ENVIRONMENT = "onnx"
check = accept


def convert(model_file: Path, output: Path, per_channel: bool = False) -> None:
    """Quantize an `.onnx` file, after ONNX Runtime's own preparation of it.

    Args:
        model_file: the `.onnx` file.
        output: the `.onnx` file to write.
        per_channel: whether weights have a scale for each channel; otherwise one for all.
    """
    from onnxruntime import quantization

    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        prepared = Path(folder, "prepared.onnx")
        quantization.quant_pre_process(str(model_file), str(prepared))
        quantization.quantize_dynamic(
            prepared,
            output,
            per_channel=per_channel,
            weight_type=quantization.QuantType.QInt8,
        )
