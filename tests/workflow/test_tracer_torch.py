"""PyTorch's files are read, run and changed operator by operator, on small networks."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from deltann.editors import torch as editor
from deltann.edits import Bypass, Impossible, Insert, Reconnect, SetAttribute, SetParameter
from deltann.steps import KINDS, Operator
from deltann.tracers.torch import Tracer
from helpers.traced_torch import (
    Function,
    Functions,
    InPlace,
    Layers,
    Quantized,
    Shared,
    Trained,
    image,
    saved,
)

NETWORKS = (Functions, InPlace, Layers, Quantized, Shared, Trained)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Each network's file, by the class's name."""
    folder = tmp_path_factory.mktemp("networks")
    return {
        made.__name__: saved(evaluated(made), folder / f"{made.__name__}.pt2") for made in NETWORKS
    }


def evaluated(made):
    return made() if made is Trained else made().eval()


def operators(path) -> dict[str, Operator]:
    with Tracer(path) as tracer:
        return {operator.name: operator for operator in tracer.operators()}


def traced(path, *names, **replaced) -> list[np.ndarray]:
    """Some tensors of a file for the test image; without names, its logits."""
    with Tracer(path) as tracer:
        wanted = names or (tracer.output,)
        found = tracer.run(image(), wanted, replaced)
        assert {*found} == {*wanted}
        return [found[name] for name in wanted]


def answer(path) -> np.ndarray:
    """A file's logits for the test image, by PyTorch alone, twice the same."""
    module = torch.export.load(path).module()
    with torch.no_grad():
        one, other = (module(torch.from_numpy(image())).numpy() for _ in range(2))
    np.testing.assert_array_equal(one, other)
    return one


def edited(path, tmp_path, *edits) -> np.ndarray:
    """The logits of an edited copy."""
    editor.apply(path, edits, tmp_path / "edited.pt2")
    return answer(tmp_path / "edited.pt2")


@pytest.mark.parametrize("made", NETWORKS)
def test_the_logits_are_the_networks_own_again_and_again(files, made):
    with torch.no_grad():
        expected = evaluated(made)(torch.from_numpy(image())).numpy()
    with Tracer(files[made.__name__]) as tracer:
        assert tracer.input_shape == image().shape
        for _ in range(2):
            given = tracer.run(image(), [tracer.output])[tracer.output]
            np.testing.assert_array_equal(given, expected)
        assert {operator.kind for operator in tracer.operators()} <= {*KINDS}
        assert [item.name for item in tracer.operators()] == [*operators(tracer.model_file)]


def test_each_tensor_is_what_a_hook_sees(files):
    seen = []
    network = Layers().eval()
    for module in network.steps:
        module.register_forward_hook(lambda *call: seen.append(call[2].clone()))
    with torch.no_grad():
        network(torch.from_numpy(image()))
    names = [item.outputs[0] for item in operators(files["Layers"]).values()]
    assert len(names) == len(seen) == 22
    for name, expected, given in zip(names, seen, traced(files["Layers"], *names), strict=True):
        np.testing.assert_array_equal(given, expected.numpy(), err_msg=name)


def test_a_replaced_tensor_takes_effect_and_only_what_is_needed_runs(files):
    network, given = Layers().eval(), np.full((1, 8, 9, 6), 0.5, np.float32)
    with torch.no_grad():
        expected = network.steps[5:](torch.from_numpy(given)).numpy()
    logits, back = traced(files["Layers"], "linear", "hardtanh", hardtanh=given)
    np.testing.assert_array_equal(logits, expected)
    np.testing.assert_array_equal(back, given)
    with Tracer(files["Layers"]) as tracer:
        called = []
        call = tracer.network._call
        tracer.network._call = lambda node, values: called.append(len(values)) or call(node, values)
        tracer.run(image(), ["linear"], {"flatten": np.zeros((1, 8), np.float32)})
        assert len(called) == 4  # two weights, dropout and linear
        called.clear()
        tracer.run(image(), ["linear"])
        assert max(called) < 20 and len(called) > 22


