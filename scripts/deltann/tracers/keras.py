"""Keras: the calls of a functional model's layers and operations, one by one.

A layer is one operator, together with its bias and activation. Sub-models are opened: their layers
have the sub-model's name in front.
"""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann.formats import keras_graph, keras_layers, keras_operations
from deltann.formats.keras_words import Seen
from deltann.runners import tensorflow as runner
from deltann.steps import Operator

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "tensorflow"
LAYOUT = "NHWC"
THREADS = 1


class Tracer:
    """See `steps.Tracer`."""

    def __init__(self, model_file: Path):
        self.model_file = model_file

    def __enter__(self) -> "Tracer":
        self.model = load(self.model_file)
        self.flat = keras_graph.flatten(self.model)
        self.input, self.output = self.flat.input, self.flat.output
        self.input_shape = (1, *self.model.inputs[0].shape[1:])
        return self

    def __exit__(self, *_: object) -> None:
        del self.model, self.flat

    def operators(self) -> list[Operator]:
        """See `steps.Tracer`."""
        return [operator(call) for call in self.flat.calls]

    def run(
        self,
        image: "np.ndarray",
        wanted: Collection[str],
        replaced: "Mapping[str, np.ndarray] | None" = None,
    ) -> "dict[str, np.ndarray]":
        """See `steps.Tracer`."""
        return keras_graph.run(self.flat, image, wanted, replaced or {})


def load(model_file: Path) -> Any:
    """The `keras.Model` in a file, on TensorFlow's own operators, loaded in safe mode."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    runner.start(THREADS, onednn=False, bfloat16=False)
    import keras

    return keras.saving.load_model(model_file, compile=False, safe_mode=True)


def operator(call: keras_graph.Call) -> Operator:
    """What a call is."""
    import keras

    # the axis that is left open is the batch's
    shapes = [(1, *item.shape[1:]) for item in call.node.arguments.keras_tensors]
    (writes, *_) = [(1, *item.shape[1:]) for item in call.node.outputs]
    arguments, settings = call.arguments(lambda name: None)
    seen = Seen(call.operation, tuple(shapes), writes, arguments, settings)
    layer = isinstance(call.operation, keras.Layer)
    kind, attributes, parameters = (keras_layers if layer else keras_operations).describe(seen)
    native = type(call.operation).__name__
    return Operator(call.name, native, kind, call.reads, call.writes, attributes, parameters)
