"""The parameters of `deltann.steps`, written as constants of one node of an ONNX graph."""

from typing import TYPE_CHECKING

from deltann.edits import Impossible
from deltann.formats.onnx_write import Site
from deltann.steps import BINARY, Operator

if TYPE_CHECKING:
    import numpy as np

POSITIONS = {
    "convolution": {"weight": 1, "bias": 2},
    "transposed_convolution": {"weight": 1, "bias": 2},
    "dense": {"weight": 1, "bias": 2},
    "batch_norm": {"scale": 1, "shift": 2, "mean": 3, "variance": 4},
    "prelu": {"slope": 1},
    "quantize": {"scale": 1, "zero_point": 2},
    "dequantize": {"scale": 1, "zero_point": 2},
}


def write(site: Site, operator: Operator, parameter: str, value: "np.ndarray") -> None:
    """Give a node a constant of its own; no other node's constant changes.

    Args:
        site: the node.
        operator: what it is.
        parameter, value: as of `edits.SetParameter`.

    Raises:
        Impossible: it has no such parameter, or one of another shape.
    """
    position = _position(site, operator, parameter)
    before = operator.parameters.get(parameter)
    if before is not None and before.shape != value.shape and operator.kind not in BINARY:
        if operator.kind != "convolution" or before.ndim != value.ndim:
            raise Impossible(
                f"{parameter} of {operator.name!r} has the shape {value.shape};"
                f" expected {before.shape}"
            )
    if operator.kind == "dense":
        _dense(site, parameter, value)
        return
    name = site.node.input[position] if position < len(site.node.input) else ""
    raw = site.draft.view.constant(name)
    if operator.kind in BINARY or operator.kind == "prelu":
        value = spread(value, site.shape, raw)
    if raw is None:
        _check_new(operator, parameter, value)
        stored = site.real(value)
    else:
        stored = _as_type(value.reshape(raw.shape) if value.size == raw.size else value, raw.dtype)
    site.give(position, stored, parameter)
    if parameter == "weight" and site.has("kernel_shape"):
        site.set("kernel_shape", [*value.shape[2:]])


def spread(
    value: "np.ndarray", shape: tuple[int, ...], raw: "np.ndarray | None" = None
) -> "np.ndarray":
    """A constant of shape () or (channels,) so that it meets the channels of a tensor.

    Args:
        value: as in `deltann.steps`.
        shape: of the tensor.
        raw: the constant that the file has; its shape is kept if it has as many numbers.
    """
    if raw is not None and raw.size == value.size:
        return value.reshape(raw.shape)
    if value.ndim == 1 and len(shape) == 4:
        return value.reshape(-1, 1, 1)
    return value


def _position(site: Site, operator: Operator, parameter: str) -> int:
    """The position among a node's inputs of a parameter."""
    known = dict(POSITIONS.get(operator.kind, {}))
    if operator.kind in BINARY and "operand" in operator.parameters:
        known["operand"] = 0 if operator.attributes.get("constant_first") else 1
    if operator.kind in ("concat", "other"):
        known |= {name: int(name.removeprefix("input_")) for name in operator.parameters}
    if parameter not in known:
        raise Impossible(
            f"{operator.name!r} ({operator.kind}) has no parameter {parameter!r};"
            f" expected one of {sorted(known)}"
        )
    return known[parameter]


def _check_new(operator: Operator, parameter: str, value: "np.ndarray") -> None:
    """Check a bias that the node has not had."""
    if parameter != "bias":
        return
    weight = operator.parameters["weight"]
    channels = weight.shape[0]
    if operator.kind == "transposed_convolution":
        channels = weight.shape[1] * operator.attributes["groups"]
    if value.shape != (channels,):
        raise Impossible(
            f"the bias of {operator.name!r} has the shape {value.shape}; expected ({channels},)"
        )


def _as_type(value: "np.ndarray", dtype: "np.dtype") -> "np.ndarray":
    """Numbers in a type; rounded if it is one of whole numbers."""
    import numpy as np

    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        value = np.clip(np.rint(value), limits.min, limits.max)
    return value.astype(dtype)


def _dense(site: Site, parameter: str, value: "np.ndarray") -> None:
    """Gemm and MatMul. A MatMul becomes a Gemm with a bias, or has an Add behind it."""
    node = site.node
    if node.op_type == "Gemm":
        transposed = any(item.name == "transB" and item.i for item in node.attribute)
        if parameter == "weight":
            site.set("alpha", None)
            site.give(1, site.real(value if transposed else value.T), parameter)
        else:
            site.set("beta", None)
            site.give(2, site.real(value), parameter)
    elif parameter == "weight":
        site.give(1, site.real(value.T), parameter)
    elif len(site.shape) == 2 and site.opset >= 7:
        weight = node.input[1]
        site.become("Gemm")
        site.put(1, weight)
        site.give(2, site.real(value), parameter)
    else:
        _add_behind(site, value)


def _add_behind(site: Site, value: "np.ndarray") -> None:
    """Have a node's output be that of an addition of a constant."""
    draft, output = site.draft, site.node.output[0]
    name = draft.constant(site.real(value), f"{site.node.name}_bias")
    before = draft.fresh(f"{output}_before")
    site.node.output[0] = before
    draft.add("Add", [before, name], output)
