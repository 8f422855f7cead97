"""The stage `explain`: from two prediction files to the facts and the page on their difference."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from deltann.cell import NAMES, UNSCHEDULED, Cell
from deltann.dataset import predictions
from deltann.errors import StudyError
from deltann.execution import stage
from deltann.explain import (
    SCHEDULE,
    answer,
    chain,
    compared,
    environments,
    formatting,
    page,
    reproduce,
    reproducer,
    search,
    stages,
)
from deltann.explain.attempts import Attempts
from deltann.explain.stages import Case, Runtime, Stage
from deltann.images import class_names, prepared
from deltann.provenance import files, records
from deltann.tolerance import TOLERANCE


@dataclass(frozen=True)
class Predicted:
    """The prediction files of a cell and of its native one, and the images that are looked at.

    Attributes:
        own, native: the files' content.
        rows: numbers of the images that show most of the difference.
    """

    own: xr.Dataset
    native: xr.Dataset
    rows: np.ndarray

    @property
    def images(self) -> tuple[str, ...]:
        """Names of the images of `rows`."""
        return tuple(self.own["image"].values[self.rows].tolist())

    def logits(self, of: xr.Dataset) -> np.ndarray:
        """The logits of the images of `rows`, float32 (image, class)."""
        return of["logits"].values[self.rows]


def explain(options: argparse.Namespace, environment_digest: str) -> None:
    """Find the stage and the operator, with every tool in a process of its own; write the page.

    Args:
        options: those of scripts/explain.py.
        environment_digest: of the environment that this runs in.

    Raises:
        StudyError: an input is damaged, the cell failed, or it can't be compiled and run again.
        Transient: the same, if the machine may be at fault.
    """
    predicted = _predicted(options)
    artefacts = chain.read(options)
    names_checksum = records.check(options.class_names, options.class_names_record)
    database = stage.read_record(options, "database") if options.database else None
    digests = environments.check(options.manifests)
    case = _case(options, predicted, artefacts)
    facts = _described(options, predicted, case)
    facts |= _searched(options, facts, predicted, case)
    facts["verdict"] = _verdict(facts)
    facts["reproduce"] = reproduce.commands(
        options.config, options.page, Cell.parse(options.cell).schedule, facts.get("minimal", [])
    )
    facts["example"] = reproducer.write(options.example, case, facts)
    print("\n".join(facts["verdict"]))
    files.write_text(options.page, page.page(facts))
    inputs = {item.path: item.checksum for item in artefacts}
    inputs |= {options.class_names: names_checksum}
    if database:
        inputs[options.database] = stage.artifact_checksum(options, database, "database")
    facts["environments"] = digests
    outputs = [options.page, options.example]
    records.write(options.facts, "explain", outputs, inputs, environment_digest, **facts)


def _predicted(options: argparse.Namespace) -> Predicted:
    """The cell's prediction file and the native cell's.

    Raises:
        StudyError: one of them has no predictions, or they have different images.
    """
    paths = (options.prediction, options.native)
    own, native = (predictions.read(path) for path in paths)
    for path, dataset in zip(paths, (own, native), strict=True):
        if dataset.status == "failed":
            raise StudyError(
                f"{path}: the cell failed, and that is the explanation: {dataset.failed_stage} "
                f"failed with {dataset.error_type}: {dataset.error_message}"
            )
    if own["image"].values.tolist() != native["image"].values.tolist():
        raise StudyError(f"{options.prediction} and {options.native} have different images")
    rows = search.chosen(native["logits"].values, own["logits"].values)
    return Predicted(own, native, rows)


def _case(
    options: argparse.Namespace, predicted: Predicted, artefacts: list[chain.Artefact]
) -> Case:
    own, native, rows = Cell.parse(options.cell), predicted.native, predicted.rows
    runtime = Runtime(
        options.runtime,
        options.native_run,
        own.compiled,
        str(predicted.own.attrs["precision"]),
        str(predicted.own.attrs["precision_cause"]),
    )
    return Case(
        artefacts,
        chain.Images(
            _pixels(options.native_images, options.native, native.inputs_digest, rows),
            options.native_preprocessing,
            str(native["resizer"].item()),
        ),
        chain.Images(
            _pixels(options.images, options.prediction, predicted.own.inputs_digest, rows),
            options.preprocessing,
            own.resizer,
        ),
        predicted.logits(native),
        predicted.logits(predicted.own),
        runtime,
        stage.limits(options),
        options.threads or len(os.sched_getaffinity(0)),
    )


def _pixels(path: Path, prediction: Path, checksum: str, rows: np.ndarray) -> np.ndarray:
    """The prepared images of these rows, uint8 (image, y, x, channel).

    Raises:
        StudyError: the file of prepared images isn't the one with this checksum.
    """
    with prepared.open_file(path) as images:
        images.check()
        if images.checksum != checksum:
            raise StudyError(f"{path}: not the images that {prediction} is of")
        return np.stack([images.pixels(slice(row, row + 1))[0] for row in rows])


def _described(options: argparse.Namespace, predicted: Predicted, case: Case) -> dict:
    """The facts of all cells: what is compared, and what each stage on the way does."""
    own, native = predicted.own["logits"].values, predicted.native["logits"].values
    whole = compared.compare(native, own)
    answers = {"native": case.native_logits, "cell": case.own_logits}
    rows: list[dict] = []
    localisations: list[dict] = []
    losses: list[dict] = []
    if whole["differs"]:
        rows = stages.of_images(case)
        edges, localisations, losses = stages.of_edges(case)
        rows += [*edges, *stages.of_runtime(case)]
    return {
        "class_names": class_names.from_text(options.class_names.read_text(encoding="utf-8")),
        "cell": options.cell,
        "cell_name": options.cell_name,
        "native_name": options.native_name,
        "native": "/".join(str(predicted.native[name].item()) for name in NAMES),
        "difference": whole,
        "labels_differ": bool(whole["labels_changed"]),
        "tolerance": TOLERANCE,
        "images": compared.images(predicted.images, answers),
        "stages": rows,
        "localisations": localisations,
        "losses": losses,
        "chain": [
            {
                "edge": item.edge,
                "converter": item.converter,
                "settings": item.settings,
                "framework": item.framework,
                "precision": item.precision.text,
                "file": str(item.path),
            }
            for item in case.chain
        ],
    }


def _searched(options: argparse.Namespace, facts: dict, predicted: Predicted, case: Case) -> dict:
    """The facts that a compiled cell has besides; its stages are added to those of `facts`."""
    if not case.runtime.compiled:
        return {}
    differs = facts["difference"]["differs"]
    if not options.compilation:
        found = stages.of_last(case, Stage.DEVICE, options.runtime, case.own_logits)
        return {"stages": facts["stages"] + [found] * differs}
    with files.scratch(options.page) as folder:
        np.save(folder / "pixels.npy", case.own.pixels)
        attempts = _attempts(options, case, folder)
        found, reference = search.search(_switches(options, predicted, case), attempts)
    if differs:
        before = facts["localisations"]
        last, located = stages.of_import(case, reference, len(before))
        found["stages"] = [*facts["stages"], last, *stages.of_search(found)]
        found["localisations"] = before + located
    return found


def _verdict(facts: dict) -> list[str]:
    """The sentences of the page's head."""
    lines = answer.sentences(facts)
    return lines + formatting.sentences(facts) if "sets" in facts else lines


def _switches(options: argparse.Namespace, predicted: Predicted, case: Case) -> search.Case:
    described = options.compilation
    schedule = described["schedule"]
    switches = [] if schedule == UNSCHEDULED else [f"{SCHEDULE}{schedule}"]
    return search.Case(
        (*described["passes"], *switches),
        predicted.images,
        case.native_logits,
        case.own_logits,
    )


def _attempts(options: argparse.Namespace, case: Case, folder: Path) -> Attempts:
    """How sets of switches are compiled and run, within the limits of one compilation each."""
    last = case.chain[-1]
    compilation = {
        "framework": last.framework,
        "target": options.compilation["target"],
        "model_file": str(last.path),
    }
    if options.database:
        compilation["database"] = str(options.database)
    run = {
        "preprocessing": options.preprocessing,
        "pixels": str(folder / "pixels.npy"),
        "threads": case.threads,
    }
    return Attempts(compilation, run, stage.limits(options), options.retries_left, folder)
