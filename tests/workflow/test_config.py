"""Bad configs are refused before any job starts, in one message; odd names are only names."""

import copy
import json
import os
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from helpers.workspace import ROOT, SNAKEMAKE

CODE = ("Snakefile", "rules", "scripts", "envs", "profiles", "config", "report", "published")
LIMIT = {"seconds": 60, "memory_mb": 2000}
CONFIG = {
    "study": "small",
    "images": {"folder": "photographs"},
    "models": ["efficientnet_lite0"],
    "conversions": {"torch": {"torch": [[]], "onnx": [["torch_onnx"]]}},
    "backends": ["native", "O2"],
    "tvm_imports": {"torch": [[]], "onnx": [[]]},
    "edges": {"torch_onnx": {"opset": 18}},
    "devices": {"cpu": {"target": {"kind": "llvm", "mcpu": "host"}, "native": True}},
    "timing": {"repeats": 1, "probe_tolerance": 0.15, "contention_tolerance": 0.05},
    "limits": {stage: dict(LIMIT) for stage in ("export", "convert", "compile", "infer")}
    | {"retries": 0},
}
REMOTE = {
    "target": {"kind": "llvm", "mcpu": "x86-64-v2"},
    "native": False,
    "rpc": {"host": "127.0.0.1", "port": 9090, "key": "lab"},
}
# Names that a shell, a Snakefile or a regular expression would take for more than a name.
ODD = [
    "$(touch pwned) `touch pwned`; touch pwned",
    'it\'s "quoted"',
    "-rf",
    "new\nline  été 猫",
    "a*?[b]",
]


def with_(path: str, value: object) -> dict:
    """The config with the value at a dotted path replaced; a value of `...` takes the key away."""
    changed = copy.deepcopy(CONFIG)
    *above, last = path.split(".")
    place = changed
    for name in above:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return changed


