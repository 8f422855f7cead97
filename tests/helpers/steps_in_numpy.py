"""The words of `deltann.steps` in NumPy: what an operator gives for its inputs, in NHWC."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltann.steps import Operator

LETTERS = "NHWC"
ERF = np.vectorize(math.erf)
Given = Sequence[np.ndarray]


def answer(operator: Operator, given: Given) -> list[np.ndarray]:
    """The outputs of an operator, in float64, its activation included.

    Args:
        operator: what it does.
        given: its inputs.
    """
    inputs = [np.asarray(item, np.float64) for item in given]
    parameters = {name: np.asarray(item, np.float64) for name, item in operator.parameters.items()}
    found = KINDS[operator.kind](inputs, operator.attributes, parameters)
    outputs = found if isinstance(found, list) else [found]
    words = dict(operator.activation)
    if words:
        outputs = [KINDS[words["kind"]]([item], words, {}) for item in outputs]
    return outputs


def axis_of(name: int | str, rank: int) -> int:
    """The place of an axis."""
    return (LETTERS.index(name) if isinstance(name, str) else name) % rank


def windows(image: np.ndarray, kernel: Sequence[int], words: dict, fill: float) -> np.ndarray:
    """What lies under a moving window: (batch, y, x, channels, kernel y, kernel x)."""
    top, left, bottom, right = words["pads"]
    border = [[0, 0], [top, bottom], [left, right], [0, 0]]
    image = np.pad(image, border, constant_values=fill)
    strides, dilations = words["strides"], words.get("dilations", [1, 1])
    reach = [(size - 1) * step + 1 for size, step in zip(kernel, dilations, strict=True)]
    if words.get("ceil_mode"):
        more = [
            -(side - size) % step
            for side, size, step in zip(image.shape[1:3], reach, strides, strict=True)
        ]
        image = np.pad(image, [[0, 0], [0, more[0]], [0, more[1]], [0, 0]], constant_values=fill)
    found = np.lib.stride_tricks.sliding_window_view(image, reach, (1, 2))
    return found[:, :: strides[0], :: strides[1], :, :: dilations[0], :: dilations[1]]


def convolution(given: Given, words: dict, parameters: dict) -> np.ndarray:
    """Grouped, dilated."""
    weight, groups = parameters["weight"], words["groups"]
    found = windows(given[0], weight.shape[2:], words, 0)
    parts = [
        np.einsum("nyxcij,ocij->nyxo", taken, kernel)
        for taken, kernel in zip(
            np.split(found, groups, 3), np.split(weight, groups, 0), strict=True
        )
    ]
    return np.concatenate(parts, 3) + parameters.get("bias", 0)


def transposed_convolution(given: Given, words: dict, parameters: dict) -> np.ndarray:
    """Each number of the image spreads over a window of the output."""
    image, weight = given[0], parameters["weight"]
    (top, left, bottom, right), steps = words["pads"], words["strides"]
    kernel, sides = weight.shape[2:], image.shape[1:3]
    whole = [
        (side - 1) * step + size for side, step, size in zip(sides, steps, kernel, strict=True)
    ]
    extra = words["output_padding"]
    found = np.zeros((image.shape[0], whole[0] + extra[0], whole[1] + extra[1], weight.shape[1]))
    for y in range(sides[0]):
        for x in range(sides[1]):
            spread = np.einsum("nc,coij->nijo", image[:, y, x], weight)
            rows, columns = y * steps[0], x * steps[1]
            found[:, rows : rows + kernel[0], columns : columns + kernel[1]] += spread
    inner = found[:, top : found.shape[1] - bottom, left : found.shape[2] - right]
    return inner + parameters.get("bias", 0)


def max_pool(given: Given, words: dict, _: dict) -> np.ndarray:
    """Pads never win."""
    return windows(given[0], words["kernel"], words, -np.inf).max((4, 5))


def average_pool(given: Given, words: dict, _: dict) -> np.ndarray:
    """Divided by the numbers of the image alone, or of its pads too."""
    shape = (1, *given[0].shape[1:3], 1)
    ones, counted = np.ones(shape), words
    if words["count_include_pad"]:
        top, left, bottom, right = words["pads"]
        ones = np.pad(ones, [[0, 0], [top, bottom], [left, right], [0, 0]], constant_values=1)
        counted = words | {"pads": [0, 0, 0, 0]}
    under = windows(given[0], words["kernel"], words, 0).sum((4, 5))
    return under / windows(ones, words["kernel"], counted, 0).sum((4, 5))


def reduction(function: Callable) -> Callable:
    """A mean, sum, …"""

    def apply(given: Given, words: dict, _: dict) -> np.ndarray:
        axes = tuple(axis_of(name, given[0].ndim) for name in words["axes"])
        return function(given[0], axis=axes, keepdims=words["keepdims"])

    return apply


def binary(function: Callable) -> Callable:
    """Of two tensors, or of one and a constant."""

    def apply(given: Given, words: dict, parameters: dict) -> np.ndarray:
        sides = [*given, *parameters.values()]
        return function(*(sides[::-1] if words.get("constant_first") else sides))

    return apply


def softmax(given: Given, words: dict, _: dict) -> np.ndarray:
    """Over one axis."""
    axis = axis_of(words["axis"], given[0].ndim)
    found = np.exp(given[0] - given[0].max(axis, keepdims=True))
    return found / found.sum(axis, keepdims=True)


def pad(given: Given, words: dict, _: dict) -> np.ndarray:
    """A border."""
    top, left, bottom, right = words["pads"]
    options = {"constant_values": words.get("value", 0)} if words["mode"] == "constant" else {}
    return np.pad(
        given[0], [[0, 0], [top, bottom], [left, right], [0, 0]], words["mode"], **options
    )


def coordinates(side: int, size: int, words: dict) -> np.ndarray:
    """Where along an axis the numbers of the output come from."""
    places = np.arange(size)
    if words["coordinates"] == "align_corners":
        return places * (side - 1) / (size - 1)
    half = 0.5 if words["coordinates"] == "half_pixel" else 0
    return (places + half) * side / size - half


def resize(given: Given, words: dict, _: dict) -> np.ndarray:
    """Nearest or linear."""
    found = given[0]
    rounding: dict[str, Callable] = {
        "floor": np.floor,
        "ceil": np.ceil,
        "round_prefer_ceil": lambda value: np.floor(value + 0.5),
        "round_prefer_floor": lambda value: np.ceil(value - 0.5),
    }
    for axis, size in enumerate(words["size"], 1):
        side = found.shape[axis]
        places = coordinates(side, size, words)
        if words["mode"] == "nearest":
            places = rounding[words["rounding"]](places).clip(0, side - 1).astype(int)
            found = found.take(places, axis)
            continue
        places = places.clip(0, side - 1)
        low = np.floor(places).astype(int)
        shape = [1] * 4
        shape[axis] = size
        share = (places - low).reshape(shape)
        high = (low + 1).clip(0, side - 1)
        found = found.take(low, axis) * (1 - share) + found.take(high, axis) * share
    return found


def part(given: Given, words: dict, _: dict) -> np.ndarray:
    """A slice."""
    parts: list[Any] = [slice(None)] * given[0].ndim
    values = (words[name] for name in ("axes", "starts", "ends", "steps"))
    for axis, *ends in zip(*values, strict=True):
        parts[axis_of(axis, given[0].ndim)] = slice(*ends)
    return given[0][tuple(parts)]


def split(given: Given, words: dict, _: dict) -> list[np.ndarray]:
    """Several slices."""
    axis = axis_of(words["axis"], given[0].ndim)
    return np.split(given[0], np.cumsum(words["sizes"])[:-1], axis)


def clip(given: Given, words: dict, _: dict) -> np.ndarray:
    """Between two numbers."""
    return given[0].clip(words["min"], words["max"])


def gelu(given: Given, words: dict, _: dict) -> np.ndarray:
    """By the error function, or by tanh."""
    x = given[0]
    if words["approximate"] == "tanh":
        return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x / 2 * (1 + ERF(x / math.sqrt(2)))


def elu(given: Given, words: dict, _: dict) -> np.ndarray:
    """Below 0 an exponential."""
    x = given[0]
    return np.where(x > 0, x, words["alpha"] * np.expm1(np.minimum(x, 0)))


def batch_norm(given: Given, words: dict, parameters: dict) -> np.ndarray:
    """With the statistics of training."""
    deviation = np.sqrt(parameters["variance"] + words["epsilon"])
    return (given[0] - parameters["mean"]) / deviation * parameters["scale"] + parameters["shift"]


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Between 0 and 1."""
    return 1 / (1 + np.exp(-x))


