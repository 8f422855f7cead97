"""Small ONNX models, each with the operator in question as its first node.

By name: the version of the operators, the nodes, and their constants. The input is `image`.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

SHAPE = (1, 4, 9, 11)
RANDOM = np.random.default_rng(5)


def numbers(*shape: int) -> np.ndarray:
    return RANDOM.uniform(0.2, 1.2, shape).astype(np.float32)


def node(op_type: str, *more: str, outputs: tuple[str, ...] = ("out",), **attributes):
    """A node that reads the image first."""
    return helper.make_node(op_type, ["image", *more], [*outputs], name="first", **attributes)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


WEIGHT = {"w": numbers(6, 4, 3, 2)}
GROUPED = {"w": numbers(6, 2, 3, 3), "b": numbers(6)}
BACK = {"w": numbers(4, 3, 3, 3)}
NORM = {name: numbers(4) for name in ("scale", "shift", "mean", "variance")}
FLAT = helper.make_node("Reshape", ["image", "flat"], ["rows"], name="flatten")
ROWS = {"flat": ints(4, 99)}


def rows(op_type: str, *more: str, **attributes) -> list:
    """A node that reads the image as a matrix."""
    dense = helper.make_node(op_type, ["rows", *more], ["out"], name="first", **attributes)
    return [FLAT, dense]


def resized(sizes: bool = False, version: int = 11, **attributes) -> tuple:
    """A Resize to 13 by 17, or by the scales 1.5 and 1.6."""
    constants = {"roi": np.zeros(0, np.float32)} if version < 13 else {}
    roi = "roi" if version < 13 else ""
    if sizes:
        constants |= {"none": np.zeros(0, np.float32), "sizes": ints(1, 4, 13, 17)}
        more = [roi, "none" if version < 13 else "", "sizes"]
        constants = {name: item for name, item in constants.items() if name in more}
    else:
        constants["scales"] = np.array([1, 1, 1.5, 1.6], np.float32)
        more = [roi, "scales"]
    return version, [node("Resize", *more, **attributes)], constants


def chain() -> tuple:
    """A convolution whose weight is computed: from whole numbers, cast, scaled, transposed."""
    raw = RANDOM.integers(-9, 9, (3, 3, 4, 6))
    nodes = [
        helper.make_node("Constant", [], ["raw"], value=numpy_helper.from_array(raw)),
        helper.make_node("Cast", ["raw"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["real"], ["w"], perm=[3, 2, 0, 1]),
        node("Conv", "w", auto_pad="VALID"),
    ]
    return 13, nodes, {}


def quantized() -> tuple:
    """A convolution between tensors of whole numbers, with a weight of whole numbers."""
    constants = {
        "q": RANDOM.integers(-127, 127, (6, 4, 3, 3)).astype(np.int8),
        "qs": numbers(6) / 100,
        "qz": np.zeros(6, np.int8),
        "s": np.float32(0.02),
        "z": np.uint8(128),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "qs", "qz"], ["w"], axis=0),
        helper.make_node("QuantizeLinear", ["image", "s", "z"], ["whole"], name="quantize"),
        helper.make_node("DequantizeLinear", ["whole", "s", "z"], ["again"], name="dequantize"),
        helper.make_node("Conv", ["again", "w"], ["out"], name="first"),
    ]
    return 19, nodes, constants


def by_shape() -> tuple:
    """A reshape to a shape that is computed from the image's."""
    nodes = [
        helper.make_node("Shape", ["image"], ["sides"]),
        helper.make_node("Gather", ["sides", "zero"], ["batch"]),
        helper.make_node("Concat", ["batch", "rest"], ["shape"], axis=0),
        node("Reshape", "shape"),
    ]
    return 13, nodes, {"zero": ints(0), "rest": ints(-1)}


def branches() -> tuple:
    """An `If` that reads the image in both branches."""
    graphs = [
        helper.make_graph(
            [helper.make_node(op_type, ["image"], [op_type])],
            op_type,
            [],
            [helper.make_tensor_value_info(op_type, 1, None)],
        )
        for op_type in ("Abs", "Neg")
    ]
    chosen = helper.make_node(
        "If", ["yes"], ["out"], name="first", then_branch=graphs[0], else_branch=graphs[1]
    )
    return 13, [chosen], {"yes": np.array(True)}


