"""Writers of activations, arithmetic, and of what moves numbers, into a PyTorch graph.

A writer adds the nodes that compute an operator, and gives the last one.
"""

from math import floor
from typing import Any

from deltann.edits import Impossible
from deltann.formats.torch_functions import MODES, PLAIN
from deltann.formats.torch_reading import Parameter, is_node, number, shape
from deltann.formats.torch_writing import Writer
from deltann.formats.torch_written_layers import Write

PLAIN_NAMES = {kind: name for name, kind in PLAIN.items()}
BINARY_NAMES = {
    **{"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div"},
    **{"maximum": "maximum", "minimum": "minimum"},
}


def activation(kind: str) -> Write:
    """The writer of an activation or another function of single numbers."""

    def write(
        writer: Writer, inputs: list[Any], attributes: dict, parameters: dict[str, Parameter]
    ) -> Any:
        import torch

        aten, call, (node,) = torch.ops.aten, writer.call, inputs
        match kind:
            case "clip":
                return _clip(writer, node, attributes.get("min"), attributes.get("max"))
            case "leaky_relu":
                return call(aten.leaky_relu.default, node, attributes["slope"])
            case "elu":
                return call(aten.elu.default, node, attributes.get("alpha", 1.0))
            case "gelu":
                how = {"approximate": attributes.get("approximate", "none")}
                return call(aten.gelu.default, node, **how)
            case "hard_sigmoid":
                return _hard_sigmoid(writer, node, attributes["alpha"], attributes["beta"])
            case "prelu":
                return call(aten.prelu.default, node, writer.parameters(parameters)["slope"])
            case "softmax" | "log_softmax":
                axis = number(attributes.get("axis", -1))
                return call(getattr(aten, kind).int, node, axis)
            case "identity":
                return call(aten.clone.default, node)
        return call(getattr(aten, PLAIN_NAMES[kind]).default, node)

    return write


def _clip(writer: Writer, node: Any, low: float | None, high: float | None) -> Any:
    """`relu`, `hardtanh` or `clamp`."""
    import torch

    aten = torch.ops.aten
    if low == 0 and high is None:
        return writer.call(aten.relu.default, node)
    if low is not None and high is not None:
        return writer.call(aten.hardtanh.default, node, low, high)
    if low is None and high is None:
        return writer.call(aten.clone.default, node)
    return writer.call(aten.clamp.default, node, low, high)


def _hard_sigmoid(writer: Writer, node: Any, alpha: float, beta: float) -> Any:
    """`hardsigmoid`, or with other numbers what it computes."""
    import torch

    aten = torch.ops.aten
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return writer.call(aten.hardsigmoid.default, node)
    line = writer.call(aten.add.Tensor, writer.call(aten.mul.Tensor, node, alpha), beta)
    return writer.call(aten.hardtanh.default, line, 0.0, 1.0)


def binary(kind: str) -> Write:
    """The writer of arithmetic of two tensors, or of one and a constant."""

    def write(
        writer: Writer, inputs: list[Any], attributes: dict, parameters: dict[str, Parameter]
    ) -> Any:
        import torch

        aten = torch.ops.aten
        operands = list(inputs)
        if "operand" in parameters:
            plain = kind in BINARY_NAMES and kind not in ("maximum", "minimum")
            number_fits = not attributes.get("constant_first") and (plain or kind == "power")
            operand = _operand(writer, inputs[0], parameters["operand"], number_fits)
            operands.insert(0 if attributes.get("constant_first") else 1, operand)
        if len(operands) != 2:
            raise Impossible(f"{kind} has two operands; given: {len(operands)}")
        if kind == "power":
            scalar = not is_node(operands[1])
            packet = aten.pow
            return writer.call(packet.Tensor_Scalar if scalar else packet.Tensor_Tensor, *operands)
        packet = getattr(aten, BINARY_NAMES[kind])
        overload = packet.default if kind in ("maximum", "minimum") else packet.Tensor
        alpha = {"alpha": attributes["alpha"]} if "alpha" in attributes else {}
        return writer.call(overload, *operands, **alpha)

    return write


def _operand(writer: Writer, node: Any, parameter: Parameter, number_fits: bool) -> Any:
    """A constant operand: a number, or a node of a shape that spreads over a tensor.

    Args:
        writer: adds the node.
        node: the tensor.
        parameter: its value is (channels,), (), or of a shape that spreads as it is.
        number_fits: whether it may be a number.
    """
    if is_node(parameter.source) or (number_fits and parameter.source is not None):
        return parameter.source
    value = parameter.value
    if value.dim() == 0:
        return value.item() if number_fits else writer.constant(value.to(node.meta["val"].dtype))
    if value.dim() == 1 and len(shape(node)) == 4:
        value = value.reshape(-1, 1, 1)
    return writer.constant(value)


def pad(writer: Writer, inputs: list[Any], attributes: dict, parameters: dict) -> Any:
    """`pad`."""
    modes = {name: mode for mode, name in MODES.items()}
    mode = modes[attributes.get("mode", "constant")]
    return writer.pad(inputs[0], attributes["pads"], attributes.get("value", 0), mode)


