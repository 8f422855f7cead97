"""The study end to end: what a user opens afterwards, held against independent inference."""

import json
from pathlib import Path

import capstone
import matplotlib
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from elftools.elf.elffile import ELFFile
from matplotlib import pyplot as plt

from deltann import registry
from helpers import notebook, reference
from helpers.workspace import ROOT

# source and target of every conversion of the default study
CONVERSIONS = {("torch", target) for target in ("torch", "onnx", "tensorflow", "keras", "tflite")}
CONVERSIONS |= {("keras", "keras")}
CONVERTED = "efficientnet_lite0/torch/onnx/torch_onnx"
CELLS = 5 * len(CONVERSIONS)


@pytest.fixture(scope="module")
def dataset(workspace, study):
    with xr.open_dataset(workspace.path / "results/reduced/study.nc") as opened:
        yield opened.load()


@pytest.fixture(scope="module")
def photographs(workspace, dataset):
    return [workspace.path / "photographs" / name for name in dataset["image"].values]


def test_every_cell_is_there_and_ran(dataset):
    cells = set(
        zip(
            dataset.source.values,
            dataset.target.values,
            dataset.backend.values,
            dataset.device.values,
            strict=True,
        )
    )
    compiled = {
        (*conversion, backend, device)
        for conversion in CONVERSIONS
        for backend in ("O0", "O4")
        for device in ("cpu", "cpu-baseline")
    }
    assert cells == compiled | {(*names, "native", "cpu") for names in CONVERSIONS}
    assert dataset.sizes["cell"] == CELLS
    assert set(dataset.status.values) == {"ok"}


def test_logits_are_those_of_plain_pytorch(dataset, photographs):
    expected = reference.torch_logits(photographs)
    for index in range(dataset.sizes["cell"]):
        cell = dataset.isel(cell=index)
        where = str(cell.cell.values)
        np.testing.assert_allclose(cell.logits.values, expected, atol=1e-3, err_msg=where)
        assert (cell.label[:, 0].values == expected.argmax(1)).all(), where


def test_logits_of_the_onnx_cell_are_those_of_onnx_runtime(workspace, dataset, photographs):
    model = "results/reduced/models/efficientnet_lite0/torch/torch_onnx.onnx"
    expected = reference.onnx_logits(workspace.path / model, photographs)
    wanted = (dataset.target == "onnx") & (dataset.backend == "native")
    cell = dataset.isel(cell=int(np.flatnonzero(wanted)[0]))
    np.testing.assert_allclose(cell.logits.values, expected, atol=1e-4)


def test_one_line_questions(dataset):
    accuracy = (dataset.label[:, :, 0] == dataset.true_label).mean("image")
    hits = dataset.logits.values.argmax(2) == dataset.true_label.values
    assert accuracy.values.tolist() == hits.mean(1).tolist() and accuracy.sizes == {"cell": CELLS}
    differ = dataset.image[dataset.label[0, :, 0] != dataset.label[1, :, 0]]
    assert differ.size == 0
    latency = dataset.latency.median(["image", "repeat"]).groupby("backend").median()
    assert set(latency.backend.values) == {"native", "O0", "O4"}
    assert (latency > 0).all()


def test_true_labels_and_images(workspace, dataset):
    written = pd.read_csv(workspace.path / "photographs/labels.csv").set_index("image").label
    assert list(dataset.image.values) == sorted(written.index)
    assert list(dataset.true_label.values) == list(written[dataset.image.values])


def test_provenance_names_what_ran(workspace, dataset):
    for index in range(dataset.sizes["cell"]):
        cell = dataset.isel(cell=index)
        provenance = json.loads(cell.provenance.item())
        name = provenance["environment"]["name"]
        manifest = json.loads((workspace.path / f"results/environments/{name}.json").read_text())
        assert provenance["environment"]["digest"] == manifest["checksum"]
        assert provenance["machine"]["threads"] >= 1
        assert provenance["machine"]["processor"]
        assert len(provenance["model_file"]) == 64
        assert provenance["versions"]


def vector_registers(library) -> set[str]:
    """The families of vector registers that a library's machine code uses."""
    with open(library, "rb") as stream:
        section = ELFFile(stream).get_section_by_name(".text")
        code, address = section.data(), section["sh_addr"]
    disassembler = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    disassembler.skipdata = True
    operands = " ".join(row[3] for row in disassembler.disasm_lite(code, address))
    return {family for family in ("xmm", "ymm", "zmm") if family in operands}


def test_baseline_code_has_no_avx(workspace, study):
    folder = workspace.path / "results/reduced/compiled" / CONVERTED / "direct/tvm/rules/O4"
    assert vector_registers(folder / "cpu-baseline.so") == {"xmm"}
    if "avx2" in Path("/proc/cpuinfo").read_text():
        assert "ymm" in vector_registers(folder / "cpu.so")


def test_levels_do_what_they_say(workspace):
    def record(source: str, target: str, level: str) -> dict:
        stem = "results/reduced/compiled/efficientnet_lite0"
        (path,) = (workspace.path / stem / source / target).rglob(f"{level}/cpu.so.json")
        return json.loads(path.read_text())

    for names in CONVERSIONS:
        basic, extended = (record(*names, level)["details"] for level in ("O0", "O4"))
        assert extended["kernels"] < basic["kernels"]
        assert "FuseOps" not in basic["passes"] and "FoldConstant" not in basic["passes"]
        assert {"FuseOps", "FoldConstant", "PackLayout"} <= set(extended["passes"])


