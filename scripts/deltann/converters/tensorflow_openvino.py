"""OpenVINO's converter, from a SavedModel. It needs no TensorFlow."""

import tempfile
from pathlib import Path

from deltann.converters import accept
from deltann.formats import folder_tar, openvino_ir

SOURCE = "tensorflow"
TARGET = "openvino"
ENVIRONMENT = "openvino"
check = accept


def convert(model_file: Path, output: Path, compress_to_fp16: bool = False) -> None:
    """Convert a tarred SavedModel to a tarred IR.

    Args:
        model_file: the tarred SavedModel.
        output: the tarred IR to write.
        compress_to_fp16: round float32 weights to float16, as OpenVINO's `save_model` and `ovc` do
            by default.
    """
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        unpacked = folder_tar.untar_folder(model_file, Path(folder))
        openvino_ir.write(openvino_ir.start().convert_model(unpacked), output, compress_to_fp16)
