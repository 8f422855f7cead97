"""TensorFlow's own converter to TFLite, in float32."""

import os
import tempfile
from pathlib import Path

from deltann.formats import folder_tar

SOURCE = "tensorflow"
TARGET = "tflite"
ENVIRONMENT = "tensorflow"


def convert(source: Path, target: Path) -> None:
    """Convert a packed SavedModel to a `.tflite` file."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow

    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        unpacked = folder_tar.unpack(source, Path(folder))
        converter = tensorflow.lite.TFLiteConverter.from_saved_model(str(unpacked))
        target.write_bytes(converter.convert())
