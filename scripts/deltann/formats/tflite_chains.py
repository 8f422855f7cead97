"""What the words of `deltann.steps` are in TFLite: one operator, or several in a row.

Tensors are float32 here, but what only moves numbers takes quantized ones as well.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from deltann.edits import Impossible
from deltann.formats.tflite_builder import Builder
from deltann.formats.tflite_node import number
from deltann.formats.tflite_operators import BINARY, CLIPS, SIMPLE
from deltann.formats.tflite_resize import resize
from deltann.formats.tflite_shapes import MIRROR_MODES
from deltann.formats.words import spread

if TYPE_CHECKING:
    import numpy as np

Attributes = dict[str, Any]

# They give the numbers that they take, so that quantized tensors keep their scales.
MOVING = ("transpose", "reshape", "pad", "slice", "resize", "identity")
PLAIN = {kind: native for native, kind in SIMPLE.items()}
NATIVE_BINARY = {kind: native for native, kind in BINARY.items()}


def build(
    builder: Builder,
    kind: str,
    tensors: Sequence[int],
    attributes: Attributes,
    parameters: "dict[str, np.ndarray]",
) -> int:
    """Add an operator in the words of `deltann.steps`.

    Args:
        builder: of the file.
        kind: of the operator.
        tensors: the numbers of those that it reads and that aren't its parameters.
        attributes, parameters: as of `steps.Operator`.

    Returns:
        The number of its output.

    Raises:
        Impossible: TFLite can't express it.
    """
    if kind in PLAIN:
        return builder.emit(PLAIN[kind], tensors[:1])
    if kind in NATIVE_BINARY:
        return _binary(builder, kind, tensors, attributes, parameters)
    if kind not in CHAINS:
        raise Impossible(f"{kind}: no operator of TFLite is known for it")
    return CHAINS[kind](builder, tensors[0], attributes, parameters)


def _scalar(builder: Builder, value: float) -> int:
    import numpy as np

    return builder.constant(np.array(value, np.float32))


def _binary(
    builder: Builder,
    kind: str,
    tensors: Sequence[int],
    attributes: Attributes,
    parameters: "dict[str, np.ndarray]",
) -> int:
    import numpy as np

    sides = list(tensors)
    if "operand" in parameters:
        operand = spread(parameters["operand"], builder.file.shapes[sides[0]])
        sides.append(builder.constant(operand, "float32"))
    if len(sides) != 2:
        raise Impossible(f"{kind}: expected an operand or a second tensor")
    shape = np.broadcast_shapes(*(builder.file.shapes[side] for side in sides))
    if attributes.get("constant_first"):
        sides.reverse()
    return builder.emit(NATIVE_BINARY[kind], sides, shape, "float32")


def clip(builder: Builder, tensor: int, attributes: Attributes, _: Any = None) -> int:
    """Limit numbers from both sides; a side that is None is open."""
    low, high = attributes.get("min"), attributes.get("max")
    for native, limits in CLIPS.items():
        if (low, high) == limits and native != "RELU_0_TO_1":  # few importers know that one
            return builder.emit(native, [tensor])
    if low == 0:
        tensor = builder.emit("RELU", [tensor])
    elif low is not None:
        tensor = builder.emit("MAXIMUM", [tensor, _scalar(builder, low)])
    if high is not None:
        tensor = builder.emit("MINIMUM", [tensor, _scalar(builder, high)])
    return tensor


def _elu(builder: Builder, tensor: int, attributes: Attributes, _: Any) -> int:
    alpha = attributes.get("alpha", 1.0)
    if alpha == 1:
        return builder.emit("ELU", [tensor])
    below = builder.emit("MINIMUM", [tensor, _scalar(builder, 0)])
    below = builder.emit("MUL", [builder.emit("ELU", [below]), _scalar(builder, alpha)])
    return builder.emit("ADD", [builder.emit("RELU", [tensor]), below])


def _hard_sigmoid(builder: Builder, tensor: int, attributes: Attributes, _: Any) -> int:
    tensor = builder.emit("MUL", [tensor, _scalar(builder, attributes["alpha"])])
    tensor = builder.emit("ADD", [tensor, _scalar(builder, attributes["beta"])])
    return clip(builder, tensor, {"min": 0, "max": 1})


def _swish(builder: Builder, tensor: int, *_: Any) -> int:
    return builder.emit("MUL", [tensor, builder.emit("LOGISTIC", [tensor])])


def _softplus(builder: Builder, tensor: int, *_: Any) -> int:
    """max(x, 0) + log(1 + exp(-|x|)), which no x overflows."""
    small = builder.emit("EXP", [builder.emit("NEG", [builder.emit("ABS", [tensor])])])
    small = builder.emit("LOG", [builder.emit("ADD", [small, _scalar(builder, 1)])])
    return builder.emit("ADD", [builder.emit("RELU", [tensor]), small])


def _gelu(builder: Builder, tensor: int, attributes: Attributes, _: Any) -> int:
    approximate = attributes.get("approximate", "none") == "tanh"
    return builder.emit("GELU", [tensor], approximate=approximate)


def _leaky(builder: Builder, tensor: int, attributes: Attributes, _: Any) -> int:
    return builder.emit("LEAKY_RELU", [tensor], alpha=float(attributes["slope"]))


def _prelu(builder: Builder, tensor: int, _: Any, parameters: "dict[str, np.ndarray]") -> int:
    import numpy as np

    rank = len(builder.file.shapes[tensor])
    slope = np.asarray(parameters["slope"], np.float32).reshape((*[1] * (rank - 2), -1))
    return builder.emit("PRELU", [tensor, builder.constant(slope)])


def _softmax(native: str) -> Callable[..., int]:
    """TFLite's knows the last axis only: another one goes there and back."""

    def add(builder: Builder, tensor: int, attributes: Attributes, _: Any) -> int:
        rank = len(builder.file.shapes[tensor])
        axis = number(attributes.get("axis", -1), rank)
        options = {"beta": attributes.get("beta", 1.0)} if native == "SOFTMAX" else {}
        if axis == rank - 1:
            return builder.emit(native, [tensor], **options)
        order = [*range(rank)]
        order[axis], order[-1] = order[-1], order[axis]
        moved = _transpose(builder, tensor, {"permutation": order})
        return _transpose(builder, builder.emit(native, [moved], **options), {"permutation": order})

    return add


