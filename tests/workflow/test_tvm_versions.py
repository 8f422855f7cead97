"""Two versions of TVM in one study; and that compiling twice gives the same, bit for bit."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import xarray as xr

from helpers import device_study
from helpers.small_torch import pixels

COMPILERS = {"tvm-0.27": "tvm", "tvm-0.26": "tvm26"}
VERSIONS = {"tvm-0.27": "0.27.0.post1", "tvm-0.26": "0.26.0"}
# by each of TVM's importers
ROUTES = {"torch": [[]], "onnx": [["torch_onnx"]], "tflite": [["litert_torch"]]}


@pytest.fixture(scope="module")
def space(workspace, tmp_path_factory):
    """A workspace with the small model."""
    space = workspace.copy(tmp_path_factory.mktemp("versions") / "space")
    device_study.prepare(space)
    return space


def run(space, name: str, **changes) -> xr.Dataset:
    """The dataset of a study of the small model by both compilers."""
    config = space.config(
        name,
        models=[device_study.MODEL],
        conversions={"torch": ROUTES},
        tvm_imports={target: [[]] for target in ROUTES},
        compilers=COMPILERS,
        backends=["O0", "O4"],
        devices={"cpu": {"target": {"kind": "llvm", "mcpu": "host"}, "native": True}},
        **changes,
    )
    space.run(config, targets=(f"results/{name}/study.nc",))
    with xr.open_dataset(space.path / f"results/{name}/study.nc") as dataset:
        return dataset.load()


@pytest.fixture(scope="module")
def versions(space) -> xr.Dataset:
    """With schedules and without, as config/tvm-versions.yaml has them."""
    return run(space, "versions", schedules=["none", "rules"])


def test_both_versions_ran(space, versions):
    assert set(versions.status.values) == {"ok"}, versions.error_message.values
    assert versions.sizes["cell"] == len(COMPILERS) * len(ROUTES) * 2 * 2
    for text, compiler in zip(versions.provenance.values, versions.compiler.values, strict=True):
        provenance = json.loads(text)
        assert provenance["versions"]["tvm"] == VERSIONS[compiler]
        assert provenance["environment"]["name"] == COMPILERS[compiler]
    records = list((space.path / "results/versions/compiled").rglob("*.so.json"))
    assert len(records) == versions.sizes["cell"]
    for path in records:
        details = json.loads(path.read_text())["details"]
        (compiler,) = set(path.parts) & set(COMPILERS)
        assert details["tvm"] == VERSIONS[compiler]
        assert details["unscheduled"] == []


def test_both_versions_answer_as_onnx_runtime(space, versions):
    model = space.path / "results/versions/models/small/torch/torch_onnx.onnx"
    session = onnxruntime.InferenceSession(model)
    (declared,) = session.get_inputs()
    batches = [pixels(space.path / "photographs" / name)[None] for name in versions.image.values]
    expected = np.concatenate([session.run(None, {declared.name: item})[0] for item in batches])
    assert np.ptp(expected, axis=0).max() > 0.1  # the images are told apart
    tolerance = 1e-4 * np.abs(expected).max()
    for name, logits in zip(versions.cell.values, versions.logits.values, strict=True):
        np.testing.assert_allclose(logits, expected, atol=tolerance, err_msg=str(name))


def libraries(folder: Path) -> dict[Path, bytes]:
    """The libraries of a study by the rules, by their path in it."""
    found = {path.relative_to(folder): path for path in folder.rglob("*.so")}
    return {name: path.read_bytes() for name, path in found.items() if "rules" in name.parts}


def test_compiling_twice_gives_the_same_bit_for_bit(space, versions):
    again = run(space, "again")
    first = versions.isel(cell=(versions.schedule == "rules").values)
    assert again.cell.values.tolist() == first.cell.values.tolist()
    for name in ("logits", "label", "probability"):
        assert first[name].values.tobytes() == again[name].values.tobytes(), name
    # the libraries too, though they lie elsewhere
    made, made_again = (
        libraries(space.path / f"results/{name}/compiled") for name in ("versions", "again")
    )
    assert len(made) == again.sizes["cell"]
    assert made == made_again
