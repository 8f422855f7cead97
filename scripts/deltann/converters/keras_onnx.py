"""Keras's own ONNX export: it traces the model and converts the trace by tf2onnx."""

import os
import tempfile
from pathlib import Path

from deltann.converters import accept
from deltann.converters.tf2onnx import start
from deltann.formats.onnx_names import name_constants
from deltann.formats.onnx_spot_check import unchanged

SOURCE = "keras"
TARGET = "onnx"
ENVIRONMENT = "tensorflow"
check = accept


def convert(model_file: Path, output: Path, opset: int = 18) -> None:
    """Convert a `.keras` file to ONNX.

    Args:
        model_file: the `.keras` file, loaded in safe mode.
        output: the `.onnx` file to write.
        opset: version of the ONNX operators.
    """
    start()
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import onnx

    model = keras.saving.load_model(model_file, compile=False, safe_mode=True)
    kind, shape = model.inputs[0].dtype, (1, *model.input_shape[1:])
    declared = keras.InputSpec(dtype=kind, shape=shape, name="inputs")
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        exported = Path(folder, "model.onnx")
        model.export(
            exported,
            format="onnx",
            verbose=False,
            input_signature=[declared],
            opset_version=opset,
        )
        converted = onnx.load(exported)
    with unchanged(converted):
        name_constants(converted.graph)
    onnx.save(converted, output)