ATTRIBUTES = [
    ("Layers", "conv2d", "convolution", {"pads": [1, 0, 1, 1], "strides": [1, 1]}),
    ("Layers", "conv2d_1", "convolution", {"groups": 8, "strides": [2, 2], "pads": [1] * 4}),
    ("Layers", "conv2d_2", "convolution", {"dilations": [2, 2], "strides": [1, 2]}),
    ("Layers", "conv_transpose2d", "transposed_convolution", {"output_padding": [1, 0]}),
    ("Layers", "batch_norm", "batch_norm", {"epsilon": 1e-3, "training": False}),
    ("Trained", "batch_norm", "batch_norm", {"epsilon": 1e-5, "training": True}),
    ("Layers", "relu_", "clip", {"min": 0, "max": None}),
    ("Layers", "hardtanh", "clip", {"min": 0, "max": 6}),
    ("Layers", "avg_pool2d", "average_pool", {"ceil_mode": True, "count_include_pad": False}),
    ("Layers", "gelu", "gelu", {"approximate": "tanh"}),
    ("Layers", "adaptive_avg_pool2d", "mean", {"axes": ["H", "W"], "keepdims": True}),
    ("Functions", "pad", "pad", {"pads": [0, 1, 3, 2], "value": 0.25, "mode": "constant"}),
    ("Functions", "upsample_bilinear2d", "resize", {"coordinates": "align_corners"}),
    ("Functions", "_upsample_nearest_exact2d", "resize", {"scales": [1.3, 1.3]}),
    ("Functions", "cat", "concat", {"axis": "C"}),
    ("Functions", "split_with_sizes", "split", {"axis": "C", "sizes": [1, 3, 1]}),
    ("Functions", "slice_1", "slice", {"axes": ["C"], "starts": [1], "ends": [3]}),
    ("Functions", "permute", "transpose", {"permutation": [0, 2, 3, 1]}),
    ("Functions", "softmax", "softmax", {"axis": 2}),
    ("Functions", "rsub", "subtract", {"constant_first": True}),
    ("Quantized", "quantize_per_tensor", "quantize", {"dtype": "uint8"}),
]


@pytest.mark.parametrize(("network", "name", "kind", "expected"), ATTRIBUTES)
def test_attributes_are_resolved(files, network, name, kind, expected):
    found = operators(files[network])[name]
    assert found.kind == kind
    assert found.attributes | expected == found.attributes


def test_parameters_are_as_the_words_have_them(files):
    found, network = operators(files["Functions"]), Functions()
    matrix, offset = network.matrix.numpy(), network.offset.numpy()
    np.testing.assert_array_equal(found["matmul"].parameters["weight"], matrix.T)
    np.testing.assert_array_equal(found["addmm"].parameters["weight"], matrix[:5].T * 2)
    np.testing.assert_array_equal(found["addmm"].parameters["bias"], offset / 2)
    np.testing.assert_array_equal(found["div"].parameters["operand"], [0.5, 0.25, 2])
    assert found["rsub"].parameters["operand"].shape == ()
    quantized = Quantized()
    expected = quantized.stored.numpy() * quantized.scales.numpy().reshape(6, 1, 1, 1)
    given = operators(files["Quantized"])["conv2d"].parameters["weight"]
    np.testing.assert_array_equal(given, expected)


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


def changed_layers(*changes) -> np.ndarray:
    """The logits of `Layers` with its modules changed by functions."""
    network = Layers().eval()
    for change in changes:
        change(network.steps)
    with torch.no_grad():
        return network(torch.from_numpy(image())).numpy()


def set_to(place: int, **attributes):
    """A function that sets attributes of one of the modules of `Layers`."""

    def change(steps):
        for name, value in attributes.items():
            setattr(steps[place], name, value)

    return change


def followed(place: int, function, **attributes):
    """A function that sets attributes of a module of `Layers` and puts a function behind it."""

    def change(steps):
        set_to(place, **attributes)(steps)
        steps[place] = nn.Sequential(steps[place], Function(function))

    return change


def preceded(place: int, function, **attributes):
    """A function that sets attributes of a module of `Layers` and puts a function before it."""

    def change(steps):
        set_to(place, **attributes)(steps)
        steps[place] = nn.Sequential(Function(function), steps[place])

    return change


def instead(place: int, function):
    """A function that puts a function in the place of a module of `Layers`."""

    def change(steps):
        steps[place] = Function(function)

    return change


def one_sided(batch):
    """The average of what is inside the image, of windows that begin outside."""
    sums = nn.AvgPool2d(3, 2, ceil_mode=True, divisor_override=1)
    ones = torch.ones_like(batch)
    return sums(F.pad(batch, (2, 0, 1, 0))) / sums(F.pad(ones, (2, 0, 1, 0)))


def upper_left(batch):
    """Twice as many pixels, by the coordinates half_pixel and rounded down."""
    return batch[:, :, [0, 0, 0, 1, 1, 2, 2, 3, 3, 4]][:, :, :, [0, 0, 0, 1]]


