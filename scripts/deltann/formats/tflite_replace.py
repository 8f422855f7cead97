"""Operators of another model, written into a TFLite file in the place of what makes a tensor."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deltann.edits import Impossible, Replace
from deltann.formats import tflite_chains as chains
from deltann.formats.tflite_editing import Editing
from deltann.formats.tflite_node import Node, number
from deltann.formats.tflite_operators import REDUCTIONS, Described
from deltann.formats.tflite_pads import set_window, whole_pads
from deltann.formats.tflite_windows import output_sides
from deltann.steps import Operator

if TYPE_CHECKING:
    import numpy as np

NATIVE_REDUCTIONS = {kind: native for native, kind in REDUCTIONS.items()}
POOLS = {"max_pool": "MAX_POOL_2D", "average_pool": "AVERAGE_POOL_2D"}
# What a window does, if the words leave it out.
WINDOW: dict[str, Any] = {"strides": [1, 1], "dilations": [1, 1], "pads": [0, 0, 0, 0]}


def replace(editing: Editing, edit: Replace) -> None:
    """Have all readers of a tensor read what new operators make.

    Raises:
        Impossible: TFLite can't express one of them.
    """
    builder = editing.builder
    tensor = editing.number(edit.tensor)
    given = {name: editing.number(item) for name, item in edit.reads.items()}

    def build(source: int) -> int:
        known = {
            name: source if index == tensor else builder.dequantized(index)
            for name, index in given.items()
        }
        made = source
        for operator in edit.operators:
            made = _written(editing, operator, [known[name] for name in operator.inputs])
            known[operator.outputs[0]] = made
        return made

    editing.renumber(edit.tensor, editing.put_behind(tensor, build))


def _written(editing: Editing, operator: Operator, tensors: list[int]) -> int:
    """The number of what an operator makes, behind its activation."""
    kind, attributes = operator.kind, dict(operator.attributes)
    activation = dict(attributes.pop("activation", {}))
    if kind == "identity":
        made = tensors[0]
    elif kind in WRITERS:
        made = WRITERS[kind](editing, operator, tensors, attributes)
    else:
        parameters = operator.parameters
        made = chains.build(editing.builder, kind, tensors, attributes, parameters)
    if activation:
        name = activation.pop("kind")
        made = chains.build(editing.builder, name, [made], activation, {})
    return made


def _convolution(
    editing: Editing, operator: Operator, tensors: list[int], attributes: dict[str, Any]
) -> int:
    import numpy as np

    builder, weight = editing.builder, operator.parameters["weight"]
    channels, groups = editing.file.shapes[tensors[0]][3], attributes.get("groups", 1)
    if weight.shape[1] * groups != channels:
        raise Impossible(f"{groups} groups of weights {weight.shape} for {channels} channels")
    native, options, order = "CONV_2D", {}, (0, 2, 3, 1)
    if weight.shape[1] == 1 and groups > 1:
        native, order = "DEPTHWISE_CONV_2D", (1, 2, 3, 0)
        options = {"depthMultiplier": weight.shape[0] // channels}
    bias = operator.parameters.get("bias", np.zeros(weight.shape[0], np.float32))
    constants = [builder.constant(np.ascontiguousarray(weight.transpose(order)))]
    constants.append(builder.constant(bias))
    kernel, wanted = list(weight.shape[2:]), WINDOW | {"groups": 1} | attributes
    return _window(
        editing, operator, native, [tensors[0], *constants], wanted, kernel, weight, options
    )


def _pool(
    editing: Editing, operator: Operator, tensors: list[int], attributes: dict[str, Any]
) -> int:
    if "divisor" in attributes:
        raise Impossible("average_pool: TFLite has no other divisor")
    kernel = list(attributes["kernel"])
    wanted = WINDOW | {"strides": kernel} | attributes
    return _window(editing, operator, POOLS[operator.kind], tensors, wanted, kernel, None, {})


def _window(
    editing: Editing,
    operator: Operator,
    native: str,
    inputs: list[int],
    wanted: dict[str, Any],
    kernel: list[int],
    weight: "np.ndarray | None",
    options: dict[str, Any],
) -> int:
    """Add an operator with a window, and say what the window does."""
    file, builder = editing.file, editing.builder
    batch, *image, channels = file.shapes[inputs[0]]
    sides, moves = (image[0], image[1]), (wanted["strides"], wanted["dilations"])
    pads = whole_pads(sides, kernel, *moves, wanted)
    shape = (batch, *output_sides(sides, kernel, *moves, pads))
    made = channels if weight is None else weight.shape[0]
    output = file.add_tensor(builder.free_name(native), (*shape, made), "float32")
    new = builder.add(native, inputs, [output], **options)
    set_window(editing, Described(operator, Node(file, new, frozenset()), (0,)), wanted)
    return output


def _dense(
    editing: Editing, operator: Operator, tensors: list[int], attributes: dict[str, Any]
) -> int:
    import numpy as np

    builder, weight = editing.builder, operator.parameters["weight"]
    bias = operator.parameters.get("bias", np.zeros(weight.shape[0], np.float32))
    inputs = [tensors[0], builder.constant(weight), builder.constant(bias)]
    shape = (*editing.file.shapes[tensors[0]][:-1], weight.shape[0])
    return builder.emit("FULLY_CONNECTED", inputs, shape, "float32", keepNumDims=True)


def _reduction(
    editing: Editing, operator: Operator, tensors: list[int], attributes: dict[str, Any]
) -> int:
    shape, keeps = editing.file.shapes[tensors[0]], bool(attributes.get("keepdims", True))
    axes = [number(axis, len(shape)) for axis in attributes["axes"]]
    left = [
        1 if axis in axes else side for axis, side in enumerate(shape) if keeps or axis not in axes
    ]
    inputs = [tensors[0], editing.builder.whole(axes)]
    return editing.builder.emit(NATIVE_REDUCTIONS[operator.kind], inputs, left, keepDims=keeps)


def _concat(
    editing: Editing, operator: Operator, tensors: list[int], attributes: dict[str, Any]
) -> int:
    if operator.parameters:
        raise Impossible("concat: with constants")
    shapes = [editing.file.shapes[item] for item in tensors]
    axis = number(attributes["axis"], len(shapes[0]))
    shape = list(shapes[0])
    shape[axis] = sum(item[axis] for item in shapes)
    return editing.builder.emit("CONCATENATION", tensors, shape, axis=axis)


def _matmul(
    editing: Editing, operator: Operator, tensors: list[int], attributes: dict[str, Any]
) -> int:
    turns = [bool(attributes.get(f"transpose_{side}")) for side in "ab"]
    one, other = (
        (*shape[:-2], shape[-1], shape[-2]) if turn else tuple(shape)
        for shape, turn in zip((editing.file.shapes[item] for item in tensors), turns, strict=True)
    )
    shape = (*one[:-1], other[-1])
    return editing.builder.emit("BATCH_MATMUL", tensors, shape, adjX=turns[0], adjY=turns[1])


WRITERS: dict[str, Callable[[Editing, Operator, list[int], dict[str, Any]], int]] = {
    "convolution": _convolution,
    **dict.fromkeys(POOLS, _pool),
    "dense": _dense,
    **dict.fromkeys(NATIVE_REDUCTIONS, _reduction),
    "concat": _concat,
    "matmul": _matmul,
}
