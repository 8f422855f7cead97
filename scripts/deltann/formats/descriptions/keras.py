"""What a Keras file says of itself."""

from pathlib import Path
from typing import Any

from deltann.formats import keras_given
from deltann.formats.descriptions import OPEN, Description, only_input

# Layers by which a model normalises pixels itself.
NORMALISING = ("Rescaling", "Normalization")


def describe(path: Path) -> Description:
    """See `descriptions.Describer`."""
    model = keras_given.load(path)
    import keras

    name = only_input([item.name for item in model.inputs])
    kinds = {str(keras.backend.standardize_dtype(item.dtype)) for item in model.weights}
    first = next((item for item in _layers(model) if type(item).__name__ in NORMALISING), None)
    return Description(
        input_name=name,
        shape=_sides(model.inputs[0]),
        dtype=str(model.inputs[0].dtype),
        outputs={key: _sides(item) for key, item in keras_given.outputs(model).items()},
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