def upper_left_linear(batch):
    """Twice as many pixels of 5 by 2, by asymmetric coordinates: every other one is there."""
    return F.interpolate(batch, size=(9, 3), mode="bilinear", align_corners=True)[
        :, :, [*range(9), 8]
    ][:, :, :, [0, 1, 2, 2]]


NOTHING = set_to(0)
# what is set at once, and the same change of the network
SET = [
    [
        (("batch_norm", "epsilon", 0.1), set_to(1, eps=0.1)),
        (
            ("conv2d_1", "pads", [0, 0, 2, 2]),
            preceded(3, nn.ZeroPad2d((0, 2, 0, 2)), padding=(0, 0)),
        ),
        (("hardtanh", "max", 0.75), set_to(4, max_val=0.75)),
        (("leaky_relu", "slope", 0.01), set_to(6, negative_slope=0.01)),
        (("avg_pool2d", "count_include_pad", True), set_to(7, count_include_pad=True)),
        (
            ("conv2d_2", "activation", {"kind": "clip", "min": 0, "max": 1}),
            followed(9, nn.Hardtanh(0, 1)),
        ),
        (("hardsigmoid", "alpha", 0.2), instead(15, lambda batch: (batch / 5 + 0.5).clamp(0, 1))),
        (("upsample_nearest2d", "coordinates", "half_pixel"), instead(16, upper_left)),
    ],
    [
        (("batch_norm", "training", True), set_to(1, training=True)),
        (("hardtanh", "min", -0.25), set_to(4, min_val=-0.25)),
        (
            ("conv_transpose2d", "pads", [2, 2, 0, 0]),
            followed(5, lambda batch: batch[:, :, 2:, 2:], padding=(0, 0)),
        ),
        (("avg_pool2d", "divisor", 4), set_to(7, divisor_override=4)),
        (("conv2d_2", "dilations", [1, 1]), set_to(9, dilation=(1, 1), padding=(1, 1))),
        (("conv2d_2", "pads", [1, 1, 1, 1]), NOTHING),
        (("elu", "alpha", 1.5), set_to(13, alpha=1.5)),
        (("upsample_nearest2d", "mode", "linear"), set_to(16, mode="bilinear")),
        (("upsample_nearest2d", "coordinates", "half_pixel"), NOTHING),
    ],
    [
        (("hardtanh", "max", None), instead(4, F.relu)),
        (("gelu", "approximate", "none"), set_to(8, approximate="none")),
        (("avg_pool2d", "pads", [1, 2, 0, 0]), instead(7, one_sided)),
        (("upsample_nearest2d", "mode", "linear"), instead(16, upper_left_linear)),
    ],
]


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


NORM = {name: np.float32([1, 2, 3]) for name in ("scale", "shift", "mean", "variance")}
INSERTED = [
    (Insert("batch", "clip", {"min": 0.5, "max": None}), lambda batch: batch.clamp(min=0.5)),
    (Insert("batch", "gelu", {"approximate": "tanh"}), nn.GELU("tanh")),
    (
        Insert("batch", "multiply", {}, {"operand": np.float32([1, 2, 3])}),
        lambda batch: batch * torch.tensor([1, 2, 3]).reshape(3, 1, 1),
    ),
    (
        Insert("batch", "subtract", {"constant_first": True}, {"operand": np.float32(4)}),
        lambda batch: 4 - batch,
    ),
    (Insert("batch", "add", {}, {}, ("batch",)), lambda batch: batch * 2),
    (Insert("batch", "transpose", {"permutation": [0, 1, 3, 2]}), lambda batch: batch.mT),
    (Insert("batch", "pad", {"pads": [1, 0, 0, 2], "value": 1}), nn.ConstantPad2d((0, 2, 1, 0), 1)),
    (
        Insert("batch", "batch_norm", {"epsilon": 1.0}, NORM),
        lambda batch: F.batch_norm(
            batch, *(torch.tensor([1.0, 2, 3]) for _ in range(4)), training=False, eps=1.0
        ),
    ),
]


def test_operators_are_inserted(files, tmp_path):
    edits, functions = zip(*INSERTED, strict=True)
    changes = [preceded(0, function) for function in functions]  # the last one comes first
    given = edited(files["Layers"], tmp_path, *edits)
    np.testing.assert_allclose(given, changed_layers(*changes), rtol=1e-5, atol=1e-6)
    for left_out in changes:
        others = [change for change in changes if change is not left_out]
        assert abs(given - changed_layers(*others)).max() > 1e-6


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
