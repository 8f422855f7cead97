"""ONNX files as people have them, made into files that take one image and give one output.

Run in the environment of ONNX: `one_image_models.py <folder>`. It prints as JSON, by model, the
message of its refusal, or the sides of its input and the operators that are left.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from deltann.formats import onnx_one_image

SHAPE = (1, 3, 4, 6)
POOL = helper.make_node("GlobalAveragePool", ["image"], ["pooled"])
FLAT = helper.make_node("Flatten", ["pooled"], ["logits"], axis=1)
OTHER = helper.make_node("Mul", ["logits", "ten"], ["scaled"])
RESHAPE = helper.make_node("Reshape", ["pooled", "sides"], ["logits"])


def model(sides: list, nodes: list, outputs: dict, constants: dict | None = None):
    """A model of these nodes, with the input `image`."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, sides)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, s) for name, s in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def several(*names: str):
    """A model with these outputs, of `logits` and `scaled`."""
    outputs = {name: [1, 3] for name in names}
    return model([*SHAPE], [POOL, FLAT, OTHER], outputs, {"ten": np.array(10, np.float32)})


def reshaped(*sides: int):
    """A model for batches of 8 that reshapes what it pools to constant sides."""
    constants = {"sides": np.array(sides, np.int64)}
    return model([8, *SHAPE[1:]], [POOL, RESHAPE], {"logits": [None, None]}, constants)


def external():
    """A model with a scalar that was in a second file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        whole = several("scaled")
        data = {"save_as_external_data": True, "size_threshold": 0, "location": "data"}
        onnx.save(whole, path, **data)
        return onnx.load(path)


# By name: a model, and the output that the config names.
MODELS = {
    "dynamic": (model(["n", 3, "h", "w"], [POOL, FLAT], {"logits": ["n", 3]}), None),
    "unknown": (model([None, 3, None, None], [POOL, FLAT], {"logits": [None, 3]}), None),
    "four_d": (model([*SHAPE], [POOL], {"pooled": [1, 3, 1, 1]}), None),
    "external": (external(), None),
    "named": (several("scaled", "logits"), "logits"),
    "named_last": (several("logits", "scaled"), "scaled"),
    "not_named": (several("scaled", "logits"), None),
    "misnamed": (several("scaled", "logits"), "x"),
    "batch": (model([8, *SHAPE[1:]], [POOL, FLAT], {"logits": [8, 3]}), None),
    "reshaped_8": (reshaped(8, 3), None),
    "reshaped_rows": (reshaped(-1, 1), None),
}


def made(name: str, folder: Path) -> dict:
    """Save a model of `MODELS`, and say what it is now, or why it is refused."""
    built, output_name = MODELS[name]
    named = {"output_name": output_name} if output_name else {}
    path = folder / f"{name}.onnx"
    try:
        onnx_one_image.save(built, SHAPE, {"name": "mine"} | named, path)
    except ValueError as error:
        return {"refused": str(error)}
    graph = onnx.load(path).graph
    sides = [side.dim_value for side in graph.input[0].type.tensor_type.shape.dim]
    kept = [node.op_type for node in graph.node]
    fields = [[field.name for field, _ in item.ListFields()] for item in graph.initializer]
    return {"sides": sides, "operators": kept, "constants": fields}


if __name__ == "__main__":
    print(json.dumps({name: made(name, Path(sys.argv[1])) for name in MODELS}))
