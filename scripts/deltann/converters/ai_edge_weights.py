"""ai-edge-quantizer: a TFLite file with int8 weights, without calibration."""

from pathlib import Path

SOURCE = "tflite"
TARGET = "tflite"
ENVIRONMENT = "litert_torch"
RECIPES = ("dynamic_wi8_afp32", "weight_only_wi8_afp32")


def check(recipe: str = "dynamic_wi8_afp32") -> None:
    """See `converters.Converter`."""
    if recipe not in RECIPES:
        raise ValueError(f"recipe: {recipe!r}; expected {' or '.join(RECIPES)}")


def convert(model_file: Path, output: Path, recipe: str = "dynamic_wi8_afp32") -> None:
    """Quantize a `.tflite` file by a recipe of ai-edge-quantizer's.

    Args:
        model_file: the `.tflite` file, of float32.
        output: the `.tflite` file to write.
        recipe: `dynamic_wi8_afp32`, whose operators also round their activations as they run; or
            `weight_only_wi8_afp32`, which turns the weights into float32 as it runs.
    """
    from ai_edge_quantizer import quantizer
    from ai_edge_quantizer import recipe as recipes

    tool = quantizer.Quantizer(str(model_file), getattr(recipes, recipe)())
    output.write_bytes(tool.quantize().quantized_model)
