"""PyTorch's files are changed operator by operator, on small networks."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from deltann.editors import torch as editor
from deltann.edits import (
    Bypass,
    Impossible,
    Insert,
    Reconnect,
    Replace,
    SetAttribute,
    SetParameter,
)
from deltann.steps import Operator
from helpers import traced_torch
from helpers.changed_layers import INSERTED, NOTHING, SET, changed_layers, preceded
from helpers.traced_torch import (
    NETWORKS,
    Quantized,
    Shared,
    answer,
    edited,
    image,
    operators,
    traced,
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Each network's file, by the class's name."""
    return traced_torch.files(tmp_path_factory.mktemp("networks"))


def rewriting(operator: Operator) -> list:
    """Edits that set what an operator has."""
    changes = [SetAttribute(operator.name, *item) for item in operator.attributes.items()]
    changes += [SetParameter(operator.name, *item) for item in operator.parameters.items()]
    return changes


@pytest.mark.parametrize("made", NETWORKS)
def test_an_operator_written_anew_computes_the_same(files, tmp_path, made):
    path = files[made.__name__]
    edits = [edit for operator in operators(path).values() for edit in rewriting(operator)]
    given = edited(path, tmp_path, *edits)
    np.testing.assert_allclose(given, answer(path), rtol=1e-5, atol=1e-6)


def core(path):
    """A copy of a file in PyTorch's core operators."""
    copy = path.with_suffix(".core.pt2")
    torch.export.save(torch.export.load(path).run_decompositions(), copy)
    return copy


def test_core_operators_are_read_and_written(files, tmp_path):
    path = core(files["Layers"])
    found = operators(path)
    natives = {item.native for item in found.values()}
    assert "aten._native_batch_norm_legit_no_training.default" in natives
    kinds = [item.kind for item in found.values()]
    plain = [item.kind for item in operators(files["Layers"]).values()]
    layers = ("convolution", "transposed_convolution", "batch_norm", "dense")
    for kind in (*layers, "max_pool", "mean"):
        assert kinds.count(kind) == plain.count(kind), kind
    for name in layers:
        pairs = (
            [item for item in each.values() if item.kind == name]
            for each in (found, operators(files["Layers"]))
        )
        for one, other in zip(*pairs, strict=True):
            assert {**one.attributes, "pads": 0} == {**other.attributes, "pads": 0}
            for parameter, value in other.parameters.items():
                np.testing.assert_array_equal(one.parameters[parameter], value)
    expected = answer(files["Layers"])
    np.testing.assert_allclose(traced(path)[0], expected, rtol=1e-5)
    edits = [edit for operator in found.values() for edit in rewriting(operator)]
    np.testing.assert_allclose(edited(path, tmp_path, *edits), expected, rtol=1e-5)


@pytest.mark.parametrize("settings", SET)
def test_attributes_are_set(files, tmp_path, settings):
    edits, changes = zip(*settings, strict=True)
    given = edited(files["Layers"], tmp_path, *(SetAttribute(*edit) for edit in edits))
    np.testing.assert_allclose(given, changed_layers(*changes), rtol=1e-5, atol=1e-6)
    for left_out in (change for change in changes if change is not NOTHING):
        others = [change for change in changes if change is not left_out]
        assert abs(given - changed_layers(*others)).max() > 1e-6


def test_a_parameter_is_set_of_one_operator_alone(files, tmp_path):
    network, value = Shared().eval(), np.random.default_rng(1).random((3, 3, 3, 3), np.float32)
    bias, matrix = np.float32([1, -2, 3]), np.random.default_rng(2).random((5, 3), np.float32)
    edits = (SetParameter("conv2d_1", "weight", value[::-1]), SetParameter("conv2d", "bias", bias))
    given = edited(files["Shared"], tmp_path, *edits, SetParameter("linear", "weight", matrix))
    with torch.no_grad():
        batch = torch.from_numpy(image())
        one = F.conv2d(batch, network.weight, torch.from_numpy(bias), padding=1).relu()
        other = F.conv2d(one, torch.from_numpy(value[::-1].copy()), padding=1).tanh()
        network.last.weight.copy_(torch.from_numpy(matrix))
        expected = network.last((other - one).mean((2, 3))).numpy()
    np.testing.assert_allclose(given, expected, rtol=1e-5)


def test_weights_of_eight_bits_stay_so(files, tmp_path):
    found = operators(files["Quantized"])["conv2d"]
    value = found.parameters["weight"][:, ::-1]
    given = edited(files["Quantized"], tmp_path, SetParameter("conv2d", "weight", value))
    network = Quantized().eval()
    network.stored = network.stored.flip(1)
    with torch.no_grad():
        expected = network(torch.from_numpy(image())).numpy()
    np.testing.assert_allclose(given, expected, rtol=1e-5)
    tensors = torch.export.load(tmp_path / "edited.pt2").state_dict.values()
    assert [value.shape for value in tensors if value.dtype == torch.int8] == [(6, 3, 3, 3)]
    scaled = edited(files["Quantized"], tmp_path, SetParameter("quantize_per_tensor", "scale", 1.0))
    assert abs(scaled - answer(files["Quantized"])).max() > 0.1


