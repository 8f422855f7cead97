"""Graph passes switched on one by one, for real: what each found to do, and its table."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from torch import nn

from helpers.small_torch import SIZE, Branched, pixels

CLASSES = 10
ALONE = ("FuseOps", "FoldBatchnormToConv2D", "CombineParallelConv2D", "FastMathTransform")
IMPORTS = ("direct", "folded", "kept")
# No exponential and, of ONNX with folded batch norms, no batch norm: nothing to do there.
IDLE = {(way, "FastMathTransform") for way in IMPORTS} | {("folded", "FoldBatchnormToConv2D")}


def network() -> nn.Module:
    torch.manual_seed(0)
    return Branched(8, CLASSES).eval()


@pytest.fixture(scope="module")
def ablation(workspace, tmp_path_factory):
    """A small study of sets of no pass, one and all; its folder, dataset and native logits."""
    space = workspace.copy(tmp_path_factory.mktemp("passes") / "space")
    (space.path / "photographs/labels.csv").unlink()  # they are ImageNet's
    program = torch.export.export(network(), (torch.zeros(1, 3, SIZE, SIZE),))
    torch.export.save(program, space.path / "branched.pt2")
    form = {"size": SIZE, "interpolation": "bilinear", "layout": "NCHW", "channels": "RGB"}
    form |= {"mean": [0.5] * 3, "std": [0.5] * 3}
    model = {"name": "branched", "source": "torch", "file": "branched.pt2"}
    ts = {"converter": "torch_onnx", "exporter": "torchscript"}
    config = space.config(
        "passes",
        models=[model | {"input": form, "classes": CLASSES, "background": 0}],
        conversions={"torch": {"torch": [[]]}},
        backends=["native", "O0", *(f"only-{name}" for name in ALONE), "O4"],
        pass_sets={f"only-{name}": [name] for name in ALONE},
        tvm_imports={"torch": [[], ["folded"], ["kept"]]},
        edges={"folded": ts, "kept": ts | {"batch_norms": "kept"}},
        devices={"cpu": {"target": {"kind": "llvm", "mcpu": "host"}, "native": True}},
    )
    space.run(config)
    folder = space.path / "results/passes"
    with xr.open_dataset(folder / "study.nc") as dataset, torch.no_grad():
        answers = [
            network()(torch.from_numpy(pixels(space.path / "photographs" / name)[None]))
            for name in dataset.image.values
        ]
        yield folder, dataset.load(), torch.cat(answers).numpy()


def library(folder: Path, way: str, backend: str) -> bytes:
    stem = "compiled/branched/torch/torch/unconverted"
    return (folder / stem / way / "tvm/rules" / backend / "cpu.so").read_bytes()


def of(dataset: xr.Dataset, way: str, backend: str) -> xr.Dataset:
    (index,) = np.flatnonzero((dataset.importer == way) & (dataset.backend == backend))
    return dataset.isel(cell=index)


def test_every_set_answers_as_the_model_does(ablation):
    _, dataset, expected = ablation
    assert np.ptp(expected, axis=0).max() > 0.1  # the images are told apart
    assert set(dataset.status.values) == {"ok"} and dataset.sizes["cell"] == 1 + 3 * 6
    for number in range(dataset.sizes["cell"]):
        cell = dataset.isel(cell=number)
        np.testing.assert_allclose(
            cell.logits.values, expected, atol=1e-4, err_msg=str(cell.cell.values)
        )


@pytest.mark.parametrize("way", IMPORTS)
@pytest.mark.parametrize("name", ALONE)
def test_a_pass_with_nothing_to_do_leaves_the_library_as_it_was(ablation, way, name):
    folder, dataset, _ = ablation
    cell = of(dataset, way, f"only-{name}")
    idle = (way, name) in IDLE
    assert (cell.passes.item(), cell.idle_passes.item()) == (name, name if idle else "")
    same = library(folder, way, f"only-{name}") == library(folder, way, "O0")
    assert same == idle
    assert (name in of(dataset, way, "O4").idle_passes.item().split(";")) == idle


def test_compilations_are_in_the_dataset(ablation):
    folder, dataset, _ = ablation
    assert np.isnan(dataset.sel(cell=dataset.backend == "native").kernels).all()
    compiled = dataset.sel(cell=dataset.backend != "native")
    for number in range(compiled.sizes["cell"]):
        cell = compiled.isel(cell=number)
        stem = f"compiled/branched/torch/torch/unconverted/{cell.importer.item()}/tvm/rules"
        path = folder / stem / cell.backend.item() / "cpu.so.json"
        record = json.loads(path.read_text())
        details = record["details"]
        assert cell.kernels == details["kernels"] and details["unscheduled"] == []
        assert cell.code_bytes == sum(details["code_bytes"].values())
        assert 0 < cell.compile_seconds < record["seconds"]
    assert (compiled.kernels[compiled.backend == "O4"] < compiled.kernels[0]).all()


def test_the_table_is_the_datasets(ablation):
    folder, dataset, _ = ablation
    table = pd.read_csv(folder / "tables/passes.csv").set_index(["importer", "published_pass"])
    counterparts = {"OpFusion": "only-FuseOps", "FoldScaleAxis": "only-FoldBatchnormToConv2D"}
    counterparts |= {"FastMath": "only-FastMathTransform", "All Enabled": "O4"}
    for way in IMPORTS:
        base, every = of(dataset, way, "O0"), of(dataset, way, "O4")
        for name, backend in counterparts.items():
            cell, row = of(dataset, way, backend), table.loc[(way, name)]
            assert row.backend == backend
            for column, other in (("ratio", base), ("ratio_to_all", every)):
                sums = [np.median(one.latency.values, axis=1).sum() for one in (cell, other)]
                assert row[column] == pytest.approx(sums[0] / sums[1], rel=1e-4)
            assert row.ratio_low <= row.ratio <= row.ratio_high
            assert row.speedup_percent == pytest.approx(100 * (1 - row.ratio), abs=1e-2)
            tops = [one.logits.values.argmax(1) for one in (cell, base)]
            assert row.differing == (tops[0] != tops[1]).sum()
            far = np.abs(cell.logits.values.astype(float) - base.logits.values).max()
            assert row.max_logit_difference == pytest.approx(far, rel=1e-4)
            assert (row.idle == 1) == (row.same_code == 1) or name == "All Enabled"
    assert set(table.status[table.backend.isna()]) == {"no counterpart", "not in this run"}


def test_it_is_shown(ablation):
    folder, _, _ = ablation
    text = (folder / "tables/passes.md").read_text()
    assert text.count("\n## ") == 3 and "**nothing to do**" in text and "no counterpart" in text
    assert (folder / "figures/passes.png").stat().st_size > 10_000
    assert "Graph passes, each alone" in (folder / "summary.md").read_text()
    speedups = pd.read_csv(folder / "tables/speedups.csv")
    assert set(zip(speedups.baseline, speedups.candidate, strict=True)) == {("O0", "O4")}
