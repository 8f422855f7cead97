"""Bad configs are refused before any job starts, in one message; odd names are only names."""

import json
import os
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from helpers.configs import BAD, CONFIG, ODD, changed_config
from helpers.dry_runs import Space
from helpers.workspace import ROOT, SNAKEMAKE


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    """A workspace with folders of photographs, good and bad."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = Space(tmp_path_factory.mktemp("config") / 'it\'s "é" $(touch pwned)', pool)
        made.folder("photographs", "a.png", "b.png")
        (made.folder("no-images") / "notes.txt").write_text("none")
        (made.folder("bad-labels", "a.png") / "labels.csv").write_text("image,label\nz.png,1\n")
        made.folder("case", "a.png", "A.png")
        made.folder("braces", "a.png", "{model}.png")
        for index, name in enumerate(ODD):
            made.folder(name, *(f"{odd}.png" for odd in ODD))
            (made.path / name / "labels.csv").write_text(f"image,label\n-rf.png,{index}\n")
        yield made


@pytest.fixture(scope="module")
def refusals(space):
    """The dry runs of all bad configs, under way."""
    return {
        name: space.pool.submit(space.dry_run, f"bad{index}", config)
        for index, (name, (config, _)) in enumerate(BAD.items())
    }


@pytest.fixture(scope="module")
def odd_runs(space):
    """The dry runs on folders with odd names, under way."""
    return {
        name: space.pool.submit(
            space.dry_run, f"odd{index}", changed_config("images", {"folder": name})
        )
        for index, name in enumerate(ODD)
    }


@pytest.mark.parametrize("name", BAD)
def test_a_bad_config_is_refused_in_one_message(refusals, name):
    done = refusals[name].result()
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    message = [line for line in done.stdout.splitlines() if BAD[name][1][-1] in line]
    assert len(message) == 1, done.stdout
    for part in BAD[name][1]:
        assert part in message[0]
    assert "Job stats" not in done.stdout and "jobs failed" not in done.stdout
    assert len(done.stdout.splitlines()) < 8, done.stdout


def make(space, *arguments: str) -> subprocess.CompletedProcess:
    """Run make in the folder, with this repository's .venv."""
    if not (space.path / ".venv").exists():
        (space.path / ".venv").symlink_to(ROOT / ".venv")
        shutil.copy2(ROOT / "Makefile", space.path)
    return subprocess.run(
        ["make", "--old-file=.venv/ready", *arguments],
        cwd=space.path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def test_make_says_nothing_of_jobs_after_a_refused_config(space):
    (space.path / "my bad.yaml").write_text("study: refused\nimages: {subset: 1}\n")
    done = make(space, "study", "CONFIG='my bad.yaml'")
    assert done.returncode != 0 and done.stdout == ""
    assert "my bad.yaml: config key images.subset: 1; expected" in done.stderr
    for word in ("jobs failed", "not finished", "results/refused", "Traceback"):
        assert word not in done.stderr


@pytest.mark.parametrize("target", ["study", "verify", "pack", "retry-failed", "redraw"])
def test_make_with_a_missing_config_is_one_sentence(space, target):
    done = make(space, target, "CONFIG=nonexistent.yaml")
    assert done.returncode != 0 and done.stdout == ""
    message, end = done.stderr.splitlines()
    assert "nonexistent.yaml doesn't exist; expected a config file, as in make study" in message
    assert end.startswith("make: ***")


@pytest.mark.parametrize("options", [["--snakefile", "{space}/Snakefile"], ["--directory", "."]])
def test_another_working_directory_is_refused(space, tmp_path, options):
    where = [option.format(space=space.path) for option in options]
    start, there = (space.path, str(tmp_path)) if "--directory" in where else (tmp_path, None)
    where = [there if there and option == "." else option for option in where]
    command = [SNAKEMAKE, "--dry-run", "--cores", "1", *where]
    done = subprocess.run(command, cwd=start, capture_output=True, text=True)
    assert done.returncode != 0
    message = f"the working directory is {tmp_path}; expected {space.path}, the folder of the"
    assert message in done.stdout + done.stderr
    assert "Job stats" not in done.stdout + done.stderr


def test_a_good_config_passes(space):
    done = space.dry_run("good", CONFIG)
    assert done.returncode == 0, done.stdout
    assert "Inferring efficientnet_lite0 (torch to onnx by torch_onnx, import direct" in done.stdout
    assert "results/small/study.nc" in done.stdout


def test_a_model_comes_from_the_sources_it_names(space):
    both = {"torch": {"torch": [[]]}, "keras": {"keras": [[]]}}
    model = {"name": "efficientnet_lite0", "sources": ["keras"]}
    imports = {"torch": [[]], "keras": [["keras_onnx"]]}
    config = CONFIG | {"models": [model], "conversions": both, "tvm_imports": imports}
    done = space.dry_run("sources", config)
    assert done.returncode == 0, done.stdout
    assert "Inferring efficientnet_lite0 (keras to keras" in done.stdout
    assert "(torch to torch" not in done.stdout


@pytest.mark.parametrize(
    "files",
    [
        ["passes"],
        ["paper", "seeded"],
        ["my-model"],
        ["devices"],
        ["tvm-versions"],
        ["config", "devices"],
    ],
)
def test_the_shipped_configs_are_good(space, files):
    if files == ["my-model"]:  # which names a model and images that the reader has
        (space.path / "my-model/images").mkdir(parents=True)
        (space.path / "my-model/model.onnx").write_bytes(b"\x08\x08")  # of IR version 8
        Image.new("RGB", (8, 8)).save(space.path / "my-model/images/a.png")
    paths = [f"config/{name}.yaml" for name in files]
    command = [SNAKEMAKE, "--dry-run", "--cores", "1", "--quiet", "--configfile", *paths]
    done = subprocess.run(command, cwd=space.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_a_config_says_replaces_the_default(space):
    done = space.dry_run("whole", CONFIG)
    assert done.returncode == 0, done.stdout
    for other in ("results/sample", "keras", "openvino", "O4", "foolbox"):
        assert other not in done.stdout


def test_a_config_has_only_what_differs(space):
    """--config counts most, the rest is as in config/config.yaml, and the result is shown."""
    config = {"models": ["efficientnet_lite1"], "images": {"folder": "photographs"}}
    options = ["--config", "timing={repeats: 7}", "backends=[native, O1]"]
    done = space.dry_run("short", config, *options)
    assert done.returncode == 0, done.stdout
    assert "  study: config-short  # config-short.json\n" in done.stdout
    assert "  models: [efficientnet_lite1]  # config-short.json\n" in done.stdout
    assert "  backends: [native, O1]  # --config\n" in done.stdout
    assert "repeats: 7, probe_tolerance: 0.15" in done.stdout
    assert "results/config-short/study.nc" in done.stdout
    assert "Inferring efficientnet_lite1 (torch to openvino" in done.stdout
    assert " --repeats 7 " in done.stdout and "preprocessing imagenet" not in done.stdout
    for other in ("results/sample", "efficientnet_lite0", "/O4/", "openvino-float32"):
        assert other not in done.stdout


def test_a_whole_config_can_do_without_the_defaults(space):
    done = space.dry_run("alone", {"study": "alone"}, "--replace-workflow-config")
    assert done.returncode != 0
    assert "config key images is missing" in done.stdout
    assert space.dry_run("alone", CONFIG, "--replace-workflow-config").returncode == 0


def test_the_default_config_is_used_without_another(space):
    done = subprocess.run(
        [SNAKEMAKE, "--dry-run", "--cores", "1", "--quiet"],
        cwd=space.path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("text", ["- a\n- b\n", "study: [unclosed\n"])
def test_a_file_that_is_no_config_is_refused(space, text):
    done = space.dry_run("broken", text)
    assert done.returncode != 0
    assert "Config file" in done.stdout  # Snakemake reads it, and doesn't say its name
    assert "Traceback" not in done.stdout


def test_an_unpinned_requirement_is_named(space, tmp_path):
    edited = Space(tmp_path, space.pool)
    edited.folder("photographs", "a.png")
    pins = tmp_path / "envs/onnx.txt"
    pins.write_text(pins.read_text() + "\nsix>=1.16\n")
    done = edited.dry_run("unpinned", CONFIG)
    assert done.returncode != 0
    assert "envs/onnx.txt: 'six>=1.16' is not pinned; expected name==version" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("name", ODD)
def test_an_odd_folder_is_one_word_of_the_command(odd_runs, space, name):
    done = odd_runs[name].result()
    assert done.returncode == 0, done.stdout
    start = done.stdout.index("scripts/prepare.py")
    command = done.stdout[start : done.stdout.index("prepare/256-224-bicubic/pillow.log", start)]
    words = shlex.split(command)
    assert f"--images={name}" in words
    assert words.count("--environment") == 1
    assert not list(space.path.rglob("pwned"))


def test_odd_values_are_one_word_of_the_command(space):
    target = {"kind": "llvm", "mcpu": "$(touch pwned) 'x' \"y\" {braces}\n;"}
    done = space.dry_run("mcpu", changed_config("devices.cpu.target", target))
    assert done.returncode == 0, done.stdout
    start = done.stdout.index("scripts/compile.py")
    words = shlex.split(done.stdout[start : done.stdout.index(" > ", start)])
    assert json.loads(words[words.index("--target") + 1]) == target
    assert not list(space.path.rglob("pwned"))
