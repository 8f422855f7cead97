"""What a Keras file says of itself."""

import os
from pathlib import Path
from typing import Any

from deltann.formats.descriptions import OPEN, Description, only_input

# Layers by which a model normalises pixels itself.
NORMALISING = ("Rescaling", "Normalization")


def describe(path: Path) -> Description:
    """See `descriptions.Describer`."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras

    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    name = only_input([item.name for item in model.inputs])
    kinds = {str(keras.backend.standardize_dtype(item.dtype)) for item in model.weights}
    first = next((item for item in _layers(model) if type(item).__name__ in NORMALISING), None)
    return Description(
        input_name=name,
        shape=_sides(model.inputs[0]),
        dtype=str(model.inputs[0].dtype),
        outputs={
            key: _sides(item) for key, item in zip(model.output_names, model.outputs, strict=True)
        },
        precision=" and ".join(sorted(kinds)),
        written_by=f"Keras, the model {model.name}",
        normalises=f"{type(first).__name__} {first.name}" if first else "",
    )


def _layers(model: Any) -> list[Any]:
    """The first layers that aren't inputs."""
    import keras

    return [item for item in model.layers if not isinstance(item, keras.layers.InputLayer)][:2]


def _sides(tensor: Any) -> tuple[int, ...]:
    return tuple(side or OPEN for side in tensor.shape)
