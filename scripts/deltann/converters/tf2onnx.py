"""tf2onnx: a SavedModel's serving signature as ONNX."""

import os
import tempfile
from pathlib import Path

from deltann import savedmodel

SOURCE = "tensorflow"
TARGET = "onnx"
ENVIRONMENT = "tensorflow"


def convert(source: Path, target: Path, opset: int = 18) -> None:
    """Convert a packed SavedModel to ONNX.

    Args:
        source: the packed SavedModel.
        target: the `.onnx` file to write.
        opset: of the ONNX operators.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow
    import tf2onnx

    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        model = tensorflow.saved_model.load(str(savedmodel.unpack(source, Path(folder))))
        function = model.signatures["serving_default"]
        ((name, declared),) = function.structured_input_signature[1].items()
        signature = tensorflow.TensorSpec((1, *declared.shape[1:]), declared.dtype, name)

        @tensorflow.function(input_signature=[signature])
        def serve(batch):
            (answer,) = function(**{name: batch}).values()
            return answer

        tf2onnx.convert.from_function(
            serve, input_signature=[signature], opset=opset, output_path=str(target)
        )
