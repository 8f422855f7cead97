"""The default model in several precisions: what each cell computes in, why, and what it answers."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from PIL import Image

from helpers import reference
from helpers.workspace import ROOT, Workspace

INT8 = "torch_onnx+ort_static"
LITE = "torch_onnx+onnx2tf+tflite_int8"
CONFIG = {
    "conversions": {
        "torch": {
            "torch": [[]],
            "onnx": [["torch_onnx"], INT8.split("+")],
            "tflite": [["torch_onnx", "onnx2tf", "tflite_converter"], LITE.split("+")],
            "openvino": [["torch_onnx", "onnx_openvino"]],
        }
    },
    "preprocessing": ["source"],
    "backends": ["native", "autocast", "openvino-float32", "O0"],
    "runtimes": {
        "autocast": {"framework": "torch", "settings": {"autocast": True}},
        "openvino-float32": {"framework": "openvino", "settings": {"precision": "f32"}},
    },
    "tvm_imports": {"torch": [], "onnx": [[]], "tflite": [], "openvino": []},
    "devices": {"cpu": {"target": {"kind": "llvm", "mcpu": "host"}, "native": True}},
    "timing": {"repeats": 1, "probe_tolerance": 0.15, "contention_tolerance": 0.05},
}

# Prints what makes the two operands of each convolution and matrix product of an ONNX file.
OPERANDS = """
import json, sys, onnx
graph = onnx.load(sys.argv[1]).graph
makers = {name: node.op_type for node in graph.node for name in node.output}
products = [node for node in graph.node if node.op_type in ("Conv", "Gemm", "MatMul")]
print(json.dumps([[makers.get(name, "") for name in node.input[:2]] for node in products]))
"""


@pytest.fixture(scope="module")
def space(workspace: Workspace) -> Workspace:
    """A workspace with the study `precisions` finished."""
    workspace.run(workspace.config("precisions", **CONFIG))
    return workspace


@pytest.fixture(scope="module")
def study(space: Workspace) -> xr.Dataset:
    return xr.load_dataset(space.path / "results/precisions/study.nc")


@pytest.fixture(scope="module")
def photographs(space: Workspace, study: xr.Dataset) -> list[Path]:
    return [space.path / "photographs" / name for name in study["image"].values]


def cell(study: xr.Dataset, **names: str) -> xr.Dataset:
    """The one cell with these names."""
    chosen = np.logical_and.reduce([study[name].values == value for name, value in names.items()])
    (number,) = np.flatnonzero(chosen)
    return study.isel(cell=number)


def native_bfloat16() -> bool:
    """Whether OpenVINO computes in bfloat16 by itself on this processor."""
    return "avx512_bf16" in Path("/proc/cpuinfo").read_text()


def test_every_cell_says_what_it_computes_in_and_why(study):
    assert set(study.status.values) == {"ok"}
    found = {
        (
            str(item.target.values),
            str(item.route.values).split("+")[-1],
            str(item.backend.values),
        ): (
            str(item.precision.values),
            str(item.precision_cause.values),
        )
        for item in (study.isel(cell=number) for number in range(study.sizes["cell"]))
    }
    own = "the model's own file"
    openvino = (
        ("bfloat16", "the default of openvino's runtime on this processor")
        if native_bfloat16()
        else ("float32", own)
    )
    autocast = found.pop(("torch", "unconverted", "autocast"))
    assert autocast == ("bfloat16", "torch's runtime with autocast=True")
    assert found == {
        ("torch", "unconverted", "native"): ("float32", own),
        ("onnx", "torch_onnx", "native"): ("float32", own),
        ("onnx", "torch_onnx", "O0"): ("float32", own),
        ("onnx", "ort_static", "native"): ("int8", "edge ort_static"),
        ("onnx", "ort_static", "O0"): ("int8", "edge ort_static"),
        ("tflite", "tflite_converter", "native"): ("float32", own),
        ("tflite", "tflite_int8", "native"): ("int8", "edge tflite_int8"),
        ("openvino", "onnx_openvino", "native"): openvino,
        ("openvino", "onnx_openvino", "openvino-float32"): ("float32", own),
    }


def test_the_quantized_file_is_what_the_dataset_says(space, study):
    path = space.path / "results/precisions/models/efficientnet_lite0/torch" / f"{INT8}.onnx"
    done = subprocess.run(
        [space.path / ".envs/onnx/bin/python", "-c", OPERANDS, path],
        check=True,
        capture_output=True,
        text=True,
    )
    taken = Counter(map(tuple, json.loads(done.stdout)))
    assert set(taken) == {("DequantizeLinear", "DequantizeLinear")}
    quantized = cell(study, target="onnx", route=INT8, backend="native")
    assert quantized.precision_operators.item() == f"{taken.total()} int8"
    assert quantized.model_bytes.item() == path.stat().st_size
    assert path.stat().st_size < 0.4 * path.with_name("torch_onnx.onnx").stat().st_size


def test_the_answers_are_those_of_onnx_runtime_alone(space, study, photographs):
    path = space.path / "results/precisions/models/efficientnet_lite0/torch" / f"{INT8}.onnx"
    expected = reference.onnx_logits(path, photographs)
    quantized = cell(study, target="onnx", route=INT8, backend="native")
    np.testing.assert_allclose(quantized.logits.values, expected, atol=1e-4)
    exact = reference.torch_logits(photographs)
    assert np.abs(expected - exact).max() > 0.1  # so it was quantized
    full = cell(study, target="openvino", backend="openvino-float32").logits.values
    np.testing.assert_allclose(full, exact, atol=1e-3)
    if native_bfloat16():
        by_itself = cell(study, target="openvino", backend="native").logits.values
        assert 0.01 < np.abs(by_itself - exact).max() < 5


def test_only_calibrated_cells_have_calibration_images(study):
    calibrated = study.calibration_images.values > 0
    routes = set(study.route.values[calibrated])
    assert routes == {INT8, LITE} and calibrated.sum() == 3
    assert set(study.calibration_images.values[calibrated]) == {15}
    assert set(study.calibration_tested.values[calibrated]) == {0}


def test_the_table_compares_each_precision_with_the_native_model(space, study):
    table = pd.read_csv(space.path / "results/precisions/tables/precision.csv")
    row = table[(table.route == LITE) & (table.backend == "native")].iloc[0]
    native = cell(study, target="torch", backend="native")
    lite = cell(study, target="tflite", route=LITE, backend="native")
    assert row.differing == (native.label[:, 0].values != lite.label[:, 0].values).sum()
    apart = np.abs(native.logits.values - lite.logits.values).max()
    assert row.max_logit_difference == pytest.approx(apart, rel=1e-5)
    assert row.sibling.startswith("efficientnet_lite0/torch/tflite/torch_onnx+onnx2tf+tflite_conv")
    sibling = cell(study, cell=row.sibling)
    medians = [np.median(item.latency.values, axis=1) for item in (lite, sibling)]
    assert row.ratio == pytest.approx(np.median(medians[0]) / np.median(medians[1]), rel=0.5)


def test_the_summary_names_what_nobody_asked_for(space):
    text = (space.path / "results/precisions/summary.md").read_text()
    assert "Precision, " in text and "int8 by edge ort_static" in text
    assert ("nobody asked for bfloat16" in text) == native_bfloat16()


def test_calibrating_on_tested_images_is_refused_unless_insisted(space):
    """The study's own photographs as calibration images: refused; allowed, and then said in red."""
    changes = CONFIG | {"backends": ["native"], "runtimes": {}, "conversions": {}}
    changes["conversions"] = {"torch": {"torch": [[]], "onnx": [INT8.split("+")]}}
    place = {"folder": "photographs"}
    done = space.snakemake(space.config("seen", **changes, calibration=place))
    assert done.returncode != 0
    log = "".join(path.read_text() for path in space.path.glob("results/seen/logs/calibration/*"))
    assert "4 of its 4 images are also tested" in log and "allow_tested: true" in log

    space.run(space.config("seen", **changes, calibration=place | {"allow_tested": True}))
    text = (space.path / "results/seen/summary.md").read_text()
    assert "**Calibrated on tested images: 1 cell, on up to 4 of 4 images." in text


