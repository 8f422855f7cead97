"""onnxconverter-common: an ONNX model's numbers and operators in float16."""

from pathlib import Path

from deltann.converters import accept

SOURCE = TARGET = ENVIRONMENT = "onnx"
check = accept


def convert(model_file: Path, output: Path, keep_io_types: bool = True) -> None:
    """Convert an `.onnx` file to float16.

    Args:
        model_file: the `.onnx` file.
        output: the `.onnx` file to write.
        keep_io_types: whether input and output stay float32, behind and before a Cast.

    Raises:
        ValueError: the model is in float16 already.
    """
    import onnx
    from onnxconverter_common import float16

    model = float16.convert_float_to_float16(onnx.load(model_file), keep_io_types=keep_io_types)
    onnx.save(model, output)
