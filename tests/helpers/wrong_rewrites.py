"""Rewrites of ONNX files that are made to go wrong, each by one constant or one node.

Run in the environment of ONNX: `wrong_rewrites.py`. It prints as JSON what each kind comes to: the
class and message of the exception, or nothing; and at `unchecked` what couldn't be checked.
"""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from deltann import spot_check
from deltann.formats import onnx_graph, onnx_names, onnx_one_image
from deltann.formats.onnx_spot_check import unchanged

SHAPE = (1, 3, 4, 6)


def model(batch: object = 1, **outputs: list):
    """Two constants, global means, and the outputs asked for, of `flat` and `pooled`."""
    nodes = [
        helper.make_node("Mul", ["image", "factor"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["moved"]),
        helper.make_node("GlobalAveragePool", ["moved"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
    ]
    values = {"factor": np.full((1, 3, 1, 1), 2), "offset": np.arange(3).reshape(1, 3, 1, 1)}
    float32 = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("image", float32, [batch, *SHAPE[1:]])],
        [
            helper.make_tensor_value_info(name, float32, sides)
            for name, sides in (outputs or {"flat": [batch, 3]}).items()
        ],
        [numpy_helper.from_array(value.astype(np.float32), k) for k, value in values.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def swap(graph) -> None:
    """Give each of two constants the other's name."""
    one, other = graph.initializer[:2]
    one.name, other.name = other.name, one.name


def double(graph) -> None:
    """Change a constant a little."""
    one = graph.initializer[0]
    one.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(one) * np.float32(1.001), one.name))


def lose(graph) -> None:
    """Remove a constant."""
    del graph.initializer[0]


def rewritten(rewrite: Callable, wrong: Callable | None, built=None) -> None:
    """Apply a rewrite to a model's graph, and make it go wrong."""
    built = built or model()
    with unchanged(built):
        rewrite(built.graph)
        if wrong:
            wrong(built.graph)


def saved(name: str, wrong: Callable, built) -> None:
    """Save a model as the study needs it, and make the rewrite of this name go wrong."""
    right = vars(onnx_one_image)[name]

    def planted(graph, *arguments) -> None:
        right(graph, *arguments)
        wrong(graph)

    setattr(onnx_one_image, name, planted)
    try:
        with tempfile.TemporaryDirectory() as folder:
            described = {"name": "mine", "output_name": built.graph.output[0].name}
            onnx_one_image.save(built, SHAPE, described, Path(folder, "model.onnx"))
    finally:
        setattr(onnx_one_image, name, right)


def kinds() -> dict[str, Callable]:
    """By name, a rewrite that goes wrong, or right."""
    two = {"flat": [1, 3], "pooled": [1, 3, 1, 1]}
    unrunnable = model()
    lose(unrunnable.graph)
    return {
        "constants": lambda: rewritten(onnx_names.name_constants, swap),
        "constants_right": lambda: rewritten(onnx_names.name_constants, None),
        "lost": lambda: rewritten(onnx_names.name_constants, lose),
        "tensors": lambda: rewritten(onnx_names.number_tensors, swap),
        "tensors_right": lambda: rewritten(onnx_names.number_tensors, None),
        "nodes": lambda: rewritten(onnx_names.number_nodes, double),
        "unread": lambda: rewritten(onnx_names.drop_unread_inputs, double),
        "batch": lambda: rewritten(onnx_graph.fix_batch, double, model("n")),
        "input": lambda: saved("fix_input", double, model("n")),
        "input_of_eight": lambda: saved("fix_input", double, model(8)),
        "input_right": lambda: saved("fix_input", lambda graph: None, model(8)),
        "output": lambda: saved("keep_output", swap, model(**two)),
        "flat": lambda: saved("flatten_output", double, model(pooled=[1, 3, 1, 1])),
        "unrunnable": lambda: rewritten(onnx_names.name_constants, None, unrunnable),
    }


def outcome(plant: Callable) -> list[str]:
    """The class and message of what a plant raises."""
    try:
        plant()
    except Exception as error:
        return [type(error).__name__, str(error)]
    return []


if __name__ == "__main__":
    outcomes = {name: outcome(plant) for name, plant in kinds().items()}
    print(json.dumps(outcomes | spot_check.details()))
