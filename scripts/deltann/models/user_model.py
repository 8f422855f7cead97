"""A model that the config itself describes: a file, or PyTorch code with weights.

`described` is the model's entry in the config, valid by the schema and with its defaults.
"""

import importlib.util
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from deltann.errors import StudyError, check_known
from deltann.formats import folder_tar
from deltann.formats.onnx_graph import fix_batch
from deltann.images.preprocessing import Preprocessing
from deltann.models import PRETRAINED, MissingFile, Request
from deltann.provenance import files as provenance_files

# The config names these models; a family's `MODELS` are those that it names itself.
MODELS: dict[str, dict[str, Preprocessing]] = {}
ENVIRONMENTS = {
    "torch": "torch",
    "onnx": "onnx",
    "tensorflow": "tensorflow",
    "keras": "tensorflow",
    "tflite": "tflite",
}
# What a file of each source looks like; a SavedModel is a folder, or that folder in a tar.
SUFFIXES = {
    "torch": (".pt2", ".pt", ".pth", ".torchscript"),
    "onnx": (".onnx",),
    "tensorflow": (".tar",),
    "keras": (".keras",),
    "tflite": (".tflite",),
}


def files(described: dict) -> list[str]:
    """The paths of the user's files in a description, without those of weights."""
    return [described["file"]] if "file" in described else [described["code"]["file"]]


def check(described: dict) -> None:
    """Check a description as far as possible without a framework.

    Raises:
        StudyError: naming the key, the value, and what was expected.
    """
    key, source = f"models.{described['name']}.source", described["source"]
    check_known(key, source, sorted(ENVIRONMENTS), "framework")
    if "code" in described and source != "torch":
        raise StudyError(f"config key {key}: {source!r}; expected torch for a model of code")


def check_file(described: dict) -> None:
    """Check the file that a description names.

    Raises:
        StudyError: as `check`.
    """
    key = f"config key models.{described['name']}"
    at = f"{key}.file" if "file" in described else f"{key}.code.file"
    path = Path(files(described)[0])
    if not path.exists():
        raise StudyError(f"{at}: {str(path)!r} doesn't exist; expected the path of the model")
    folder = described["source"] == "tensorflow" and path.is_dir()
    known = SUFFIXES[described["source"]] if "file" in described else (".py",)
    if not folder and path.suffix not in known:
        raise StudyError(f"{at}: {str(path)!r}; expected a file ending in {' or '.join(known)}")
    if folder and not (path / "saved_model.pb").is_file():
        raise StudyError(
            f"{at}: {str(path)!r} has no saved_model.pb; expected a SavedModel's folder"
        )
    if "sha256" in described and (folder or provenance_files.checksum(path) != described["sha256"]):
        raise StudyError(
            f"{key}.sha256: {str(path)!r} has another digest; expected {described['sha256']}"
        )


def preprocessing(described: dict) -> Preprocessing:
    """The preprocessing that a description declares."""
    declared = described["input"]
    return Preprocessing(
        resize=declared.get("resize"),
        crop=declared["size"],
        interpolation=declared["interpolation"],
        channels=declared["channels"],
        mean=tuple(declared["mean"]),
        std=tuple(declared["std"]),
        classes=described["classes"],
        background=described["background"],
    )


def missing(model: str, source: str) -> list[MissingFile]:
    """None: the files are in the config."""
    return []


def export(request: Request, output: Path) -> dict:
    """See `models.Family`; checks the exported file against the description.

    Raises:
        ValueError: its input or output is not what the config declares.
    """
    described = request.user_model
    if described is None:
        raise ValueError("the request is of no user model")
    size, layout = request.preprocessing.crop, described["input"]["layout"]
    shape = (1, 3, size, size) if layout == "NCHW" else (1, size, size, 3)
    EXPORTERS[described["source"]](described, request, shape, output)
    verify(described, shape, output)
    return {}


def verify(described: dict, shape: tuple[int, ...], output: Path) -> None:
    """Run the exported file on zeros, and check its shapes against the declared ones.

    Args:
        described: the model's entry.
        shape: that of the input, with a batch of 1.
        output: the exported file.

    Raises:
        ValueError: saying which shape the file has and which was declared.
    """
    # in a new process: a runner sets threads, which works only before a framework computes
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        input_shape, logits_shape = pool.submit(shapes, described["source"], output, shape).result()
    if input_shape != shape:
        raise ValueError(
            f"the model {described['name']} takes {input_shape}; declared: size "
            f"{described['input']['size']}, layout {described['input']['layout']}, so {shape}"
        )
    classes, background = described["classes"], described["background"]
    if logits_shape != (1, classes + background):
        hint = "; a model with a class for the background needs background: 1"
        raise ValueError(
            f"the model {described['name']} gives {logits_shape}; declared: classes {classes}, "
            f"background {background}, so (1, {classes + background})"
            + (hint if logits_shape == (1, classes + 1) and not background else "")
        )


def shapes(source: str, path: Path, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """The shapes of a model file's input and logits; no logits if it doesn't take `shape`."""
    import numpy as np

    runner = importlib.import_module(f"deltann.runners.{source}")
    with runner.Runner(path, threads=1) as loaded:
        input_shape = tuple(int(side) for side in loaded.input_shape)
        if input_shape != shape:
            return input_shape, ()
        return input_shape, np.asarray(loaded.infer(np.zeros(shape, np.float32))).shape


def _torch(described: dict, request: Request, shape: tuple[int, ...], output: Path) -> None:
    from deltann.formats import exported_program

    if "code" in described:
        network = _call_user_code(described["code"])
        if request.weights != PRETRAINED:
            import torch

            network.load_state_dict(torch.load(request.weights, weights_only=True))
        exported_program.save(network.eval(), shape, output)
    elif described["file"].endswith(".pt2"):
        exported_program.load(Path(described["file"]))  # refuses pickled objects
        output.write_bytes(Path(described["file"]).read_bytes())
    else:
        size = request.preprocessing.crop
        exported_program.save(
            exported_program.from_torchscript(Path(described["file"]), size), shape, output
        )


def _call_user_code(code: dict) -> Any:
    """The PyTorch module that the user's function returns. This runs the user's file."""
    path = Path(code["file"])
    specification = importlib.util.spec_from_file_location(path.stem, path)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(specification)
    sys.modules[path.stem] = module
    specification.loader.exec_module(module)
    function: Any = module
    for name in code["function"].split("."):
        function = getattr(function, name)
    return function()


def _onnx(described: dict, request: Request, shape: tuple[int, ...], output: Path) -> None:
    import onnx

    model = onnx.load(described["file"])
    if len(model.graph.input) != 1:
        raise ValueError(f"{len(model.graph.input)} inputs; expected one")
    fix_batch(model.graph)
    onnx.save(model, output)


def _tensorflow(described: dict, request: Request, shape: tuple[int, ...], output: Path) -> None:
    path = Path(described["file"])
    if path.is_dir():
        folder_tar.tar_folder(path, output)
    else:
        output.write_bytes(path.read_bytes())


def _copy(described: dict, request: Request, shape: tuple[int, ...], output: Path) -> None:
    output.write_bytes(Path(described["file"]).read_bytes())


EXPORTERS = {
    "torch": _torch,
    "onnx": _onnx,
    "tensorflow": _tensorflow,
    "keras": _copy,
    "tflite": _copy,
}
