"""Keras layers and operations from the words of `deltann.steps`."""

from collections.abc import Callable
from typing import Any

from deltann.edits import Impossible
from deltann.formats import keras_build_windows as windows
from deltann.formats.words import Words, spread
from deltann.steps import ACTIVATIONS, BINARY, REDUCTIONS

# Activations without attributes, by Keras's names of them.
NAMED = {
    **{"sigmoid": "sigmoid", "tanh": "tanh", "softplus": "softplus", "swish": "silu"},
    **{"hard_swish": "hard_silu", "exp": "exponential"},
}
UNARY = ("erf", "sqrt", "abs", "negative", "reciprocal")


def build(words: Words, inputs: list[Any], data_format: str, axis: int = -1) -> Any:
    """Make layers or operations.

    Args:
        words: what they are to be.
        inputs: symbolic tensors.
        data_format: of what has one.
        axis: the channels' for a batch norm.

    Returns:
        The tensor that they give, or a list of several.

    Raises:
        Impossible: Keras has nothing for it.
    """
    made = _of_kind(words, inputs, data_format, axis)
    activation = words.take("activation", {})
    if activation:
        attributes = {name: value for name, value in activation.items() if name != "kind"}
        made = build(Words(activation["kind"], attributes, {}), [made], data_format)
    words.finish()
    return made


def _of_kind(words: Words, inputs: list[Any], data_format: str, axis: int) -> Any:
    from keras import layers, ops

    kind = words.kind
    if kind in BINARY:
        return _binary(words, inputs)
    if kind in REDUCTIONS:
        return _reduction(words, inputs[0], data_format)
    if kind in NAMED:
        return layers.Activation(NAMED[kind])(inputs[0])
    if kind in UNARY:
        return getattr(ops, kind)(inputs[0])
    if kind in ACTIVATIONS:
        return _activation(words, inputs[0], data_format)
    if kind == "batch_norm":
        return _batch_norm(words, inputs[0], axis)
    if kind in windows.KINDS:
        return windows.KINDS[kind](words, inputs[0], data_format)
    if kind == "concat":
        return layers.Concatenate(axis=words.axis(words.take("axis", -1)))(inputs)
    if kind == "matmul":
        return _matmul(words, inputs)
    if kind not in KINDS:
        raise Impossible(f"a new operator of the kind {kind}")
    return KINDS[kind](words, inputs[0])


def _binary(words: Words, inputs: list[Any]) -> Any:
    import numpy as np
    from keras import layers, ops

    if "operand" in words.parameters:
        value = spread(np.asarray(words.parameter("operand"), "float32"), inputs[0].shape)
        constant = value if value.ndim else float(value)
        sides = [inputs[0], constant]
        operator = getattr(ops, words.kind)
        return operator(*(sides[::-1] if words.take("constant_first", False) else sides))
    if len(inputs) < 2:
        raise Impossible(f"{words.kind} of one tensor, without an operand")
    if words.kind in ("divide", "power"):
        return getattr(ops, words.kind)(*inputs)
    return getattr(layers, words.kind.capitalize())()(inputs)


def _reduction(words: Words, tensor: Any, data_format: str) -> Any:
    from keras import layers, ops

    given, keepdims = words.take("axes", []), words.take("keepdims", False)
    if data_format == "channels_first":
        words.layout = "NCHW"
    axes = sorted(words.axis(value) for value in given)
    sides = [1, 2] if data_format == "channels_last" else [2, 3]
    pools = {"mean": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}
    if words.kind in pools and axes == sides and len(tensor.shape) == 4:
        return pools[words.kind](data_format=data_format, keepdims=keepdims)(tensor)
    return getattr(ops, words.kind)(tensor, axis=axes, keepdims=keepdims)


