"""TFLite files are changed as an edit says: each against NumPy."""

import subprocess
from dataclasses import replace
from pathlib import Path

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
from deltann.localise.remote import RemoteEditor, open_tracer, python
from deltann.steps import Operator
from helpers import steps_in_numpy
from helpers.tflite_edits import SETTINGS
from helpers.tflite_files import Files, close

pytestmark = pytest.mark.usefixtures("environments")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("tflite"))


@pytest.fixture(scope="module")
def editor():
    with RemoteEditor("tflite") as found:
        yield found


def edited(files: Files, editor: RemoteEditor, name: str, *edits) -> Path:
    """A changed copy of a file."""
    path = files.folder / "edited.tflite"
    editor.apply(files.folder / f"{name}.tflite", edits, path)
    return path


@pytest.mark.parametrize("name, native, changes", SETTINGS)
def test_attributes_are_set(files, editor, name, native, changes):
    item = files.operator(name, native)
    tensors = files.traced[name][1]
    wanted = steps_in_numpy.answer(
        replace(item, attributes=item.attributes | changes), [tensors[key] for key in item.inputs]
    )
    edits = [SetAttribute(item.name, key, value) for key, value in changes.items()]
    path = edited(files, editor, name, *edits)
    with open_tracer("tflite", path) as tracer:
        found = tracer.run(files.image, item.outputs)
    for key, answer in zip(item.outputs, wanted, strict=True):
        close(found[key], answer)


IMPOSSIBLE = [
    (SetAttribute("CONV_2D_0", "groups", 3), "set the weight"),
    (SetAttribute("CONV_2D_0", "pads", [-1, 0, 0, 0]), "below 0"),
    (SetAttribute("CONV_2D_0", "epsilon", 1e-3), "no attribute"),
    (SetAttribute("CONV_2D_9", "strides", [1, 1]), "no operator"),
    (SetAttribute("MAX_POOL_2D_3", "dilations", [2, 2]), "no dilations"),
    (SetParameter("MEAN_5", "weight", np.zeros(3, np.float32)), "can't have"),
    (SetParameter("CONV_2D_0", "weight", np.zeros((4, 3, 3, 3), np.float32)), "refuses"),
    (Reconnect("CONV_2D_0", 1, "image"), "no input 1"),
    (Reconnect("CONV_2D_0", 0, "pixels"), "no tensor"),
    (Reconnect("CONV_2D_0", 0, "Mean"), "wait for each other"),
    (Insert("MaxPool2d", "erf"), "no operator of TFLite"),
    (Insert("MaxPool2d", "pad", {"pads": [1, 1, 1, 1], "mode": "edge"}), "no mode"),
]


@pytest.mark.parametrize("edit, why", IMPOSSIBLE)
def test_what_cannot_be_said_is_refused(files, editor, edit, why):
    with pytest.raises(Impossible, match=why):
        edited(files, editor, "float", edit)


@pytest.mark.parametrize("name", ["float", "float16", "int8"])
@pytest.mark.parametrize(
    "native, parameter",
    [
        ("CONV_2D", "weight"),
        ("DEPTHWISE_CONV_2D", "weight"),
        ("FULLY_CONNECTED", "weight"),
        ("CONV_2D", "bias"),
        ("FULLY_CONNECTED", "bias"),
    ],
)
def test_parameters_are_set_in_the_type_of_the_file(files, editor, name, native, parameter):
    operators, tensors = files.traced[name]
    item = next(item for item in operators if item.native == native)
    value = item.parameters[parameter][::-1] * 1.5
    path = edited(files, editor, name, SetParameter(item.name, parameter, value))
    with open_tracer("tflite", path) as tracer:
        again = {other.name.rsplit("_", 1)[0]: other for other in reversed(tracer.operators())}
        set_to = again[native].parameters[parameter]
        found = tracer.run(files.image, item.outputs)[item.outputs[0]]
    step = {"float": 0, "float16": 1e-3, "int8": 0.02}[name] * np.abs(value).max()
    assert np.abs(set_to - value).max() <= step
    changed = replace(item, parameters=item.parameters | {parameter: value})
    (wanted,) = steps_in_numpy.answer(changed, [tensors[key] for key in item.inputs])
    if name == "int8":  # the tensor's scale is for what it was before
        wanted = wanted.clip(tensors[item.outputs[0]].min(), tensors[item.outputs[0]].max())
        found = found.clip(tensors[item.outputs[0]].min(), tensors[item.outputs[0]].max())
    assert np.abs(found - wanted).max() <= (1e-5 + step) * 3 * np.abs(wanted).max() + step
    assert path.stat().st_size < 1.5 * (files.folder / f"{name}.tflite").stat().st_size


