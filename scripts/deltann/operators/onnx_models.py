"""Cases of ONNX: a graph of one node, the reference from `onnx.reference` where that is right.

A case's settings have `op`, the operator; `opset`; `attributes`; and `inputs`, what comes after the
image: a list of constants, each `{"shape": [...]}` for numbers at random, `{"value": ..., "dtype":
...}`, or None for an input that is left out. `output`: which output is the answer.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann.operators import onnx_references
from deltann.operators.case import SEED, Case
from deltann.operators.onnx_cases import cases as listed
from deltann.operators.onnx_moves import QDQ

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "onnx"
# IR versions that all readers of an opset know.
IR_VERSION = 8
FLOATS = {"float32": 1, "float64": 11}  # of onnx.TensorProto
# Operators whose answer is no real number get a Cast, so that every runner can give it.
WHOLE = ("ArgMax", "ArgMin")


def cases() -> Iterator[Case]:
    """See `case.Source`."""
    return listed()


def build(case: Case, output: Path) -> None:
    """See `case.Source`."""
    import numpy as np
    import onnx

    (answer,) = references(case, [case.inputs()[:1].reshape(case.shape).astype(np.float32)])
    model = graph(case, "float32", answer.shape)
    onnx.checker.check_model(model)
    onnx.save(model, output)


def references(case: Case, inputs: "list[np.ndarray]") -> "list[np.ndarray]":
    """See `case.Source`."""
    from onnx.reference import ReferenceEvaluator

    given = case.settings
    function = onnx_references.for_node(given["op"], given["opset"], given.get("attributes", {}))
    answers = []
    for value in inputs:
        kind = str(value.dtype)
        if function:
            answers.append(function(value, *constants(case, kind), **given.get("attributes", {})))
        else:
            evaluator = ReferenceEvaluator(graph(_explicit(case), kind))
            answers.append(evaluator.run(None, {"image": value})[0])
    return answers


def _explicit(case: Case) -> Case:
    """A max pool with SAME_LOWER by the numbers: `onnx.reference` 1.23 pads too little."""
    given = case.settings
    attributes = dict(given.get("attributes", {}))
    if given["op"] != "MaxPool" or attributes.get("auto_pad") != "SAME_LOWER":
        return case
    del attributes["auto_pad"]
    totals = [
        max(0, (math.ceil(side / stride) - 1) * stride + kernel - side)
        for side, stride, kernel in zip(
            case.shape[2:], attributes["strides"], attributes["kernel_shape"], strict=True
        )
    ]
    attributes["pads"] = [*(math.ceil(total / 2) for total in totals), *(t // 2 for t in totals)]
    return replace(case, settings=given | {"attributes": attributes})


def constants(case: Case, dtype: str) -> "list[np.ndarray | None]":
    """What the node takes beside the image, None where an input is left out."""
    import numpy as np

    random = np.random.default_rng(SEED)
    described = case.settings.get("inputs", ())
    return [None if item is None else _constant(item, dtype, random) for item in described]


def graph(case: Case, dtype: str, shape: tuple[int, ...] | None = None) -> Any:
    """The case as an `onnx.ModelProto` that computes in `dtype`, with an answer of this shape."""
    from onnx import helper, numpy_helper

    given = case.settings
    names, stored = ["image"], []
    for number, values in enumerate(constants(case, dtype)):
        names.append("" if values is None else f"constant_{number}")
        if values is not None:
            stored.append(numpy_helper.from_array(values, names[-1]))
    if given.get("image_last"):
        names = [*names[1:], names[0]]
    outputs = [f"output_{number}" for number in range(given.get("outputs", 1))]
    answer = outputs[given.get("output", 0)]
    nodes, answer = _nodes(given, names, outputs, answer, dtype)
    return helper.make_model(
        helper.make_graph(
            nodes,
            "operator",
            [helper.make_tensor_value_info("image", FLOATS[dtype], case.shape)],
            [helper.make_tensor_value_info(answer, FLOATS[dtype], shape)],
            stored,
        ),
        opset_imports=[helper.make_opsetid("", given["opset"])],
        ir_version=IR_VERSION if given["opset"] < 19 else IR_VERSION + 2,
    )


def _nodes(
    given: dict, names: list[str], outputs: list[str], answer: str, dtype: str
) -> tuple[list, str]:
    """The nodes of a case, and the name of its answer."""
    from onnx import helper

    attributes = given.get("attributes", {})
    if given["op"] == QDQ:
        # in float32 also for the reference: QuantizeLinear takes no float64
        double = dtype != "float32"
        given_to, last = ("single", "d") if double else ("image", outputs[0])
        steps = [("QuantizeLinear", given_to, "q"), ("DequantizeLinear", "q", last)]
        nodes = [
            helper.make_node(op, [taken, *names[1:]], [made], op, **attributes)
            for op, taken, made in steps
        ]
        if double:
            nodes.insert(0, helper.make_node("Cast", ["image"], ["single"], to=1))
            nodes.append(helper.make_node("Cast", ["d"], outputs, to=FLOATS[dtype]))
        return nodes, answer
    node = helper.make_node(given["op"], names, outputs, "node", **attributes)
    if given["op"] in WHOLE:
        cast = helper.make_node("Cast", [answer], ["cast"], "cast", to=FLOATS[dtype])
        return [node, cast], "cast"
    return [node], answer


def _constant(described: dict, dtype: str, random: Any) -> "np.ndarray":
    import numpy as np

    if "value" in described:
        return np.array(described["value"], described.get("dtype", dtype))
    low, high = described.get("range", (-1, 1))
    # of float32 first: both types compute with the same weights
    return random.uniform(low, high, described["shape"]).astype(np.float32).astype(dtype)
