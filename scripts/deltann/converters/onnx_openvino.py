"""OpenVINO's converter, from ONNX."""

from pathlib import Path

from deltann.converters import accept
from deltann.formats import openvino_ir

SOURCE = "onnx"
TARGET = "openvino"
ENVIRONMENT = "openvino"
check = accept


def convert(model_file: Path, output: Path, compress_to_fp16: bool = False) -> None:
    """Convert an `.onnx` file to a tarred IR.

    Args:
        model_file: the `.onnx` file.
        output: the tarred IR to write.
        compress_to_fp16: round float32 weights to float16, as OpenVINO's `save_model` and `ovc` do
            by default.
    """
    openvino_ir.write(openvino_ir.start().convert_model(model_file), output, compress_to_fp16)
