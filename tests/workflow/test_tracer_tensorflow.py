"""SavedModels and Keras models: their tensors are read and replaced; edits change them."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltann.edits import (
    Bypass,
    Impossible,
    Insert,
    Reconnect,
    Replace,
    SetAttribute,
    SetParameter,
)
from deltann.execution.session import ToolFailed
from deltann.localise.remote import RemoteEditor, open_tracer, python
from deltann.steps import Operator
from helpers import segments, steps_in_numpy
from helpers.tensorflow_edits import PARAMETERS, SETTINGS
from helpers.workspace import ROOT

FILES = {"tensorflow": "model.savedmodel.tar", "keras": "model.keras"}
pytestmark = pytest.mark.usefixtures("environments")
ENDS = {"tensorflow": ("image:0", "add:0"), "keras": ("image", "logits")}


class Trace:
    """A file's operators by their names, and all its tensors."""

    def __init__(self, framework: str, path: Path, image: np.ndarray):
        self.framework, self.path, self.image = framework, path, image
        with open_tracer(framework, path) as tracer:
            self.ends, self.shape = (tracer.input, tracer.output), tracer.input_shape
            self.operators = {item.name: item for item in tracer.operators()}
            names = {
                name for item in self.operators.values() for name in (*item.inputs, *item.outputs)
            }
            self.tensors = tracer.run(image, [*names])

    def given(self, operator: Operator) -> list[np.ndarray]:
        """What an operator reads."""
        return [self.tensors[name] for name in operator.inputs]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("tensorflow")
    subprocess.run(
        [python("tensorflow")[0], ROOT / "tests/helpers/traced_tensorflow.py", found], check=True
    )
    return found


@pytest.fixture(scope="module", params=FILES)
def trace(request: pytest.FixtureRequest, folder: Path) -> Trace:
    image = np.load(folder / "image.npy")
    return Trace(request.param, folder / FILES[request.param], image)


@pytest.fixture(scope="module")
def cut():
    with segments.cutter("tensorflow") as found:
        yield found


@pytest.fixture(scope="module")
def editor(trace: Trace):
    with RemoteEditor(trace.framework) as found:
        yield found


def edited(trace: Trace, editor: RemoteEditor, *edits: Any) -> Trace:
    """A changed copy of a file."""
    path = trace.path.with_stem("edited")
    editor.apply(trace.path, edits, path)
    return Trace(trace.framework, path, trace.image)


def close(found: np.ndarray, wanted: np.ndarray) -> None:
    """Equal, within what float32 rounds."""
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-5 * np.abs(wanted).max())


def test_tensors_are_those_of_the_framework(trace, folder):
    assert trace.ends == ENDS[trace.framework]
    assert trace.shape == trace.image.shape
    wanted = np.load(folder / f"{trace.framework}.npz")
    assert len(wanted) > 30
    for name in wanted.files:
        found = tensor(trace, name)
        close(found, wanted[name])


def tensor(trace: Trace, name: str) -> np.ndarray:
    """A tensor by the name of its operator."""
    if trace.framework == "keras":
        return trace.tensors[name]
    name = {"stem": "BiasAdd", "logits": "MatMul"}.get(name, name)
    return trace.tensors[name if ":" in name else f"{name}:0"]


def test_operators_do_what_their_words_say(trace):
    known = [item for item in trace.operators.values() if item.kind in steps_in_numpy.KINDS]
    for item in known:
        answers = steps_in_numpy.answer(item, trace.given(item))
        for output, answer in zip(item.outputs, answers, strict=True):
            close(trace.tensors[output], answer)


def test_replaced_tensors_are_what_their_readers_read(trace):
    with open_tracer(trace.framework, trace.path) as tracer:
        for name in list(trace.operators)[::7]:
            operator = trace.operators[name]
            given = {key: trace.tensors[key] for key in operator.inputs}
            again = tracer.run(trace.image, operator.outputs, given)
            for key in operator.outputs:
                np.testing.assert_array_equal(again[key], trace.tensors[key])
        last = trace.operators[trace.ends[1].removesuffix(":0")]
        other = {last.inputs[0]: trace.tensors[last.inputs[0]] * 0.5}
        found = tracer.run(trace.image, [tracer.output, *other], other)
        assert not np.array_equal(found[tracer.output], trace.tensors[tracer.output])
        np.testing.assert_array_equal(found[last.inputs[0]], other[last.inputs[0]])
        once = tracer.run(trace.image, [tracer.output, tracer.input])
        np.testing.assert_array_equal(once[tracer.output], trace.tensors[tracer.output])
        np.testing.assert_array_equal(once[tracer.input], trace.image)


def test_operators_are_cut_out(trace, cut):
    operators = [*trace.operators.values()]
    part, first, second = segments.check_cutting(cut, trace.framework, trace.path, operators)
    again = trace.path.with_stem("again")
    assert cut(trace.framework, part, [second.name], again) == [*second.inputs]
    with pytest.raises(ToolFailed, match="no operators"):
        cut(trace.framework, again, [first.name], part)


@pytest.mark.parametrize("place", [0, 1])
def test_what_is_set_is_what_an_operator_does(trace, editor, place):
    settings = SETTINGS[trace.framework][place]
    edits = [
        SetAttribute(name, key, value)
        for name, attributes in settings.items()
        for key, value in attributes.items()
    ]
    parameters: dict[str, dict[str, np.ndarray]] = {}
    for name in PARAMETERS[trace.framework] if place == 0 else ():
        for key, value in trace.operators[name].parameters.items():
            changed = np.abs(value[::-1] if value.ndim else value) + 1
            parameters.setdefault(name, {})[key] = changed
    parameters["behind"] = {"bias": np.arange(4, dtype=np.float32)}
    for name, values in parameters.items():
        edits += [SetParameter(name, key, value) for key, value in values.items()]
    after = edited(trace, editor, *edits)
    for name in settings.keys() | parameters.keys():
        operator = trace.operators[name]
        wanted = replace(
            operator,
            attributes=operator.attributes | settings.get(name, {}),
            parameters=operator.parameters | parameters.get(name, {}),
        )
        expect(after, wanted)


