"""Attributes of a TFLite file's operators, set in the words of `deltann.steps`."""

from collections.abc import Callable
from typing import Any

from deltann.edits import Impossible
from deltann.formats import tflite_chains as chains
from deltann.formats.tflite_editing import Editing
from deltann.formats.tflite_node import FUSED, NONE, number
from deltann.formats.tflite_numbers import CODES
from deltann.formats.tflite_operators import BINARY, REDUCTIONS, Described
from deltann.formats.tflite_pads import set_transposed, set_window

Wanted = dict[str, Any]
# Operators whose kernels take an activation, and the activations that all of them take.
FUSING = (
    *("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "DIV"),
    *("AVERAGE_POOL_2D", "MAX_POOL_2D"),
)
FUSABLE = (0, 1, 2, 3)
# What an attribute is if an operator's attributes don't have it, by the operator's kind.
DEFAULTS: dict[str, dict[str, Any]] = {
    **{kind: {"constant_first": False} for kind in BINARY.values()},
    "resize": {"rounding": None},
    "softmax": {"beta": 1.0},
}


def set_attributes(editing: Editing, name: str, changes: dict[str, Any]) -> None:
    """Set attributes of one operator, all at once.

    Args:
        editing: of the file.
        name: of the operator.
        changes: by the words of `deltann.steps`.

    Raises:
        Impossible: TFLite can't express one of them.
    """
    item = editing.described(name)
    changes = dict(changes)
    if "activation" in changes:
        _set_activation(editing, item, changes.pop("activation"))
    known = DEFAULTS.get(item.operator.kind, {}) | item.operator.attributes
    unknown = changes.keys() - known.keys()
    if unknown:
        raise Impossible(f"{name} ({item.node.native}) has no attribute {sorted(unknown)}")
    if not changes or all(known[key] == value for key, value in changes.items()):
        return
    setter = SETTERS.get(item.operator.kind)
    if setter is None:
        raise Impossible(f"{name} ({item.node.native}): {sorted(changes)} can't be set")
    setter(editing, item, known | changes)


def _set_activation(editing: Editing, item: Described, wanted: Wanted) -> None:
    """Fuse an activation with an operator, or put it behind if TFLite can't fuse it."""
    operator, words = item.node.operator, dict(wanted or {})
    options = operator.builtinOptions
    fused = {code for code in FUSABLE if FUSED[code] == words}
    if item.node.fuses():
        options.fusedActivationFunction = NONE
        if item.node.native in FUSING and fused:
            (options.fusedActivationFunction,) = fused
            return
    if words:
        kind = words.pop("kind")
        parameters = {name: words.pop(name) for name in ("slope",) if kind == "prelu"}
        editing.put_behind(
            operator.outputs[0],
            lambda tensor: chains.build(editing.builder, kind, [tensor], words, parameters),
            part=True,
        )


def _rebuild(editing: Editing, item: Described, wanted: Wanted) -> None:
    """Replace an operator by what now has these attributes."""
    kind = item.operator.kind
    if wanted.get("dropped"):
        raise Impossible(f"{item.operator.name}: its output has not all axes of its input")
    fused = wanted.pop("activation", None)
    if fused:
        raise Impossible(f"{item.operator.name}: it has the activation {fused}")
    editing.replace(
        item.node.operator,
        lambda tensor: chains.build(
            editing.builder, kind, [tensor], wanted, item.operator.parameters
        ),
        whole=kind in chains.MOVING,
    )


def _axes(editing: Editing, item: Described, wanted: Wanted) -> None:
    operator = item.node.operator
    rank = len(editing.file.shapes[operator.inputs[0]])
    places = [number(axis, rank) for axis in wanted["axes"]]
    editing.own(operator, 1, places, "int32")  # type: ignore[arg-type]
    operator.builtinOptions.keepDims = bool(wanted["keepdims"])


def _concat(editing: Editing, item: Described, wanted: Wanted) -> None:
    operator = item.node.operator
    rank = len(editing.file.shapes[operator.inputs[0]])
    operator.builtinOptions.axis = number(wanted["axis"], rank)


def _split(editing: Editing, item: Described, wanted: Wanted) -> None:
    """With a vector of sizes, which may differ."""
    import numpy as np

    operator, data = item.node.operator, 1 if item.node.native == "SPLIT" else 0
    source, sizes = operator.inputs[data], list(wanted["sizes"])
    axis = number(wanted["axis"], len(editing.file.shapes[source]))
    builder = editing.builder
    operator.inputs = [source, builder.whole(sizes), builder.constant(np.array(axis, np.int32))]
    builder.become(operator, "SPLIT_V", numSplits=len(sizes))


def _options(**names: str) -> Callable[[Editing, Described, Wanted], None]:
    """Set options of the schema, by the attributes that they are called by here."""

    def apply(_: Editing, item: Described, wanted: Wanted) -> None:
        for option, name in names.items():
            setattr(item.node.operator.builtinOptions, option, wanted[name])

    return apply


def _matmul(_: Editing, item: Described, wanted: Wanted) -> None:
    if item.node.native != "BATCH_MATMUL":
        raise Impossible(f"{item.operator.name}: a fully connected layer turns nothing round")
    options = item.node.operator.builtinOptions
    options.adjX, options.adjY = bool(wanted["transpose_a"]), bool(wanted["transpose_b"])


def _lrn(_: Editing, item: Described, wanted: Wanted) -> None:
    if wanted["size"] % 2 == 0:
        raise Impossible("lrn: TFLite's window is as long on both sides")
    options = item.node.operator.builtinOptions
    options.radius = wanted["size"] // 2
    options.alpha, options.beta = wanted["alpha"] / wanted["size"], wanted["beta"]
    options.bias = wanted["bias"]


def _binary(_: Editing, item: Described, wanted: Wanted) -> None:
    if wanted["constant_first"] != item.operator.attributes.get("constant_first", False):
        item.node.operator.inputs.reverse()


def _cast(editing: Editing, item: Described, wanted: Wanted) -> None:
    if wanted["dtype"] not in CODES or item.node.native != "CAST":
        raise Impossible(f"cast to {wanted['dtype']}")
    operator = item.node.operator
    operator.builtinOptions = None
    operator.builtinOptionsType = 0
    editing.file.tensors[operator.outputs[0]].type = CODES[wanted["dtype"]]


SETTERS: dict[str, Callable[[Editing, Described, Wanted], None]] = {
    **dict.fromkeys(("convolution", "max_pool", "average_pool"), set_window),
    "transposed_convolution": set_transposed,
    **dict.fromkeys(
        ("clip", "elu", "gelu", "leaky_relu", "softmax", "log_softmax", "transpose", "reshape"),
        _rebuild,
    ),
    **dict.fromkeys(("pad", "resize", "slice"), _rebuild),
    **dict.fromkeys(REDUCTIONS.values(), _axes),
    **dict.fromkeys(BINARY.values(), _binary),
    "concat": _concat,
    "split": _split,
    "matmul": _matmul,
    "lrn": _lrn,
    "cast": _cast,
}