def test_a_changed_calibration_image_reruns_what_was_calibrated(space):
    folder = space.path / "others"
    folder.mkdir()
    for number in range(2):
        values = np.random.default_rng(number).integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(values).save(folder / f"{number}.png")
    changes = CONFIG | {"backends": ["native"], "runtimes": {}}
    changes["conversions"] = {"torch": {"torch": [[]], "onnx": [["torch_onnx"], INT8.split("+")]}}
    config = space.config("changed", **changes, calibration={"folder": "others"})
    space.run(config)
    assert space.jobs(config) == {}
    Image.fromarray(np.full((64, 64, 3), 7, np.uint8)).save(folder / "1.png")
    jobs = space.jobs(config)
    assert {name: jobs.get(name) for name in ("calibration", "convert", "infer", "export")} == {
        "calibration": 1,
        "convert": 1,
        "infer": 1,
        "export": None,
    }


def test_what_tvm_computes_in_is_read_from_its_graph(space):
    """Small modules of which it is known, as they are built and after the passes of O4."""
    python, helper = space.path / ".envs/tvm/bin/python", ROOT / "tests/helpers/tvm_precision.py"
    variables = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run([python, helper], env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    lowered = found.pop("lowered")
    assert lowered == [{"float32": 3}, {"float16": 3}]
    assert found == {
        name: [operators, operators]
        for name, operators in {
            "float32": {"float32": 3},
            "other": {"float32": 3},
            "float16": {"float16": 3},
            "int8-weights": {"int8-weights": 2},
            "float16-weights": {"float16-weights": 2},
            "int8": {"int8": 2},
            "int16x8": {"int16x8": 2},
            "dynamic": {"int8-dynamic": 1},
            "turned": {"int8": 1, "float16-weights": 1},
        }.items()
    }
