"""PyTorch's files are read and run operator by operator, on small networks."""

import numpy as np
import pytest
import torch

from deltann.steps import KINDS
from deltann.tracers.torch import Tracer
from helpers import traced_torch
from helpers.traced_torch import (
    NETWORKS,
    Functions,
    Layers,
    Quantized,
    evaluated,
    image,
    operators,
    traced,
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Each network's file, by the class's name."""
    return traced_torch.files(tmp_path_factory.mktemp("networks"))


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
