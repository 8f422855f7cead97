"""Find the passes and the kernel by which a compiled cell's answers leave the native ones."""

import argparse
import json
import os
from pathlib import Path

from deltann.cell import NAMES, UNSCHEDULED, Cell
from deltann.errors import StudyError
from deltann.execution import cli, environment, stage
from deltann.explain import SCHEDULE
from deltann.provenance import files, records


def main(options: argparse.Namespace) -> None:
    """Search, with every compilation in a child process, and write the facts and the page."""
    digest = environment.check(options.environment)
    read = {
        name: stage.read_record(options, name) for name in stage.READS if getattr(options, name)
    }
    compiled, native = _predictions(options)
    import numpy as np

    from deltann.explain import formatting, page, search
    from deltann.images import prepared

    numbers = search.chosen(native["logits"].values, compiled["logits"].values)
    with prepared.open_file(options.images) as images:
        images.check()
        if images.digest != compiled.inputs_digest:
            raise StudyError(f"{options.images}: not the images that {options.prediction} is of")
        pixels = np.stack([images.pixels(slice(row, row + 1))[0] for row in numbers])
    schedule = [] if options.schedule == UNSCHEDULED else [f"{SCHEDULE}{options.schedule}"]
    case = search.Case(
        (*options.passes, *schedule),
        tuple(compiled["image"].values[numbers].tolist()),
        native["logits"].values[numbers],
        compiled["logits"].values[numbers],
    )
    with files.scratch(options.page) as folder:
        np.save(folder / "pixels.npy", pixels)
        facts = search.explain(case, _attempts(options, folder))
    facts |= {
        "cell": options.cell,
        "native": "/".join(str(native[name].item()) for name in NAMES),
        "same_inputs": native.inputs_digest == compiled.inputs_digest,
        "environment_digest": digest,
        "inputs": {str(getattr(options, name)): found["sha256"] for name, found in read.items()},
        "reproduce": reproduce(facts["minimal"], options),
    }
    facts["verdict"] = formatting.sentences(facts)
    print("\n".join(facts["verdict"]))
    records.write_json(options.facts, facts)
    files.write_text(options.page, page.page(facts))


def _predictions(options):
    """The cell's prediction file and the native cell's, as datasets.

    Raises:
        StudyError: one of them has no predictions, or they are of other images.
    """
    from deltann.dataset import predictions

    found = [predictions.read(path) for path in (options.prediction, options.native)]
    for path, dataset in zip((options.prediction, options.native), found, strict=True):
        if dataset.status == "failed":
            raise StudyError(
                f"{path}: the cell failed ({dataset.failed_stage}: {dataset.error_type}); expected "
                "one with predictions"
            )
    if found[0]["image"].values.tolist() != found[1]["image"].values.tolist():
        raise StudyError(f"{options.prediction} and {options.native} are of other images")
    return found


def _attempts(options, folder: Path):
    """How sets of switches are compiled and run, within the limits of one compilation each."""
    from deltann.explain.attempts import Attempts

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


def reproduce(minimal: list[str], options) -> str:
    """What to put into a config, to have the smallest failing set as a backend of the study."""
    passes = [item for item in minimal if not item.startswith(SCHEDULE)]
    schedule = Cell.parse(options.cell).schedule if passes != minimal else UNSCHEDULED
    text = f"# this page again\nsnakemake --cores all --force {options.page}\n"
    if not minimal:
        return text
    return text + (
        "\n# in the config: the smallest failing set as a backend, beside its reference\n"
        f"pass_sets: {{suspect: {json.dumps(passes)}, reference: []}}\n"
        f"schedules: {json.dumps(sorted({UNSCHEDULED, schedule}))}\n"
        "backends: [native, suspect, reference]\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", required=True, help="its names, joined by /")
    parser.add_argument("--framework", required=True, help="format of the model file")
    parser.add_argument("--passes", type=json.loads, required=True, help="the cell's, JSON list")
    parser.add_argument("--schedule", required=True, help="none, rules or tuned")
    parser.add_argument("--database", type=Path, help="of tuning records, for tuned")
    parser.add_argument("--database-record", type=Path, help="its record, JSON")
    parser.add_argument("--target", type=json.loads, required=True, help="TVM target, JSON")
    parser.add_argument("--threads", type=int, required=True, help="0: all cores")
    parser.add_argument("--preprocessing", type=json.loads, required=True, help="the model's, JSON")
    parser.add_argument("--images", type=Path, required=True, help="the prepared images, NetCDF")
    parser.add_argument("--prediction", type=Path, required=True, help="the cell's, NetCDF")
    parser.add_argument("--native", type=Path, required=True, help="the native cell's, NetCDF")
    parser.add_argument("--page", type=Path, required=True, help="the page to write, HTML")
    parser.add_argument("--facts", type=Path, required=True, help="the same, JSON")
    stage.limit_arguments(parser)
    stage.model_file_arguments(parser)
    cli.run(main, parser)
