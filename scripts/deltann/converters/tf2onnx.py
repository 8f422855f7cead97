"""tf2onnx: a SavedModel's serving signature as ONNX."""

import os
import tempfile
from pathlib import Path
from typing import Any

from deltann import spot_check
from deltann.converters import accept
from deltann.formats import folder_tar
from deltann.formats.onnx_names import drop_unread_inputs, name_constants
from deltann.formats.onnx_spot_check import unchanged
from deltann.ours import ours

SOURCE = "tensorflow"
TARGET = "onnx"
ENVIRONMENT = "tensorflow"
check = accept


def convert(model_file: Path, output: Path, opset: int = 18, channels_first: bool = False) -> None:
    """Convert a tarred SavedModel to ONNX.

    Args:
        model_file: the tarred SavedModel.
        output: the `.onnx` file to write.
        opset: version of the ONNX operators.
        channels_first: give the ONNX model an NCHW input, which onnx2tf and onnx2keras expect;
            otherwise it has the SavedModel's layout, NHWC, and a transposition behind the input.
    """
    start()
    import onnx
    import tensorflow
    import tf2onnx

    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        model = tensorflow.saved_model.load(str(folder_tar.untar_folder(model_file, Path(folder))))
        function = model.signatures["serving_default"]
        ((name, declared),) = function.structured_input_signature[1].items()
        signature = tensorflow.TensorSpec((1, *declared.shape[1:]), declared.dtype, name)

        @tensorflow.function(input_signature=[signature])
        def serve(batch: Any) -> Any:
            (answer,) = function(**{name: batch}).values()
            return answer

        what = "giving a SavedModel's signature a batch of 1"
        with ours(what):
            serve.get_concrete_function()
        _compare(what, function, serve, signature)
        converted, _ = tf2onnx.convert.from_function(
            serve,
            input_signature=[signature],
            opset=opset,
            inputs_as_nchw=[f"{name}:0"] if channels_first else None,
        )
    # captured weights are constants now, but still listed as inputs that nothing reads
    with unchanged(converted):
        drop_unread_inputs(converted.graph)
    with unchanged(converted):
        name_constants(converted.graph)
    onnx.save(converted, output)


def _compare(what: str, function: Any, serve: Any, signature: Any) -> None:
    """Check that a signature answers one image as it did before `serve` was put around it."""

    def before(image: Any) -> Any:
        (answer,) = function(**{signature.name: image}).values()
        return answer.numpy()

    image = spot_check.image(tuple(signature.shape), signature.dtype.name)
    spot_check.compare_models(what, before, lambda image: serve(image).numpy(), image)


def start() -> None:
    """Set the environment variables of TensorFlow and tf2onnx; call it before importing them.

    tf2onnx copies the graph with its weights before each of its optimizers, so that it can skip
    one that raises: 12 GB for ResNet101. If TF2ONNX_CATCH_ERRORS is set, to any value, it copies
    nothing, and such an error ends the conversion.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["TF2ONNX_CATCH_ERRORS"] = "FALSE"