def test_operands_are_changed_and_exchanged(files, tmp_path):
    edits = [
        SetParameter("div", "operand", np.float32([1, 2, 3])),
        SetParameter("sub", "operand", np.float32(0.25)),
        SetAttribute("rsub", "constant_first", False),
    ]
    path = files["Functions"]
    editor.apply(path, edits, tmp_path / "edited.pt2")
    after = [item.outputs[0] for item in operators(tmp_path / "edited.pt2").values()]
    given = traced(tmp_path / "edited.pt2", after[2])[0]
    sides = np.float32([1, 2, 3]).reshape(3, 1, 1)
    np.testing.assert_allclose(given, (image() - 0.25) / sides - 1, rtol=1e-5, atol=1e-6)


def test_operators_are_reconnected(files, tmp_path):
    swap = (Reconnect("sub", 0, "relu"), Reconnect("sub", 1, "tanh"))
    network = Shared().eval()
    with torch.no_grad():
        difference = answer(files["Shared"]) - network.last.bias.numpy()
        expected = network.last.bias.numpy() - difference
    np.testing.assert_allclose(edited(files["Shared"], tmp_path, *swap), expected, rtol=1e-4)
    # also one that was written anew, and to a tensor that comes later
    edits = (SetAttribute("conv2d", "pads", [2, 2, 0, 0]), Reconnect("tanh", 0, "conv2d"))
    later = edited(files["Shared"], tmp_path, *edits, Reconnect("mean", 0, "tanh"))
    with torch.no_grad():
        batch = F.pad(torch.from_numpy(image()), (2, 0, 2, 0))
        expected = network.last(F.conv2d(batch, network.weight).tanh().mean((2, 3))).numpy()
    np.testing.assert_allclose(later, expected, rtol=1e-5)
    with pytest.raises(Impossible, match="would read what depends on it"):
        edited(files["Shared"], tmp_path, Reconnect("conv2d", 0, "tanh"))
    with pytest.raises(Impossible, match="reads 2 tensors"):
        edited(files["Shared"], tmp_path, Reconnect("sub", 2, "tanh"))


def test_operators_are_taken_out(files, tmp_path):
    given = edited(files["Layers"], tmp_path, Bypass("relu_"), Bypass("prelu"))

    def change(steps):
        steps[2] = steps[14] = nn.Identity()

    np.testing.assert_allclose(given, changed_layers(change), rtol=1e-6)
    with pytest.raises(Impossible, match=r"the logits would have the shape \[1, 8\], not \[1, 5\]"):
        edited(files["Layers"], tmp_path, Bypass("linear"))
    with pytest.raises(Impossible, match="has several outputs"):
        edited(files["Functions"], tmp_path, Bypass("split_with_sizes"))


def test_operators_are_inserted(files, tmp_path):
    edits, functions = zip(*INSERTED, strict=True)
    changes = [preceded(0, function) for function in functions]  # the last one comes first
    given = edited(files["Layers"], tmp_path, *edits)
    np.testing.assert_allclose(given, changed_layers(*changes), rtol=1e-5, atol=1e-6)
    for left_out in changes:
        others = [change for change in changes if change is not left_out]
        assert abs(given - changed_layers(*others)).max() > 1e-6


@pytest.mark.parametrize("name", ["Layers", "Shared"])
def test_what_makes_a_tensor_is_replaced(files, tmp_path, name):
    """Each operator in the place of itself, reading what those before it made."""
    edits = [
        Replace(item.outputs[0], (item,), {key: key for key in item.inputs})
        for item in operators(files[name]).values()
        if len(item.outputs) == 1
    ]
    assert len(edits) > 5
    given = edited(files[name], tmp_path, *edits)
    np.testing.assert_allclose(given, answer(files[name]), rtol=1e-5, atol=1e-6)


def test_an_operator_is_inserted_behind_the_logits(files, tmp_path):
    given = edited(files["Shared"], tmp_path, Insert("linear", "softmax", {"axis": 1}))
    expected = torch.from_numpy(answer(files["Shared"])).softmax(1).numpy()
    np.testing.assert_allclose(given, expected, rtol=1e-5)


MISSING = [
    (SetAttribute("nothing", "epsilon", 1), "there is no operator 'nothing'"),
    (SetAttribute("conv2d", "epsilon", 1), "convolution 'conv2d' has no attribute 'epsilon'"),
    (SetParameter("relu", "bias", np.zeros(3)), "clip 'relu' has no parameter 'bias'"),
    (Reconnect("relu", 0, "nothing"), "there is no tensor 'nothing'"),
    (Insert("relu", "lrn"), "can't write 'lrn'"),
    (Insert("relu", "batch_norm"), "batch_norm needs|has no mean"),
]


@pytest.mark.parametrize(("edit", "message"), MISSING)
def test_what_cannot_be_said_is_refused(files, tmp_path, edit, message):
    with pytest.raises(Impossible, match=message):
        edited(files["Shared"], tmp_path, edit)
    assert not [*tmp_path.iterdir()]


def test_an_edited_file_is_the_same_each_time_and_runs_in_the_study(files, tmp_path):
    edits = [SetAttribute("batch_norm", "epsilon", 0.1), SetParameter("conv2d", "bias", np.ones(8))]
    for name in ("one.pt2", "other.pt2"):
        editor.apply(files["Layers"], edits, tmp_path / name)
    assert (tmp_path / "one.pt2").read_bytes() == (tmp_path / "other.pt2").read_bytes()
    editor.apply(tmp_path / "one.pt2", [], tmp_path / "again.pt2")
    np.testing.assert_array_equal(answer(tmp_path / "one.pt2"), answer(tmp_path / "again.pt2"))
    (bias,) = (
        item.parameters["bias"]
        for item in operators(tmp_path / "again.pt2").values()
        if item.name == "conv2d"
    )
    assert bias.dtype == np.float32 and (bias == 1).all()
