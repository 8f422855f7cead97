"""Keras's activations in the words of `deltann.steps`."""

from typing import Any

from deltann.formats.keras_words import Said, axes

# By the name of the function.
FUNCTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("clip", {"min": 0, "max": None}),
    "relu6": ("clip", {"min": 0, "max": 6}),
    "leaky_relu": ("leaky_relu", {"slope": 0.2}),
    "elu": ("elu", {"alpha": 1.0}),
    "gelu": ("gelu", {"approximate": "none"}),
    "hard_sigmoid": ("hard_sigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "sigmoid": ("sigmoid", {}),
    "tanh": ("tanh", {}),
    "silu": ("swish", {}),
    "swish": ("swish", {}),
    "hard_silu": ("hard_swish", {}),
    "hard_swish": ("hard_swish", {}),
    "softplus": ("softplus", {}),
    "exponential": ("exp", {}),
    "linear": ("identity", {}),
}
# Keras's layers of their own for activations.
LAYERS = ("ReLU", "LeakyReLU", "ELU", "Softmax")


def function(activation: Any, rank: int) -> tuple[str, dict[str, Any]]:
    """Kind and attributes of an activation function or layer.

    Args:
        activation: what `keras.activations.get` gives.
        rank: of the tensor.
    """
    import keras

    if isinstance(activation, keras.Layer):
        return layer(activation, rank)[:2]
    name = getattr(activation, "__name__", type(activation).__name__)
    if name in ("softmax", "log_softmax"):
        return name, {"axis": axes(-1, rank)[0]}
    kind, attributes = FUNCTIONS.get(name, ("other", {"name": name}))
    return kind, dict(attributes)


def layer(operation: Any, rank: int) -> Said:
    """A layer of `LAYERS`, or `Activation`."""
    kind = type(operation).__name__
    if kind == "Activation":
        return *function(operation.activation, rank), {}
    if kind == "ReLU":
        return relu(operation)
    if kind == "LeakyReLU":
        return "leaky_relu", {"slope": float(operation.negative_slope)}, {}
    if kind == "ELU":
        return "elu", {"alpha": float(operation.alpha)}, {}
    if kind == "Softmax" and isinstance(operation.axis, int):
        return "softmax", {"axis": axes(operation.axis, rank)[0]}, {}
    return "other", {}, {}


def relu(operation: Any) -> Said:
    """`ReLU` with a limit or a slope."""
    limit, slope = operation.max_value, float(operation.negative_slope)
    limit = None if limit is None else float(limit)
    if operation.threshold:
        attributes = {"max": limit, "slope": slope, "threshold": float(operation.threshold)}
        return "other", attributes, {}
    if not slope:
        return "clip", {"min": 0, "max": limit}, {}
    if limit is None:
        return "leaky_relu", {"slope": slope}, {}
    return "other", {"max": limit, "slope": slope}, {}


def attribute(operation: Any, rank: int) -> dict[str, Any]:
    """The attribute `activation` of a layer that has one: no attribute if it is linear."""
    kind, attributes = function(operation.activation, rank)
    return {} if kind == "identity" else {"activation": {"kind": kind, **attributes}}
