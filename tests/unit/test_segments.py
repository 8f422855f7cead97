"""Operators are cut out of a model with the tensors between them and the others."""

from pathlib import Path

import numpy as np
import pytest
import torch

from deltann.explain import segment
from deltann.formats import exported_program, segments, torch_segment
from deltann.tracers.torch import Tracer
from helpers.traced_torch import Quantized, Shared, image, saved

CALLS = {"a": (["x"], ["p"]), "b": (["p"], ["q", "r"]), "c": (["q", "p", "x"], ["y"])}


@pytest.mark.parametrize(
    "operators, inputs, outputs",
    [
        (["a"], ["x"], ["p"]),
        (["b"], ["p"], ["q"]),  # nobody reads r
        (["b", "c"], ["p", "x"], ["y"]),
        (["c", "a"], ["x", "q"], ["p", "y"]),
    ],
)
def test_ends_are_what_is_read_across(operators, inputs, outputs):
    assert segments.ends(CALLS, operators, "y") == (inputs, outputs)


def test_an_unknown_operator_is_named():
    with pytest.raises(ValueError, match=r"the model has no operators \['d'\]"):
        segments.ends(CALLS, ["a", "d"], "y")


def test_each_framework_whose_files_a_study_edits_can_be_cut():
    assert segment.frameworks() == ["keras", "onnx", "tensorflow", "tflite", "torch"]
    with pytest.raises(ValueError, match="os: expected one of keras, onnx"):
        segment.Served().extract("os", "model.os", [], "part.os")


@pytest.mark.parametrize(
    "network, operators, inputs, outputs",
    [
        (Shared, ["conv2d_1", "tanh"], ["relu"], ["tanh"]),
        (Shared, ["conv2d", "sub", "linear"], ["batch", "tanh", "relu", "mean"], None),
        (Quantized, ["conv2d"], ["dequantize_per_tensor"], ["conv2d"]),
    ],
)
def test_a_programs_operators_compute_the_same(tmp_path, network, operators, inputs, outputs):
    path, part = saved(network().eval(), tmp_path / "whole.pt2"), tmp_path / "part.pt2"
    names = segment.Served().extract("torch", str(path), operators, str(part))
    assert names == inputs
    outputs = outputs or operators
    with Tracer(path) as tracer:
        tensors = tracer.run(image(), [*inputs, *outputs])
        natives = [item.native for item in tracer.operators() if item.name in operators]
    program = exported_program.load(part)
    calls = [node for node in program.graph.nodes if node.op == "call_function"]
    made = [str(node.target) for node in calls if "per_channel" not in node.name]  # of a constant
    assert made == natives
    answers = program.module()(*(torch.from_numpy(tensors[name]) for name in inputs))
    answers = [answers] if len(outputs) == 1 else answers
    for name, answer in zip(outputs, answers, strict=True):
        np.testing.assert_array_equal(answer.detach().numpy(), tensors[name])


def test_a_wrong_program_is_refused(tmp_path, monkeypatch):
    path = saved(Shared().eval(), tmp_path / "whole.pt2")

    class Wrong(torch.nn.Module):
        def forward(self, read):
            return read.tanh()

    monkeypatch.setattr(torch_segment, "_module", lambda *_: Wrong())
    with pytest.raises(ValueError, match=f"{path}: its operators alone give 'relu' as"):
        torch_segment.extract(path, ["relu"], tmp_path / "part.pt2")


def test_other_shapes_are_refused():
    one = np.ones((1, 2))
    segments.check(Path("model"), {"y": one}, [one * (1 + 1e-6)])
    with pytest.raises(ValueError, match=r"model: .* 'y' as \[2, 1\] .* expected \[1, 2\]"):
        segments.check(Path("model"), {"y": one}, [one.T])
