"""A model that the config itself describes: a file, or PyTorch code with weights.

`described` is the model's entry in the config, valid by the schema and with its defaults.
"""

import importlib
import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from deltann.errors import StudyError, check_known
from deltann.formats import folder_tar, onnx_external_data, onnx_one_image, python_code, torch_kinds
from deltann.formats.onnx_graph import drop_initialized_inputs
from deltann.formats.onnx_spot_check import unchanged
from deltann.images import declared
from deltann.images.preprocessing import Preprocessing
from deltann.models import PRETRAINED, MissingFile, Request
from deltann.provenance import files as provenance_files

# The config names these models; a family's `MODELS` are those that it names itself.
MODELS: dict[str, dict[str, Preprocessing]] = {}
CLASS_NAMES = ""  # the config's key class_names
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
    "keras": (".keras", ".h5", ".hdf5"),
    "tflite": (".tflite",),
}


def file_key(described: dict) -> str:
    """The config's key that has the model's file or code."""
    return f"models.{described['name']}.{'file' if 'file' in described else 'code.file'}"


def named_file(described: dict) -> Path:
    """The model's file or code."""
    return Path(described["file"] if "file" in described else described["code"]["file"])


def files(described: dict) -> list[str]:
    """All files that an export reads, without those of weights, once `check_file` found no fault.

    They are the file that the description names, and what that file reads in turn: the external
    data of an ONNX file, the files in a SavedModel's folder, the modules that code imports, and the
    other files that the description says that the code reads.

    Raises:
        StudyError: naming the key, the file, and what was expected.
    """
    path = named_file(described)
    try:
        if "code" in described:
            read = [Path(name) for name in described["code"].get("files", [])]
            more = [name for item in read for name in folder_tar.files(item)]
            return [*python_code.files(path), *map(str, more)]
        if described["source"] == "onnx":
            return [str(path), *map(str, onnx_external_data.files(path))]
        return [str(item) for item in folder_tar.files(path)]
    except (StudyError, OSError) as error:
        raise StudyError(f"config key {file_key(described)}: {str(path)!r}: {error}") from error


def check(described: dict) -> None:
    """Check a description as far as possible without a framework.

    Raises:
        StudyError: naming the key, the value, and what was expected.
    """
    key, source = f"models.{described['name']}.source", described["source"]
    check_known(key, source, sorted(ENVIRONMENTS), "framework")
    declared.check(f"models.{described['name']}.input", described["input"])
    if "code" in described and source != "torch":
        raise StudyError(f"config key {key}: {source!r}; expected torch for a model of code")
    if "signature" in described and source != "tensorflow":
        raise StudyError(
            f"config key models.{described['name']}.signature: {described['signature']!r}; expected"
            f" no signature for a model from {source}, only for one from tensorflow"
        )


def check_file(described: dict) -> None:
    """Check the file that a description names.

    Raises:
        StudyError: as `check`.
    """
    key, at = f"config key models.{described['name']}", f"config key {file_key(described)}"
    path = named_file(described)
    if not path.exists():
        raise StudyError(f"{at}: {str(path)!r} doesn't exist; expected the path of the model")
    folder = described["source"] == "tensorflow" and path.is_dir()
    known = SUFFIXES[described["source"]] if "file" in described else (".py",)
    if not folder and path.suffix.lower() not in known:
        raise StudyError(f"{at}: {str(path)!r}; expected a file ending in {' or '.join(known)}")
    if folder and not (path / folder_tar.SAVED_MODEL).is_file():
        raise StudyError(
            f"{at}: {str(path)!r} has no {folder_tar.SAVED_MODEL}; expected a SavedModel's folder"
        )
    for number, name in enumerate(described.get("code", {}).get("files", [])):
        if not Path(name).exists():
            raise StudyError(f"{key}.code.files[{number}]: {name!r} doesn't exist")
    if described["source"] == "torch" and "file" in described:
        try:
            torch_kinds.check_model(path, _shape(described))
        except StudyError as error:
            raise StudyError(f"{at}: {str(path)!r}: {error}") from error
    if "sha256" in described:
        _check_sha256(f"{key}.sha256", described)


def _check_sha256(key: str, described: dict) -> None:
    read = files(described)
    if len(read) > 1:
        raise StudyError(
            f"{key}: the model has {len(read)} files, {read[0]!r} and others; expected a model in"
            " one file, or no sha256. The record of the export has the SHA-256 of each"
        )
    if provenance_files.checksum(Path(read[0])) != described["sha256"]:
        raise StudyError(f"{key}: {read[0]!r} has another digest; expected {described['sha256']}")


def _shape(described: dict) -> tuple[int, ...]:
    """The shape of the declared input, for one image."""
    wanted = declared.preprocessing(
        described["input"], described["classes"], described["background"]
    )
    return wanted.input_shape(described["input"]["layout"])


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
    shape = request.preprocessing.input_shape(described["input"]["layout"])
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
        hint = ""
        if logits_shape == (1, classes + 1) and not background:
            hint = "; a model with a class for the background needs background: 1"
        elif math.prod(logits_shape) == classes + background:
            hint = "; flatten the output before the model is saved"
        raise ValueError(
            f"the model {described['name']} gives {logits_shape}; declared: classes {classes}, "
            f"background {background}, so (1, {classes + background}){hint}"
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
    from deltann.formats import torch_network

    if "code" in described:
        _export_code(described, request.weights, shape, output)
    else:
        torch_network.save_file(Path(described["file"]), shape, described, output)


def _export_code(described: dict, weights: str, shape: tuple[int, ...], output: Path) -> None:
    """Run the user's code, and save the PyTorch module that it makes.

    Raises:
        ValueError: the code reads a file that isn't an input of the job.
    """
    from deltann.formats import torch_network, torch_weights

    code = described["code"]
    given = [] if weights == PRETRAINED else [weights]

    def refuse(path: str) -> ValueError:
        return ValueError(
            f"{code['file']} reads {path!r}, which the study doesn't know of; expected it, or its"
            f" folder, in the list models.{described['name']}.code.files"
        )

    with python_code.only_reading([*files(described), *given], refuse):
        network = python_code.call(Path(code["file"]), code["function"])
        if given:
            torch_weights.load(network, Path(weights))
        torch_network.save(network.eval(), shape, described, output)


def _onnx(described: dict, request: Request, shape: tuple[int, ...], output: Path) -> None:
    import onnx

    model = onnx.load(described["file"])
    with unchanged(model, shape):
        drop_initialized_inputs(model)
    if len(model.graph.input) != 1:
        raise ValueError(f"{len(model.graph.input)} inputs; expected one")
    onnx_one_image.save(model, shape, described, output)


def _tensorflow(described: dict, request: Request, shape: tuple[int, ...], output: Path) -> None:
    from deltann.formats import one_signature

    one_signature.save(Path(described["file"]), shape, described, output)


def _tflite(described: dict, request: Request, shape: tuple[int, ...], output: Path) -> None:
    from deltann.formats import tflite_one_output

    tflite_one_output.save(Path(described["file"]), described, output)


def _keras(described: dict, request: Request, shape: tuple[int, ...], output: Path) -> None:
    from deltann.formats import keras_given

    keras_given.save(Path(described["file"]), shape, described, output)


EXPORTERS = {
    "torch": _torch,
    "onnx": _onnx,
    "tensorflow": _tensorflow,
    "keras": _keras,
    "tflite": _tflite,
}
