"""A small ONNX model with a batch norm and two parallel convolutions, whose weights are random.

Run in TVM's environment: `branched_model.py <file> <seed>`.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE, CLASSES, CHANNELS = 64, 10, 16


class Weights:
    """Random constants of a graph, in the order in which they are drawn."""

    def __init__(self, seed: int):
        self._generator = np.random.default_rng(seed)
        self.constants: list[onnx.TensorProto] = []

    def normal(self, name: str, *shape: int) -> str:
        """Add the weights of a layer; return their name."""
        spread = np.sqrt(2 / np.prod(shape[1:]))
        return self._add(name, spread * self._generator.standard_normal(shape))

    def positive(self, name: str) -> str:
        """Add a number per channel, from 0.5 to 2; return their name."""
        return self._add(name, self._generator.uniform(0.5, 2, CHANNELS))

    def _add(self, name: str, array: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(array.astype(np.float32), name))
        return name


def model(seed: int) -> onnx.ModelProto:
    """Takes (1, 3, SIZE, SIZE), gives (1, CLASSES) logits."""
    weights = Weights(seed)

    def branch(name: str, taken: str) -> list:
        convolution = [taken, weights.normal(f"{name}_weight", CHANNELS, CHANNELS, 1, 1)]
        return [
            helper.make_node("Conv", convolution, [f"{name}_plain"]),
            helper.make_node("Relu", [f"{name}_plain"], [name]),
        ]

    norm = [weights.positive(name) for name in ("gamma", "beta", "mean", "variance")]
    nodes = [
        helper.make_node(
            "Conv",
            ["image", weights.normal("stem", CHANNELS, 3, 3, 3)],
            ["plain"],
            pads=[1] * 4,
            strides=[2, 2],
        ),
        helper.make_node("BatchNormalization", ["plain", *norm], ["normal"]),
        helper.make_node("Relu", ["normal"], ["stem_relu"]),
        *branch("left", "stem_relu"),
        *branch("right", "stem_relu"),
        helper.make_node("Concat", ["left", "right"], ["both"], axis=1),
        helper.make_node(
            "Conv",
            ["both", weights.normal("last", CHANNELS, 2 * CHANNELS, 3, 3)],
            ["wide"],
            pads=[1] * 4,
        ),
        helper.make_node("Relu", ["wide"], ["wide_relu"]),
        helper.make_node("GlobalAveragePool", ["wide_relu"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node(
            "MatMul", ["flat", weights.normal("dense", CHANNELS, CLASSES)], ["logits"]
        ),
    ]
    shapes = {"image": [1, 3, SIZE, SIZE], "logits": [1, CLASSES]}
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
        for name, shape in shapes.items()
    ]
    graph = helper.make_graph(nodes, "branched", *ends, weights.constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(made)
    return made


if __name__ == "__main__":
    onnx.save(model(int(sys.argv[2])), Path(sys.argv[1]))
