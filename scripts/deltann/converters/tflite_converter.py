"""TensorFlow's own converter to TFLite, in float32."""

import os
import tempfile
from pathlib import Path

from deltann.converters import accept
from deltann.formats import folder_tar

SOURCE = "tensorflow"
TARGET = "tflite"
ENVIRONMENT = "tensorflow"
check = accept


def convert(model_file: Path, output: Path) -> None:
    """Convert a tarred SavedModel to a `.tflite` file."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow

    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        unpacked = folder_tar.untar_folder(model_file, Path(folder))
        converter = tensorflow.lite.TFLiteConverter.from_saved_model(str(unpacked))
        output.write_bytes(converter.convert())
