"""What the tracer and the editor of ONNX make of small models, and what others make of them.

Run in the environment of ONNX: `traced_onnx.py <folder>`. It prints as JSON what
`tests/workflow/test_tracer_onnx.py` asks for.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator

from deltann.editors import onnx as editor
from deltann.edits import Edit, Impossible, SetAttribute, SetParameter
from deltann.steps import Operator
from deltann.tracers.onnx import Tracer
from helpers import onnx_cases, onnx_edits, onnx_graph_edits

EDITS = onnx_edits.EDITS | onnx_graph_edits.EDITS
IMAGE = np.random.default_rng(1).standard_normal(onnx_cases.SHAPE).astype(np.float32)


def run(path: Path, names: list[str]) -> dict[str, np.ndarray]:
    """Tensors of a model by ONNX Runtime, which is asked for all of them at once."""
    whole = onnx.load(path)
    have = {item.name for item in whole.graph.output}
    whole.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in have)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        whole.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return dict(zip(names, session.run(names, {"image": IMAGE}), strict=True))


def apart(one: np.ndarray, other: np.ndarray) -> float | str:
    """The largest difference; a text if the arrays aren't alike."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return f"{one.dtype}{one.shape} and {other.dtype}{other.shape}"
    return float(np.abs(one.astype(np.float64) - other.astype(np.float64)).max(initial=0))


def described(operator: Operator) -> dict:
    """What the test is to know of an operator."""
    return {
        "native": operator.native,
        "kind": operator.kind,
        "inputs": operator.inputs,
        "outputs": operator.outputs,
        "attributes": operator.attributes,
        "parameters": {name: value.shape for name, value in operator.parameters.items()},
    }


def traced(path: Path) -> dict:
    """A file's operators, and how far its tensors are from those of ONNX Runtime."""
    with Tracer(path) as tracer:
        operators = tracer.operators()
        names = [name for operator in operators for name in operator.outputs]
        tensors = tracer.run(IMAGE, names)
    expected = run(path, names)
    return {
        "operators": {operator.name: described(operator) for operator in operators},
        "apart": max((apart(tensors[name], expected[name]) for name in names), key=str),
    }


def written(path: Path, folder: Path) -> dict[str, float | str]:
    """How far answers move when each attribute and parameter of `first` is set to what it is."""
    with Tracer(path) as tracer:
        (operator,) = (item for item in tracer.operators() if item.name == "first")
    edits: list[Edit] = [SetAttribute("first", *item) for item in operator.attributes.items()]
    edits += [SetParameter("first", *item) for item in operator.parameters.items()]
    expected = run(path, ["out"])["out"]
    answers: dict[str, float | str] = {}
    for edit in edits:
        name = edit.attribute if isinstance(edit, SetAttribute) else edit.parameter
        try:
            editor.apply(path, [edit], folder / "written.onnx")
            answers[name] = apart(run(folder / "written.onnx", ["out"])["out"], expected)
        except Impossible as error:
            answers[name] = str(error)
    return answers


def edited(name: str, folder: Path) -> dict:
    """An edit's answer beside that of the model by hand and of the one before it."""
    case, edits, other = EDITS[name]
    models = [onnx_graph_edits.network() if case == "network" else onnx_cases.made(case), other]
    if name in onnx_edits.ENDS:
        models = [onnx_edits.ended(model, onnx_edits.ENDS[name]) for model in models]
    paths = [folder / "before.onnx", folder / "by hand.onnx", folder / "edited.onnx"]
    onnx.save(models[0], paths[0])
    try:
        editor.apply(paths[0], edits, paths[2])
    except Impossible as error:
        return {"impossible": str(error)}
    if other is None:
        return {"impossible": ""}
    onnx.save(models[1], paths[1])
    onnx.checker.check_model(paths[2], full_check=True)
    before, by_hand, after = (run(path, ["out"])["out"] for path in paths)
    reference = [ReferenceEvaluator(str(path)).run(None, {"image": IMAGE})[0] for path in paths]
    graph = onnx.load(paths[2]).graph
    return {
        "apart": apart(after, by_hand),
        "apart by reference": apart(*reference[1:]),
        "moved": apart(before, after),
        "names": [[item.name for item in kind] for kind in (graph.input, graph.output)],
    }


def main(folder: Path) -> dict:
    """All that is asked for."""
    answers: dict = {"traced": {}, "written": {}, "edited": {}}
    for name in onnx_cases.CASES:
        path = folder / "case.onnx"
        onnx.save(onnx_cases.made(name), path)
        answers["traced"][name] = traced(path)
        answers["written"][name] = written(path, folder)
    for name in EDITS:
        answers["edited"][name] = edited(name, folder)
    return answers


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