def unary(function: Callable) -> Callable:
    """Of each number alone."""
    return lambda given, words, _: function(given[0])


KINDS: dict[str, Callable] = {
    "convolution": convolution,
    "transposed_convolution": transposed_convolution,
    "dense": lambda given, words, own: given[0] @ own["weight"].T + own.get("bias", 0),
    "max_pool": max_pool,
    "average_pool": average_pool,
    "batch_norm": batch_norm,
    **{name: reduction(getattr(np, name)) for name in ("mean", "sum", "max", "min", "prod")},
    **{
        name: binary(getattr(np, name))
        for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum", "power")
    },
    "clip": clip,
    "leaky_relu": lambda given, words, _: np.where(
        given[0] > 0, given[0], given[0] * words["slope"]
    ),
    "prelu": lambda given, words, own: np.where(given[0] > 0, given[0], given[0] * own["slope"]),
    "elu": elu,
    "gelu": gelu,
    "hard_sigmoid": lambda given, words, _: (given[0] * words["alpha"] + words["beta"]).clip(0, 1),
    "hard_swish": unary(lambda x: x * (x + 3).clip(0, 6) / 6),
    "sigmoid": unary(sigmoid),
    "swish": unary(lambda x: x * sigmoid(x)),
    "softplus": unary(lambda x: np.logaddexp(x, 0)),
    "tanh": unary(np.tanh),
    **{name: unary(getattr(np, name)) for name in ("abs", "negative", "exp", "sqrt")},
    "softmax": softmax,
    "log_softmax": lambda given, words, own: np.log(softmax(given, words, own)),
    "pad": pad,
    "resize": resize,
    "transpose": lambda given, words, _: given[0].transpose(words["permutation"]),
    "reshape": lambda given, words, _: given[0].reshape(words["shape"]),
    "concat": lambda given, words, _: np.concatenate(given, axis_of(words["axis"], given[0].ndim)),
    "slice": part,
    "split": split,
    "quantize": unary(lambda x: x),
    "dequantize": unary(lambda x: x),
}
