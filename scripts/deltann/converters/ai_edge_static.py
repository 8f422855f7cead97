"""ai-edge-quantizer: a TFLite file with weights and activations as whole numbers."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deltann.images.calibration import Calibration

SOURCE = "tflite"
TARGET = "tflite"
ENVIRONMENT = "litert_torch"
RECIPES = ("static_wi8_ai8", "static_wi8_ai16")


def check(recipe: str = "static_wi8_ai8") -> None:
    """See `converters.Converter`."""
    if recipe not in RECIPES:
        raise ValueError(f"recipe: {recipe!r}; expected {' or '.join(RECIPES)}")


def convert(
    model_file: Path, output: Path, calibration: "Calibration", recipe: str = "static_wi8_ai8"
) -> None:
    """Quantize a `.tflite` file by a recipe of ai-edge-quantizer's; also its input and output.

    Args:
        model_file: the `.tflite` file, of float32.
        output: the `.tflite` file to write.
        calibration: the images on which the ranges of activations are found.
        recipe: `static_wi8_ai8` for activations of 8 bits, `static_wi8_ai16` for 16; weights of 8.
    """
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import quantizer
    from ai_edge_quantizer import recipe as recipes

    tool = quantizer.Quantizer(str(model_file), getattr(recipes, recipe)())
    ranges = tool.calibrate(_samples(Interpreter(str(model_file)), calibration))
    output.write_bytes(tool.quantize(ranges).quantized_model)


def _samples(interpreter: Any, calibration: "Calibration") -> dict[str | None, list[dict]]:
    """The calibration images as the quantizer takes them: the inputs of each, by signature.

    It can't calibrate a file without a signature, and says so.
    """
    (taken,) = interpreter.get_input_details()
    batches = list(calibration.inputs(tuple(int(side) for side in taken["shape"])))
    signatures = interpreter.get_signature_list() or {None: {"inputs": [taken["name"]]}}
    return {
        key: [{names["inputs"][0]: batch} for batch in batches] for key, names in signatures.items()
    }