# what is bad: the config, and what the message must hold: the key or file, value, expectation
BAD = {
    "unknown model": (
        with_("models", ["efficientnet_lite9"]),
        ["models", "'efficientnet_lite9'", "efficientnet_lite0"],
    ),
    "unknown source": (
        with_("conversions", {"caffe": {"onnx": [[]]}}),
        ["conversions", "'caffe'", "onnx, tensorflow"],
    ),
    "a source that the model hasn't": (
        with_("conversions", {"tflite": {"tflite": [[]]}}),
        ["conversions", "'tflite'", "expected one of keras, torch"],
    ),
    "unknown target": (
        with_("conversions.torch.caffe", [[]]),
        ["conversions.torch.caffe", "'caffe'", "onnx, tensorflow"],
    ),
    "unknown level": (with_("backends", ["native", "O9"]), ["backends", "'O9'", "O0, O1, O2"]),
    "unknown converter": (
        with_("conversions.torch.onnx", [["torch2onnx"]]),
        ["conversions.torch.onnx", "'torch2onnx'", "torch_onnx"],
    ),
    "unknown converter with settings": (
        with_("edges.nothing", {}),
        ["edges.nothing", "'nothing'", "torch_onnx"],
    ),
    "unknown setting": (
        with_("edges.torch_onnx", {"opsett": 18}),
        ["edges.torch_onnx", "'opsett'", "expected one of opset"],
    ),
    "unknown kind": (
        with_("devices.cpu.target", {"kind": "cuda9"}),
        ["devices.cpu.target", "'cuda9'", "expected one of llvm, cuda"],
    ),
    "unknown key of a target": (
        with_("devices.cpu.target", {"kind": "llvm", "mcpuu": "host"}),
        ["devices.cpu.target", "'mcpuu'", "mcpu"],
    ),
    "a route that ends elsewhere": (
        with_("conversions.torch.keras", [["torch_onnx"]]),
        ["conversions.torch.keras", "torch_onnx", "ends in onnx", "ends in keras"],
    ),
    "no route at all": (
        with_("conversions.torch.tflite", [[]]),
        ["conversions.torch.tflite", "ends in torch", "ends in tflite"],
    ),
    "a converter of another framework": (
        with_("conversions.torch.tflite", [["tflite_converter"]]),
        ["conversions.torch.tflite", "'tflite_converter'", "takes tensorflow", "at torch"],
    ),
    "misspelt key": (with_("modles", ["a"]), ["modles", "unknown key", "models"]),
    "misspelt key inside": (
        with_("timing.repeat", 3),
        ["timing.repeat", "unknown key", "repeats, probe_tolerance, contention_tolerance"],
    ),
    "missing key": (with_("backends", ...), ["backends is missing"]),
    "missing key inside": (with_("limits.infer", ...), ["limits.infer is missing"]),
    "nothing in it": ({}, ["study is missing", "the folder under results/"]),
    "duplicate model": (
        with_("models", ["efficientnet_lite0"] * 2),
        ["models", "['efficientnet_lite0', 'efficientnet_lite0']", "each entry once"],
    ),
    "no model": (with_("models", []), ["models", "[]", "at least 1"]),
    "no backend": (with_("backends", []), ["backends", "[]", "at least 1"]),
    "no device": (with_("devices", {}), ["devices", "{}", "at least 1"]),
    "a text for a list": (with_("models", "a"), ["models", "'a'", "a list"]),
    "nothing for a list": (
        with_("conversions.torch.onnx", None),
        ["conversions.torch.onnx", "empty", "a list"],
    ),
    "a negative limit": (
        with_("limits.infer.seconds", -1),
        ["limits.infer.seconds", "-1", "more than 0"],
    ),
    "no repeats": (with_("timing.repeats", 0), ["timing.repeats", "0", "at least 1"]),
    "a missing folder": (
        with_("images", {"folder": "nowhere"}),
        ["images.folder", "'nowhere'", "is not a folder"],
    ),
    "a folder without images": (
        with_("images", {"folder": "no-images"}),
        ["images.folder", "'no-images'", "has no image", ".jpeg"],
    ),
    "an empty image": (
        with_("images", {"folder": "empty-image"}),
        ["images.folder", "empty image file", "empty-image/b.png"],
    ),
    "bad labels": (
        with_("images", {"folder": "bad-labels"}),
        ["bad-labels/labels.csv, line 2", "'z.png'", "no image"],
    ),
    "a brace in a name": (
        with_("images", {"folder": "braces"}),
        ["images.folder", "'{model}.png'", "would replace"],
    ),
    "names that differ in case": (
        with_("images", {"folder": "case"}),
        ["images.folder", "duplicate names", "'A.png'", "'a.png'"],
    ),
    "folder and package": (
        with_("images", {"folder": "photographs", "package": "foolbox==3.3.4", "sha256": "0" * 64}),
        ["images", "either folder, or package and sha256"],
    ),
    "a package without a digest": (
        with_("images", {"package": "foolbox==3.3.4"}),
        ["images.sha256 is missing", "64 hexadecimal digits"],
    ),
    "another package": (
        with_("images", {"package": "requests==2.0", "sha256": "0" * 64}),
        ["images.package", "'requests==2.0'", "foolbox==<version>"],
    ),
    "no import into TVM": (
        with_("tvm_imports.onnx", ...),
        ["tvm_imports.onnx is missing", "the routes from onnx to a format that TVM imports"],
    ),
    "an import that ends elsewhere": (
        with_("conversions.torch.tensorflow", [["torch_onnx", "onnx2tf"]])
        | {"tvm_imports": {"torch": [[]], "onnx": [[]], "tensorflow": [[]]}},
        ["tvm_imports.tensorflow", "ends in tensorflow", "torch or onnx"],
    ),
    "an import of nothing known": (
        with_("tvm_imports.onxn", [[]]),
        ["tvm_imports", "'onxn'", "onnx"],
    ),
    "an unknown pass": (
        with_("pass_sets", {"mine": ["FuseOps", "FuseOpps"]}),
        ["pass_sets.mine", "'FuseOpps'", "FuseOps, CanonicalizeBindings"],
    ),
    "a set of passes with a level's name": (
        with_("pass_sets", {"O2": ["FuseOps"]}),
        ["pass_sets.O2", "the name is taken", "expected another"],
    ),
    "a source that a model doesn't have": (
        with_("models", [{"name": "efficientnet_lite0", "sources": ["tflite"]}]),
        ["models.efficientnet_lite0.sources", "'tflite'", "keras, torch"],
    ),
    "batch norms that an exporter can't keep": (
        with_("edges.torch_onnx", {"opset": 18, "batch_norms": "kept"}),
        ["edges.torch_onnx", "'dynamo'", "expected exporter torchscript"],
    ),
    "batch norms neither kept nor folded": (
        with_("edges.torch_onnx", {"exporter": "torchscript", "batch_norms": "lost"}),
        ["edges.torch_onnx", "'lost'", "expected folded or kept"],
    ),
    "native nowhere": (
        with_("devices.cpu.native", False),
        ["devices", "backend native", "native: true"],
    ),
    **{
        f"study {name!r}": (with_("study", name), ["study", repr(name), "letters, digits"])
        for name in ("../up", "a b", "$(touch pwned)", "", "-a", "a\n", "images")
    },
    "device name": (
        with_("devices", {"a b": CONFIG["devices"]["cpu"]}),
        ["devices", "'a b'", "letters, digits"],
    ),
    "a partition that is more than a name": (
        with_("devices.cpu.slurm", {"partition": "main --wrap=pwned"}),
        ["devices.cpu.slurm.partition", "'main --wrap=pwned'", "letters, digits"],
    ),
    "an unknown word of a cluster": (
        with_("devices.cpu.slurm", {"nodes": "n1"}),
        ["devices.cpu.slurm", "nodes"],
    ),
    "nodes of its own for another machine": (
        with_("devices.cpu", REMOTE | {"slurm": {"exclusive": True}}),
        ["devices.cpu.slurm.exclusive", "True", "beside rpc"],
    ),
}


