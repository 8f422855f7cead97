"""A small ONNX model that TVM's importer changes, or a variant that it keeps.

Run in ONNX's environment: `wrongly_imported.py <folder>`. Each file has one operator between two
convolutions.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHAPE = (1, 3, 14, 14)
CHANNELS, CLASSES = 4, 5
OPERATORS = {
    # docs/found/tvm-onnx-resize-scales
    "resize": ("Resize", {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}, 1.75),
    # docs/found/tvm-onnx-same-lower
    "pool": ("MaxPool", {"kernel_shape": [2, 2], "strides": [3, 3], "auto_pad": "SAME_LOWER"}, 0),
    "right": ("Resize", {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}, 2.0),
}


def model(name: str) -> onnx.ModelProto:
    """Takes `SHAPE`, gives (1, CLASSES) logits."""
    generator, constants = np.random.default_rng(7), []

    def constant(label: str, values: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(values, label))
        return label

    def normal(label: str, *shape: int) -> str:
        return constant(label, generator.standard_normal(shape).astype(np.float32))

    op_type, attributes, scale = OPERATORS[name]
    more = ["", constant("scales", np.float32([1, 1, scale, scale]))] if scale else []
    first = ["image", normal("w1", CHANNELS, 3, 3, 3), normal("b1", CHANNELS)]
    norm = [
        constant(f"n{number}", generator.uniform(0.5, 2, CHANNELS).astype(np.float32))
        for number in range(4)
    ]
    halves = [constant("sizes", np.int64([1, 3]))]
    second = ["middle", normal("w2", CHANNELS, CHANNELS, 2, 2), normal("b2", CHANNELS)]
    nodes = [
        helper.make_node("Conv", first, ["wide"], strides=[2, 2], pads=[1] * 4),
        helper.make_node("BatchNormalization", ["wide", *norm], ["normal"]),
        helper.make_node("Split", ["normal", *halves], ["one", "other"], axis=1),
        helper.make_node("Relu", ["other"], ["above"]),
        helper.make_node("Concat", ["one", "above"], ["before"], axis=1),
        helper.make_node(op_type, ["before", *more], ["middle"], **attributes),
        helper.make_node("Conv", second, ["narrow"]),
        helper.make_node("GlobalAveragePool", ["narrow"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["row"]),
        helper.make_node("Gemm", ["row", normal("w3", CHANNELS, CLASSES)], ["logits"]),
    ]
    taken = helper.make_tensor_value_info("image", TensorProto.FLOAT, SHAPE)
    given = helper.make_tensor_value_info("logits", TensorProto.FLOAT, (1, CLASSES))
    graph = helper.make_graph(nodes, name, [taken], [given], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(made)
    return made


if __name__ == "__main__":
    for name in OPERATORS:
        onnx.save(model(name), Path(sys.argv[1]) / f"{name}.onnx")
