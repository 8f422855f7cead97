"""TensorFlow's converter to TFLite, with weights and activations as whole numbers.

It raises for operators without a kernel for whole numbers, rather than leave them in float32.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann.converters.tflite_dynamic import converter

if TYPE_CHECKING:
    import numpy as np

    from deltann.images.calibration import Calibration

SOURCE = "tensorflow"
TARGET = "tflite"
ENVIRONMENT = "tensorflow"
ENDS, ACTIVATIONS = ("float", "integer"), ("int8", "int16")


def check(ends: str = "float", activations: str = "int8") -> None:
    """See `converters.Converter`."""
    for name, value, known in (("ends", ends, ENDS), ("activations", activations, ACTIVATIONS)):
        if value not in known:
            raise ValueError(f"{name}: {value!r}; expected {' or '.join(known)}")


def convert(
    model_file: Path,
    output: Path,
    calibration: "Calibration",
    ends: str = "float",
    activations: str = "int8",
) -> None:
    """Convert a tarred SavedModel to a `.tflite` file of whole numbers.

    Args:
        model_file: the tarred SavedModel.
        output: the `.tflite` file to write.
        calibration: the images on which the ranges of activations are found.
        ends: type of the input and output: `float` for float32, or `integer` for that of the
            activations.
        activations: `int8` or `int16`; the weights are int8.
    """
    with converter(model_file) as (tensorflow, tool):
        sets = tensorflow.lite.OpsSet
        tool.target_spec.supported_ops = [
            sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
            if activations == "int16"
            else sets.TFLITE_BUILTINS_INT8
        ]
        if ends == "integer":
            tool.inference_input_type = tool.inference_output_type = tensorflow.dtypes.as_dtype(
                activations
            )
        shape = _input_shape(tensorflow, tool.saved_model_dir)
        tool.representative_dataset = lambda: _samples(calibration, shape)
        output.write_bytes(tool.convert())


def _input_shape(tensorflow: Any, folder: str) -> tuple[int, ...]:
    """The shape of a SavedModel's one input."""
    signature = tensorflow.saved_model.load(folder).signatures["serving_default"]
    (declared,) = signature.structured_input_signature[1].values()
    return tuple(declared.shape)


def _samples(calibration: "Calibration", shape: tuple[int, ...]) -> "Iterator[list[np.ndarray]]":
    """The calibration images as TensorFlow takes them: a list of the inputs for each."""
    return ([batch] for batch in calibration.inputs(shape))
