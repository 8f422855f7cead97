"""Edits of small ONNX models, each with a model made by hand that computes what is asked for.

By name: the model, the edits, and the other model; None in its place if the edit is impossible.
Where an edit changes the shape of `first`'s output, both models are given an end for that.
"""

import numpy as np
from onnx import helper, numpy_helper

from deltann.edits import SetAttribute, SetParameter
from helpers.onnx_cases import CASES, NORM, model, node, numbers, with_output


def changed(name: str, **attributes):
    """A case's model with other attributes of its first node; None takes one away."""
    version, nodes, constants = CASES[name]
    copies = []
    for item in nodes:
        copy = helper.make_node("Identity", [], [])
        copy.CopyFrom(item)
        if copy.name == "first":
            kept = [item for item in copy.attribute if item.name not in attributes]
            more = [helper.make_attribute(k, v) for k, v in attributes.items() if v is not None]
            del copy.attribute[:]
            copy.attribute.extend([*kept, *more])
        copies.append(copy)
    return model(version, copies, constants)


def given(name: str, **constants: np.ndarray):
    """A case's model with other constants."""
    version, nodes, before = CASES[name]
    return model(version, nodes, before | constants)


def other(name: str, *nodes, version: int = 0, **constants: np.ndarray):
    """A model with a case's constants, and others, but these nodes."""
    return model(version or CASES[name][0], [*nodes], CASES[name][2] | constants)


def ended(whole, end: str):
    """A model whose output goes on, to `row`, or to the sum of its squares."""
    for item in whole.graph.node:
        item.output[:] = ["body" if name == "out" else name for name in item.output]
    if end == "row":
        shape = numpy_helper.from_array(np.array([1, -1]), "row")
        whole.graph.initializer.append(shape)
        whole.graph.node.append(helper.make_node("Reshape", ["body", "row"], ["out"], name="end"))
    else:
        whole.graph.node.append(helper.make_node("ReduceSumSquare", ["body"], ["out"], name="end"))
    whole.graph.output[0].CopyFrom(helper.make_empty_tensor_value_info("out"))
    return with_output(whole)


def attribute(name: str, value: object) -> list:
    return [SetAttribute("first", name, value)]


def parameter(name: str, value: np.ndarray) -> list:
    return [SetParameter("first", name, value)]