def _transpose(builder: Builder, tensor: int, attributes: Attributes, _: Any = None) -> int:
    order, shape = list(attributes["permutation"]), builder.file.shapes[tensor]
    if sorted(order) != [*range(len(shape))]:
        raise Impossible(f"transpose: {order} of a tensor with {len(shape)} dimensions")
    turned = [shape[axis] for axis in order]
    return builder.emit("TRANSPOSE", [tensor, builder.whole(order)], turned)


def _reshape(builder: Builder, tensor: int, attributes: Attributes, _: Any) -> int:
    shape = [int(side) for side in attributes["shape"]]
    return builder.emit("RESHAPE", [tensor, builder.whole(shape)], shape, newShape=shape)


def pad(builder: Builder, tensor: int, attributes: Attributes, _: Any = None) -> int:
    """Add a border; the number that fills it is a real one, also of a quantized tensor."""
    import numpy as np

    shape, file = list(builder.file.shapes[tensor]), builder.file
    if len(shape) != 4:
        raise Impossible(f"pad: a tensor with {len(shape)} dimensions")
    top, left, bottom, right = attributes["pads"]
    mode, value = attributes.get("mode", "constant"), attributes.get("value", 0)
    border = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
    padded = [side + before + behind for side, (before, behind) in zip(shape, border, strict=True)]
    taken = [tensor, builder.constant(border)]
    if mode in MIRROR_MODES:
        return builder.emit("MIRROR_PAD", taken, padded, mode=MIRROR_MODES.index(mode))
    if mode != "constant":
        raise Impossible(f"pad: TFLite has no mode {mode!r}")
    if value == 0:
        return builder.emit("PAD", taken, padded)
    filling, scales = np.array([value], np.float32), file.scales(tensor)
    stored = filling.astype(file.dtype(tensor))
    if scales is not None:
        from deltann.formats.tflite_numbers import to_whole

        stored = to_whole(filling, scales, file.dtype(tensor))
    name, dtype = builder.free_name("constant"), file.dtype(tensor)
    return builder.emit(
        "PADV2", [*taken, file.add_tensor(name, (1,), dtype, stored, scales)], padded
    )


def _batch_norm(
    builder: Builder, tensor: int, attributes: Attributes, parameters: "dict[str, np.ndarray]"
) -> int:
    """A product and a sum: TFLite has no operator for it."""
    import numpy as np

    scale, shift, mean, variance = (
        np.asarray(parameters[name], np.float64) for name in ("scale", "shift", "mean", "variance")
    )
    if attributes.get("training"):
        raise Impossible("batch_norm: TFLite has none in training mode")
    factor = scale / np.sqrt(variance + attributes["epsilon"])
    shape = builder.file.shapes[tensor]
    factor, summand = (spread(value, shape) for value in (factor, shift - mean * factor))
    tensor = builder.emit("MUL", [tensor, builder.constant(factor, "float32")])
    return builder.emit("ADD", [tensor, builder.constant(summand, "float32")])


def _slice(builder: Builder, tensor: int, attributes: Attributes, _: Any) -> int:
    shape = builder.file.shapes[tensor]
    parts = [slice(0, side, 1) for side in shape]
    values = (attributes[name] for name in ("axes", "starts", "ends"))
    steps = attributes.get("steps") or [1] * len(attributes["axes"])
    for axis, start, end, step in zip(*values, steps, strict=True):
        parts[number(axis, len(shape))] = slice(start, end, step)
    found = [part.indices(side) for part, side in zip(parts, shape, strict=True)]
    if any(step < 0 and end < 0 for _, end, step in found):
        raise Impossible("slice: backwards to the first number")  # -1 would be the last one's
    taken = [tensor, *(builder.whole(item) for item in zip(*found, strict=True))]
    sides = [len(range(*item)) for item in found]
    return builder.emit("STRIDED_SLICE", taken, sides)


CHAINS: dict[str, Callable[..., int]] = {
    "clip": clip,
    "elu": _elu,
    "gelu": _gelu,
    "hard_sigmoid": _hard_sigmoid,
    "swish": _swish,
    "softplus": _softplus,
    "leaky_relu": _leaky,
    "prelu": _prelu,
    "softmax": _softmax("SOFTMAX"),
    "log_softmax": _softmax("LOG_SOFTMAX"),
    "transpose": _transpose,
    "reshape": _reshape,
    "pad": pad,
    "batch_norm": _batch_norm,
    "slice": _slice,
    "resize": lambda builder, tensor, attributes, _: resize(builder, tensor, attributes),
}