def resize(writer: Writer, inputs: list[Any], attributes: dict, parameters: dict) -> Any:
    """`upsample_nearest2d` and its like; by other rules from the pixels that it takes."""
    import torch

    aten, (node,) = torch.ops.aten, inputs
    size, mode = attributes["size"], attributes.get("mode", "nearest")
    coordinates = attributes.get("coordinates", "half_pixel")
    rounding = attributes.get("rounding", "round_prefer_floor")
    scales = attributes.get("scales", [None, None])
    match mode, coordinates, rounding:
        case "nearest", "asymmetric", "floor":
            return writer.call(aten.upsample_nearest2d.default, node, size, *scales)
        case "nearest", "half_pixel", "round_prefer_ceil":
            return writer.call(aten._upsample_nearest_exact2d.default, node, size, *scales)
        case "nearest", _, _:
            for axis, after in ((2, size[0]), (3, size[1])):
                places = _places(node, axis, after, coordinates)
                rows = torch.tensor([_nearest(place, rounding) for place in places])
                chosen = rows.clamp(0, shape(node)[axis] - 1)
                node = writer.call(aten.index_select.default, node, axis, writer.constant(chosen))
            return node
        case "linear", "asymmetric", _:
            shares = [_shares(node, 2, size[0]), _shares(node, 3, size[1]).t()]
            rows, columns = (writer.constant(share) for share in shares)
            return writer.call(
                aten.matmul.default, writer.call(aten.matmul.default, rows, node), columns
            )
        case _, "asymmetric", _:
            raise Impossible(f"PyTorch has no {mode} resize with asymmetric coordinates")
    name = f"upsample_bi{mode}2d"
    if attributes.get("antialias"):
        name = f"_{name}_aa"
    corners = coordinates == "align_corners"
    return writer.call(getattr(aten, name).default, node, size, corners, *scales)


def _places(node: Any, axis: int, after: int, coordinates: str) -> list[float]:
    """Where each of `after` rows lies between those of a tensor."""
    before = shape(node)[axis]
    if after == 1 and coordinates in ("align_corners", "pytorch_half_pixel"):
        return [0.0]
    if coordinates == "align_corners":
        return [row * (before - 1) / (after - 1) for row in range(after)]
    shift = 0.0 if coordinates == "asymmetric" else 0.5
    return [(row + shift) * before / after - shift for row in range(after)]


def _nearest(place: float, rounding: str) -> int:
    """The row that a place is rounded to."""
    return {
        "floor": floor(place),
        "ceil": -floor(-place),
        "round_prefer_floor": -floor(0.5 - place),
        "round_prefer_ceil": floor(place + 0.5),
    }[rounding]


def _shares(node: Any, axis: int, after: int) -> Any:
    """How much each of `after` rows has of each of a tensor's, linearly; (after, before)."""
    import torch

    before = shape(node)[axis]
    shares = torch.zeros(after, before, dtype=node.meta["val"].dtype)
    for row, place in enumerate(_places(node, axis, after, "asymmetric")):
        low = min(floor(place), before - 1)
        high = min(low + 1, before - 1)
        shares[row, low] += 1 - (place - low)
        shares[row, high] += place - low
    return shares


def transpose(writer: Writer, inputs: list[Any], attributes: dict, parameters: dict) -> Any:
    """`permute`."""
    import torch

    return writer.call(torch.ops.aten.permute.default, inputs[0], list(attributes["permutation"]))


def reshape(writer: Writer, inputs: list[Any], attributes: dict, parameters: dict) -> Any:
    """`reshape`."""
    import torch

    return writer.call(torch.ops.aten.reshape.default, inputs[0], list(attributes["shape"]))


def concat(
    writer: Writer, inputs: list[Any], attributes: dict, parameters: dict[str, Parameter]
) -> Any:
    """`cat`, with constants where they were."""
    import torch

    tensors = list(inputs)
    constants = writer.parameters(parameters)
    for name in sorted(constants, key=lambda name: int(name.rpartition("_")[2])):
        tensors.insert(int(name.rpartition("_")[2]), constants[name])
    return writer.call(torch.ops.aten.cat.default, tensors, number(attributes["axis"]))


def cut(writer: Writer, inputs: list[Any], attributes: dict, parameters: dict) -> Any:
    """`slice`, and `squeeze` if the axes go."""
    import torch

    node = inputs[0]
    axes = [number(axis) for axis in attributes["axes"]]
    steps = attributes.get("steps", [1] * len(axes))
    for axis, *bounds in zip(axes, attributes["starts"], attributes["ends"], steps, strict=True):
        node = writer.call(torch.ops.aten.slice.Tensor, node, axis, *bounds)
    if attributes.get("keepdims", True):
        return node
    return writer.call(torch.ops.aten.squeeze.dims, node, axes)


def split(writer: Writer, inputs: list[Any], attributes: dict, parameters: dict) -> Any:
    """`split_with_sizes`."""
    import torch

    return writer.call(
        torch.ops.aten.split_with_sizes.default,
        *(inputs[0], list(attributes["sizes"]), number(attributes["axis"])),
    )


def cast(writer: Writer, inputs: list[Any], attributes: dict, parameters: dict) -> Any:
    """`to`."""
    import torch

    return writer.call(torch.ops.aten.to.dtype, inputs[0], getattr(torch, attributes["dtype"]))


FUNCTIONS = (
    *("clip", "leaky_relu", "elu", "gelu", "hard_sigmoid", "prelu", "softmax", "log_softmax"),
    *("identity", *PLAIN_NAMES),
)
WRITERS: dict[str, Write] = {
    **{kind: activation(kind) for kind in FUNCTIONS},
    **{kind: binary(kind) for kind in (*BINARY_NAMES, "power")},
    **{"pad": pad, "resize": resize, "transpose": transpose, "reshape": reshape},
    **{"concat": concat, "slice": cut, "split": split, "cast": cast},
}
