"""TensorFlow's converter to TFLite, with dynamic range quantization: 8 bit weights."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deltann.converters import accept
from deltann.formats import folder_tar

SOURCE = "tensorflow"
TARGET = "tflite"
ENVIRONMENT = "tensorflow"
check = accept


@contextmanager
def converter(model_file: Path) -> Iterator[tuple[Any, Any]]:
    """TensorFlow, and its TFLite converter of a tarred SavedModel, which is to quantize."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow

    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        unpacked = folder_tar.untar_folder(model_file, Path(folder))
        tool = tensorflow.lite.TFLiteConverter.from_saved_model(str(unpacked))
        tool.optimizations = [tensorflow.lite.Optimize.DEFAULT]
        yield tensorflow, tool


def convert(model_file: Path, output: Path) -> None:
    """Convert a tarred SavedModel to a `.tflite` file whose weights are int8.

    TensorFlow leaves weights of fewer than 1,024 numbers in float32.

    Args:
        model_file: the tarred SavedModel.
        output: the `.tflite` file to write; it finds the scales of activations as it runs.
    """
    with converter(model_file) as (_, tool):
        output.write_bytes(tool.convert())
