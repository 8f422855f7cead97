"""OpenVINO's converter, from TFLite."""

from pathlib import Path

from deltann.converters import accept
from deltann.formats import openvino_ir

SOURCE = "tflite"
TARGET = "openvino"
ENVIRONMENT = "openvino"
check = accept


def convert(model_file: Path, output: Path, compress_to_fp16: bool = False) -> None:
    """Convert a `.tflite` file, quantized or not, to a tarred IR.

    Args:
        model_file: the `.tflite` file.
        output: the tarred IR to write.
        compress_to_fp16: round float32 weights to float16, as OpenVINO's `save_model` and `ovc` do
            by default.
    """
    openvino_ir.write(openvino_ir.start().convert_model(model_file), output, compress_to_fp16)
