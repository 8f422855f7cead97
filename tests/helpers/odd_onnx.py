"""ONNX models with more in them than an operator, as the tracer and others run them.

Run in the environment of ONNX: `odd_onnx.py <folder>`. It writes the models, and prints as JSON
what `tests/workflow/test_tracer_onnx.py` asks for.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from deltann.formats import onnx_segment
from deltann.tracers.onnx import Tracer
from helpers.onnx_cases import CASES, SHAPE, made, model
from helpers.onnx_graph_edits import network
from helpers.traced_onnx import IMAGE, apart, run

RANDOM = np.random.default_rng(3)


def replaced(folder: Path) -> dict:
    """Each tensor of a network replaced, beside ONNX Runtime on the operators behind it."""
    path = folder / "network.onnx"
    onnx.save(network(), path)
    answers = {}
    with Tracer(path) as tracer:
        names = [item.outputs[0] for item in tracer.operators()]
        tensors = tracer.run(IMAGE, names)
        for name in names[:-1]:
            value = RANDOM.standard_normal(tensors[name].shape).astype(np.float32)
            given = tracer.run(IMAGE, [*names, "image"], {name: value})
            before = names[: names.index(name)]
            answers[name] = {
                "itself": apart(given[name], value),
                "before": max([apart(given[item], tensors[item]) for item in before], default=0),
                "output": apart(given["out"], _fed(path, name, value)),
                "moved": apart(given["out"], tensors["out"]),
            }
    return answers


def _fed(path: Path, name: str, value: np.ndarray) -> np.ndarray:
    """The output of a model whose own nodes no longer make a tensor, which is an input instead."""
    whole = onnx.load(path)
    kept = [item for item in whole.graph.node if name not in item.output]
    del whole.graph.node[:]
    whole.graph.node.extend(kept)
    whole.graph.input.append(helper.make_tensor_value_info(name, 1, value.shape))
    session = onnxruntime.InferenceSession(whole.SerializeToString())
    return session.run(["out"], {"image": IMAGE, name: value})[0]


def one_of_two_outputs(folder: Path) -> float | str:
    """A Split of which one output is given, and the other read."""
    path = folder / "split.onnx"
    onnx.save(made("split"), path)
    with Tracer(path) as tracer:
        value = np.zeros((1, 3, *SHAPE[2:]), np.float32)
        answer = tracer.run(IMAGE, ["out", "rest"], {"rest": value})
    return max(apart(answer["out"], IMAGE[:, :1]), apart(answer["rest"], value), key=str)


def odd_files(folder: Path) -> dict:
    """Files that keep things in other ways: how their answer differs, and an operator's inputs."""
    version, nodes, constants = CASES["convolution"]
    whole = made("convolution")
    onnx.save(whole, folder / "whole.onnx")
    expected = run(folder / "whole.onnx", ["out"])["out"]
    open_batch = model(version, nodes, constants, batch="N")
    half = model(
        version, nodes, {"w": constants["w"].astype(np.float16)}, dtype=TensorProto.FLOAT16
    )
    listed = made("convolution")
    listed.ir_version = 3
    listed.graph.input.append(helper.make_tensor_value_info("w", 1, constants["w"].shape))
    answers = {}
    models = {"open batch": open_batch, "half": half, "listed": listed, "external": whole}
    for name, item in models.items():
        path = folder / f"{name}.onnx"
        onnx.save(
            item, path, save_as_external_data=name == "external", location="data", size_threshold=0
        )
        with Tracer(path) as tracer:
            (operator,) = tracer.operators()
            answer = tracer.run(IMAGE, ["out"])["out"]
            answers[name] = {
                "kind": operator.kind,
                "shape": tracer.input_shape,
                "dtype": answer.dtype.name,
                "weight": operator.parameters["weight"].dtype.name,
                "inputs": operator.inputs,
                "apart": float(np.abs(answer - expected).max()),
            }
    return answers


def names(folder: Path) -> dict:
    """The names of nodes that have none, and of those in a function of the model."""
    body = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Neg", ["y"], ["z"])]
    function = helper.make_function(
        "own", "Both", ["x"], ["z"], body, [helper.make_opsetid("", 13)]
    )
    nodes = [
        helper.make_node("Both", ["image"], ["a"], domain="own"),
        helper.make_node("Abs", ["a"], ["b"], name="Neg:out"),
        helper.make_node("Neg", ["b"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "names",
        [helper.make_tensor_value_info("image", 1, SHAPE)],
        [helper.make_tensor_value_info("out", 1, SHAPE)],
    )
    whole = helper.make_model(
        graph,
        functions=[function],
        opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid("own", 1)],
        ir_version=9,
    )
    onnx.save(whole, folder / "names.onnx")
    with Tracer(folder / "names.onnx") as tracer:
        operators = tracer.operators()
        answer = tracer.run(IMAGE, ["out"])["out"]
    return {
        "names": [item.name for item in operators],
        "kinds": [item.kind for item in operators],
        "apart": apart(answer, -np.maximum(IMAGE, 0)),
    }


def segments(folder: Path) -> dict:
    """Operators cut out of models, run by ONNX Runtime on the tensors that they read."""
    answers = {}
    chosen = {"network": ["two", "join"], "quantized": ["first"], "reshape by shape": ["first"]}
    for case, operators in chosen.items():
        path, output = folder / "whole.onnx", folder / "segment.onnx"
        onnx.save(network() if case == "network" else made(case), path)
        inputs = onnx_segment.extract(path, operators, output)
        with Tracer(path) as tracer:
            feeds = tracer.run(IMAGE, inputs)
            session = onnxruntime.InferenceSession(str(output))
            outputs = [item.name for item in session.get_outputs()]
            expected = tracer.run(IMAGE, outputs)
        given = dict(zip(outputs, session.run(outputs, feeds), strict=True))
        answers[case] = {
            "inputs": inputs,
            "outputs": outputs,
            "nodes": [item.op_type for item in onnx.load(output).graph.node],
            "apart": max(apart(given[name], expected[name]) for name in outputs),
        }
    return answers


def main(folder: Path) -> dict:
    """All that is asked for."""
    return {
        "replaced": replaced(folder),
        "one of two outputs": one_of_two_outputs(folder),
        "files": odd_files(folder),
        "names": names(folder),
        "segments": segments(folder),
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