def test_every_kernel_is_scheduled(workspace):
    records = sorted((workspace.path / "results/reduced/compiled").rglob("*.so.json"))
    assert len(records) == 4 * len(CONVERSIONS)
    for path in records:
        assert json.loads(path.read_text())["details"]["unscheduled"] == [], path


def test_kernels_are_timed_against_the_roofline(workspace, dataset):
    """Times in kernels are roughly those of the cells, and nothing is much above the roofline."""
    tables = workspace.path / "results/reduced/tables"
    names = ["source", "target", "route", "backend", "device"]
    compilations = pd.read_csv(tables / "compilations.csv").set_index(names)
    kernels = pd.read_csv(tables / "kernels.csv").set_index(names).sort_index()
    compiled = dataset.isel(cell=dataset.backend.values != "native")
    assert len(compilations) == compiled.sizes["cell"] == 4 * len(CONVERSIONS)
    for index in range(compiled.sizes["cell"]):
        cell = compiled.isel(cell=index)
        key = tuple(cell[name].item() for name in names)
        row, of_cell = compilations.loc[key], kernels.loc[[key]]
        times = json.loads(cell.kernel_times.item())
        assert 0 < len(times["kernels"]) <= row.kernels
        milliseconds = 1000 * sum(item["seconds"] for item in times["kernels"].values())
        assert row.kernels_ms == pytest.approx(milliseconds, rel=1e-4)
        # other tests run beside this study
        fastest, slowest = 1000 * float(cell.latency.min()), 1000 * float(cell.latency.max())
        assert 0.1 * fastest < milliseconds < 10 * slowest
        assert 0 <= row.slow_percent <= 100 and 1 < of_cell.share_percent.sum() < 100.1
        assert len(of_cell) == min(len(times["kernels"]), 30)
        assert of_cell.roofline_percent.between(0, 300, inclusive="neither").all()
        assert (row.slow_percent > 0) == (row.worst_kernel in times["kernels"])
    natives = dataset.isel(cell=dataset.backend.values == "native")
    assert set(natives.kernel_times.values) == {""}
    text = (workspace.path / "results/reduced/summary.md").read_text()
    assert "- Kernels at O4, schedule rules" in text


def test_a_cell_again_is_bit_identical(workspace, study, dataset):
    name = "results/reduced/predictions/efficientnet_lite0/torch/{}/cpu.nc"
    cells = (
        "onnx/torch_onnx/source/pillow/none/runtime/runtime/native",
        "torch/unconverted/source/pillow/direct/tvm/rules/O4",
        "keras/torch_onnx+onnx2keras/source/pillow/none/runtime/runtime/native",
    )
    names = [name.format(cell) for cell in cells]
    before = [xr.load_dataset(workspace.path / path) for path in names]
    workspace.run(study, "--force", targets=tuple(names))
    for path, old in zip(names, before, strict=True):
        new = xr.load_dataset(workspace.path / path)
        for variable in ("logits", "label", "probability", "true_label"):
            assert old[variable].values.tobytes() == new[variable].values.tobytes()
    workspace.run(study)


def test_figures_and_tables_are_there(workspace, study):
    results = workspace.path / "results/reduced"
    for name in ("targets", "conversions", "latency", "speedups"):
        for suffix in (".pdf", ".png", ".csv"):
            assert (results / "figures" / f"{name}{suffix}").stat().st_size > 100
    assert f"{CELLS} cells: {CELLS} ran, 0 failed" in (results / "summary.md").read_text()
    speedups = pd.read_csv(results / "tables/speedups.csv")
    assert set(zip(speedups.baseline, speedups.candidate, strict=True)) == {("O0", "O4")}


def test_every_column_of_the_tables_is_explained(workspace, study):
    folder = workspace.path / "results/reduced/tables"
    explained = pd.read_csv(folder / "columns.csv").groupby("table").column.apply(list)
    for name in registry.tables():
        assert list(pd.read_csv(folder / f"{name}.csv").columns) == explained[name], name


def test_classes_have_their_published_names(dataset):
    names = dataset.class_name.values[dataset.true_label.values]
    expected = ["Bullmastiff", "folding chair", "beaker", "horse chestnut seed"]
    assert names.tolist() == expected
    assert len(set(dataset.class_name.values)) == 1000


def test_the_notebook_runs_on_it(workspace, study, dataset, monkeypatch):
    monkeypatch.setenv("STUDY", str(workspace.path / "results/reduced"))
    matplotlib.use("agg")
    defined, shown = notebook.run(ROOT / "docs/study.ipynb")
    plt.close("all")
    defined["study"].close()
    accuracy = (dataset.label[:, :, 0] == dataset.true_label).mean("image")
    assert defined["accuracy"].values.tolist() == (100 * accuracy).values.tolist()
    assert defined["failed"].sizes["cell_name"] == 0 and (defined["agree"] == 100).all()


def test_every_job_has_a_log(workspace, study):
    logs = workspace.path / "results/reduced/logs"
    for stage, count in {
        "export": 2,
        "prepare": 1,
        "compile": 24,
        "infer": CELLS,
    }.items():
        assert len(list((logs / stage).rglob("*.log"))) == count, stage
