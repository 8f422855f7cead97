"""Keras's own quantization to int8, by `model.quantize`."""

import os
from pathlib import Path

from deltann.formats import keras_file

SOURCE = "keras"
TARGET = "keras"
ENVIRONMENT = "tensorflow"
ACTIVATIONS = ("dynamic", "float")


def check(activations: str = "dynamic") -> None:
    """See `converters.Converter`."""
    if activations not in ACTIVATIONS:
        raise ValueError(f"activations: {activations!r}; expected {' or '.join(ACTIVATIONS)}")


def convert(model_file: Path, output: Path, activations: str = "dynamic") -> None:
    """Quantize a `.keras` file's weights to int8.

    Keras quantizes the layers Dense, EinsumDense and Embedding, and leaves convolutions in float32.

    Args:
        model_file: the `.keras` file, loaded in safe mode.
        output: the `.keras` file to write.
        activations: `dynamic` rounds those that quantized weights multiply, as the model runs;
            `float` leaves them.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras

    model = keras.saving.load_model(model_file, compile=False, safe_mode=True)
    rounding = "default" if activations == "dynamic" else None
    model.quantize(config=keras.quantizers.Int8QuantizationConfig(activation_quantizer=rounding))
    keras_file.save(model, output)
