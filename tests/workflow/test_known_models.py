"""Models of the families through the workflow: missing weights, seeded ones, EfficientNets."""

import subprocess

import numpy as np
import pytest
import xarray as xr
import yaml

from helpers.workspace import ROOT


@pytest.fixture(scope="module")
def space(workspace, tmp_path_factory):
    """A workspace of its own."""
    return workspace.copy(tmp_path_factory.mktemp("known") / "space")


def test_missing_weights_are_listed_before_any_job(space, monkeypatch, tmp_path):
    for name in ("XDG_CACHE_HOME", "TORCH_HOME", "KERAS_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    done = space.snakemake(space.path / "config/paper.yaml", "--dry-run")
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    for source in ("tensorflow", "tflite"):
        for model in ("mobilenet_v2", "resnet101", "inception_v3"):
            (line,) = [row for row in done.stdout.splitlines() if f"{model} from {source}" in row]
            assert "https://" in line and str(tmp_path) in line


@pytest.fixture(scope="module")
def seeded(space):
    """One of the paper's models from every source, with weights made on the spot; its dataset."""
    content = yaml.safe_load((space.path / "config/paper.yaml").read_text())
    content |= {"study": "seeded", "weights": "seeded", "models": ["mobilenet_v2"]}
    content |= {"images": {"folder": "photographs"}, "backends": ["native"]}
    content["preprocessing"] = ["source"]
    content["conversions"] = {
        "torch": {"torch": [[]], "tflite": [["litert_torch"]]},
        "keras": {"keras": [[]], "torch": [["keras_onnx_10", "onnx2torch"]]},
        "tensorflow": {"tensorflow": [[]]},
        "tflite": {"tflite": [[]]},
    }
    config = space.path / "seeded.yaml"
    config.write_text(yaml.safe_dump(content))
    space.run(config)
    with xr.open_dataset(space.path / "results/seeded/study.nc") as dataset:
        assert set(dataset.status.values) == {"ok"}, dataset.error_message.values
        return dataset.load()


def test_seeded_models_differ_between_images(space, seeded):
    for source in ("torch", "keras", "tensorflow", "tflite"):
        cells = seeded.isel(cell=np.flatnonzero(seeded.source == source))
        # (another answer for each photograph)
        assert len(set(cells.label[0, :, 0].values)) == seeded.sizes["image"]
    page = (space.path / "results/seeded/summary.html").read_text()
    # a warning in red, first of all
    assert "<h1>Summary of the study</h1>\n<p><strong>Seeded weights" in page
    assert "says nothing about accuracy" in page and "h1 ~ p strong { color: #c00000; }" in page


@pytest.mark.parametrize("source", ["torch", "keras", "tensorflow", "tflite"])
def test_native_sources_answer_as_by_their_frameworks_own_calls(space, seeded, tmp_path, source):
    folder = space.path / "results/seeded/models/mobilenet_v2" / source
    (model,) = (path for path in folder.glob("unconverted.*") if path.suffix != ".json")
    environment = "torch" if source == "torch" else "tensorflow"
    script = ROOT / "tests/helpers/framework_answers.py"
    photographs = [space.path / "photographs" / name for name in seeded.image.values]
    answers = tmp_path / "logits.npy"
    subprocess.run(
        [
            space.path / f".envs/{environment}/bin/python",
            *(script, source, "mobilenet_v2", model, answers, *photographs),
        ],
        check=True,
    )
    cells = seeded.isel(cell=np.flatnonzero(seeded.source == source))
    expected = np.load(answers)
    background = expected.shape[1] - 1000
    for logits, labels in zip(cells.logits.values, cells.label.values, strict=True):
        # seeded logits are scaled to one spread, and a class's rounding errors with it
        np.testing.assert_allclose(logits, expected[:, background:], atol=1e-2)
        assert (labels[:, 0] == expected[:, background:].argmax(1)).all()


def test_keras_efficientnets_have_pytorchs_weights(space):
    """In all three sizes: one mapping, and the same logits."""
    content = yaml.safe_load((space.path / "config/config.yaml").read_text())
    sizes = ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"]
    content |= {"study": "lites", "models": sizes, "backends": ["native"]}
    content |= {"images": {"folder": "photographs"}}
    content["conversions"] = {source: {source: [[]]} for source in ("torch", "keras")}
    config = space.path / "lites.yaml"
    config.write_text(yaml.safe_dump(content))
    space.run(config)
    with xr.open_dataset(space.path / "results/lites/study.nc") as dataset:
        for size in sizes:
            by = {
                source: dataset.isel(
                    cell=np.flatnonzero((dataset.model == size) & (dataset.source == source))[0]
                )
                for source in ("torch", "keras")
            }
            torch_logits, keras_logits = (cell.logits.values for cell in by.values())
            np.testing.assert_allclose(keras_logits, torch_logits, atol=1e-4)
            assert (by["keras"].label[:, 0].values == by["torch"].label[:, 0].values).all()
