"""What comes from others, or has an odd name, is data: nothing that is hidden in it is executed.

What images' names and archives may do is in test_images.py, of SavedModels in test_archive.py, of
state dicts in test_models.py, of a config's values in test_config.py, and of RPC servers in
test_devices.py.
"""

import json
import shutil
import subprocess
import zipfile

import pytest
import xarray as xr
import yaml

from helpers.workspace import small_study

CANARY = "pwned"
# Each would make the canary, or another mistake, where a shell or a template took it for more.
IMAGES = [
    "-rf.jpg",
    "two words.jpg",
    "it's.jpg",
    'a "quoted" one.jpg',
    f"$(touch {CANARY}).jpg",
    f"`touch {CANARY}`.jpg",
    f";touch {CANARY};.jpg",
    "a\nline.jpg",
    "été 猫.jpg",
    "<script src=x onerror=alert(1)>.jpg",
    "%s\\n*?[a].jpg",
]
MODELS = [f"it's a $(touch {CANARY}) model.pt2", "-m\n;été.pt2"]


@pytest.fixture(scope="module")
def space(workspace, tmp_path_factory):
    """A workspace, the small model and photographs under odd names."""
    made = workspace.copy(tmp_path_factory.mktemp("security") / f'it\'s "é" $(touch {CANARY})')
    small_study(made, "small")
    photograph = next((made.path / "photographs").glob("*.jpg"))
    folder = made.path / "-odd $(touch pwned) images"
    folder.mkdir()
    for name in IMAGES:
        shutil.copy(photograph, folder / name)
    for name in MODELS:
        shutil.copy(made.path / "small.pt2", made.path / name)
    return made


def native(space, name: str, source: str = "torch", **changes) -> object:
    """The config of a study with a single native cell of a model of one's own."""
    path = small_study(space, name)
    content = yaml.safe_load(path.read_text())
    model = content["models"][0] | {"source": source} | changes
    content |= {"models": [model], "conversions": {source: {source: [[]]}}, "backends": ["native"]}
    content["limits"]["retries"] = 0
    path.write_text(yaml.safe_dump(content))
    return path


def python(space, environment: str, code: str) -> None:
    """Run code that makes a hostile file, in an environment that can."""
    command = [space.path / f".envs/{environment}/bin/python", "-c", code]
    subprocess.run(command, cwd=space.path, check=True, capture_output=True)


def unharmed(space) -> bool:
    """Whether no canary was made: not in the workspace, nor where a tool may have been."""
    return not [path for path in space.path.rglob(f"{CANARY}*") if ".envs" not in path.parts]


