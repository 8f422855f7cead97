"""Constants of a TFLite file's operators, set in real numbers and stored in the file's own types.

A quantized constant keeps its scales, unless new ones lose clearly less of its numbers.
"""

from typing import TYPE_CHECKING, Any

from deltann.edits import Impossible, Insert, SetParameter
from deltann.formats import tflite_numbers as numbers
from deltann.formats.tflite_editing import Editing
from deltann.formats.tflite_file import quantization
from deltann.formats.tflite_node import BIASES, WEIGHTS
from deltann.formats.tflite_numbers import Scales
from deltann.formats.tflite_operators import BINARY, Described

if TYPE_CHECKING:
    import numpy as np

# The axis of the output's channels in a weight, as the file has it, if they may have own scales.
CHANNELS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "TRANSPOSE_CONV": 0}


def set_parameter(editing: Editing, edit: SetParameter) -> None:
    """Set a constant of an operator.

    Raises:
        Impossible: the operator has no such parameter.
    """
    import numpy as np

    item = editing.described(edit.operator)
    value = np.asarray(edit.value, np.float32)
    native, kind = item.node.native, item.operator.kind
    if edit.parameter == "weight" and kind in WEIGHED:
        _set_weight(editing, item, value)
    elif edit.parameter == "bias" and kind in WEIGHED:
        _set_bias(editing, item, value.reshape(-1))
    elif edit.parameter == "operand" and native in BINARY and item.operator.parameters:
        (place,) = {0, 1} - set(item.places)
        _store(editing, item, place, _shaped(editing, item, place, value))
    elif edit.parameter == "slope" and native == "PRELU":
        _store(editing, item, 1, _shaped(editing, item, 1, value))
    elif edit.parameter in ("scale", "zero_point") and native in ("QUANTIZE", "DEQUANTIZE"):
        _set_scales(editing, item, edit.parameter, value)
    else:
        raise Impossible(f"{edit.operator} ({native}) can't have a parameter {edit.parameter!r}")


WEIGHED = ("convolution", "transposed_convolution", "dense")


def _set_weight(editing: Editing, item: Described, value: "np.ndarray") -> None:
    import numpy as np

    operator, native = item.node.operator, item.node.native
    if native == "BATCH_MATMUL":
        stored = value if item.node.option("adjY") else value.T
        rank = len(editing.file.shapes[operator.inputs[1]])
        _store(editing, item, 1, stored.reshape((*[1] * (rank - 2), *stored.shape)))
        return
    if native == "DEPTHWISE_CONV_2D":
        channels = editing.file.shapes[operator.inputs[0]][3]
        if value.shape[1] != 1:
            native = _as_convolution(editing, operator)
        elif value.shape[0] % channels:
            raise Impossible(f"weight {value.shape} for {channels} channels")
        else:
            operator.builtinOptions.depthMultiplier = value.shape[0] // channels
    if len(value.shape) != len(WEIGHTS[native]):
        raise Impossible(f"weight of shape {value.shape}")
    stored = value.transpose(np.argsort(WEIGHTS[native]))
    old = editing.file.scales(operator.inputs[1])
    _store(editing, item, 1, stored, CHANNELS.get(native))
    place = BIASES[native]
    new = editing.file.scales(operator.inputs[1])
    if old is not None and new is not old and item.node.has(place):
        bias = item.operator.parameters["bias"]
        _set_bias(editing, item, bias)  # its scales are products with those of the weight


def _as_convolution(editing: Editing, operator: Any) -> str:
    """Make a depthwise convolution a grouped one."""
    options = operator.builtinOptions
    names = (
        *("padding", "strideH", "strideW", "fusedActivationFunction"),
        *("dilationHFactor", "dilationWFactor"),
    )
    kept = {name: getattr(options, name) for name in names}
    editing.builder.become(operator, "CONV_2D", **kept)
    return "CONV_2D"


def _set_bias(editing: Editing, item: Described, value: "np.ndarray") -> None:
    import numpy as np

    operator, native, file = (
        item.node.operator,
        editing.file.native(item.node.operator),
        editing.file,
    )
    if native not in BIASES:
        behind = file.names[operator.outputs[0]]
        editing.insert(Insert(behind, "add", parameters={"operand": value}))
        return
    place = BIASES[native]
    taken, weight = file.scales(operator.inputs[item.places[0]]), file.scales(operator.inputs[1])
    if taken is None or weight is None:
        _store(editing, item, place, value)
        return
    scale = np.asarray(weight.scale, np.float64) * float(taken.scale[0])
    scales = Scales(scale.astype(np.float32), np.zeros(scale.size, np.int64))
    dtype = "int64" if file.dtype(operator.inputs[item.places[0]]) == "int16" else "int32"
    editing.own(operator, place, numbers.to_whole(value, scales, dtype), dtype, scales)


def _shaped(editing: Editing, item: Described, place: int, value: "np.ndarray") -> "np.ndarray":
    """A value in the shape of the constant that it replaces, if that has as many numbers."""
    shape = editing.file.shapes[item.node.operator.inputs[place]]
    count = 1
    for side in shape:
        count *= side
    return value.reshape(shape) if value.size == count else value


def _store(
    editing: Editing, item: Described, place: int, value: "np.ndarray", channels: int | None = None
) -> None:
    """Have an operator read these numbers, in the type of those that it reads now.

    Args:
        channels: the axis of a weight whose channels may have their own scales.
    """
    file, operator = editing.file, item.node.operator
    old = operator.inputs[place] if place < len(operator.inputs) else -1
    source, maker = old, file.makers().get(old)
    if maker is not None and file.native(maker) == "DEQUANTIZE":
        source = maker.inputs[0]
    dtype, scales = ("float32", None) if source < 0 else (file.dtype(source), file.scales(source))
    stored = value
    if scales is not None:
        if place == 1 and item.operator.kind in WEIGHED:
            axis = channels if scales.scale.size > 1 or channels is not None else None
            new = numbers.symmetric(value, dtype, axis)
        else:
            new = numbers.affine(value, dtype)
        scales = numbers.fitting(value, scales, new, dtype)
        stored = numbers.to_whole(value, scales, dtype)
    index = editing.own(operator, place, stored, dtype, scales)
    if source != old:  # the kernel takes what an operator makes of the constant
        operator.inputs[place] = editing.builder.emit("DEQUANTIZE", [index], dtype="float32")


def _set_scales(editing: Editing, item: Described, name: str, value: "np.ndarray") -> None:
    import numpy as np

    operator, file = item.node.operator, editing.file
    index = operator.outputs[0] if item.node.native == "QUANTIZE" else operator.inputs[0]
    old = file.scales(index)
    assert old is not None
    scale = value.reshape(-1) if name == "scale" else old.scale
    zero = value.reshape(-1).astype(np.int64) if name == "zero_point" else old.zero_point
    if scale.size != zero.size:
        zero = np.broadcast_to(zero[:1], scale.shape)
    file.tensors[index].quantization = quantization(Scales(scale, zero, old.axis))
