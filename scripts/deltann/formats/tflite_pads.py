"""Windows of convolutions and pools in a TFLite file, set as `deltann.steps` says them.

What SAME and VALID can't say becomes a padding operator before the window. An average that TFLite
would divide by another number is multiplied by their quotient behind it.
"""

from typing import TYPE_CHECKING, Any

from deltann.edits import Impossible
from deltann.formats import tflite_chains as chains
from deltann.formats.tflite_editing import Editing
from deltann.formats.tflite_node import NONE
from deltann.formats.tflite_numbers import NUMBERS
from deltann.formats.tflite_operators import Described
from deltann.formats.tflite_windows import SAME, VALID, output_sides, same_pads, transposed_pads

if TYPE_CHECKING:
    import numpy as np

POOLS = ("max_pool", "average_pool")
POSITIVE = ("strides", "dilations", "kernel")


def set_window(editing: Editing, item: Described, wanted: dict[str, Any]) -> None:
    """Set what an operator's window does.

    Args:
        editing: of the file.
        item: a convolution or a pool.
        wanted: all its attributes, by the words of `deltann.steps`.

    Raises:
        Impossible: pads below 0, or groups that the weight hasn't.
    """
    operator, kind = item.node.operator, item.operator.kind
    options, shapes = operator.builtinOptions, editing.file.shapes
    image = shapes[operator.inputs[0]]
    kernel = list(wanted.get("kernel") or item.operator.parameters["weight"].shape[2:])
    if kind == "convolution":
        weight = shapes[operator.inputs[1]]
        kernel = list(weight[1:3])
        options.dilationHFactor, options.dilationWFactor = wanted["dilations"]
        depthwise = item.node.native == "DEPTHWISE_CONV_2D"
        groups = image[3] if depthwise else image[3] // weight[3]
        if wanted["groups"] != groups:
            raise Impossible(f"groups: the weight has {groups}; set the weight")
    else:
        options.filterHeight, options.filterWidth = kernel
    options.strideH, options.strideW = wanted["strides"]
    _set_pads(editing, item, wanted, (image[1], image[2]), kernel)


def _set_pads(
    editing: Editing, item: Described, wanted: dict[str, Any], image: tuple[int, int], kernel: list
) -> None:
    operator, kind = item.node.operator, item.operator.kind
    strides, dilations = wanted["strides"], wanted.get("dilations", [1, 1])
    if kind == "max_pool" and dilations != [1, 1]:
        raise Impossible("max_pool: TFLite has no dilations")
    pads = whole_pads(image, kernel, strides, dilations, wanted)
    factor = None
    if kind == "average_pool":
        factor = _counts(image, kernel, strides, pads, wanted)
    same = pads == same_pads(image, kernel, strides, dilations)
    if same and (factor is None or (factor == _valid_counts(image, kernel, strides, pads)).all()):
        operator.builtinOptions.padding = SAME
        return
    operator.builtinOptions.padding = VALID
    if min(pads) < 0:
        raise Impossible(f"pads below 0: {pads}")
    if any(pads):
        lowest = {"value": _lowest(editing, operator.inputs[0])} if kind == "max_pool" else {}
        attributes = {"pads": pads, **lowest}
        operator.inputs[0] = chains.pad(editing.builder, operator.inputs[0], attributes)
    if factor is not None:
        _divide(editing, item, kernel[0] * kernel[1] / factor)


def whole_pads(
    image: tuple[int, int],
    kernel: list[int],
    strides: list[int],
    dilations: list[int],
    wanted: dict[str, Any],
) -> list[int]:
    """The pads, with what `ceil_mode` adds at the end."""
    pads = list(wanted["pads"])
    if wanted.get("ceil_mode"):
        sides = output_sides(image, kernel, strides, dilations, pads, ceil_mode=True)
        for place, side in enumerate(sides):
            reach = (kernel[place] - 1) * dilations[place] + 1
            need = (side - 1) * strides[place] + reach - image[place] - pads[place]
            pads[place + 2] = max(pads[place + 2], need)
    return pads


def _counts(
    image: tuple[int, int],
    kernel: list[int],
    strides: list[int],
    pads: list[int],
    wanted: dict[str, Any],
) -> "np.ndarray":
    """What an average is divided by: float64 (height, width)."""
    border = list(wanted["pads"]) if wanted.get("count_include_pad") else [0, 0, 0, 0]
    return _numbers_under(image, kernel, strides, pads, border)


def _valid_counts(
    image: tuple[int, int], kernel: list[int], strides: list[int], pads: list[int]
) -> "np.ndarray":
    return _numbers_under(image, kernel, strides, pads, [0, 0, 0, 0])


def _numbers_under(
    image: tuple[int, int],
    kernel: list[int],
    strides: list[int],
    pads: list[int],
    border: list[int],
) -> "np.ndarray":
    """How many numbers of the image and of a border around it each window has."""
    import numpy as np

    sides = output_sides(image, kernel, strides, [1, 1], pads)
    found = []
    for place in (0, 1):
        starts = np.arange(sides[place]) * strides[place] - pads[place]
        ends = np.minimum(starts + kernel[place], image[place] + border[place + 2])
        found.append(ends - np.maximum(starts, -border[place]))
    return np.outer(*found).astype(np.float64)


def _divide(editing: Editing, item: Described, factor: "np.ndarray") -> None:
    """Multiply an average by (height, width) factors, unless they are all 1."""
    import numpy as np

    operator = item.node.operator
    if (factor == 1).all():
        return
    fused = operator.builtinOptions.fusedActivationFunction
    operator.builtinOptions.fusedActivationFunction = NONE
    values = factor.astype(np.float32)[None, :, :, None]

    def build(tensor: int) -> int:
        return editing.builder.emit(
            "MUL", [tensor, editing.builder.constant(values)], fusedActivationFunction=fused
        )

    editing.put_behind(operator.outputs[0], build, part=True)


def _lowest(editing: Editing, tensor: int) -> float:
    """The least number that a tensor's type can hold, as a real one."""
    import numpy as np

    dtype = editing.file.dtype(tensor)
    assert dtype in NUMBERS.values()
    if "float" in dtype:
        return float(np.finfo(dtype).min)
    return float(editing.file.real(tensor, np.array(np.iinfo(dtype).min, dtype)))


def set_transposed(editing: Editing, item: Described, wanted: dict[str, Any]) -> None:
    """Set strides, pads and output padding of a transposed convolution.

    Raises:
        Impossible: neither SAME nor VALID gives these pads.
    """
    operator = item.node.operator
    strides, pads, extra = wanted["strides"], wanted["pads"], wanted["output_padding"]
    kernel = list(item.operator.parameters["weight"].shape[2:])
    image = editing.file.shapes[operator.inputs[2]]
    if wanted["dilations"] != [1, 1] or wanted["groups"] != 1:
        raise Impossible("transposed_convolution: TFLite has no dilations or groups")
    sides = [
        (image[place + 1] - 1) * strides[place]
        + kernel[place]
        - pads[place]
        - pads[place + 2]
        + extra[place]
        for place in (0, 1)
    ]
    for padding in (SAME, VALID):
        ends = (image[1], image[2]), (sides[0], sides[1])
        if transposed_pads(padding, *ends, kernel, strides) == (list(pads), list(extra)):
            options = operator.builtinOptions
            options.padding, (options.strideH, options.strideW) = padding, strides
            shape = [image[0], *sides, editing.file.shapes[operator.outputs[0]][3]]
            editing.own(operator, 0, shape, "int32")  # type: ignore[arg-type]
            return
    raise Impossible(f"transposed_convolution: neither SAME nor VALID gives the pads {pads}")
