"""Examples for bug reports, run by their own scripts in the environments of the tools."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from deltann import converters
from deltann.execution.isolation import Limits
from deltann.explain import reproducer, shown, snippets, stages
from deltann.explain.chain import Artefact, Images
from deltann.explain.snippets_run import NAMES, RUNTIMES
from deltann.explain.stages import Case, Runtime
from deltann.formats import exported_program
from deltann.localise.remote import python
from deltann.precision import Precision
from helpers import small_torch
from helpers.workspace import ROOT

pytestmark = pytest.mark.usefixtures("environments")
LIMITS = Limits(seconds=300, memory_mb=8000)
# By converter, what it converts: a file, or what the script of another one leaves. Each framework
# is the source of one and the target of one.
MADE_OF = {
    "torch_onnx": "model.pt2",
    "onnx2tf": "torch_onnx",
    "tflite_converter": "onnx2tf",
    "ai_edge_weights": "tflite_converter",
    "onnx_openvino": "torch_onnx",
    "nncf_int8": "onnx_openvino",
    "onnx2torch": "torch_onnx",
    "keras_quantize": "model.keras",
}
SETTINGS = {"torch_onnx": {"opset": 10, "exporter": "torchscript"}}
LAST = ("keras_quantize", "tflite_converter", "ai_edge_weights")
# What these lose isn't a fault.
ROUGH = {"ai_edge_weights": 0.05, "nncf_int8": 0.05, "keras_quantize": 0.05}
KERAS = """
import keras
keras.utils.set_random_seed(0)
layers = keras.layers
model = keras.Sequential([keras.Input((64, 64, 3)), layers.Conv2D(4, 3), layers.ReLU()])
model.add(layers.GlobalAveragePooling2D())
model.add(layers.Dense(10))
model.save("model.keras")
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """A folder with the two files that the others are made of."""
    folder = tmp_path_factory.mktemp("examples")
    size = small_torch.SIZE
    exported_program.save(small_torch.network(), (1, 3, size, size), folder / "model.pt2")
    environment = os.environ | {"KERAS_BACKEND": "tensorflow"}
    command = [*python("tensorflow"), "-c", KERAS]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return folder


def placed(call: str, models: Path) -> Path:
    """A folder with the example of a converter: its model, an input and the script."""
    module, of = converters.get(call), MADE_OF[call]
    folder = models / call
    folder.mkdir()
    source = models / of
    if of in MADE_OF:
        source = models / of / NAMES[module.SOURCE].format("converted")
    model = folder / NAMES[module.SOURCE].format("model")
    if module.SOURCE == "openvino":  # two files
        source, model = source.parent, model.parent
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, model)
    side = small_torch.SIZE
    shape = (1, side, side, 3) if call in LAST else (1, 3, side, side)
    image = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    np.save(folder / "input000.npy", image)
    stored = module.SOURCE not in RUNTIMES[module.ENVIRONMENT]
    if stored:
        shown.store(folder, module.SOURCE, LIMITS)
    text = snippets.script(
        snippets.Example(
            what="A test.",
            source=module.SOURCE,
            target=module.TARGET,
            call=call,
            settings=SETTINGS.get(call, {}),
            channels="last" if call == "onnx2tf" else "",
            stored=stored,
        )
    )
    (folder / shown.SCRIPT).write_text(text)
    return folder


def answers(folder: Path, environment: str) -> str:
    """What the script prints in its folder, as a user runs it."""
    (interpreter, *_) = python(environment)
    path = f"{Path(interpreter).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [interpreter, "-I", shown.SCRIPT],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("call", MADE_OF)
def test_a_script_converts_and_prints_both_answers(models, call):
    printed = answers(placed(call, models), converters.get(call).ENVIRONMENT)
    assert "before: [" in printed and "after:  [" in printed
    reference = MADE_OF[call] == "torch_onnx" and call != "onnx_openvino"  # has no onnx
    assert ("onnx's reference: [" in printed) == reference
    far = shown.FAR.search(printed)
    assert far and float(far[1]) <= ROUGH.get(call, 1e-5) * float(far[2])


def test_both_ends_are_of_all_frameworks():
    modules = [converters.get(name) for name in MADE_OF]
    assert {item.SOURCE for item in modules} == {item.TARGET for item in modules} == {*NAMES}


def imported(path: Path, framework: str, side: int) -> tuple[Case, dict]:
    """A cell of a file that TVM imports, and its facts, by localisation itself."""
    pixels = np.random.default_rng(0).integers(0, 255, (1, side, side, 3), np.uint8)
    half = (0.5, 0.5, 0.5)
    convention = {
        "resize": (side, side),
        "crop": (side, side),
        "interpolation": "bilinear",
        "channels": "RGB",
        "mean": half,
        "std": half,
        "classes": 5,
        "background": False,
    }
    images = Images(pixels, convention, "pillow")
    source = Artefact("", "", {}, framework, path, "", Precision({"float32": 3}))
    nothing = np.zeros((1, 5), np.float32)
    runtime = Runtime("tvm", False, True, "float32", "")
    case = Case([source], images, images, nothing, nothing, runtime, LIMITS, 1)
    row, located = stages.of_import(case, nothing + 1, 0)
    return case, {"cell_name": "a cell", "stages": [row], "localisations": located}


def test_what_tvm_imports_wrongly_is_shown_by_the_suspects_alone(tmp_path):
    """docs/found/tvm-onnx-same-lower: onnx's reference has the same fault, ONNX Runtime hasn't."""
    script = ROOT / "tests/helpers/wrongly_imported.py"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    subprocess.run([python("onnx")[0], script, tmp_path], env=environment, check=True)
    case, facts = imported(tmp_path / "pool.onnx", "onnx", 14)
    said = reproducer.write(tmp_path / "cell.zip", case, facts)
    assert said.startswith("TVM's import of the unconverted model changed `lv12` (nn.max_pool2d): ")
    assert "The suspect operators alone" in said
    with zipfile.ZipFile(tmp_path / "cell.zip") as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "cell"
    printed = answers(folder, "tvm")
    assert printed[printed.index("before:") :].strip() in (folder / "README.md").read_text()
    far = shown.FAR.search(printed)
    assert far and float(far[1]) > 0.1 * float(far[2])
    assert b"BatchNormalization" not in (folder / "model.onnx").read_bytes()