class Space:
    """A folder with the repository's files, in which two dry runs at a time may go on."""

    def __init__(self, path: Path, pool: ThreadPoolExecutor):
        self.path, self.pool = path, pool
        for name in CODE:
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, path / name, ignore=ignored)
            else:
                shutil.copy2(ROOT / name, path / name)

    def folder(self, name: str, *images: str) -> Path:
        path = self.path / name
        path.mkdir()
        for image in images:
            Image.new("RGB", (8, 8)).save(path / image, "PNG")
        return path

    def dry_run(self, name: str, config: object, *arguments: str) -> subprocess.CompletedProcess:
        path = self.path / f"config-{name}.json"
        path.write_text(config if isinstance(config, str) else json.dumps(config))
        command = [SNAKEMAKE, "--dry-run", "--cores", "1", "--printshellcmds"]
        return subprocess.run(
            [*command, "--configfile", path.name, *arguments],
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    """A workspace with folders of photographs, good and bad."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = Space(tmp_path_factory.mktemp("config"), pool)
        made.folder("photographs", "a.png", "b.png")
        (made.folder("no-images") / "notes.txt").write_text("none")
        (made.folder("empty-image", "a.png") / "b.png").write_bytes(b"")
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
        name: space.pool.submit(space.dry_run, f"odd{index}", with_("images", {"folder": name}))
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
    assert "Job stats" not in done.stdout
    assert len(done.stdout.splitlines()) < 8, done.stdout


def test_a_good_config_passes(space):
    done = space.dry_run("good", CONFIG)
    assert done.returncode == 0, done.stdout
    assert "infer efficientnet_lite0 (torch to onnx by torch_onnx, import direct" in done.stdout
    assert "results/small/study.nc" in done.stdout


def test_a_model_comes_from_the_sources_it_names(space):
    both = {"torch": {"torch": [[]]}, "keras": {"keras": [[]]}}
    model = {"name": "efficientnet_lite0", "sources": ["keras"]}
    imports = {"torch": [[]], "keras": [["keras_onnx"]]}
    config = CONFIG | {"models": [model], "conversions": both, "tvm_imports": imports}
    done = space.dry_run("sources", config)
    assert done.returncode == 0, done.stdout
    assert "infer efficientnet_lite0 (keras to keras" in done.stdout
    assert "(torch to torch" not in done.stdout


@pytest.mark.parametrize(
    "files",
    [
        ["passes"],
        ["paper", "seeded"],
        ["my-model"],
        ["config", "devices"],
        ["config", "tvm-versions"],
    ],
)
def test_the_shipped_configs_are_good(space, files):
    if files == ["my-model"]:  # which names a model and images that the reader has
        (space.path / "my-model/images").mkdir(parents=True)
        (space.path / "my-model/model.onnx").touch()
        Image.new("RGB", (8, 8)).save(space.path / "my-model/images/a.png")
    paths = [f"config/{name}.yaml" for name in files]
    command = [SNAKEMAKE, "--dry-run", "--cores", "1", "--quiet", "--configfile", *paths]
    done = subprocess.run(command, cwd=space.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_config_replaces_the_default_one(space):
    done = space.dry_run("whole", CONFIG)
    for other in ("results/sample", "keras", "cpu-baseline", "O4", "foolbox"):
        assert other not in done.stdout


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
    done = space.dry_run("mcpu", with_("devices.cpu.target", target))
    assert done.returncode == 0, done.stdout
    start = done.stdout.index("scripts/compile.py")
    words = shlex.split(done.stdout[start : done.stdout.index(" > ", start)])
    assert json.loads(words[words.index("--target") + 1]) == target
    assert not list(space.path.rglob("pwned"))
