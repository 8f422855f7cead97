"""How the cells of a model file see images: every preprocessing of the config, each one once."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from deltann.cell import SOURCE, TARGET
from deltann.images import conventions
from deltann.images.preprocessing import Preprocessing
from deltann.study.model_sources import model_selections, sources

LISTED = 3  # so many models are named in a note


def native(config: dict, model: str, source: str) -> Preprocessing:
    """What a model itself expects."""
    return sources(config, model)[source]


def described(config: dict, model: str, source: str, target: str, name: str) -> Preprocessing:
    """What a model file's cells with the preprocessing `name` see.

    The size and the classes are always the model's own: it takes no other input.

    Args:
        config: the study's.
        model: the model's name.
        source: the framework it comes from.
        target: the framework it is converted to.
        name: one of `conventions.PREPROCESSINGS`.
    """
    of_source = native(config, model, source)
    if name == SOURCE:
        return of_source
    if name != TARGET:
        return conventions.apply(name, of_source)
    of_target = sources(config, model)[target]
    resize = of_target.resize
    if resize is not None:
        resize = round(resize * min(of_source.crop) / min(of_target.crop))
    return replace(
        of_target,
        crop=of_source.crop,
        resize=resize,
        classes=of_source.classes,
        background=of_source.background,
    )


def names(config: dict, model: str, source: str, target: str) -> list[str]:
    """The preprocessings that a model file has cells of, in the config's order.

    If two come to the same pixels and normalisation, one has cells: two would be compared with each
    other, and nothing would differ. See `merged`.
    """
    kept = merged(config, model, source, target)
    return [name for name, same in kept.items() if name == same]


def merged(config: dict, model: str, source: str, target: str) -> dict[str, str]:
    """Each preprocessing that applies to a model file, with the one that has its cells.

    That is itself, or an earlier one that comes to the same. `source` counts as the earliest, as
    every cell's reference has it.
    """
    known = sources(config, model)
    applicable = [
        name
        for name in config["preprocessing"]
        if name == SOURCE
        or (name == TARGET and target != source and target in known)
        or (name in conventions.CONVENTIONS and conventions.fits(name, known[source]))
    ]
    first: dict[tuple[Preprocessing, bytes], str] = {}
    for name in sorted(applicable, key=lambda name: name != SOURCE):
        first.setdefault(_seen(described(config, model, source, target, name)), name)
    return {
        name: first[_seen(described(config, model, source, target, name))] for name in applicable
    }


def _seen(preprocessing: Preprocessing) -> tuple[Preprocessing, bytes]:
    """What tells apart the inputs of two preprocessings: normalisation computes in float32."""
    numbers = np.array([preprocessing.mean, preprocessing.std], np.float32)
    return replace(preprocessing, mean=(0, 0, 0), std=(1, 1, 1)), numbers.tobytes()


def _why_none(name: str) -> str:
    if name == TARGET:
        return "no converted model of this study is known in its target's framework"
    return "its numbers are for colours, and every model of this study takes gray"


def notes(config: dict) -> Iterator[str]:
    """One sentence for each preprocessing of the config that changes nothing for some models."""
    files = [
        (model, source, target)
        for model, source in model_selections(config)
        for target, routes in config["conversions"][source].items()
        if routes
    ]
    kept = {file: merged(config, *file) for file in files}
    for name in config["preprocessing"]:
        if not any(name in of_file for of_file in kept.values()):
            yield f"preprocessing {name}: {_why_none(name)}, so it has no cells"
        same: dict[str, list[str]] = {}
        for (model, source, target), of_file in kept.items():
            if of_file.get(name, name) != name:
                same.setdefault(of_file[name], []).append(f"{model} from {source} to {target}")
        for other, found in same.items():
            more = f" and {len(found) - LISTED} more" if len(found) > LISTED else ""
            yield (
                f"preprocessing {name} is the same as {other} for "
                f"{', '.join(found[:LISTED])}{more}: these cells are there once, as {other}"
            )
