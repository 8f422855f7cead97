"""TensorFlow's converter to TFLite, with weights stored as float16."""

from pathlib import Path

from deltann.converters import accept
from deltann.converters.tflite_dynamic import converter

SOURCE = "tensorflow"
TARGET = "tflite"
ENVIRONMENT = "tensorflow"
check = accept


def convert(model_file: Path, output: Path) -> None:
    """Convert a tarred SavedModel to a `.tflite` file whose weights are float16.

    Args:
        model_file: the tarred SavedModel.
        output: the `.tflite` file to write; it turns the weights into float32 as it runs.
    """
    with converter(model_file) as (tensorflow, tool):
        tool.target_spec.supported_types = [tensorflow.float16]
        output.write_bytes(tool.convert())