def test_odd_names_of_images_and_models_are_only_names(space):
    """Through every stage, to the dataset and the archive (the explorer: test_explorer.py)."""
    path = native(space, "odd")
    content = yaml.safe_load(path.read_text())
    described = content["models"][0]
    content["models"] = [
        described | {"name": f"odd{number}", "file": name} for number, name in enumerate(MODELS)
    ]
    content["images"] = {"folder": "-odd $(touch pwned) images"}
    path.write_text(yaml.safe_dump(content, allow_unicode=True))
    space.run(path)
    study = space.path / "results/odd"
    with xr.open_dataset(study / "study.nc") as dataset:
        assert set(dataset.image.values) == set(IMAGES)
        assert set(dataset.status.values) == {"ok"}
        assert (dataset.logits[0] == dataset.logits[1]).all()
    pack = [".envs/analysis/bin/python", "scripts/archive.py", "results/odd"]
    done = subprocess.run(pack, cwd=space.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(space.path / "results/odd.zip") as archive:
        assert archive.testzip() is None
        assert "it&#39;s a $(touch" in archive.read("ro-crate-preview.html").decode()
    assert unharmed(space)


@pytest.mark.parametrize("name", ["<results>.jpg", "{config}.jpg"])
def test_what_snakemake_would_take_for_a_pattern_is_refused(space, name):
    folder = space.path / "patterns"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(space.path / "small-photographs", folder)
    next(folder.iterdir()).rename(folder / name)
    path = native(space, "patterns")
    path.write_text(path.read_text().replace("folder: small-photographs", "folder: patterns"))
    done = space.snakemake(path, "--dry-run")
    assert done.returncode != 0
    assert f"images.folder: {name!r} has a brace or a <word>, " in done.stdout
    done = space.snakemake(native(space, "patterns", file=name), "--dry-run")
    assert done.returncode != 0
    assert f"models.mine.file: {name!r} has a brace or a <word>, " in done.stdout


@pytest.mark.parametrize("name", ["../out", "-rf", "$(touch pwned)", "a\nb", "été", ""])
def test_an_odd_study_is_refused(space, name):
    path = native(space, "refused")
    path.write_text(path.read_text().replace("study: refused", f"study: {json.dumps(name)}"))
    done = space.snakemake(path, "--dry-run")
    assert done.returncode != 0
    assert "config key study: " in done.stdout and "the folder under results/" in done.stdout
    assert "Traceback" not in done.stdout
    assert unharmed(space)


def test_a_config_is_data(space):
    path = space.path / "tagged.yaml"
    path.write_text(f"study: !!python/object/apply:os.system ['touch {CANARY}']\n")
    done = space.snakemake(path, "--dry-run")
    assert done.returncode != 0
    assert unharmed(space)


def test_an_rpc_server_without_a_key_is_refused(space):
    path = native(space, "keyless")
    content = yaml.safe_load(path.read_text())
    target = {"kind": "llvm", "mcpu": "x86-64-v2"}
    rpc = {"host": "127.0.0.1", "port": 9090}
    content["devices"]["board"] = {"target": target, "native": False, "rpc": rpc}
    path.write_text(yaml.safe_dump(content))
    done = space.snakemake(path, "--dry-run")
    assert done.returncode != 0
    assert "config key devices.board.rpc.key is missing" in done.stdout


PICKLE = f"""
import os, pickle, zipfile
class Evil:
    def __reduce__(self):
        return (os.system, ("touch {{folder}}/{CANARY}",))
"""
HOSTILE = {
    # a pickle beside a model
    "object.pt2": (
        "torch",
        "torch",
        "import shutil; shutil.copy('small.pt2', 'hostile/object.pt2')\n"
        "with zipfile.ZipFile('hostile/object.pt2', 'a') as archive:\n"
        "    root = archive.namelist()[0].split('/')[0]\n"
        "    archive.writestr(root + '/data/constants/custom_obj_0', pickle.dumps(Evil()))",
    ),
    "sample.pt2": (
        "torch",
        "torch",
        "with zipfile.ZipFile('small.pt2') as before:\n"
        "    with zipfile.ZipFile('hostile/sample.pt2', 'w') as after:\n"
        "        for name in before.namelist():\n"
        "            evil = 'sample_inputs' in name\n"
        "            after.writestr(name, pickle.dumps(Evil()) if evil else before.read(name))",
    ),
    # a function of Python in a layer
    "lambda.keras": (
        "keras",
        "tensorflow",
        "os.environ['KERAS_BACKEND'] = 'tensorflow'\nimport keras\n"
        f"run = lambda x: (__import__('os').system('touch {{folder}}/{CANARY}'), x)[1]\n"
        "inputs = keras.Input((64, 64, 3))\n"
        "pooled = keras.layers.GlobalAveragePooling2D()(inputs)\n"
        "model = keras.Model(inputs, keras.layers.Dense(10)(keras.layers.Lambda(run)(pooled)))\n"
        "model.save('hostile/lambda.keras')\n"
        f"os.path.exists('{{folder}}/{CANARY}') and os.unlink('{{folder}}/{CANARY}')",
    ),
    # a member that leads outside of the archive
    "outside.tar": (
        "tensorflow",
        "images",
        "import io, tarfile\n"
        "with tarfile.open('hostile/outside.tar', 'w') as archive:\n"
        "    for name in ('saved_model.pb', '../../pwned', '../pwned', '/tmp/pwned'):\n"
        "        info = tarfile.TarInfo(name)\n        info.size = 4\n"
        "        archive.addfile(info, io.BytesIO(b'evil'))",
    ),
}


# by the file: its source, the message, and the code that makes it
REFUSED = {
    "pickle.pt": (
        "torch",
        "it is a pickle of Python objects",
        "import torch; torch.save(Evil(), 'refused-models/pickle.pt')",
    ),
    # weights that lie outside of the model's folder
    "external.onnx": (
        "onnx",
        "its weights are in '../secret'; expected a file in the model's folder",
        "import onnx\nfrom onnx import TensorProto, helper\n"
        "open('secret', 'wb').write(bytes(4 * 10 * 3 * 64 * 64))\n"
        "weight = TensorProto(name='w', data_type=1, dims=[12288, 10], data_location=1)\n"
        "weight.external_data.add(key='location', value='../secret')\n"
        "value = helper.make_tensor_value_info\n"
        "graph = helper.make_graph(\n"
        "    [helper.make_node('Flatten', ['x'], ['f']),\n"
        "     helper.make_node('MatMul', ['f', 'w'], ['y'])], 'g',\n"
        "    [value('x', 1, [1, 3, 64, 64])], [value('y', 1, [1, 10])], [weight])\n"
        "model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)])\n"
        "open('refused-models/external.onnx', 'wb').write(model.SerializeToString())",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_that_is_known_at_sight_is_refused_before_any_job(space, tmp_path, name):
    (space.path / "refused-models").mkdir(exist_ok=True)
    source, message, code = REFUSED[name]
    python(space, source, (PICKLE + code).replace("{folder}", str(tmp_path)))
    file = f"refused-models/{name}"
    done = space.snakemake(native(space, "refused-models", source, file=file), "--dry-run")
    assert done.returncode != 0
    assert f"models.mine.file: {file!r}: {message}" in done.stdout
    assert "Traceback" not in done.stdout
    assert unharmed(space) and not list(tmp_path.iterdir())


def test_hostile_model_files_are_failed_exports(space, tmp_path):
    """Each in a study's place, and none of them is opened further than to be refused."""
    folder = space.path / "hostile"
    folder.mkdir()
    records = []
    path = native(space, "hostile")
    content = yaml.safe_load(path.read_text())
    described, models, sources = content["models"][0], [], set()
    for name, (source, environment, code) in HOSTILE.items():
        python(space, environment, (PICKLE + code).replace("{folder}", str(tmp_path)))
        word = name.replace(".", "-")
        layout = {"layout": "NHWC" if source in ("keras", "tensorflow") else "NCHW"}
        models.append(
            described
            | {"name": word, "source": source, "file": f"hostile/{name}"}
            | {"input": described["input"] | layout}
        )
        sources.add(source)
        suffix = {"torch": ".pt2", "tensorflow": ".savedmodel.tar"}.get(source, f".{source}")
        records.append(f"results/hostile/models/{word}/{source}/unconverted{suffix}.json")
    assert unharmed(space) and not list(tmp_path.iterdir())
    content |= {"models": models, "conversions": {item: {item: [[]]} for item in sorted(sources)}}
    path.write_text(yaml.safe_dump(content))
    space.run(path, targets=tuple(records))
    for record in records:
        found = json.loads((space.path / record).read_text())
        assert found["status"] == "failed", record
        assert found["error"]["type"] not in ("SIGSEGV", "NoOutput"), found["error"]
    assert unharmed(space) and not list(tmp_path.iterdir())
