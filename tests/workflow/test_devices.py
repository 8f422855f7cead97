"""Devices: instruction sets, threads, other machines by RPC, and GPUs as far as one is there."""

import json
import os
import shutil
import subprocess
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import xarray as xr

from helpers import debian
from helpers.device_study import cell, config, dataset, prepare
from helpers.rpc_server import HOST, V2, emulated_server, free_port, kill, rpc, server
from helpers.small_torch import pixels
from helpers.workspace import ROOT

GPU = shutil.which("nvidia-smi") is not None
NO_EMULATOR = debian.missing("qemu-aarch64")
ARM = {"kind": "llvm", "mtriple": "aarch64-linux-gnu", "mcpu": "cortex-a72"}
AARCH64 = 183  # e_machine, System V ABI


@pytest.fixture(scope="module")
def space(workspace, tmp_path_factory):
    """A workspace with the small model."""
    space = workspace.copy(tmp_path_factory.mktemp("devices") / "space")
    prepare(space)
    return space


@pytest.fixture(scope="module")
def devices(space) -> xr.Dataset:
    """Cells on this machine, behind a server, behind none, and on a GPU."""
    port, emulated = free_port(), free_port()
    made = {
        "host": {"target": {"kind": "llvm", "mcpu": "host"}, "native": True},
        "v2": {"target": V2, "native": False, "threads": 1},
        "v3": {"target": {"kind": "llvm", "mcpu": "x86-64-v3"}, "native": False},
        "board": rpc(port, threads=1),
        "arm": rpc(emulated, target=ARM, emulated=True),
        "lost": rpc(free_port()),
        "gpu": {"target": {"kind": "cuda", "arch": "sm_80"}, "native": True},
    }
    path = config(space, "devices", made, backends=["native", "O4"])
    with server(space, port), nullcontext() if NO_EMULATOR else emulated_server(space, emulated):
        space.run(path)
    return dataset(space, "devices")


def compiled(space, device: str) -> Path:
    (path,) = (space.path / "results/devices/compiled").rglob(f"{device}.so")
    return path