BIAS = numbers(6)
CENTRE = numbers(4)
LARGE = -numbers(6, 4, 3, 2)
SWAPPED = ("Sub", ["image", "d"], "e1", {})
EDITS: dict[str, tuple] = {
    "pads": (
        "convolution",
        attribute("pads", [1, 1, 0, 0]),
        changed("convolution", pads=[1, 1, 0, 0]),
    ),
    "pads, automatic": (
        "convolution, upper",
        attribute("pads", [1, 1, 1, 0]),
        changed("convolution, upper", auto_pad=None, pads=[1, 1, 1, 0]),
    ),
    "strides, automatic": (
        "convolution, upper",
        attribute("strides", [1, 1]),
        changed("convolution, upper", auto_pad=None, pads=[1, 0, 1, 1], strides=[1, 1]),
    ),
    "dilations": (
        "convolution",
        attribute("dilations", [2, 1]),
        changed("convolution", dilations=[2, 1]),
    ),
    "epsilon": ("batch norm", attribute("epsilon", 0.5), changed("batch norm", epsilon=0.5)),
    "training": (
        "batch norm, new",
        attribute("training", True),
        other(
            "batch norm, new",
            node(
                "BatchNormalization",
                *NORM,
                epsilon=0.01,
                training_mode=1,
                outputs=("out", "m", "v"),
            ),
        ),
    ),
    "no automatic clip": (
        "relu",
        attribute("max", 0.5),
        other("clip, new", node("Clip", "low", "high"), low=np.float32(0), high=np.float32(0.5)),
    ),
    "a bound less": (
        "clip, new",
        [*attribute("max", None), *attribute("min", 0.0)],
        other("relu", node("Relu")),
    ),
    "bounds, old": ("clip", attribute("max", 0.1), changed("clip", max=0.1)),
    "slope": ("leaky relu", attribute("slope", 0.3), changed("leaky relu", alpha=0.3)),
    "alpha": ("hard sigmoid", attribute("alpha", 0.3), changed("hard sigmoid", alpha=0.3)),
    "approximate": ("gelu", attribute("approximate", "none"), changed("gelu", approximate="none")),
    "axis": ("softmax", attribute("axis", "W"), changed("softmax", axis=3)),
    "axis, old": ("softmax, old", attribute("axis", 0), None),
    "axes": (
        "mean, new",
        attribute("axes", ["H"]),
        given("mean, new", axes=np.array([2], np.int64)),
    ),
    "axes of a global pool": (
        "global pool",
        attribute("axes", ["C", "H"]),
        other("global pool", node("ReduceMean", axes=[1, 2])),
    ),
    "count_include_pad": (
        "average pool, with pads",
        attribute("count_include_pad", False),
        changed("average pool, with pads", count_include_pad=0),
    ),
    "ceil_mode": (
        "max pool, up",
        attribute("ceil_mode", False),
        changed("max pool, up", ceil_mode=0),
    ),
    "kernel": (
        "max pool, up",
        attribute("kernel", [3, 3]),
        changed("max pool, up", kernel_shape=[3, 3]),
    ),
    "coordinates": (
        "resize",
        attribute("coordinates", "asymmetric"),
        changed("resize", coordinate_transformation_mode="asymmetric"),
    ),
    "rounding": ("resize", attribute("rounding", "ceil"), changed("resize", nearest_mode="ceil")),
    "mode": ("resize", attribute("mode", "linear"), changed("resize", mode="linear")),
    "size": (
        "resize, sizes",
        attribute("size", [5, 6]),
        given("resize, sizes", sizes=np.array([1, 4, 5, 6], np.int64)),
    ),
    "coordinates, old": ("resize, old", attribute("coordinates", "half_pixel"), None),
    "permutation": (
        "transpose",
        attribute("permutation", [0, 2, 1, 3]),
        changed("transpose", perm=[0, 2, 1, 3]),
    ),
    "shape": (
        "flatten",
        attribute("shape", [2, 198]),
        other("flatten", node("Reshape", "s"), s=np.array([2, 198])),
    ),
    "starts": ("slice, old", attribute("starts", [2]), changed("slice, old", starts=[2])),
    "steps": ("slice", attribute("steps", [-1, 2]), given("slice", steps=np.array([-1, 2]))),
    "constant_first": (
        "subtract from",
        attribute("constant_first", False),
        other("subtract from", node("Sub", "c")),
    ),
    "pads of a pad": (
        "pad",
        attribute("pads", [0, 0, 1, 1]),
        given("pad", pads=np.array([0, 0, 0, 0, 0, 0, 1, 1])),
    ),
    "mode of a pad": (
        "pad, old",
        attribute("mode", "reflect"),
        changed("pad, old", mode="reflect"),
    ),
    "attribute of ONNX's own": (
        "other",
        attribute("epsilon", 0.9),
        changed("other", epsilon=0.9),
    ),
    "unknown attribute of ONNX's own": ("other", attribute("size", 3), None),
    "unknown attribute": ("convolution", attribute("epsilon", 1.0), None),
    "unknown operator": ("convolution", [SetAttribute("second", "pads", [0, 0, 0, 0])], None),
    "weight": ("convolution", parameter("weight", LARGE), given("convolution", w=LARGE)),
    "weight of another shape": ("transposed", parameter("weight", LARGE), None),
    "groups": (
        "convolution",
        [*parameter("weight", LARGE[:, :2]), *attribute("groups", 2)],
        other(
            "convolution",
            node("Conv", "w", pads=[0, 1, 2, 3], strides=[2, 1], group=2),
            w=LARGE[:, :2],
        ),
    ),
    "groups alone": ("convolution", attribute("groups", 2), None),
    "bias": (
        "convolution",
        parameter("bias", BIAS),
        other("convolution", node("Conv", "w", "b", pads=[0, 1, 2, 3], strides=[2, 1]), b=BIAS),
    ),
    "bias of another shape": ("convolution", parameter("bias", BIAS[:2]), None),
    "bias of a matmul": (
        "matmul",
        parameter("bias", BIAS[:5]),
        other(
            "matmul",
            CASES["matmul"][1][0],
            helper.make_node("Gemm", ["rows", "w", "b"], ["out"]),
            b=BIAS[:5],
        ),
    ),
    "weight and bias of a gemm": (
        "gemm",
        [*parameter("weight", numbers(5, 99) * 0 + 0.1), *parameter("bias", BIAS[:5])],
        other(
            "gemm",
            CASES["gemm"][1][0],
            helper.make_node("Gemm", ["rows", "w", "b"], ["out"], transB=1),
            w=numbers(5, 99) * 0 + np.float32(0.1),
            b=BIAS[:5],
        ),
    ),
    "variance": ("batch norm", parameter("variance", CENTRE), given("batch norm", variance=CENTRE)),
    "slope per channel": (
        "prelu",
        parameter("slope", CENTRE),
        given("prelu", slope=CENTRE.reshape(4, 1, 1)),
    ),
    "operand": ("add", parameter("operand", CENTRE), given("add", c=CENTRE.reshape(1, 4, 1, 1))),
    "operand, one for each": (
        "subtract from",
        parameter("operand", CENTRE),
        given("subtract from", c=CENTRE.reshape(4, 1, 1)),
    ),
    "computed weight": (
        "computed weight",
        parameter("weight", LARGE[..., :1].repeat(3, -1)),
        other("convolution", node("Conv", "w"), w=LARGE[..., :1].repeat(3, -1)),
    ),
    "quantized weight": (
        "quantized",
        parameter("weight", LARGE[..., :1].repeat(3, -1)),
        other(
            "quantized",
            *CASES["quantized"][1][1:3],
            helper.make_node("Conv", ["again", "v"], ["out"]),
            v=LARGE[..., :1].repeat(3, -1),
        ),
    ),
}
# By name of an edit, how both models end: the output's shape must stay.
ENDS = {
    "permutation": "row",
    "shape": "row",
    **dict.fromkeys(("pads", "strides, automatic", "dilations", "axes", "ceil_mode"), "squares"),
    **dict.fromkeys(("axes of a global pool", "kernel", "size", "starts", "steps"), "squares"),
    **dict.fromkeys(("pads of a pad", "bypass the last"), "squares"),
    "insert two transposes": "squares",
}
