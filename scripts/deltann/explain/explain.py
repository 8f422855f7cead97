"""The stage `explain`: from two prediction files to the facts and the page on their difference."""

import argparse
import os
from pathlib import Path

import numpy as np
import xarray as xr

from deltann.cell import NAMES, UNSCHEDULED, Cell
from deltann.dataset import predictions
from deltann.errors import StudyError
from deltann.execution import stage
from deltann.explain import SCHEDULE, formatting, page, reproduce, search
from deltann.explain.attempts import Attempts
from deltann.images import class_names, prepared
from deltann.provenance import files, records


def explain(options: argparse.Namespace, environment_digest: str) -> None:
    """Search, with every compilation in a child process; write the facts and the page.

    Args:
        options: those of scripts/explain.py.
        environment_digest: of the environment that this runs in.

    Raises:
        StudyError: an input is damaged, or the cell can't be compiled and run again.
        Transient: the same, if the machine may be at fault.
    """
    read = {
        name: stage.read_record(options, name) for name in stage.READS if getattr(options, name)
    }
    names_checksum = records.check(options.class_names, options.class_names_record)
    compiled, native = _predictions(options)
    rows = search.chosen(native["logits"].values, compiled["logits"].values)
    with files.scratch(options.page) as folder:
        np.save(folder / "pixels.npy", _pixels(options, compiled.inputs_digest, rows))
        facts = search.search(_case(options, compiled, native, rows), _attempts(options, folder))
    facts |= {
        "class_names": class_names.from_text(options.class_names.read_text(encoding="utf-8")),
        "cell": options.cell,
        "cell_name": options.cell_name,
        "native_name": options.native_name,
        "native": "/".join(str(native[name].item()) for name in NAMES),
        "same_inputs": native.inputs_digest == compiled.inputs_digest,
        "reproduce": reproduce.commands(
            options.config, options.page, Cell.parse(options.cell).schedule, facts["minimal"]
        ),
    }
    facts["verdict"] = formatting.sentences(facts)
    print("\n".join(facts["verdict"]))
    files.write_text(options.page, page.page(facts))
    inputs = {
        getattr(options, name): stage.artifact_checksum(options, record, name)
        for name, record in read.items()
    }
    inputs[options.class_names] = names_checksum
    records.write(options.facts, "explain", [options.page], inputs, environment_digest, **facts)


def _predictions(options: argparse.Namespace) -> list[xr.Dataset]:
    """The cell's prediction file and the native cell's.

    Raises:
        StudyError: one of them has no predictions, or they have different images.
    """
    paths = (options.prediction, options.native)
    datasets = [predictions.read(path) for path in paths]
    for path, dataset in zip(paths, datasets, strict=True):
        if dataset.status == "failed":
            raise StudyError(
                f"{path}: the cell failed ({dataset.failed_stage}: {dataset.error_type}); expected "
                "one with predictions"
            )
    if datasets[0]["image"].values.tolist() != datasets[1]["image"].values.tolist():
        raise StudyError(f"{options.prediction} and {options.native} have different images")
    return datasets


def _pixels(options: argparse.Namespace, checksum: str, rows: np.ndarray) -> np.ndarray:
    """The prepared images of these rows, uint8 (image, y, x, channel).

    Raises:
        StudyError: the file of prepared images isn't the one with this checksum.
    """
    with prepared.open_file(options.images) as images:
        images.check()
        if images.checksum != checksum:
            raise StudyError(f"{options.images}: not the images that {options.prediction} is of")
        return np.stack([images.pixels(slice(row, row + 1))[0] for row in rows])


def _case(
    options: argparse.Namespace, compiled: xr.Dataset, native: xr.Dataset, rows: np.ndarray
) -> search.Case:
    schedule = [] if options.schedule == UNSCHEDULED else [f"{SCHEDULE}{options.schedule}"]
    return search.Case(
        (*options.passes, *schedule),
        tuple(compiled["image"].values[rows].tolist()),
        native["logits"].values[rows],
        compiled["logits"].values[rows],
    )


def _attempts(options: argparse.Namespace, folder: Path) -> Attempts:
    """How sets of switches are compiled and run, within the limits of one compilation each."""
    compilation = {
        "framework": options.framework,
        "target": options.target,
        "model_file": str(options.model_file),
    }
    if options.database:
        compilation["database"] = str(options.database)
    run = {
        "preprocessing": options.preprocessing,
        "pixels": str(folder / "pixels.npy"),
        "threads": options.threads or len(os.sched_getaffinity(0)),
    }
    return Attempts(compilation, run, stage.limits(options), options.retries_left, folder)
