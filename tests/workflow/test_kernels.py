"""Kernels of operators that image models have answer as PyTorch does, whatever their extents."""

import json
import os
import subprocess

import pytest

from helpers.workspace import ROOT

TARGETS = ("x86-64-v2", "x86-64-v3", "host")
# The kernels that each network must have, in the spelling of packed operators.
NETWORKS = {
    "attention": {"matmul", "conv2d"},
    "attention, narrow": {"matmul", "conv2d"},
    "squeezed, sigmoid": {"conv2d"},
    "squeezed, hardsigmoid": {"conv2d"},
    "last axis": {"matmul", "depthwise", "conv2d"},
    "shuffled": {"conv2d"},
    "shuffled, channels last": {"conv2d"},
    "joined": {"conv2d"},
    "groups of 4": {"conv2d"},
    "groups of 8": {"conv2d"},
    "13 groups of 8": {"conv2d"},
    "groups of 16 to 32": {"conv2d"},
    "groups of 3": {"conv2d"},
    "dilated depthwise": {"depthwise", "conv2d"},
    "SiLU": {"conv2d"},
    "softmax": {"conv2d"},
    "rows": {"dense"},
}


@pytest.fixture(scope="module")
def results(workspace):
    """What `helpers/tvm_kernels.py` prints."""
    return printed(workspace, "tvm_kernels.py")


def printed(workspace, helper: str) -> dict:
    """The JSON that a helper prints, run in TVM's environment."""
    python = workspace.path / ".envs/tvm/bin/python"
    done = subprocess.run(
        [python, ROOT / "tests/helpers" / helper],
        env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_answers_as_pytorch_does(results, network, target):
    found = results[f"{network}, {target}"]
    assert found["difference"] < 2e-6
    assert found["unscheduled"] == []
    packed = {
        kind
        for name in found["kernels"]
        for kind in ("conv2d", "depthwise", "dense", "matmul")
        if f"packed_{kind}" in name
    }
    assert packed == NETWORKS[network]


def test_no_network_is_left_out(results):
    assert set(results) == {f"{network}, {target}" for network in NETWORKS for target in TARGETS}


@pytest.mark.parametrize(
    "network", ["squeezed, sigmoid", "squeezed, hardsigmoid", "13 groups of 8"]
)
def test_tensors_stay_packed_between_convolutions(results, network):
    """Only the result is unpacked; the image has too few channels to be packed."""
    kernels = results[f"{network}, host"]["kernels"]
    assert sum("unpack" in name for name in kernels) <= 1
    assert not any(name.startswith("pack") and "packed" not in name for name in kernels)


@pytest.mark.parametrize("network", ["shuffled", "shuffled, channels last"])
@pytest.mark.parametrize("target", ["x86-64-v3", "host"])
def test_channels_that_move_stay_packed(results, network, target):
    """One kernel gathers the channels for each convolution that has others' as its input."""
    kernels = results[f"{network}, {target}"]["kernels"]
    moves = [name for name in kernels if "moved_channels" in name]
    assert len(moves) == 4  # of the halves that are convolved, and of the last result
    assert sum("unpack" in name for name in kernels) == 1  # of the network's result
    left = ("concat", "transpose", "split", "slice", "shuffle")
    assert not any(word in name for word in left for name in kernels)


def test_cut_channels_stay_packed(results):
    """One kernel gathers each of two sums' operands, a pool's, and what is read unpacked."""
    kernels = results["joined, host"]["kernels"]
    assert sum("moved_channels" in name for name in kernels) == 4


def test_groups_that_fill_no_block_of_channels_stay_as_they_are(results):
    """Five groups of three: none of them, and not all together, fill whole vectors."""
    kernels = results["groups of 3, host"]["kernels"]
    assert any("conv2d" in name and "packed" not in name for name in kernels)


def test_each_tile_asks_for_the_weights_of_the_next(workspace):
    """Every line of them; the first tile has none before it, and steps are alike, so a few more."""
    found = printed(workspace, "tvm_prefetches.py")
    tile, tiles, lines = found["tile"], found["tiles"], found["lines"]
    expected = set(range(tile, tile * tiles))
    assert tiles > 2
    assert expected <= set(lines)
    assert len(set(lines) - expected) < 0.01 * len(expected)
    assert len(lines) < 1.01 * tile * tiles  # the last tile asks for its own again


def test_fast_activations_are_of_the_highest_level_only(results):
    assert any("fast_silu" in x or "fast_sigmoid" in x for x in results["SiLU, host"]["kernels"])
    assert not any("fast" in name for name in results["SiLU, x86-64-v3"]["kernels"])


def test_the_work_of_a_matrix_product_is_counted(results):
    """Three rows of 1,225 numbers, and 48 results of each."""
    rows, inputs, outputs = 3, 35 * 35, 48
    work = results["rows, x86-64-v2"]["work"]["packed_dense"]
    assert work["flops"] == pytest.approx(2 * rows * inputs * outputs, rel=0.01)
    assert work["bytes"] == 4 * (rows * inputs + inputs * outputs + rows * outputs)
    assert work["constant_bytes"] == 0  # its weights are arranged in each inference
    ((name, folded),) = (
        item for item in results["rows, host"]["work"].items() if "packed_dense" in item[0]
    )
    assert name.endswith("_add")
    assert folded["constant_bytes"] == 4 * (inputs * outputs + outputs)