def test_operands_and_missing_biases_are_set(files, editor):
    item, turned = files.operator("words", "SUB"), files.operator("words", "TRANSPOSE_CONV")
    operand, bias = np.float32([1, 2, 3, 4]), np.float32([5, -6])
    edits = SetParameter(item.name, "operand", operand), SetParameter(turned.name, "bias", bias)
    tensors = files.traced["words"][1]
    with open_tracer("tflite", edited(files, editor, "words", *edits)) as tracer:
        found = tracer.run(files.image, [item.outputs[0], turned.outputs[0]])
    close(found[item.outputs[0]], tensors[item.inputs[0]] - operand)
    close(found[turned.outputs[0]], tensors[turned.outputs[0]] + bias)


INSERTED = [
    Insert("", "clip", {"min": 0, "max": None}),
    Insert("", "clip", {"min": -0.5, "max": 1.5}),
    Insert("", "leaky_relu", {"slope": 0.2}),
    Insert("", "elu", {"alpha": 1.0}),
    Insert("", "gelu", {"approximate": "none"}),
    Insert("", "hard_sigmoid", {"alpha": 0.2, "beta": 0.5}),
    Insert("", "hard_swish"),
    Insert("", "swish"),
    Insert("", "softplus"),
    Insert("", "prelu", {}, {"slope": np.linspace(0, 1, 6, dtype=np.float32)}),
    Insert("", "log_softmax", {"axis": "C"}),
    Insert("", "softmax", {"axis": "H"}),
    Insert("", "subtract", {"constant_first": True}, {"operand": np.float32(2)}),
    Insert("", "multiply", {}, {"operand": np.arange(6, dtype=np.float32)}),
    Insert("", "transpose", {"permutation": [0, 2, 1, 3]}),
    Insert("", "pad", {"pads": [0, 1, 2, 3], "value": 0, "mode": "constant"}),
    Insert("", "pad", {"pads": [0, 1, 2, 3], "value": 2.0, "mode": "constant"}),
    Insert(
        "",
        "batch_norm",
        {"epsilon": 1e-3},
        {
            name: np.arange(1, 7, dtype=np.float32)
            for name in ("scale", "shift", "mean", "variance")
        },
    ),
]


# Those whose results stay in the range that the int8 file has for the tensor.
NARROW = ("clip", "leaky_relu", "hard_sigmoid", "swish", "transpose", "pad")


@pytest.mark.parametrize(
    "name, edit",
    [("float", edit) for edit in INSERTED]
    + [("int8", edit) for edit in INSERTED if edit.kind in NARROW],
)
def test_operators_are_inserted(files, editor, name, edit):
    """Behind the last convolution, whose reader is a mean over the image."""
    operators, tensors = files.traced[name]
    mean = next(item for item in operators if item.native == "MEAN")
    path = edited(files, editor, name, replace(edit, behind=mean.inputs[0]))
    with open_tracer("tflite", path) as tracer:
        found = tracer.run(files.image, [mean.inputs[0], mean.outputs[0]])
    np.testing.assert_array_equal(found[mean.inputs[0]], tensors[mean.inputs[0]])
    new = Operator("", "", edit.kind, (), (), edit.attributes, edit.parameters)
    (wanted,) = steps_in_numpy.answer(new, [tensors[mean.inputs[0]]])
    if name == "float":
        close(found[mean.outputs[0]], wanted.mean((1, 2)))
    else:
        before = tensors[mean.inputs[0]]
        wanted = wanted.clip(before.min(), before.max())
        assert np.abs(found[mean.outputs[0]] - wanted.mean((1, 2))).max() < 0.02 * np.ptp(before)


@pytest.mark.parametrize("name", ["float", "words"])
def test_operators_are_written_anew(files, editor, name):
    """Each but those that no writer knows, reading what those before it made."""
    operators, tensors = files.traced[name]
    edits = [
        Replace(item.outputs[0], (item,), {key: key for key in item.inputs})
        for item in operators
        if len(item.outputs) == 1 and item.kind not in ("other", "transposed_convolution")
    ]
    assert len(edits) >= 7
    with open_tracer("tflite", edited(files, editor, name, *edits)) as tracer:
        now = {key for item in tracer.operators() for key in item.outputs}
        assert len(now & {*tensors}) <= len(operators) - len(edits) + 1
        close(tracer.run(files.image, [tracer.output])[tracer.output], tensors[tracer.output])


def test_a_number_per_channel_is_for_channels_that_come_first_too(files, editor):
    operators, tensors = files.traced["float"]
    mean = next(item for item in operators if item.native == "MEAN")
    factors = np.arange(6, dtype=np.float32)
    chain = (
        Operator("", "", "transpose", ("a",), ("b",), {"permutation": [0, 3, 1, 2]}),
        Operator("", "", "multiply", ("b",), ("c",), {}, {"operand": factors}),
        Operator("", "", "transpose", ("c",), ("d",), {"permutation": [0, 2, 3, 1]}),
    )
    edit = Replace(mean.inputs[0], chain, {"a": mean.inputs[0]})
    with open_tracer("tflite", edited(files, editor, "float", edit)) as tracer:
        found = tracer.run(files.image, mean.outputs)[mean.outputs[0]]
    close(found, (tensors[mean.inputs[0]] * factors).mean((1, 2)))


