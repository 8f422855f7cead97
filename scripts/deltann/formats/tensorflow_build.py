"""TensorFlow operators from the words of `deltann.steps`."""

from collections.abc import Callable
from typing import Any

from deltann.edits import Impossible
from deltann.formats import tensorflow_build_windows as windows
from deltann.formats.words import Words, spread
from deltann.steps import ACTIVATIONS, BINARY, REDUCTIONS


def build(words: Words, inputs: list[Any]) -> Any:
    """Make operators in the current graph.

    Args:
        words: what they are to be.
        inputs: symbolic tensors.

    Returns:
        The tensor that they give, or a list of several.

    Raises:
        Impossible: TensorFlow has no operators for it.
    """
    made = _of_kind(words, inputs)
    activation = words.take("activation", {})
    if activation:
        attributes = {name: value for name, value in activation.items() if name != "kind"}
        made = build(Words(activation["kind"], attributes, {}), [made])
    words.finish()
    return made


def _of_kind(words: Words, inputs: list[Any]) -> Any:
    if words.kind in BINARY:
        return _binary(words, inputs)
    if words.kind in REDUCTIONS:
        return _reduction(words, inputs[0])
    if words.kind in UNARY:
        return UNARY[words.kind](inputs[0])
    if words.kind in ("concat", "matmul", "split"):
        return _several(words, inputs)
    if words.kind == "prelu" or words.kind in ACTIVATIONS:
        return _activation(words, inputs[0])
    kinds = windows.KINDS | KINDS
    if words.kind not in kinds:
        raise Impossible(f"a new operator of the kind {words.kind}")
    return kinds[words.kind](words, inputs[0])


def _tf() -> Any:
    import tensorflow

    return tensorflow


UNARY: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda x: _tf().math.sigmoid(x),
    "tanh": lambda x: _tf().math.tanh(x),
    "softplus": lambda x: _tf().math.softplus(x),
    "swish": lambda x: x * _tf().math.sigmoid(x),
    "hard_swish": lambda x: x * _tf().nn.relu6(x + 3.0) * (1 / 6),
    "erf": lambda x: _tf().math.erf(x),
    "exp": lambda x: _tf().math.exp(x),
    "sqrt": lambda x: _tf().math.sqrt(x),
    "abs": lambda x: _tf().math.abs(x),
    "negative": lambda x: _tf().math.negative(x),
    "reciprocal": lambda x: _tf().math.reciprocal(x),
    "identity": lambda x: _tf().identity(x),
}


def _binary(words: Words, inputs: list[Any]) -> Any:
    import tensorflow

    operators = {"add": "add", "power": "pow"}
    operator = getattr(tensorflow.math, operators.get(words.kind, words.kind))
    if "operand" not in words.parameters:
        if len(inputs) < 2:
            raise Impossible(f"{words.kind} of one tensor, without an operand")
        made = inputs[0]
        for item in inputs[1:]:
            made = operator(made, item)
        return made
    operand = spread(words.parameter("operand"), inputs[0].shape)
    constant = tensorflow.constant(operand, inputs[0].dtype)
    sides = [inputs[0], constant]
    return operator(*(sides[::-1] if words.take("constant_first", False) else sides))


def _reduction(words: Words, tensor: Any) -> Any:
    import tensorflow

    axes = [words.axis(value) for value in words.take("axes", [])]
    keepdims = words.take("keepdims", False)
    return getattr(tensorflow.math, f"reduce_{words.kind}")(tensor, axes, keepdims=keepdims)


def _activation(words: Words, tensor: Any) -> Any:
    """An activation with attributes."""
    import tensorflow

    nn, kind = tensorflow.nn, words.kind
    if kind == "clip":
        return _clip(words, tensor)
    if kind == "leaky_relu":
        return nn.leaky_relu(tensor, words.take("slope", 0.01))
    if kind == "elu":
        alpha = words.take("alpha", 1.0)
        return nn.elu(tensor) if alpha == 1 else _elu(tensor, alpha)
    if kind == "gelu":
        return nn.gelu(tensor, words.take("approximate", "none") == "tanh")
    if kind == "hard_sigmoid":
        scaled = tensor * words.take("alpha", 0.2) + words.take("beta", 0.5)
        return tensorflow.clip_by_value(scaled, 0.0, 1.0)
    if kind == "prelu":
        slope = tensorflow.constant(words.parameter("slope"), tensor.dtype)
        return nn.relu(tensor) - slope * nn.relu(-tensor)
    operator = nn.softmax if kind == "softmax" else nn.log_softmax
    return operator(tensor, words.axis(words.take("axis", -1)))


