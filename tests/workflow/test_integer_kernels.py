"""Quantized networks are computed in whole numbers where the processor has instructions for it."""

import json
import os
import subprocess

import pytest

from helpers.workspace import ROOT

# The kind of kernel of each network.
NETWORKS = {
    "few channels": "conv2d",
    "24 channels": "conv2d",
    "dilated": "conv2d",
    "depthwise": "depthwise",
    "depthwise, stride 2": "depthwise",
    "int8": "conv2d",
    "dense": "dense",
    "residual": "conv2d",
}
WITHOUT, WITH = "x86-64-v3 O4", ("cascadelake O4", "cascadelake O0")


@pytest.fixture(scope="module")
def results(workspace):
    """What `helpers/tvm_integers.py` prints."""
    python = workspace.path / ".envs/tvm/bin/python"
    done = subprocess.run(
        [python, ROOT / "tests/helpers/tvm_integers.py"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("target", [WITHOUT, *WITH])
@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_answers_as_onnx_defines(results, network, target):
    """A result halfway between two steps may become either: of the smallest network, one of 19."""
    found = results[f"{network}, {target}"]
    assert found["unscheduled"] == []
    if found["steps"] is None:
        pytest.skip("this processor lacks AVX512-VNNI")
    assert found["steps"] < 1.01 and found["share"] < 0.06


@pytest.mark.parametrize("target", WITH)
@pytest.mark.parametrize("network", NETWORKS)
def test_the_kernels_multiply_whole_numbers(results, network, target):
    found = results[f"{network}, {target}"]
    assert found["integers"] and found["instruction"]
    assert all(f"integer_{NETWORKS[network]}" in name for name in found["integers"])
    assert set(found["operators"]) == {"int8"}


@pytest.mark.parametrize("network", NETWORKS)
def test_other_processors_compute_in_float32(results, network):
    found = results[f"{network}, {WITHOUT}"]
    assert found["integers"] == [] and not found["instruction"]
    assert set(found["operators"]) == {"int8"}


def test_no_network_is_left_out(results):
    assert set(results) == {
        f"{network}, {target}" for network in NETWORKS for target in (WITHOUT, *WITH)
    }
