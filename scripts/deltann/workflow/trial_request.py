"""What a user asks of `make try`, checked before anything is built, and its config as resolved."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from deltann.errors import StudyError
from deltann.formats import onnx_external_data, torch_kinds
from deltann.formats.folder_tar import SAVED_MODEL
from deltann.images import collection
from deltann.images.labels import label_sources
from deltann.models import user_model
from deltann.provenance import files
from deltann.study import (
    file_checks,
    layout,
    overlay,
    proposal_text,
    schema,
    schema_errors,
    validation,
)

CONFIGS = Path("config")
USAGE = "make try MODEL=path/to/model.onnx IMAGES=folder"
# For the message on a file of PyTorch's that isn't a model: the commonest input.
SHAPE = (1, 3, 224, 224)


@dataclass(frozen=True)
class Request:
    """What the user asks for.

    Attributes:
        model: the path of the model's file or folder, as the user wrote it.
        images: the path of the folder of images, likewise.
        image_count: how many images it has.
        labels: the path of a file with the classes' names, or empty.
        output: the name of the output that has the classes, or empty.
        source: the framework of the file.
        config: the path of the config to write.
        name: of the study and the model.
    """

    model: str
    images: str
    image_count: int
    labels: str
    output: str
    source: str
    config: str
    name: str


def check(model: str, images: str, labels: str, output: str, config: str) -> Request:
    """Check what the user gave, each empty if not given.

    Raises:
        StudyError: one sentence on what is wrong, what was expected and what to do.
    """
    if not (model and images):
        missing = "IMAGES" if model else "MODEL"
        raise StudyError(f"{missing} is missing; expected {USAGE}")
    source = check_model(Path(model))
    count = check_folder(Path(images), labels)
    path = Path(config) if config else CONFIGS / f"{proposal_text.safe_name(Path(model))}.yaml"
    check_config(path, model, images)
    return Request(model, images, count, labels, output, source, str(path), path.stem)


def check_model(path: Path) -> str:
    """Check that a file is one of a model's, without opening it in its framework.

    Returns:
        The framework.

    Raises:
        StudyError: it doesn't exist, has another suffix, or is a pickle.
    """
    suffixes = sorted({suffix for known in user_model.SUFFIXES.values() for suffix in known})
    expected = f"a file ending in {', '.join(suffixes)}, or the folder of a SavedModel"
    if not path.exists():
        raise StudyError(f"MODEL={str(path)!r} doesn't exist; expected {expected}")
    if path.is_dir():
        if not (path / SAVED_MODEL).is_file():
            raise StudyError(
                f"MODEL={str(path)!r} is a folder without {SAVED_MODEL}; expected {expected}"
            )
        return "tensorflow"
    source = next(
        (name for name, known in user_model.SUFFIXES.items() if path.suffix.lower() in known), ""
    )
    if not source:
        code = ". For PyTorch code, write a config: see config/my-model.yaml"
        raise StudyError(
            f"MODEL={str(path)!r}: unknown suffix {path.suffix!r}; expected {expected}"
            f"{code if path.suffix == '.py' else ''}"
        )
    try:
        if path.stat().st_size == 0:
            raise StudyError("the file is empty")
        if source == "torch":
            torch_kinds.check_model(path, SHAPE)
        if source == "onnx":
            onnx_external_data.files(path)
    except (StudyError, OSError) as error:
        raise StudyError(f"MODEL={str(path)!r}: {error}") from error
    return source


def check_folder(folder: Path, labels: str) -> int:
    """Check the images and their labels as far as the number of classes doesn't matter.

    Returns:
        How many images there are.

    Raises:
        StudyError: it isn't a folder with images, or the labels can't be read.
    """
    suffixes = ", ".join(sorted(collection.SUFFIXES))
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "doesn't exist"
        raise StudyError(f"IMAGES={str(folder)!r} {what}; expected a folder of images ({suffixes})")
    names: list[str] = []
    if labels:
        if not Path(labels).is_file() or labels.lower().endswith(".csv"):
            raise StudyError(
                f"LABELS={labels!r}: expected a text file with the classes' names, one a line;"
                f" the images' own labels are in {collection.LABELS} in their folder"
            )
        names = Path(labels).read_text(encoding="utf-8-sig", errors="replace").split("\n")
        names = [name.strip() for name in names]
    try:
        found = collection.scan_folder(folder)
        images = collection.list_images(found)
        label_sources(found, images, names)
    except StudyError as error:
        raise StudyError(str(error).replace("images.folder: ", "IMAGES=", 1)) from error
    return len(images)


def check_config(path: Path, model: str, images: str) -> None:
    """Check that a config can be written without touching one, or another study's results.

    Raises:
        StudyError: it exists, or there is another study of its name.
    """
    again = f"MODEL=… IMAGES=… CONFIG={path.parent / f'{path.stem}-2.yaml'}"
    if path.suffix not in (".yaml", ".yml"):
        raise StudyError(f"CONFIG={str(path)!r}; expected a name ending in .yaml, to write")
    if path.exists():
        raise StudyError(
            f"{path} exists and is kept; run it by make study CONFIG={path}, or write another by"
            f" make try {again}"
        )
    others = {name: other for other in sorted(CONFIGS.glob("*.y*ml")) for name in _studies(other)}
    study = Path(layout.study(path.stem))
    taken = others.get(path.stem) or _other_study(study / layout.CONFIG, model)
    if taken:
        raise StudyError(
            f"a study named {path.stem!r} exists already ({taken}); write another by"
            f" make try {again}"
        )


def _studies(path: Path) -> list[str]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return []
    return [str(content["study"])] if isinstance(content, dict) and "study" in content else []


def _other_study(path: Path, model: str) -> Path | None:
    """A resolved config, unless it is of the same model: its config was deleted, to begin again."""
    if not path.exists():
        return None
    config = files.read_json(path)
    same = [
        item for item in config["models"] if isinstance(item, dict) and item.get("file") == model
    ]
    return None if same else path


def resolve(content: dict, path: str, name: str) -> dict:
    """A config as Snakemake will resolve it, checked.

    Args:
        content: what the file holds.
        path: of the file.
        name: of the study.

    Raises:
        StudyError: the config isn't valid.
    """
    defaults = overlay.load_defaults()
    config = overlay.lay([overlay.Layer(path, content | {"study": name})], defaults)
    schema_errors.check(config, schema.load())
    overlay.trim(config, defaults)
    schema.fill_defaults(config, schema.load())
    validation.check(config)
    file_checks.check_models(config)
    return config


def check_images(config: dict) -> None:
    """Check the images' labels against the model's classes.

    Raises:
        StudyError: a label isn't one of them.
    """
    file_checks.check_images(config)
