"""The models of a config: which frameworks each comes from, with which weights and files."""

import json
from dataclasses import asdict
from pathlib import Path

from deltann import models
from deltann.formats import folder_tar
from deltann.images import declared
from deltann.images.preprocessing import Preprocessing
from deltann.models import PRETRAINED, SEEDED, user_model


def model_names(config: dict) -> list[str]:
    """The models' names, in the config's order."""
    return [item if isinstance(item, str) else item["name"] for item in config["models"]]


def entry(config: dict, model: str) -> dict:
    """A model's entry in the config; a bare name becomes `{name: …}`."""
    for item in config["models"]:
        mapping = {"name": item} if isinstance(item, str) else item
        if mapping["name"] == model:
            return mapping
    raise KeyError(model)


def is_user_model(config: dict, model: str) -> bool:
    """Whether the config itself describes the model, so that it belongs to no family."""
    return "classes" in entry(config, model)


def model_module(config: dict, model: str) -> models.Family:
    """The module that exports a model."""
    return user_model if is_user_model(config, model) else models.family(model)


def sources(config: dict, model: str) -> dict[str, Preprocessing]:
    """The frameworks that a model can come from, each with its preprocessing."""
    if is_user_model(config, model):
        described = entry(config, model)
        preprocessing = declared.preprocessing(
            described["input"], described["classes"], described["background"]
        )
        return {described["source"]: preprocessing}
    return models.family(model).MODELS[model]


def selected_sources(config: dict, model: str) -> list[str]:
    """The sources that the study takes a model from: those that it converts and the model lists."""
    known = sources(config, model)
    selected = entry(config, model).get("sources", known)
    return [source for source in config["conversions"] if source in known and source in selected]


def model_selections(config: dict) -> list[tuple[str, str]]:
    """Every model of the study with each of its selected sources."""
    return [
        (model, source)
        for model in model_names(config)
        for source in selected_sources(config, model)
    ]


def weights_entry(config: dict, model: str, source: str) -> dict[str, str]:
    """`file`: `pretrained`, `seeded` or a path; and the file's `sha256` where the config has it.

    A model of the user's is never seeded: it has the weights of its own file or code.
    """
    of_model = entry(config, model).get("weights", config["weights"])
    of_source = of_model.get(source, PRETRAINED) if isinstance(of_model, dict) else of_model
    if of_source == SEEDED and is_user_model(config, model):
        of_source = PRETRAINED
    return of_source if isinstance(of_source, dict) else {"file": of_source}


def weights_key(config: dict, model: str, source: str) -> str:
    """The config's key that has a model's weights: `models.mine.weights.torch`, or `weights`."""
    described = entry(config, model)
    key = f"models.{model}.weights" if "weights" in described else "weights"
    by_source = isinstance(described.get("weights", config["weights"]), dict)
    return f"{key}.{source}" if by_source else key


def weights(config: dict, model: str, source: str) -> str:
    """`pretrained`, `seeded`, or the path of a file."""
    return weights_entry(config, model, source)["file"]


def seeded(config: dict) -> list[str]:
    """The models of the study with seeded weights from one source at least."""
    selections = model_selections(config)
    with_seeds = {model for model, source in selections if weights(config, model, source) == SEEDED}
    return [model for model in model_names(config) if model in with_seeds]


def class_names(config: dict, model: str) -> dict | None:
    """The arguments of `images.class_names.read` for a model; None if its classes have no names."""
    described = entry(config, model)
    if "class_names" not in described:
        return None
    return {
        "file": described["class_names"],
        "classes": described["classes"],
        "background": described["background"],
    }


def published_class_names(config: dict) -> str:
    """What names the classes of all models, one of `images.class_names.PUBLISHED`.

    Empty if a model has other classes, classes without names, or names in the config.
    """
    found = {model_module(config, model).CLASS_NAMES for model in model_names(config)}
    return found.pop() if len(found) == 1 else ""


def study_class_names(config: dict) -> dict | None:
    """`class_names` of the model that names the most classes; all have the same names for them."""
    given = [names for model in model_names(config) if (names := class_names(config, model))]
    return max(given, key=lambda names: names["classes"], default=None)


def export_request(config: dict, model: str, source: str) -> str:
    """The request of an export, JSON: see `models.Request`."""
    request = {
        "model": model,
        "source": source,
        "weights": weights(config, model, source),
        "preprocessing": asdict(sources(config, model)[source]),
    }
    if is_user_model(config, model):
        request["user_model"] = entry(config, model)
    return json.dumps(request, sort_keys=True)


def export_files(config: dict, model: str, source: str) -> dict[str, str | list[str]]:
    """The user's files that an export reads. They are inputs: a changed file reruns the export."""
    inputs: dict[str, str | list[str]] = {}
    if weights(config, model, source) not in (PRETRAINED, SEEDED):
        path = Path(weights(config, model, source))
        inputs["weights"] = [str(item) for item in folder_tar.files(path)]
    if is_user_model(config, model):
        inputs["user_model"] = user_model.files(entry(config, model))
    return inputs


def export_environment(config: dict, model: str, source: str) -> str:
    """The environment that writes a model's native file."""
    return model_module(config, model).ENVIRONMENTS[source]
