"""The files that a config names: they exist, are what the config says, and have usable names."""

import re
from pathlib import Path

from deltann import models
from deltann.errors import StudyError, did_you_mean
from deltann.formats import torch_kinds
from deltann.images import class_names
from deltann.images.collection import (
    CALIBRATION,
    IMAGES,
    list_images,
    read_list,
    scan_folder,
    select,
)
from deltann.images.labels import label_sources
from deltann.models import PRETRAINED, SEEDED, MissingFile, user_model
from deltann.provenance import files
from deltann.study import image_places, model_sources, weights

# In a path, Snakemake takes `{word}` for a wildcard and `<word>` for a path variable.
PATTERN = re.compile(r"[{}]|<[a-z][a-z0-9_]*>")


def check_database(config: dict) -> None:
    """Check the tuning database to start from.

    Raises:
        StudyError: naming the key, the value, and what was expected.
    """
    path = config.get("tuning", {}).get("database")
    if path is None:
        return
    _refuse_patterns("tuning.database", [path])
    if not Path(path).is_file():
        raise StudyError(
            f"config key tuning.database: {path!r} doesn't exist; expected a database that a "
            "study left under results/<study>/tuned/"
        )


def check_models(config: dict) -> None:
    """Check that the models' files exist, or can be fetched.

    Raises:
        StudyError: as `check_database`.
    """
    for name in model_sources.model_names(config):
        if model_sources.is_user_model(config, name):
            described = model_sources.entry(config, name)
            key = user_model.file_key(described)
            _refuse_patterns(key, [str(user_model.named_file(described))])
            user_model.check_file(described)
            _refuse_patterns(key, user_model.files(described))
    for model, source in model_sources.model_selections(config):
        _check_weights(config, model, source)
    weights.check(_missing(config))
    check_class_names(config)


def check_class_names(config: dict) -> list[str]:
    """Check the files of class names; return the names of the study's classes, or an empty list.

    Raises:
        StudyError: as `check_database`.
    """
    found: list[str] = []
    for model in model_sources.model_names(config):
        if (arguments := model_sources.class_names(config, model)) is None:
            continue
        key = f"models.{model}.class_names"
        _refuse_patterns(key, [arguments["file"]])
        try:
            names = class_names.read(**arguments)
        except StudyError as error:
            raise StudyError(f"config key {key}: {error}") from error
        for number, (name, other) in enumerate(zip(names, found, strict=False)):
            if name != other:
                raise StudyError(
                    f"config key {key}: class {number} is {name!r}, and {other!r} of another model;"
                    " expected the same classes for all models of a study"
                )
        found = max(names, found, key=len)
    return found


def _check_weights(config: dict, model: str, source: str) -> None:
    """A file of weights exists, and has the digest in the config."""
    described = model_sources.weights_entry(config, model, source)
    path = Path(described["file"])
    if described["file"] in (PRETRAINED, SEEDED):
        return
    key = model_sources.weights_key(config, model, source)
    _refuse_patterns(key, [str(path)])
    if not path.exists():
        raise StudyError(
            f"config key {key}: {str(path)!r} doesn't exist; expected pretrained, seeded, or the "
            f"path of the weights{did_you_mean(path, (PRETRAINED, SEEDED))}"
        )
    if source == "torch":
        try:
            torch_kinds.check_weights(path)
        except StudyError as error:
            raise StudyError(f"config key {key}: {str(path)!r}: {error}") from error
    if "sha256" in described and (path.is_dir() or files.checksum(path) != described["sha256"]):
        raise StudyError(
            f"config key {key}.sha256: {str(path)!r} has another digest; expected "
            f"{described['sha256']}"
        )


def _missing(config: dict) -> list[MissingFile]:
    """The published weights that the study needs and no cache holds."""
    return [
        file
        for model, source in model_sources.model_selections(config)
        if not model_sources.is_user_model(config, model)
        and model_sources.weights(config, model, source) == PRETRAINED
        for file in models.family(model).missing(model, source)
    ]


def check_images(config: dict) -> None:
    """Check what can be known of the images before any job: a folder, and the list of a subset.

    Raises:
        StudyError: as `check_database`.
    """
    calibrates = image_places.calibrated_edges(config)
    for key in (IMAGES, CALIBRATION) if calibrates else (IMAGES,):
        subset = config[key].get("subset", {})
        if "list" in subset:
            _refuse_patterns(f"{key}.subset.list", [subset["list"]])
            read_list(Path(subset["list"]), key=key)
    if "folder" in config[IMAGES]:
        _check_folder(config, Path(config[IMAGES]["folder"]), config[IMAGES].get("subset", {}))
    if calibrates and "folder" in config[CALIBRATION]:
        _refuse_patterns(
            f"{CALIBRATION}.folder", image_places.place(config[CALIBRATION], CALIBRATION).files
        )


def _check_folder(config: dict, folder: Path, subset: dict) -> None:
    collection = scan_folder(folder)
    names = list_images(collection)
    selected = select(names, subset, collection.where)
    sources = label_sources(collection, names, check_class_names(config))
    _refuse_patterns("images.folder", [str(folder), *selected])
    chosen = {name: sources[name] for name in selected if name in sources}
    labels = {name: label for name, label in chosen.items() if isinstance(label, int)}
    for model in model_sources.model_names(config):
        for preprocessing in model_sources.sources(config, model).values():
            wrong = [name for name, label in labels.items() if label >= preprocessing.classes]
            if wrong:
                raise StudyError(
                    f"{collection.where}: the label of {wrong[0]!r} is {labels[wrong[0]]}; "
                    f"expected one of model {model}'s classes, 0 to {preprocessing.classes - 1}"
                )


def _refuse_patterns(key: str, names: list[str]) -> None:
    for name in names:
        if PATTERN.search(name):
            raise StudyError(
                f"config key {key}: {name!r} has a brace or a <word>, which Snakemake would "
                "replace; expected a name without"
            )
