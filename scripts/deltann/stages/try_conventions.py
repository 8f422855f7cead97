"""Run a model on images in each convention, in its own runtime. Runs in the job's child process."""

import importlib
import os
from pathlib import Path

import numpy as np

from deltann.images import conventions, prepared
from deltann.images.normalise import layout, normalise
from deltann.images.preprocessing import Preprocessing


def work(source: str, model_file: str, preprocessing: dict, images: str, count: int) -> dict:
    """The first label of each image in each convention.

    Args:
        source: the framework of the model, which is also the name of its runner.
        model_file: the exported model.
        preprocessing: the fields of `Preprocessing`, as proposed.
        images: the prepared images, NetCDF.
        count: how many to take at most, evenly spread over all.

    Returns:
        `true_labels`, -1 where unknown; `labels`, by convention, and by `conventions.PROPOSED` if
        what is proposed is no convention; and `refused`, the reason by convention, where the
        model's input can't hold the values.
    """
    lists = {name: tuple(preprocessing[name]) for name in ("crop", "mean", "std")}
    tried = candidates(Preprocessing(**preprocessing | lists))
    runner = importlib.import_module(f"deltann.runners.{source}")
    threads = len(os.sched_getaffinity(0))
    labels: dict[str, list[int]] = {}
    refused: dict[str, str] = {}
    with (
        prepared.open_file(Path(images)) as opened,
        runner.Runner(Path(model_file), threads) as loaded,
    ):
        places = spread(len(opened), count)
        pixels = [opened.pixels(slice(place, place + 1))[0] for place in places]
        for name, given in tried.items():
            order = layout(loaded.input_shape, given)
            try:
                answers = [loaded.infer(normalise(image, given, order)) for image in pixels]
            except ValueError as error:
                refused[name] = str(error)
                continue
            classes = [np.reshape(answer, -1)[given.background :] for answer in answers]
            labels[name] = [int(np.argmax(answer)) for answer in classes]
        true = [int(opened.true_label[place]) for place in places]
    return {"true_labels": true, "labels": labels, "refused": refused}


def candidates(proposed: Preprocessing) -> dict[str, Preprocessing]:
    """The conventions that fit a model, and what is proposed if it is none of them."""
    found = {
        name: conventions.apply(name, proposed)
        for name in conventions.CONVENTIONS
        if conventions.fits(name, proposed)
    }
    return found if proposed in found.values() else {conventions.PROPOSED: proposed} | found


def spread(total: int, count: int) -> list[int]:
    """At most `count` numbers below `total`, evenly spread."""
    count = min(total, count)
    return [number * total // count for number in range(count)]