@pytest.mark.parametrize("environment", ["tvm", "tvm26"])
@pytest.mark.parametrize(
    "target, expected",
    [
        ({"mcpu": "x86-64-v9"}, "mcpu: LLVM knows no processor of x86_64 'x86-64-v9'; did you"),
        ({"mattr": ["+avx9"]}, "mattr: LLVM knows no feature of x86_64 'avx9'; did you mean 'avx'"),
        ({"mattr": ["avx2"]}, "mattr: 'avx2'; expected + or - and the name of a feature"),
        (ARM | {"mcpu": "cortex-a7e2"}, "no processor of aarch64 'cortex-a7e2'; did you mean 'c"),
        ({"mtriple": "aarch65-linux"}, "mtriple: LLVM knows no architecture 'aarch65'; did you m"),
    ],
)
def test_a_processor_that_llvm_does_not_know_is_refused(space, environment, target, expected):
    """By planning, and by the job that compiles, where TVM wasn't installed before."""
    board = rpc(free_port(), target={"kind": "llvm"} | target)
    path = config(space, "unknown", {"board": board}, compilers={"tvm": environment})
    done = space.snakemake(path, "--dry-run")
    assert done.returncode != 0 and "Traceback" not in done.stdout
    assert "config key devices.board.target." in done.stdout and expected in done.stdout
    code = f"from deltann.tvm.target_kinds import llvm\nllvm.resolve({json.dumps(board['target'])})"
    done = subprocess.run(
        [space.path / f".envs/{environment}/bin/python", "-c", code],
        env=os.environ | {"PYTHONPATH": str(space.path / "scripts")},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0 and expected in done.stderr


def test_every_device_answers_as_onnx_runtime(space, devices):
    session = onnxruntime.InferenceSession(
        space.path / "results/devices/models/small/torch/torch_onnx.onnx"
    )
    (declared,) = session.get_inputs()
    batches = [pixels(space.path / "photographs" / name)[None] for name in devices.image.values]
    expected = np.concatenate([session.run(None, {declared.name: item})[0] for item in batches])
    assert np.ptp(expected, axis=0).max() > 0.1  # the images are told apart
    for name in ("host", "v2", "v3", "board"):
        found = cell(devices, name)
        assert found.status == "ok", found.error_message.item()
        np.testing.assert_allclose(found.logits, expected, atol=1e-4 * abs(expected).max())
        assert (found.latency > 0).all()


def test_a_server_answers_as_this_machine_bit_for_bit(space, devices):
    here, there = cell(devices, "v2"), cell(devices, "board")
    assert here.logits.values.tobytes() == there.logits.values.tobytes()
    assert compiled(space, "v2").read_bytes() == compiled(space, "board").read_bytes()
    machine = json.loads(there.provenance.item())["machine"]
    assert machine["system"].startswith(f"TVM RPC server {HOST}:")
    assert machine["threads"] == 1
    assert np.isfinite(there.probe_drift)


def test_devices_differ_in_instructions_and_threads(space, devices):
    libraries = {compiled(space, name).read_bytes() for name in ("v2", "v3")}
    assert len(libraries) == 2
    threads = {
        name: json.loads(cell(devices, name).provenance.item())["machine"]["threads"]
        for name in ("host", "v2")
    }
    assert threads == {"host": len(os.sched_getaffinity(0)), "v2": 1}


def test_another_architecture_is_compiled_for_here(space, devices):
    library = compiled(space, "arm")
    header = library.read_bytes()[:20]
    assert header[:4] == b"\x7fELF" and int.from_bytes(header[18:20], "little") == AARCH64
    details = json.loads(Path(f"{library}.json").read_text())["details"]
    assert details["target"] == ARM and details["unscheduled"] == []
    assert min(details["code_bytes"].values()) > 0


@pytest.mark.skipif(bool(NO_EMULATOR), reason=NO_EMULATOR)
def test_another_architecture_answers_as_this_one(space, devices):
    found, here = cell(devices, "arm"), cell(devices, "host")
    assert found.status == "ok", found.error_message.item()
    np.testing.assert_array_equal(found.label, here.label)
    np.testing.assert_allclose(found.logits, here.logits, atol=1e-5 * abs(here.logits).max())


@pytest.mark.skipif(bool(NO_EMULATOR), reason=NO_EMULATOR)
def test_no_time_is_taken_where_it_means_nothing(space, devices):
    assert devices.device[devices.emulated == 1].values.tolist() == ["arm"]
    assert np.isnan(cell(devices, "arm").latency).all()
    folder = space.path / "results/devices"
    for table in ("latency", "devices"):
        assert "arm" not in pd.read_csv(folder / f"tables/{table}.csv")["device"].tolist()
    summary = (folder / "summary.md").read_text()
    assert "1 cell on an emulated device (arm): times there mean nothing" in summary


def test_where_no_server_is_the_cell_failed_and_says_so(devices):
    lost = cell(devices, "lost")
    assert (lost.status, lost.failed_stage) == ("failed", "infer")
    assert "device 'lost' at 127.0.0.1:" in lost.error_message.item()
    assert "expected a TVM RPC server with the key 'lab'" in lost.error_message.item()


def test_a_gpu_is_compiled_for_without_one(space, devices):
    library = compiled(space, "gpu")
    details = json.loads(Path(f"{library}.json").read_text())["details"]
    assert details["target"]["arch"] == "sm_80" and details["unscheduled"] == []
    assert len(details["code_bytes"]) == details["kernels"]
    # the text that the machine with the GPU compiles, for any GPU since: PTX
    code = library.read_bytes()
    start = code.index(b"\n#ifdef __CUDACC_RTC__")  # behind the number of its bytes
    source = space.path / "kernels.cu"
    source.write_bytes(code[start : start + int.from_bytes(code[start - 8 : start], "little")])
    script = (
        "import sys; from pathlib import Path; from deltann.tvm.cuda.nvrtc import assemble;"
        "sys.stdout.buffer.write(assemble(Path(sys.argv[1]).read_text(), 'compute_80'))"
    )
    command = [space.path / ".envs/tvm/bin/python", "-c", script, source]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": "scripts"}, cwd=space.path, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    text = done.stdout.decode()
    assert ".target sm_80" in text
    assert text.count(".entry") == details["kernels"]
    # fast math is what a level says, not what the assembler does
    assert "div.approx" not in text and "ex2.approx.ftz" not in text


@pytest.mark.skipif(GPU, reason="here is a GPU: the marked test runs on it")
def test_without_a_gpu_its_cells_failed_and_the_others_did_not(devices):
    for backend, lacks in (("native", "CUDAExecutionProvider"), ("O4", "CUDA GPU")):
        missing = cell(devices, "gpu", backend)
        assert (missing.status, missing.failed_stage) == ("failed", "infer")
        assert lacks in missing.error_message.item()
    assert cell(devices, "host", "native").status == "ok"


@pytest.mark.gpu
@pytest.mark.skipif(not GPU, reason="here is no GPU")
def test_a_gpu_answers_as_the_processor(devices):
    found, here = cell(devices, "gpu"), cell(devices, "host", "native")
    assert found.status == "ok", found.error_message.item()
    np.testing.assert_allclose(found.logits, here.logits, atol=1e-3 * abs(here.logits).max())


def test_gpu_schedules_compute_what_they_should(space, devices):
    """Also of a real model: EfficientNet-Lite0 has what GPUs have schedules for."""
    models = {
        "small": space.path / "results/devices/models/small/torch/torch_onnx.onnx",
        "lite": lite_onnx(space),
    }
    for name, model in models.items():
        session = onnxruntime.InferenceSession(model)
        (declared,) = session.get_inputs()
        batch = np.random.default_rng(0).normal(size=declared.shape).astype(np.float32)
        (expected,) = session.run(None, {declared.name: batch})
        given, found = space.path / f"{name}-in.npy", space.path / f"{name}-out.npy"
        np.save(given, batch)
        command = [space.path / ".envs/tvm/bin/python", ROOT / "tests/helpers/gpu_schedules.py"]
        done = subprocess.run(
            [*command, model, given, found],
            env=os.environ | {"PYTHONPATH": str(space.path / "scripts")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == ""  # none is left to the fallback
        np.testing.assert_allclose(np.load(found), expected, atol=1e-4 * abs(expected).max())


def lite_onnx(space) -> Path:
    """EfficientNet-Lite0 as ONNX, by the study's own rules."""
    path = space.config("lite", conversions={"torch": {"onnx": [["torch_onnx"]]}})
    target = "results/lite/models/efficientnet_lite0/torch/torch_onnx.onnx"
    space.run(path, targets=(target,))
    return space.path / target


def test_another_key_is_refused_and_the_right_one_found_later(space):
    port = free_port()
    path = config(space, "keys", {"board": rpc(port)})
    with server(space, port, key="other"):
        space.run(path)
    found = dataset(space, "keys")
    assert found.status.values.tolist() == ["failed"]
    assert f"{HOST}:{port}" in found.error_message.item()
    assert "with the key 'lab'" in found.error_message.item()
    command = [space.path / ".envs/analysis/bin/python", "scripts/retry_failed.py", "results/keys"]
    subprocess.run(command, cwd=space.path, check=True)
    with server(space, port):
        space.run(path)
    assert dataset(space, "keys").status.values.tolist() == ["ok"]


def test_a_server_killed_in_mid_run_costs_its_cell_alone(space):
    port = free_port()
    here = {"target": V2, "native": False, "threads": 1}
    timing = {"repeats": 20000, "probe_tolerance": 0.15, "contention_tolerance": 0.05}
    path = config(space, "lost", {"board": rpc(port)}, timing=timing)
    log = space.path / "results/lost/logs/infer"
    with server(space, port) as process:
        study = subprocess.Popen(
            space.command(path), cwd=space.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and not timing_began(log):
            time.sleep(0.2)
        assert timing_began(log)
        kill(process)
        output, _ = study.communicate(timeout=300)
    assert study.returncode == 0, output.decode()
    found = dataset(space, "lost")
    assert (found.status.item(), found.failed_stage.item()) == ("failed", "infer")
    assert "device 'board' at" in found.error_message.item()
    # the study goes on elsewhere with what is there
    again = config(space, "lost", {"v2": here})
    assert "compile" in space.jobs(again)
    space.run(again)
    assert dataset(space, "lost").status.values.tolist() == ["ok"]


def timing_began(folder: Path) -> bool:
    return any(" of 4 images" in path.read_text() for path in folder.rglob("*.log"))
