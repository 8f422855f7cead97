"""Edits of the graph of one small network, as `onnx_edits` has them of single operators."""

import numpy as np
from onnx import helper

from deltann.edits import Bypass, Insert, Reconnect, Replace, SetAttribute, SetParameter
from deltann.steps import Operator
from helpers.onnx_cases import NORM, model, node, numbers
from helpers.onnx_edits import other

SHARED = {"w": numbers(4, 4, 3, 3) / 9, "e": numbers(5, 4)}
OPERATORS = {
    "one": ("Conv", ["image", "w"], "a", {"pads": [1, 1, 1, 1]}),
    "active": ("Relu", ["a"], "b", {}),
    "two": ("Conv", ["b", "w"], "c", {"pads": [1, 1, 1, 1]}),
    "join": ("Add", ["b", "c"], "d", {}),
    "less": ("Sub", ["d", "image"], "e1", {}),
    "pool": ("GlobalAveragePool", ["e1"], "f", {}),
    "flat": ("Flatten", ["f"], "g", {}),
    "last": ("Gemm", ["g", "e"], "out", {"transB": 1}),
}


def network(*, version: int = 13, more: list | None = None, constants=None, **operators):
    """A network with two convolutions of one weight and a residual; some operators otherwise.

    Args:
        version: of the operators.
        more: by the name of an operator, nodes in front of it.
        constants: further ones.
        operators: other ones in place of `OPERATORS`; None for none.
    """
    nodes = []
    for name, (op_type, inputs, output, attributes) in (OPERATORS | operators).items():
        nodes += [item for before, item in more or [] if before == name]
        if op_type:
            nodes.append(helper.make_node(op_type, inputs, [output], name, **attributes))
    nodes += [item for before, item in more or [] if before == "end"]
    return model(version, nodes, SHARED | (constants or {}))


def behind(tensor: str, op_type: str, reader: str, *more: str, **attributes) -> dict:
    """The arguments of `network` for a node between a tensor and its only reader."""
    new = helper.make_node(op_type, [tensor, *more], ["new"], **attributes)
    kind, inputs, output, own = OPERATORS[reader]
    inputs = ["new" if name == tensor else name for name in inputs]
    return {"more": [(reader, new)], reader: (kind, inputs, output, own)}


