"""A study's config: the files and options that a user gives, laid over the defaults.

`config/config.yaml` holds the defaults. It is the default study at the same time.
"""

import copy
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from deltann import models
from deltann.cell import SOURCE
from deltann.errors import StudyError
from deltann.images.collection import CALIBRATION, IMAGES
from deltann.study import layout, model_sources

DEFAULTS = Path(__file__).parents[3] / "config" / "config.yaml"
COMMAND_LINE = "--config"
# A user's config replaces a key as a whole, but for these: with devices of one's own, nobody wants
# those of the default study too.
DEEP = ("timing", "limits", "tuning")  # merge at every depth
NAMED = ("edges", "runtimes", "tvm_imports")  # merge by name; a named entry is replaced
PLACES = (IMAGES, CALIBRATION)  # keys that say where images are, in one of these ways
IMAGE_PLACES = ("folder", "package", "url")
KEY = re.compile(r"config key (\w+)")
LONGEST = 100  # characters of a line that `lines` gives


class Layer(NamedTuple):
    """What a user gives in one place: the path of a file, or `--config`, and its content."""

    name: str
    content: dict


def load_defaults() -> dict:
    """The content of `config/config.yaml`."""
    return yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))


def lay(layers: Sequence[Layer], defaults: dict) -> dict:
    """Lay what a user gives over the defaults.

    Args:
        layers: what the user gives; later ones win.
        defaults: of `load_defaults`.

    Returns:
        The config, not yet checked. Without `study` in a file, the study has the last file's name.
        Other models than the default one see images in their own convention only, unless the user
        says more.
    """
    config = copy.deepcopy(defaults)
    files = _files(layers)
    if files:
        config["study"] = Path(files[-1]).stem
    merged = _merged(layers)
    if "models" in merged:  # the default study shows what a wrong convention does to its own model
        config["preprocessing"] = [SOURCE]
    for name, value in merged.items():
        below = config.get(name)
        if isinstance(value, dict) and isinstance(below, dict):
            if name in DEEP or (name in PLACES and not _has_place(value)):
                value = _update(below, value)
            elif name in NAMED:
                value = below | value
        config[name] = value
    return config


def _files(layers: Sequence[Layer]) -> list[str]:
    return [layer.name for layer in layers if layer.name != COMMAND_LINE]


def _merged(layers: Sequence[Layer]) -> dict:
    """What the user gives, merged as Snakemake does: mappings by entry, anything else as a whole.

    But images can come from one place only: the last one wins.
    """
    merged: dict = {}
    for layer in layers:
        for name in PLACES:
            if name in layer.content and _has_place(layer.content[name]):
                merged.pop(name, None)
        _update(merged, _plain(layer.content))
    return merged


def _plain(value: Any) -> Any:
    """A copy in plain types: Snakemake's mappings are OrderedDicts, which YAML can't write."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _has_place(images: object) -> bool:
    return not isinstance(images, dict) or any(name in images for name in IMAGE_PLACES)


def _update(below: dict, above: dict) -> dict:
    """Do what `snakemake.utils.update_config` does, which the tests' environment lacks."""
    for name, value in above.items():
        if isinstance(value, dict):
            inside = below.get(name)
            value = _update(inside if isinstance(inside, dict) else {}, value)
        below[name] = value
    return below


def trim(config: dict, defaults: dict) -> None:
    """Fit the defaults to the study's models, in place: a user who changed the models is content.

    What the defaults say of sources, targets, backends and edges that the study doesn't have is
    left out. A model of the user's, from a framework that the default conversions lack, runs
    unconverted.

    Args:
        config: of `lay`, checked against the schema.
        defaults: of `load_defaults`.
    """
    conversions = config["conversions"]
    known = all(
        model_sources.is_user_model(config, name) or name in models.families()
        for name in model_sources.model_names(config)
    )
    if known and conversions == defaults.get("conversions"):
        offered = [
            source
            for name in model_sources.model_names(config)
            for source in _offered(config, name)
            if source in conversions or model_sources.is_user_model(config, name)
        ]
        config["conversions"] = {
            source: conversions.get(source, {source: [[]]})
            for source in dict.fromkeys([*conversions, *offered])
            if source in offered
        }
    _trim_entries(config, defaults)


def _offered(config: dict, name: str) -> list[str]:
    """The sources of a model: that of a user's model isn't checked yet."""
    if model_sources.is_user_model(config, name):
        return [model_sources.entry(config, name).get("source", "")]
    return list(model_sources.sources(config, name))


def _trim_entries(config: dict, defaults: dict) -> None:
    """Leave out the defaults' entries that nothing in the config names, in place."""
    ways = [ways for targets in config["conversions"].values() for ways in targets.values()]
    used: dict[str, set] = {
        "tvm_imports": {target for targets in config["conversions"].values() for target in targets},
        "runtimes": set(config["backends"]),
        "edges": set(),  # known after tvm_imports
    }
    for key in used:
        if key == "edges":
            ways += config["tvm_imports"].values()
            used[key] = {edge for routes in ways for route in routes for edge in route}
        if key in config:
            config[key] = {
                name: value
                for name, value in config[key].items()
                if name in used[key] or value != defaults.get(key, {}).get(name)
            }


def with_origin(
    layers: Sequence[Layer], defaults: dict, check: Callable[..., None], *arguments: object
) -> None:
    """Call a check of the config. If it fails, say which file has the key that is wrong.

    Raises:
        StudyError: the check's, after the name of the file.
    """
    try:
        check(*arguments)
    except StudyError as error:
        key = KEY.match(str(error))
        if key is None:
            raise
        places = _places(layers, defaults, key[1]) or [layer.name for layer in layers]
        raise StudyError(": ".join([*map(shown, places[-1:]), str(error)])) from error


def _places(layers: Sequence[Layer], defaults: dict, key: str) -> list[str]:
    """The places that a key comes from: the defaults' file, the user's files, `--config`."""
    places = [layer.name for layer in layers if key in layer.content]
    if key == "study" and not places:
        places = _files(layers)[-1:]  # its name
    merges = key in (*DEEP, *NAMED) or not places
    return [str(DEFAULTS), *places] if key in defaults and merges else places


def shown(name: str) -> str:
    """A layer's name as messages have it: the path from the working directory, if it is below."""
    relative = os.path.relpath(name) if os.path.isabs(name) else name
    return name if relative.startswith("..") else relative


def lines(config: dict, layers: Sequence[Layer], defaults: dict) -> list[str]:
    """The config as it was resolved: a line per key, each cut, with the places that it comes from.

    The default study's is one line.

    Args:
        config: as it was resolved.
        layers: what the user gave.
        defaults: of `load_defaults`.
    """
    study = layout.study(config["study"])
    if config["study"] == defaults.get("study") and all(
        Path(layer.name).resolve() == DEFAULTS for layer in layers
    ):
        return [
            f"The default config, {shown(str(DEFAULTS))} ({study}/{layout.CONFIG} will hold it)"
        ]
    text = [f"The config of this study ({study}/{layout.CONFIG} will hold it whole):"]
    for key, value in config.items():
        written = yaml.safe_dump(
            {key: value}, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6
        )
        line = f"  {' '.join(written.split())[1:-1]}"
        if len(line) > LONGEST:
            line = line[: LONGEST - 4] + " ..."
        places = map(shown, _places(layers, defaults, key))
        origin = ", ".join(dict.fromkeys(places)) or "not given"
        text.append(f"{line}  # {origin}")
    return text
