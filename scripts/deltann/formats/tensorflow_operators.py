"""The nodes of a frozen TensorFlow graph as `steps.Operator`s."""

from typing import Any

from deltann.formats import tensorflow_windows
from deltann.formats.tensorflow_eager import Execution
from deltann.formats.tensorflow_frozen import data_inputs, node_of
from deltann.formats.tensorflow_node import LETTERS, Node, Said, operand, other
from deltann.steps import Operator

BINARY = {
    **{"Add": "add", "AddV2": "add", "BiasAdd": "add", "Sub": "subtract", "Mul": "multiply"},
    **{"RealDiv": "divide", "Div": "divide", "Maximum": "maximum", "Minimum": "minimum"},
    "Pow": "power",
}
UNARY: dict[str, tuple[str, dict[str, Any]]] = {
    "Relu": ("clip", {"min": 0, "max": None}),
    "Relu6": ("clip", {"min": 0, "max": 6}),
    "Elu": ("elu", {"alpha": 1.0}),
    "Sigmoid": ("sigmoid", {}),
    "Tanh": ("tanh", {}),
    "Softplus": ("softplus", {}),
    "Erf": ("erf", {}),
    "Exp": ("exp", {}),
    "Sqrt": ("sqrt", {}),
    "Abs": ("abs", {}),
    "Neg": ("negative", {}),
    "Reciprocal": ("reciprocal", {}),
    "Inv": ("reciprocal", {}),
    "Identity": ("identity", {}),
    "StopGradient": ("identity", {}),
    "PreventGradient": ("identity", {}),
    "Snapshot": ("identity", {}),
}
REDUCTIONS = {"Mean": "mean", "Sum": "sum", "Max": "max", "Min": "min", "Prod": "prod"}


def operators(execution: Execution) -> list[Operator]:
    """What the nodes that depend on the input are, in running order."""
    return [_operator(execution, name) for name in execution.moving]


def _operator(execution: Execution, name: str) -> Operator:
    frozen = execution.frozen
    definition = frozen.nodes[name]
    read = data_inputs(definition)
    moving = {*execution.moving, node_of(frozen.input)}
    constants = {
        place: execution.constant(item).numpy()
        for place, item in enumerate(read)
        if node_of(item) not in moving
    }
    shapes = tuple(frozen.shapes[item] for item in read)
    node = Node(definition, shapes, constants, frozen.shapes[f"{name}:0"])
    kind, attributes, parameters = describe(node)
    inputs = tuple(item for place, item in enumerate(read) if place not in constants)
    # the further outputs of a batch norm are for training
    outputs = execution.outputs(name)[: 1 if kind == "batch_norm" else None]
    return Operator(name, node.op, kind, inputs, tuple(outputs), attributes, parameters)


def describe(node: Node) -> Said:
    """The kind of a node, its attributes and its parameters."""
    if node.op in UNARY:
        kind, attributes = UNARY[node.op]
        return kind, dict(attributes), {}
    if node.op in BINARY:
        return _binary(node)
    if node.op in REDUCTIONS:
        return _reduction(node)
    if node.op.startswith("FusedBatchNorm"):
        return _batch_norm(node)
    return (tensorflow_windows.KINDS | _KINDS).get(node.op, other)(node)


def _binary(node: Node) -> Said:
    kind = BINARY[node.op]
    if not node.constants:
        return kind, {}, {}
    ((place, value),) = node.constants.items()
    attributes = {"constant_first": True} if place == 0 else {}
    return kind, attributes, {"operand": operand(node, value)}


def _power(node: Node) -> Said:
    """`Square` and `Rsqrt`."""
    import numpy as np

    exponent = np.array(2 if node.op == "Square" else -0.5, np.float32)
    return "power", {}, {"operand": exponent}


def _reduction(node: Node) -> Said:
    if 1 not in node.constants:
        return other(node)
    axes = node.axes(node.constants[1].reshape(-1))
    return REDUCTIONS[node.op], {"axes": axes, "keepdims": node.flag("keep_dims")}, {}


def _batch_norm(node: Node) -> Said:
    training = node.flag("is_training")
    known = [1, 2] if training else [1, 2, 3, 4]
    if not {*known} <= node.constants.keys():
        return other(node)
    names = ("scale", "shift", "mean", "variance")
    parameters = {names[place - 1]: node.constants[place] for place in known}
    return "batch_norm", {"epsilon": node.number("epsilon"), "training": training}, parameters


def _product(node: Node) -> Said:
    """`MatMul` and `BatchMatMulV2`."""
    letters = ("transpose_a", "transpose_b") if node.op == "MatMul" else ("adj_x", "adj_y")
    first, second = (node.flag(letter) for letter in letters)
    if not node.constants:
        return "matmul", {"transpose_a": first, "transpose_b": second}, {}
    if 1 not in node.constants or first or node.constants[1].ndim != 2:
        return other(node)
    weight = node.constants[1] if second else node.constants[1].T
    return "dense", {}, {"weight": weight}