HALVED = (SHARED["w"] / 2).astype(np.float32)
CENTRE = numbers(4)
SUMMAND = numbers(5)
SWAPPED = ("Sub", ["image", "d"], "e1", {})
# Of another model, by its own names.
WINDOW = {"pads": [1, 1, 1, 1], "strides": [1, 1], "dilations": [1, 1], "groups": 1}
RELU = {"activation": {"kind": "clip", "min": 0, "max": None}}
CONVOLVED = Operator(
    *("", "", "convolution", ("x",), ("y",)),
    WINDOW | RELU,
    {"weight": HALVED, "bias": CENTRE},
)
JOINED = Operator("", "", "add", ("x", "y"), ("z",))
DENSE = Operator(*("", "", "dense", ("x",), ("y",), {}), {"weight": SHARED["e"], "bias": SUMMAND})
EDITS: dict[str, tuple] = {
    "activation": (
        "network",
        [SetAttribute("two", "activation", {"kind": "clip", "min": 0, "max": 0.5})],
        network(
            **behind("c", "Clip", "join", "lo", "hi"),
            constants={"lo": np.float32(0), "hi": np.float32(0.5)},
        ),
    ),
    "another activation": (
        "network",
        [Insert("b", "leaky_relu", {"slope": 0.2}), Bypass("active")],
        network(active=("LeakyRelu", ["a"], "b", {"alpha": 0.2})),
    ),
    "shared weight": (
        "network",
        [SetParameter("two", "weight", HALVED)],
        network(two=("Conv", ["b", "v"], "c", {"pads": [1, 1, 1, 1]}), constants={"v": HALVED}),
    ),
    "reconnect": (
        "network",
        [Reconnect("join", 0, "a")],
        network(join=("Add", ["a", "c"], "d", {})),
    ),
    "swap": (
        "network",
        [Reconnect("less", 0, "image"), Reconnect("less", 1, "d")],
        network(less=SWAPPED),
    ),
    "reconnect to itself": ("network", [Reconnect("one", 0, "b")], None),
    "reconnect a constant": ("network", [Reconnect("one", 1, "image")], None),
    "bypass": (
        "network",
        [Bypass("active")],
        network(
            active=("", [], "", {}),
            two=("Conv", ["a", "w"], "c", {"pads": [1, 1, 1, 1]}),
            join=("Add", ["a", "c"], "d", {}),
        ),
    ),
    "bypass the first": ("relu", [Bypass("first")], other("relu", node("Identity"))),
    "bypass the last": (
        "matmul of two",
        [Bypass("first")],
        other("relu", node("Transpose", perm=[0, 1, 3, 2])),
    ),
    "bypass what shapes need": ("network", [Bypass("pool")], None),
    "insert relu6": (
        "network",
        [Insert("c", "clip", {"min": 0, "max": 0.5})],
        network(
            **behind("c", "Clip", "join", "lo", "hi"),
            constants={"lo": np.float32(0), "hi": np.float32(0.5)},
        ),
    ),
    "insert gelu": (
        "network",
        [Insert("c", "gelu")],
        network(version=20, **behind("c", "Gelu", "join")),
    ),
    "insert gelu by tanh": (
        "network",
        [Insert("c", "gelu", {"approximate": "tanh"})],
        network(version=20, **behind("c", "Gelu", "join", approximate="tanh")),
    ),
    "insert hard swish": (
        "network",
        [Insert("c", "hard_swish")],
        network(version=14, **behind("c", "HardSwish", "join")),
    ),
    "insert swish": (
        "network",
        [Insert("c", "swish")],
        network(
            more=[
                ("join", helper.make_node("Sigmoid", ["c"], ["s"])),
                ("join", helper.make_node("Mul", ["c", "s"], ["new"])),
            ],
            join=("Add", ["b", "new"], "d", {}),
        ),
    ),
    "insert leaky relu": (
        "network",
        [Insert("e1", "leaky_relu", {"slope": 0.2})],
        network(**behind("e1", "LeakyRelu", "pool", alpha=0.2)),
    ),
    "insert prelu": (
        "network",
        [Insert("e1", "prelu", {}, {"slope": CENTRE})],
        network(**behind("e1", "PRelu", "pool", "s"), constants={"s": CENTRE.reshape(4, 1, 1)}),
    ),
    "insert softmax": (
        "network",
        [Insert("c", "softmax", {"axis": "C"})],
        network(**behind("c", "Softmax", "join", axis=1)),
    ),
    "insert a factor": (
        "network",
        [Insert("c", "multiply", {}, {"operand": CENTRE})],
        network(**behind("c", "Mul", "join", "s"), constants={"s": CENTRE.reshape(4, 1, 1)}),
    ),
    "insert a difference": (
        "network",
        [Insert("c", "subtract", {"constant_first": True}, {"operand": np.float32(1).reshape(())})],
        network(
            more=[("join", helper.make_node("Sub", ["s", "c"], ["new"]))],
            join=("Add", ["b", "new"], "d", {}),
            constants={"s": np.float32(1)},
        ),
    ),
    "insert a residual": (
        "network",
        [Insert("c", "add", inputs=("a",))],
        network(**behind("c", "Add", "join", "a")),
    ),
    "insert a loop": ("network", [Insert("a", "add", inputs=("c",))], None),
    "insert a transpose": (
        "network",
        [
            Insert("e1", "transpose", {"permutation": [0, 3, 2, 1]}),
            Insert("f", "transpose", {"permutation": [0, 3, 2, 1]}),
        ],
        None,
    ),
    "insert two transposes": (
        "matmul of two",
        [
            Insert("image", "transpose", {"permutation": [0, 2, 1, 3]}),
            Insert("out", "transpose", {"permutation": [0, 2, 1, 3]}),
        ],
        other(
            "relu",
            helper.make_node("Transpose", ["image"], ["i"], perm=[0, 2, 1, 3]),
            helper.make_node("Transpose", ["i"], ["t"], perm=[0, 1, 3, 2]),
            helper.make_node("MatMul", ["i", "t"], ["m"]),
            helper.make_node("Transpose", ["m"], ["out"], perm=[0, 2, 1, 3]),
        ),
    ),
    "write anew": (
        "network",
        [
            Replace("d", (CONVOLVED, JOINED), {"x": "b"}),
            Replace("out", (DENSE,), {"x": "g"}),
        ],
        network(
            two=("Conv", ["b", "v", "k"], "c", {"pads": [1, 1, 1, 1]}),
            more=[("join", helper.make_node("Relu", ["c"], ["new"]))],
            join=("Add", ["b", "new"], "d", {}),
            last=("Gemm", ["g", "e", "l"], "out", {"transB": 1}),
            constants={"v": HALVED, "k": CENTRE, "l": SUMMAND},
        ),
    ),
    "insert a pad": (
        "network",
        [Insert("e1", "pad", {"pads": [0, 1, 2, 3], "value": 1.5})],
        network(
            **behind("e1", "Pad", "pool", "p", "v"),
            constants={"p": np.array([0, 0, 0, 1, 0, 0, 2, 3]), "v": np.float32(1.5)},
        ),
    ),
    "insert a batch norm": (
        "network",
        [Insert("c", "batch_norm", {"epsilon": 0.1}, NORM)],
        network(**behind("c", "BatchNormalization", "join", *NORM, epsilon=0.1), constants=NORM),
    ),
    "insert at the end": (
        "network",
        [Insert("out", "sigmoid"), Insert("out", "negative")],
        network(
            last=("Gemm", ["g", "e"], "h", {"transB": 1}),
            more=[
                ("end", helper.make_node("Neg", ["h"], ["i"])),
                ("end", helper.make_node("Sigmoid", ["i"], ["out"])),
            ],
        ),
    ),
}