CASES = {
    "convolution": (13, [node("Conv", "w", pads=[0, 1, 2, 3], strides=[2, 1])], WEIGHT),
    "convolution, upper": (13, [node("Conv", "w", auto_pad="SAME_UPPER", strides=[2, 2])], WEIGHT),
    "convolution, lower": (13, [node("Conv", "w", auto_pad="SAME_LOWER", strides=[2, 2])], WEIGHT),
    "convolution, valid": (13, [node("Conv", "w", auto_pad="VALID")], WEIGHT),
    "convolution, grouped": (13, [node("Conv", "w", "b", group=2)], GROUPED),
    "transposed": (
        13,
        [node("ConvTranspose", "w", strides=[2, 2], output_padding=[1, 0], pads=[1, 0, 0, 1])],
        BACK,
    ),
    "transposed, upper": (
        13,
        [node("ConvTranspose", "w", strides=[2, 2], auto_pad="SAME_UPPER")],
        BACK,
    ),
    "transposed, lower": (
        13,
        [node("ConvTranspose", "w", strides=[2, 2], auto_pad="SAME_LOWER")],
        BACK,
    ),
    "transposed, sized": (
        13,
        [node("ConvTranspose", "w", strides=[2, 2], output_shape=[18, 22])],
        BACK,
    ),
    "gemm": (
        13,
        rows("Gemm", "w", "b", transB=1, alpha=0.5, beta=2.0),
        {"w": numbers(5, 99), "b": numbers(5), **ROWS},
    ),
    "gemm, one number": (
        13,
        rows("Gemm", "w", "b"),
        {"w": numbers(99, 5), "b": numbers(1), **ROWS},
    ),
    "matmul": (13, rows("MatMul", "w"), {"w": numbers(99, 5), **ROWS}),
    "matmul of two": (
        13,
        [
            helper.make_node("Transpose", ["image"], ["turned"], name="turn", perm=[0, 1, 3, 2]),
            node("MatMul", "turned"),
        ],
        {},
    ),
    "batch norm": (13, [node("BatchNormalization", *NORM)], NORM),
    "batch norm, new": (15, [node("BatchNormalization", *NORM, epsilon=0.01)], NORM),
    "max pool": (
        13,
        [node("MaxPool", kernel_shape=[3, 2], auto_pad="SAME_LOWER", strides=[2, 2])],
        {},
    ),
    "max pool, up": (13, [node("MaxPool", kernel_shape=[2, 2], ceil_mode=1, strides=[2, 2])], {}),
    "average pool": (
        13,
        [node("AveragePool", kernel_shape=[3, 3], auto_pad="SAME_UPPER", strides=[2, 2])],
        {},
    ),
    "average pool, with pads": (
        13,
        [node("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)],
        {},
    ),
    "global pool": (13, [node("GlobalAveragePool")], {}),
    "mean": (13, [node("ReduceMean", axes=[-1, -2], keepdims=0)], {}),
    "mean, new": (18, [node("ReduceMean", "axes")], {"axes": ints(1)}),
    "sum": (13, [node("ReduceSum", "axes", keepdims=0)], {"axes": ints(2, 3)}),
    "relu": (13, [node("Relu")], {}),
    "clip": (9, [node("Clip", min=-0.5, max=0.25)], {}),
    "clip, new": (13, [node("Clip", "", "high")], {"high": np.float32(0.3)}),
    "leaky relu": (13, [node("LeakyRelu")], {}),
    "elu": (13, [node("Elu", alpha=0.7)], {}),
    "hard sigmoid": (13, [node("HardSigmoid")], {}),
    "hard swish": (14, [node("HardSwish")], {}),
    "gelu": (20, [node("Gelu", approximate="tanh")], {}),
    "prelu": (13, [node("PRelu", "slope")], {"slope": numbers(4, 1, 1)}),
    "softmax": (13, [node("Softmax", axis=1)], {}),
    "softmax, old": (11, rows("Softmax"), ROWS),
    "softmax, old, over all": (11, [node("Softmax")], {}),
    "log softmax": (13, [node("LogSoftmax")], {}),
    "add": (13, [node("Add", "c")], {"c": numbers(1, 4, 1, 1)}),
    "add, along x": (13, [node("Add", "c")], {"c": numbers(11)}),
    "subtract from": (
        13,
        [helper.make_node("Sub", ["c", "image"], ["out"], name="first")],
        {"c": np.float32(2)},
    ),
    "maximum": (13, [node("Max", "c")], {"c": numbers(4, 1, 1)}),
    "pad": (
        13,
        [node("Pad", "pads", "value")],
        {"pads": ints(0, 0, 1, 2, 0, 0, 3, 0), "value": np.float32(7)},
    ),
    "pad, axes": (
        18,
        [node("Pad", "pads", "", "axes", mode="reflect")],
        {"pads": ints(1, 2), "axes": ints(-1)},
    ),
    "pad, old": (9, [node("Pad", pads=[0, 0, 1, 1, 0, 0, 1, 1], mode="edge")], {}),
    "pad, channels": (13, [node("Pad", "pads")], {"pads": ints(0, 1, 0, 0, 0, 1, 0, 0)}),
    "resize": resized(),
    "resize, linear": resized(
        version=13, mode="linear", coordinate_transformation_mode="align_corners"
    ),
    "resize, sizes": resized(
        True, mode="cubic", coordinate_transformation_mode="pytorch_half_pixel"
    ),
    "resize, new": resized(True, 18, mode="linear", antialias=1),
    "resize, old": (
        10,
        [node("Resize", "scales", mode="nearest")],
        {"scales": np.array([1, 1, 2, 3], np.float32)},
    ),
    "upsample": (
        9,
        [node("Upsample", "scales", mode="linear")],
        {"scales": np.array([1, 1, 2, 3], np.float32)},
    ),
    "flatten": (13, [node("Flatten", axis=2)], {}),
    "reshape": (13, [node("Reshape", "shape")], {"shape": ints(0, -1, 3)}),
    "reshape by shape": by_shape(),
    "squeeze": (13, [node("Squeeze", "axes")], {"axes": ints(0)}),
    "unsqueeze": (11, [node("Unsqueeze", axes=[0])], {}),
    "transpose": (13, [node("Transpose")], {}),
    "concat": (
        13,
        [helper.make_node("Concat", ["c", "image"], ["out"], name="first", axis=-3)],
        {"c": numbers(1, 2, 9, 11)},
    ),
    "slice": (
        13,
        [node("Slice", "starts", "ends", "axes", "steps")],
        {
            "starts": ints(-1, 1),
            "ends": ints(-(2**31), 2**31),
            "axes": ints(2, -1),
            "steps": ints(-2, 3),
        },
    ),
    "slice, old": (9, [node("Slice", starts=[1], ends=[-1], axes=[3])], {}),
    "split": (13, [node("Split", "sizes", outputs=("out", "rest"), axis=1)], {"sizes": ints(1, 3)}),
    "split, old": (11, [node("Split", outputs=("out", "rest"), axis=1)], {}),
    "cast": (13, [node("Cast", to=TensorProto.FLOAT16)], {}),
    "lrn": (13, [node("LRN", size=3)], {}),
    "dropout": (13, [node("Dropout")], {}),
    "computed weight": chain(),
    "quantized": quantized(),
    "branches": branches(),
    "plain": (13, [node("Erf")], {}),
    "other": (
        13,
        [node("InstanceNormalization", "scale", "shift", epsilon=0.1)],
        {"scale": NORM["scale"], "shift": NORM["shift"]},
    ),
}


def made(name: str):
    """The model of a case."""
    version, nodes, constants = CASES[name]
    return model(version, nodes, constants)


def model(version: int, nodes: list, constants: dict, batch: object = 1, dtype: int = 1):
    """A model of nodes that make `out`, with a batch that may be open."""
    graph = helper.make_graph(
        nodes,
        "case",
        [helper.make_tensor_value_info("image", dtype, [batch, *SHAPE[1:]])],
        [helper.make_empty_tensor_value_info("out")],
        [numpy_helper.from_array(np.asarray(item), name) for name, item in constants.items()],
    )
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=9)
    return with_output(whole)


def with_output(whole):
    """A model whose output has the type that the inference of shapes finds."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(whole).graph
    kinds = {item.name: item for item in [*graph.value_info, *graph.output, *graph.input]}
    whole.graph.output[0].CopyFrom(kinds["out"])
    return whole