def _clip(words: Words, tensor: Any) -> Any:
    import tensorflow

    low, high = words.take("min", None), words.take("max", None)
    if low == 0 and high in (None, 6):
        return tensorflow.nn.relu6(tensor) if high else tensorflow.nn.relu(tensor)
    if low is not None:
        tensor = tensorflow.maximum(tensor, tensorflow.constant(low, tensor.dtype))
    if high is not None:
        tensor = tensorflow.minimum(tensor, tensorflow.constant(high, tensor.dtype))
    return tensor if low is not None or high is not None else tensorflow.identity(tensor)


def _elu(tensor: Any, alpha: float) -> Any:
    nn = _tf().nn
    return nn.relu(tensor) + alpha * nn.elu(-nn.relu(-tensor))


def _dense(words: Words, tensor: Any) -> Any:
    import tensorflow

    weight = tensorflow.constant(words.parameter("weight").T, tensor.dtype)
    if len(tensor.shape) == 2:
        return windows.biased(words, tensorflow.linalg.matmul(tensor, weight))
    return windows.biased(words, tensorflow.tensordot(tensor, weight, 1))


def _batch_norm(words: Words, tensor: Any) -> Any:
    import tensorflow

    training, epsilon = words.take("training", False), words.take("epsilon", 1e-5)
    names = ("scale", "shift") if training else ("scale", "shift", "mean", "variance")
    words.taken.update(("mean", "variance"))
    values = [tensorflow.constant(words.parameter(name), tensor.dtype) for name in names]
    values += [tensorflow.constant([], tensor.dtype)] * (4 - len(values))
    if len(tensor.shape) != 4 or epsilon < 1e-12:
        if training:
            raise Impossible("a batch norm in training mode of a tensor without height and width")
        scale, shift, mean, variance = values
        return (tensor - mean) * (scale * tensorflow.math.rsqrt(variance + epsilon)) + shift
    outputs = tensorflow.raw_ops.FusedBatchNormV3(
        x=tensor,
        **dict(zip(("scale", "offset", "mean", "variance"), values, strict=True)),
        epsilon=epsilon,
        is_training=training,
    )
    return outputs[0]


def _several(words: Words, inputs: list[Any]) -> Any:
    """Operators of several tensors, or with several."""
    import tensorflow

    if words.kind == "concat":
        return tensorflow.concat(inputs, words.axis(words.take("axis", 0)))
    if words.kind == "split":
        axis = words.axis(words.take("axis", 0))
        return tensorflow.split(inputs[0], words.take("sizes", []), axis)
    first, second = words.take("transpose_a", False), words.take("transpose_b", False)
    return tensorflow.linalg.matmul(*inputs, transpose_a=first, transpose_b=second)


def _transpose(words: Words, tensor: Any) -> Any:
    return _tf().transpose(tensor, words.take("permutation", None))


def _reshape(words: Words, tensor: Any) -> Any:
    shape = words.take("shape", None)
    return _tf().reshape(tensor, [-1, *shape[1:]] if tensor.shape[0] is None else shape)


def _slice(words: Words, tensor: Any) -> Any:
    pieces = [slice(None)] * len(tensor.shape)
    names = ("starts", "ends", "steps")
    values = [words.take(name, []) for name in ("axes", *names)]
    for axis, start, end, step in zip(*values, strict=True):
        pieces[words.axis(axis)] = slice(start, end, step)
    return tensor[tuple(pieces)]


def _cast(words: Words, tensor: Any) -> Any:
    return _tf().cast(tensor, words.take("dtype", "float32"))


def _lrn(words: Words, tensor: Any) -> Any:
    size = words.take("size", 1)
    return _tf().raw_ops.LRN(
        input=tensor,
        depth_radius=size // 2,
        alpha=words.take("alpha", 1e-4) / size,
        beta=words.take("beta", 0.75),
        bias=words.take("bias", 1.0),
    )


KINDS: dict[str, Callable[[Words, Any], Any]] = {
    "dense": _dense,
    "batch_norm": _batch_norm,
    "transpose": _transpose,
    "reshape": _reshape,
    "slice": _slice,
    "cast": _cast,
    "lrn": _lrn,
}