def _activation(words: Words, tensor: Any, data_format: str) -> Any:
    """An activation with attributes."""
    from keras import layers, ops

    kind = words.kind
    if kind == "clip":
        return _clip(words, tensor)
    if kind == "leaky_relu":
        return layers.LeakyReLU(negative_slope=words.take("slope", 0.01))(tensor)
    if kind == "elu":
        return layers.ELU(alpha=words.take("alpha", 1.0))(tensor)
    if kind == "gelu":
        return ops.gelu(tensor, approximate=words.take("approximate", "none") == "tanh")
    if kind == "hard_sigmoid":
        alpha, beta = words.take("alpha", 0.2), words.take("beta", 0.5)
        if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
            return layers.Activation("hard_sigmoid")(tensor)
        return ops.clip(ops.add(ops.multiply(tensor, alpha), beta), 0.0, 1.0)
    if kind == "prelu":
        slope = words.parameter("slope")
        shared = [1, 2] if data_format == "channels_last" else [2, 3]
        layer = layers.PReLU(shared_axes=shared if len(tensor.shape) == 4 else None)
        made = layer(tensor)
        layer.set_weights([slope.reshape(layer.alpha.shape)])
        return made
    if kind == "softmax":
        return layers.Softmax(axis=words.axis(words.take("axis", -1)))(tensor)
    return ops.log_softmax(tensor, axis=words.axis(words.take("axis", -1)))


def _clip(words: Words, tensor: Any) -> Any:
    from keras import layers, ops

    low, high = words.take("min", None), words.take("max", None)
    if low == 0:
        return layers.ReLU(max_value=high)(tensor)
    if low is None and high is None:
        return layers.Identity()(tensor)
    if low is None:
        return ops.minimum(tensor, float(high))
    return ops.maximum(tensor, float(low)) if high is None else ops.clip(tensor, low, high)


def _batch_norm(words: Words, tensor: Any, axis: int) -> Any:
    from keras import layers

    if words.take("training", False):
        raise Impossible("a batch norm in training mode: prediction never is")
    layer = layers.BatchNormalization(axis=axis, epsilon=words.take("epsilon", 1e-5))
    made = layer(tensor)
    names = ("scale", "shift", "mean", "variance")
    layer.set_weights([words.parameter(name) for name in names])
    return made


def _matmul(words: Words, inputs: list[Any]) -> Any:
    from keras import ops

    turned = [words.take("transpose_a", False), words.take("transpose_b", False)]
    sides = [
        ops.swapaxes(item, -1, -2) if turn else item
        for item, turn in zip(inputs, turned, strict=True)
    ]
    return ops.matmul(*sides)


def _dense(words: Words, tensor: Any) -> Any:
    from keras import layers

    weight = words.parameter("weight")
    layer = layers.Dense(weight.shape[0], use_bias="bias" in words.parameters)
    return windows.weighted(words, layer, weight.T, tensor)


def _transpose(words: Words, tensor: Any) -> Any:
    from keras import layers, ops

    order = list(words.take("permutation", None))
    return layers.Permute(order[1:])(tensor) if order[0] == 0 else ops.transpose(tensor, order)


def _reshape(words: Words, tensor: Any) -> Any:
    from keras import layers

    return layers.Reshape(words.take("shape", None)[1:])(tensor)


def _slice(words: Words, tensor: Any) -> Any:
    pieces = [slice(None)] * len(tensor.shape)
    values = [words.take(name, []) for name in ("axes", "starts", "ends", "steps")]
    for axis, start, end, step in zip(*values, strict=True):
        pieces[words.axis(axis)] = slice(start, end, step)
    return tensor[tuple(pieces)]


def _split(words: Words, tensor: Any) -> Any:
    from itertools import accumulate

    from keras import ops

    sizes = words.take("sizes", [])
    return ops.split(tensor, list(accumulate(sizes))[:-1], words.axis(words.take("axis", 0)))


def _cast(words: Words, tensor: Any) -> Any:
    from keras import ops

    return ops.cast(tensor, words.take("dtype", "float32"))


def _identity(words: Words, tensor: Any) -> Any:
    from keras import layers

    return layers.Identity()(tensor)


KINDS: dict[str, Callable[[Words, Any], Any]] = {
    "dense": _dense,
    "transpose": _transpose,
    "reshape": _reshape,
    "slice": _slice,
    "split": _split,
    "cast": _cast,
    "identity": _identity,
}
