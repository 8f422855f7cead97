"""`make try` refuses in one sentence what it can't try, before anything is built."""

import subprocess

import pytest

from deltann.errors import StudyError
from deltann.provenance import files
from deltann.workflow import trial_jobs, trial_request
from helpers.workspace import ROOT


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a model's file, a photograph and the default config."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text("study: sample\n")
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.jpg").write_bytes(b"x")
    (tmp_path / "net.tflite").write_bytes(b"x")
    return tmp_path


def check(model="net.tflite", images="images", labels="", output="", config=""):
    return trial_request.check(model, images, labels, output, config)


def test_a_request_is_resolved(folder):
    found = check()
    assert (found.source, found.name, found.config) == ("tflite", "net", "config/net.yaml")
    assert found.image_count == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model": ""}, "MODEL is missing; expected make try MODEL="),
        ({"images": ""}, "IMAGES is missing; expected make try MODEL="),
        ({"model": "none.onnx"}, "MODEL='none.onnx' doesn't exist; expected a file ending in"),
        ({"model": "net.caffemodel"}, "unknown suffix '.caffemodel'; expected a file ending in"),
        ({"model": "net.py"}, "write a config: see config/my-model.yaml"),
        ({"model": "images"}, "is a folder without saved_model.pb"),
        ({"model": "empty.onnx"}, "MODEL='empty.onnx': "),
        ({"model": "text.onnx"}, "MODEL='text.onnx': it is not an ONNX file"),
        ({"model": "pickle.pt"}, "pickle"),
        ({"images": "none"}, "IMAGES='none' doesn't exist; expected a folder of images (.bmp"),
        ({"images": "net.tflite"}, "IMAGES='net.tflite' is a file; expected a folder"),
        ({"images": "empty"}, "IMAGES='empty' has no image; expected files ending in"),
        ({"images": "cats"}, "expected a sub-folder named by a class number"),
        ({"labels": "none.txt"}, "LABELS='none.txt': expected a text file with the classes' names"),
        ({"config": "config/config.yaml"}, "config/config.yaml exists and is kept; run it by"),
        ({"config": "sample.yaml"}, "a study named 'sample' exists already (config/config.yaml)"),
        ({"config": "net.json"}, "CONFIG='net.json'; expected a name ending in .yaml"),
    ],
)
def test_what_cannot_be_tried_is_refused(folder, given, said):
    (folder / "empty").mkdir()
    (folder / "cats/tom").mkdir(parents=True)
    (folder / "cats/tom/a.jpg").write_bytes(b"x")
    (folder / "empty.onnx").touch()
    (folder / "text.onnx").write_text("weights: none")
    for name in ("net.caffemodel", "net.py"):
        (folder / name).write_text("x")
    (folder / "pickle.pt").write_bytes(b"\x80\x02cos\nsystem\n.")
    with pytest.raises(StudyError) as caught:
        check(**given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_results_of_another_model_are_kept(folder):
    study = folder / "results/net"
    study.mkdir(parents=True)
    files.write_json(study / "config.json", {"models": [{"name": "net", "file": "other.tflite"}]})
    with pytest.raises(StudyError, match="a study named 'net' exists already"):
        check()
    files.write_json(study / "config.json", {"models": [{"name": "net", "file": "net.tflite"}]})
    assert check().name == "net"


def test_the_usage_is_two_lines():
    done = subprocess.run(["make", "try"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    first, second, *more = done.stderr.splitlines()
    assert first.startswith("usage: make try MODEL=path/to/model.onnx IMAGES=folder")
    assert second.startswith("MODEL: .onnx") and len(more) == 1 and more[0].startswith("make: ***")


def test_nothing_in_a_path_reaches_a_shell(tmp_path):
    """Make and the shell get odd names, and the message has them as they are."""
    for name in ('it\'s "my" `model`.onnx', "a b;touch harm.onnx"):
        done = subprocess.run(
            ["make", "try", f"MODEL={name}", "IMAGES=x y"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert f"make try: error: MODEL={name!r} doesn't exist" in done.stderr
    assert not (ROOT / "harm.onnx").exists()


def test_a_refused_run_is_said_without_snakemakes_own_lines():
    said = ["Building DAG of jobs...\n", "Error: another run is under way\n"]
    assert trial_jobs.failure(said) == "another run is under way"
    said = ["[1/9] 11:00:00    1 s  Exporting\n", "Error in rule convert: Converting\n", "  no\n"]
    assert trial_jobs.failure(said) == "Error in rule convert: Converting\n  no"
    assert trial_jobs.failure(["no space left\n"]) == "no space left"
