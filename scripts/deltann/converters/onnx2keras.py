"""onnx2keras: an ONNX model rebuilt from Keras layers, channels last."""

import os
from pathlib import Path

from deltann import keras_file

SOURCE = "onnx"
TARGET = "keras"
ENVIRONMENT = "tensorflow"


def convert(source: Path, target: Path) -> None:
    """Convert an `.onnx` file to a `.keras` file that loads in safe mode.

    Raises:
        KeyError: onnx2keras has no converter for one of the operators.
        TypeError: an operator became a Lambda layer, which safe mode refuses, and none of
            Keras's own layers is known to replace it.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import onnx
    from onnx2keras import onnx_to_keras

    model = onnx.load(source)
    inputs = [item.name for item in model.graph.input]
    converted = onnx_to_keras(model, inputs, verbose=False, change_ordering=True)
    plain = _without_lambdas(converted, _spatial_means(model))
    keras_file.save(plain, target)


def _spatial_means(model) -> set[str]:
    """Names of the tensors that are means over height and width, both kept as 1."""
    from onnx import helper, numpy_helper

    constants = {item.name: item for item in model.graph.initializer}
    found = set()
    for node in model.graph.node:
        if node.op_type == "ReduceMean":
            settings = {item.name: helper.get_attribute_value(item) for item in node.attribute}
            axes = settings.get("axes")
            if len(node.input) > 1:  # since opset 18 the axes are an input
                axes = numpy_helper.to_array(constants[node.input[1]]).tolist()
            if settings.get("keepdims", 1) and sorted(axis % 4 for axis in axes or ()) == [2, 3]:
                found.add(node.output[0])
    return found


def _without_lambdas(model, means: set[str]):
    """A copy of a Keras model with the same weights, its Lambda layers replaced.

    onnx2keras wraps closures of its own in Lambda layers. Keras can save those, but can't load
    them again, in safe mode or without it.

    Args:
        model: the `keras.Model`.
        means: names of the layers that average over height and width.
    """
    import keras

    def copy(layer):
        if not isinstance(layer, keras.layers.Lambda):
            return layer.__class__.from_config(layer.get_config())
        if layer.name in means:
            return keras.layers.GlobalAveragePooling2D(keepdims=True, name=layer.name)
        if layer.name.endswith("_CHW"):  # what it puts before flattening, to keep ONNX's order
            return keras.layers.Permute((3, 1, 2), name=layer.name)
        raise TypeError(f"layer {layer.name!r} is a Lambda that no Keras layer here replaces")

    def call(layer, *inputs, mask=None, **settings):
        return layer(*inputs, **settings)  # a Lambda is called with a mask, others may take none

    plain = keras.models.clone_model(model, clone_function=copy, call_function=call)
    plain.set_weights(model.get_weights())
    return plain
