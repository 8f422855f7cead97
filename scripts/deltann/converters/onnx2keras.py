"""onnx2keras: an ONNX model rebuilt from Keras layers, channels last."""

import os
from pathlib import Path
from typing import Any

from deltann.converters import accept
from deltann.formats import keras_file
from deltann.formats.onnx_names import naming, number_tensors
from deltann.formats.onnx_spot_check import unchanged
from deltann.ours import ours

SOURCE = "onnx"
TARGET = "keras"
ENVIRONMENT = "tensorflow"
check = accept


def convert(model_file: Path, output: Path) -> None:
    """Convert an `.onnx` file to a `.keras` file that loads in safe mode.

    Args:
        model_file: the `.onnx` file, with an NCHW input.
        output: the `.keras` file to write.

    Raises:
        NotImplementedError: onnx2keras doesn't know one of the operators; by itself it raises a
            KeyError with nothing but the operator.
        ValueError: an operator became a Lambda layer, which safe mode refuses, and no Keras layer
            is known to replace it.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import onnx
    from onnx2keras import onnx_to_keras
    from onnx2keras.layers import AVAILABLE_CONVERTERS

    model = onnx.load(model_file)
    if unknown := sorted({node.op_type for node in model.graph.node} - AVAILABLE_CONVERTERS.keys()):
        raise NotImplementedError(f"onnx2keras has no converter for {', '.join(unknown)}")
    with unchanged(model):
        names = number_tensors(model.graph)
    with naming(names):
        inputs = [item.name for item in model.graph.input]
        converted = onnx_to_keras(model, inputs, verbose=False, change_ordering=True)
        keras_file.save(_without_lambdas(converted), output)


def _without_lambdas(model: Any) -> Any:
    """A copy of a Keras model with the same weights, its Lambda layers replaced.

    onnx2keras wraps closures in Lambda layers. Keras can save those, but can't load them again,
    not even outside of safe mode.

    Args:
        model: the `keras.Model`.

    Raises:
        ValueError: a Lambda layer without a known replacement.
    """
    import keras

    lambdas = (layer for layer in model.layers if isinstance(layer, keras.layers.Lambda))
    replacements = {layer.name: _replacement(layer) for layer in lambdas}

    def copy(layer: Any) -> Any:
        if layer.name in replacements:
            return replacements[layer.name]
        return layer.__class__.from_config(layer.get_config())

    def call(layer: Any, *inputs: Any, mask: Any = None, **settings: Any) -> Any:
        return layer(*inputs, **settings)  # without the mask: only Lambda layers take one

    what = "replacing onnx2keras's Lambda layers"
    with ours(what):
        plain = keras.models.clone_model(model, clone_function=copy, call_function=call)
        plain.set_weights(model.get_weights())
    keras_file.compare(what, model, plain)
    return plain


def _replacement(layer: Any) -> Any:
    """The Keras layer in place of a closure of onnx2keras.

    Args:
        layer: a `keras.layers.Lambda`; the name of its function tells the operator.

    Raises:
        ValueError: no replacement is known.
    """
    from keras import layers

    maker = layer.function.__qualname__.split(".")[0]
    if maker == "convert_global_avg_pool":  # appends height and width of 1
        return layers.Reshape(layer.output.shape[1:], name=layer.name)
    if maker == "convert_flatten" or layer.name.endswith("_CHW"):  # before it flattens
        return layers.Permute((3, 1, 2), name=layer.name)
    if maker == "convert_reduce_mean" and len(layer.input.shape) == 4:
        axes, keep = layer.function.__defaults__
        if (mean := _spatial_mean(sorted(axes), bool(keep), layer.name)) is not None:
            return mean
    raise ValueError(
        f"onnx2keras makes {layer.name!r} ({maker.removeprefix('convert_')}) a Lambda layer, which"
        " holds Python code, so Keras doesn't load it again"
    )


def _spatial_mean(axes: list[int], keep: bool, name: str) -> Any:
    """The Keras layer for a mean over these axes of an image; None if Keras has none."""
    from keras import Sequential, layers

    mean = layers.GlobalAveragePooling2D(data_format="channels_last", keepdims=keep, name=name)
    if axes == [1, 2]:
        return mean
    if keep or len(axes) != 2 or 0 in axes:
        return None
    (channels,) = {1, 2, 3} - set(axes)
    return Sequential([layers.Permute((*axes, channels)), mean], name=f"{name}_permuted")