def _leaky_relu(node: Node) -> Said:
    return "leaky_relu", {"slope": node.number("alpha")}, {}


def _softmax(node: Node) -> Said:
    kind = "softmax" if node.op == "Softmax" else "log_softmax"
    return kind, {"axis": node.axes([-1])[0]}, {}


def _clip(node: Node) -> Said:
    if not {1, 2} <= node.constants.keys() or any(node.constants[i].size != 1 for i in (1, 2)):
        return other(node)
    low, high = (float(node.constants[place].reshape(())) for place in (1, 2))
    return "clip", {"min": low, "max": high}, {}


def _transpose(node: Node) -> Said:
    if 1 not in node.constants:
        return other(node)
    return "transpose", {"permutation": node.constants[1].tolist()}, {}


def _reshape(node: Node) -> Said:
    if node.writes is None:
        return other(node)
    return "reshape", {"shape": list(node.writes)}, {}


def _concat(node: Node) -> Said:
    last = len(node.reads) - 1
    if {*node.constants} != {last}:
        return other(node)
    return "concat", {"axis": node.axes([node.constants[last]])[0]}, {}


def _split(node: Node) -> Said:
    place = 0 if node.op == "Split" else 2
    shape = node.main()
    if place not in node.constants or shape is None:
        return other(node)
    axis = int(node.constants[place]) % len(shape)
    if node.op == "Split":
        pieces = int(node.number("num_split"))
        sizes = [(shape[axis] or 0) // pieces] * pieces
    elif 1 in node.constants:
        sizes = [int(size) for size in node.constants[1]]
        rest = (shape[axis] or 0) - sum(size for size in sizes if size > 0)
        sizes = [rest if size < 0 else size for size in sizes]
    else:
        return other(node)
    name = LETTERS[axis] if len(shape) == 4 else axis
    return "split", {"axis": name, "sizes": sizes}, {}


def _slice(node: Node) -> Said:
    """`Slice`, and a `StridedSlice` that keeps all axes."""
    if node.reads[0] is None or None in node.reads[0] or not {1, 2} <= node.constants.keys():
        return other(node)
    shape = [side or 0 for side in node.reads[0]]
    if node.op == "Slice":
        begins, sizes = node.constants[1].tolist(), node.constants[2].tolist()
        pieces = [
            (begin, side if size < 0 else begin + size, 1)
            for begin, size, side in zip(begins, sizes, shape, strict=True)
        ]
    else:
        masks = ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
        if 3 not in node.constants or any(node.number(mask) for mask in masks):
            return other(node)
        pieces = _strided(node, shape)
    kept = [
        axis
        for axis, side in enumerate(shape)
        if axis < len(pieces) and pieces[axis] != (0, side, 1)
    ]
    named = [LETTERS[axis] if len(shape) == 4 else axis for axis in kept]
    starts, ends, steps = ([pieces[axis][i] for axis in kept] for i in range(3))
    return "slice", {"axes": named, "starts": starts, "ends": ends, "steps": steps}, {}


def _strided(node: Node, shape: list[int]) -> list[tuple[int, int, int]]:
    """Start, end and step of each axis that a `StridedSlice` names."""
    begin_mask, end_mask = (int(node.number(f"{word}_mask")) for word in ("begin", "end"))
    given = zip(*(node.constants[place].tolist() for place in (1, 2, 3)), strict=True)
    pieces = []
    for axis, (begin, end, step) in enumerate(given):
        start = None if begin_mask >> axis & 1 else begin
        stop = None if end_mask >> axis & 1 else end
        pieces.append(slice(start, stop, step).indices(shape[axis]))
    return pieces


def _cast(node: Node) -> Said:
    import tensorflow

    kind = tensorflow.dtypes.as_dtype(node.definition.attr["DstT"].type)
    return "cast", {"dtype": kind.name}, {}


def _lrn(node: Node) -> Said:
    size = 2 * int(node.number("depth_radius")) + 1
    return (
        "lrn",
        {
            "size": size,
            "alpha": node.number("alpha") * size,
            "beta": node.number("beta"),
            "bias": node.number("bias"),
        },
        {},
    )


def _addition(node: Node) -> Said:
    """`AddN` of two tensors."""
    return ("add", {}, {}) if len(node.reads) == 2 and not node.constants else other(node)


_KINDS = {
    **{"MatMul": _product, "BatchMatMulV2": _product, "BatchMatMul": _product},
    **{"LeakyRelu": _leaky_relu, "Softmax": _softmax, "LogSoftmax": _softmax},
    **{"ClipByValue": _clip, "Transpose": _transpose, "ConcatV2": _concat},
    **{"Reshape": _reshape, "Squeeze": _reshape, "ExpandDims": _reshape},
    **{"Split": _split, "SplitV": _split, "Slice": _slice, "StridedSlice": _slice},
    **{"Cast": _cast, "LRN": _lrn, "AddN": _addition},
    **{"Square": _power, "Rsqrt": _power},
}