def expect(after: Trace, wanted: Operator) -> None:
    """That a changed file computes what an operator is to be, from what it reads there."""
    (answer, *_) = steps_in_numpy.answer(wanted, after.given(wanted))
    close(after.tensors[wanted.outputs[0]], answer)


def reader(trace: Trace, name: str) -> Operator:
    """The only operator that reads another one's output."""
    (output, *_) = trace.operators[name].outputs
    (found,) = [item for item in trace.operators.values() if output in item.inputs]
    return found


def test_operators_are_put_in_taken_out_and_connected_otherwise(trace, editor):
    stem = trace.operators["conv"].inputs[0]
    (conv, *_), (norm, *_) = trace.operators["conv"].outputs, trace.operators["norm"].outputs
    end = trace.ends[1]
    after = edited(
        trace,
        editor,
        Bypass("front"),
        SetAttribute("behind", "pads", [0, 1, 1, 1]),  # what SAME would be with the padding
        Bypass("relu6"),
        Reconnect("leaky", 0, norm),
        Insert(conv, "leaky_relu", {"slope": 0.5}),
        Insert(norm, "multiply", inputs=(stem,)),
        Insert(end, "add", parameters={"operand": np.arange(5, dtype=np.float32)}),
    )
    behind = trace.operators["behind"]
    pads = behind.attributes | {"pads": [0, 1, 1, 1]}
    expect(after, replace(behind, attributes=pads, inputs=(stem,)))
    now = after.tensors
    means = {
        "relu6": now[stem],
        "conv": np.where(now[conv] > 0, now[conv], now[conv] / 2),
        "norm": now[norm] * now[stem],
    }
    for name, wanted in means.items():
        if (trace.framework, name) != ("keras", "relu6"):  # a block reads it, too
            (output,) = reader(trace, name).outputs
            close(now[output], wanted.mean((1, 2)))
    (leaky,) = trace.operators["leaky"].outputs
    product = now[norm] * now[stem]
    slope = trace.operators["leaky"].attributes["slope"]
    close(now[leaky], np.where(product > 0, product, slope * product))
    assert after.ends[0] == trace.ends[0]
    close(now[after.ends[1]], now[end] + np.arange(5))


def test_operators_are_written_anew(trace, editor):
    """Each operator that a window or weights have, in the place of itself, and the logits."""
    kinds = ("convolution", "batch_norm", "max_pool", "average_pool", "dense", "add", "concat")
    edits = [
        Replace(item.outputs[0], (item,), {key: key for key in item.inputs})
        for item in trace.operators.values()
        if item.kind in kinds and len(item.outputs) == 1
    ]
    assert len(edits) > 5
    after = edited(trace, editor, *edits)
    close(after.tensors[after.ends[1]], trace.tensors[trace.ends[1]])


def test_a_convolution_with_groups_is_put_in(trace, editor):
    """TensorFlow fuses one with its bias and activation, if it can, and then can't run it."""
    stem = trace.operators["conv"].inputs[0]
    channels = trace.tensors[stem].shape[-1]
    window = {"strides": [1, 1], "dilations": [1, 1], "groups": 2, "pads": [1, 1, 1, 1]}
    weight = np.random.default_rng(0).normal(size=(channels, channels // 2, 3, 3))
    numbers = {"weight": weight.astype(np.float32), "bias": np.ones(channels, np.float32)}
    clip = {"activation": {"kind": "clip", "min": 0, "max": 6}}
    new = Operator("", "", "convolution", ("a",), ("b",), window | clip, numbers)
    after = edited(trace, editor, Replace(stem, (new,), {"a": stem}))
    (answer,) = steps_in_numpy.answer(new, [trace.tensors[stem]])
    close(after.tensors[after.operators["conv"].inputs[0]], answer)


def test_a_file_without_edits_keeps_names_and_tensors(trace, editor):
    after = edited(trace, editor)
    assert after.operators.keys() == trace.operators.keys()
    for name, tensor in trace.tensors.items():
        np.testing.assert_array_equal(after.tensors[name], tensor)
    assert (after.ends, after.shape) == (trace.ends, trace.shape)


def test_what_cannot_be_done_is_said(trace, editor):
    stem = trace.operators["conv"].inputs[0]
    (mean,) = reader(trace, "conv").outputs
    for edits in (
        [SetAttribute("nowhere", "pads", [0, 0, 0, 0])],
        [SetAttribute("conv", "colour", "red")],
        [SetAttribute("conv", "groups", 3)],
        [SetParameter("conv", "slope", np.ones(4, np.float32))],
        [Insert("nowhere", "tanh")],
        [Insert(stem, "other")],
        [Insert(stem, "add", parameters={"operand": np.ones(3, np.float32)})],
        [Reconnect("conv", 1, stem)],
        [Reconnect("conv", 0, mean)],
        [SetAttribute("mirror" if trace.framework == "tensorflow" else "padded", "mode", "edge")],
    ):
        with pytest.raises(Impossible):
            editor.apply(trace.path, edits, trace.path.with_stem("impossible"))
    assert not trace.path.with_stem("impossible").exists()