def test_an_insertion_behind_the_output_keeps_its_name(files, editor):
    edits = (
        Insert("Identity", "softmax", {"axis": 1}),
        Insert("Identity", "multiply", {}, {"operand": np.float32(0.01)}),
    )
    logits = files.tensors["logits"].astype(np.float64)
    with open_tracer("tflite", edited(files, editor, "float", *edits)) as tracer:
        assert tracer.output == "Identity"
        found = tracer.run(files.image, ["Identity"])["Identity"]
    scaled = np.exp(logits * 0.01)  # whoever reads the logits reads the product: the softmax
    close(found, scaled / scaled.sum())


def test_an_insertion_behind_the_input_is_what_the_model_reads(files, editor):
    edit = Insert("image", "multiply", {}, {"operand": np.float32([1, 0, 2])})
    first = files.operator("float", "CONV_2D")
    with open_tracer("tflite", edited(files, editor, "float", edit)) as tracer:
        found = tracer.run(files.image, first.outputs)[first.outputs[0]]
    (wanted,) = steps_in_numpy.answer(first, [files.image * np.float32([1, 0, 2])])
    close(found, wanted)


def test_operators_are_connected_otherwise_and_taken_out(files, editor):
    operators, tensors = files.traced["float"]
    add, pool = (files.operator("float", native) for native in ("ADD", "MAX_POOL_2D"))
    path = edited(files, editor, "float", Reconnect(add.name, 1, add.inputs[0]))
    with open_tracer("tflite", path) as tracer:
        found = tracer.run(files.image, add.outputs)[add.outputs[0]]
        assert len(tracer.operators()) == len(operators) - 1  # nobody reads the depthwise one's
    close(found, 2 * tensors[add.inputs[0]])
    path = edited(files, editor, "float", Bypass(add.name))
    with open_tracer("tflite", path) as tracer:
        found = tracer.run(files.image, pool.outputs)[pool.outputs[0]]
    close(found, steps_in_numpy.answer(pool, [tensors[add.inputs[0]]])[0])
    path = edited(files, editor, "float", Bypass("FULLY_CONNECTED_6"))
    with open_tracer("tflite", path) as tracer:
        close(tracer.run(files.image, ["Identity"])["Identity"], files.tensors["mean"])


def test_a_weight_with_other_groups_makes_another_convolution(files, editor):
    item = files.operator("float", "DEPTHWISE_CONV_2D")
    weight = np.random.default_rng(1).normal(size=(8, 4, 3, 3)).astype(np.float32)
    path = edited(files, editor, "float", SetParameter(item.name, "weight", weight))
    with open_tracer("tflite", path) as tracer:
        new = tracer.operators()[1]
        found = tracer.run(files.image, item.outputs)[item.outputs[0]]
    assert (new.native, new.attributes["groups"]) == ("CONV_2D", 2)
    tensors = files.traced["float"][1]
    close(found, steps_in_numpy.answer(new, [tensors[item.inputs[0]]])[0])


def test_an_edit_that_changes_nothing_keeps_every_number(files, editor):
    for name in ("float", "float16", "int8", "words"):
        with open_tracer("tflite", edited(files, editor, name)) as tracer:
            found = tracer.run(files.image, [tracer.output])[tracer.output]
        _, tensors = files.traced[name]
        np.testing.assert_array_equal(found, tensors[tracer.output])


def test_default_runtime_answers_as_the_tracer_does(files, editor):
    """XNNPACK, which users get, on a file with inserted operators."""
    path = edited(files, editor, "float", SetAttribute("CONV_2D_0", "pads", [0, 0, 2, 1]))
    with open_tracer("tflite", path) as tracer:
        wanted = tracer.run(files.image, [tracer.output])[tracer.output]
    lines = (
        "import sys, numpy as np; from ai_edge_litert.interpreter import Interpreter",
        "given = Interpreter(sys.argv[1]); given.allocate_tensors()",
        "given.set_tensor(given.get_input_details()[0]['index'], np.load(sys.argv[2]))",
        "given.invoke()",
        "np.save(sys.argv[3], given.get_tensor(given.get_output_details()[0]['index']))",
    )
    answers = files.folder / "answers.npy"
    arguments = ["-c", "\n".join(lines), path, files.folder / "image.npy", answers]
    subprocess.run([python("tflite")[0], *arguments], check=True)
    close(np.load(answers), wanted)
