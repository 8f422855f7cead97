"""The stage `repair`: from a cell to the repaired file, its facts and the page on them.

The facts are a record (`deltann.provenance.records`) with these keys beside a record's own:

| key | value |
| --- | --- |
| `outcome` | `repaired`, `improved`, `not repaired`, `nothing to do` |
| `verdict` | the same in sentences |
| `file`, `framework` | the repaired file's name beside the record, and its format; empty for none |
| `edges` | a row for each edge: `edge`, `converter`, `images`, `labels` and `difference` that it \
changes, `lowers_precision`, `why` |
| `repairs` | for each edge that changes answers: `outcome`, `kind`, `candidate`, `edits`, \
`before`, `after`, `localisation`, and `candidates`, all that was tried |
| `final` | the whole route `before` and `after`: `images`, `labels`, `difference`, `regressions` |
| `broken` | which edge failed behind a repaired one; empty for none |
| `images` | names: `search`, `held_out`; and what was `added` to the study's own |
| `compiled`, `not_compiled` | by TVM's level, whether its answers are the `same`; or why not |
| `changes`, `changes_error` | operators that the converter's own file has otherwise |
| `repaired_config`, `route_config`, `model_config` | lines for a config |
| `environments` | the digest of each environment of the route; candidates may have used others |
"""

import argparse
import os
import shutil
from pathlib import Path

import xarray as xr

from deltann import runners
from deltann.cell import NAMES, Cell
from deltann.dataset import predictions
from deltann.execution import stage
from deltann.explain import chain, environments
from deltann.provenance import files, records
from deltann.repair import outcomes, page, shots, usage, verdict
from deltann.repair.elsewhere import Elsewhere
from deltann.repair.walk import Walk


def repair(options: argparse.Namespace, environment_digest: str) -> None:
    """Go along the route, repair what differs, write the file, the facts and the page.

    A cell that failed is not repaired; its page says why.

    Args:
        options: those of scripts/repair.py.
        environment_digest: of the environment that this runs in.

    Raises:
        StudyError: an input is damaged, or a fault of ours.
    """
    digests = environments.check(options.manifests)
    cell, native = (predictions.read(path) for path in (options.prediction, options.native))
    failed = next((item for item in (cell, native) if item.status == "failed"), None)
    if failed is not None:
        facts = _blank(options) | {"broken": _in_words(failed), "environments": digests}
        _write(options, environment_digest, facts, {}, [])
        return
    artefacts = chain.read(options)
    images = shots.read(
        options.images, native["logits"].values, cell["logits"].values, options.calibration
    )
    calibration = (options.calibration, options.calibration_preprocessing)
    with files.scratch(options.page) as folder:
        elsewhere = Elsewhere(
            images,
            options.preprocessing,
            calibration if options.calibration else None,
            stage.limits(options),
            options.threads or len(os.sched_getaffinity(0)),
            folder,
        )
        walk = Walk(artefacts, elsewhere)
        walk.run()
        facts = _facts(options, walk) | {"environments": digests}
        written = _write_model(options, walk, facts)
    inputs = {item.path: item.checksum for item in artefacts}
    _write(options, environment_digest, facts, inputs, written)


def _write(
    options: argparse.Namespace, digest: str, facts: dict, inputs: dict, written: list[Path]
) -> None:
    """Write the page and the facts, with the verdict."""
    facts["verdict"] = verdict.sentences(facts)
    print("\n".join(facts["verdict"]))
    files.write_text(options.page, page.page(facts))
    outputs = [options.page, *written]
    records.write(options.facts, "repair", outputs, inputs, digest, **facts)


def _in_words(failed: xr.Dataset) -> str:
    """Why there is nothing to compare."""
    cell = Cell(*(failed[name].item() for name in NAMES))
    return (
        f"{cell} has no predictions to compare: {failed.failed_stage} failed, "
        f"{failed.error_type}: {failed.error_message}"
    )


def _blank(options: argparse.Namespace) -> dict:
    """The facts of a cell for which nothing was tried."""
    return {
        "outcome": outcomes.NOT_REPAIRED,
        "cell": options.cell,
        "cell_name": options.cell_name,
        "tolerance": None,
        "images": {"search": [], "held_out": [], "added": []},
        "edges": [],
        "repairs": [],
        "compiled": {},
        "not_compiled": "",
        "changes": [],
        "changes_error": "",
        "repaired_config": "",
        "route_config": "",
        "model_config": "",
        "file": "",
        "framework": options.chain[-1]["framework"],
        "final": None,
        "unjudged": [],
        "broken": "",
    }


def _facts(options: argparse.Namespace, walk: Walk) -> dict:
    """All facts but the verdict, and but the configs of a file that isn't written yet."""
    facts = _blank(options) | {
        "tolerance": walk.tolerance,
        "images": walk.elsewhere.shots.facts(),
        "edges": walk.edges,
        "repairs": walk.repairs,
        "framework": walk.current.framework,
        "unjudged": walk.unjudged,
        "broken": walk.broken,
    }
    if walk.repaired and not walk.broken:
        facts["final"] = walk.final()
        facts["changes"], facts["changes_error"] = walk.changed()
        compilation = {"target": options.target, "schedule": options.schedule}
        facts["compiled"], facts["not_compiled"] = walk.compiled(
            compilation, options.tvm_environment
        )
    facts["outcome"] = verdict.of_repairs(
        [item["outcome"] for item in walk.repairs],
        facts["final"],
        all(item["same"] for item in facts["compiled"].values()),
        bool(walk.unjudged),
    )
    return facts


def _write_model(options: argparse.Namespace, walk: Walk, facts: dict) -> list[Path]:
    """Put the repaired file beside the page, and say how to use it; no file of an earlier run."""
    for framework in runners.frameworks():
        _beside(options.page, framework).unlink(missing_ok=True)
    if facts["outcome"] not in (outcomes.REPAIRED, outcomes.IMPROVED):
        return []
    path = _beside(options.page, walk.current.framework)
    with files.atomic(path) as part:
        shutil.copyfile(walk.current.path, part)
    cell = Cell.parse(options.cell)
    facts["file"] = path.name
    facts["repaired_config"] = usage.repaired(cell, walk.current.framework)
    facts["model_config"] = usage.model(
        f"{cell.model}_repaired",
        walk.current.framework,
        path.as_posix(),
        options.preprocessing,
        walk.elsewhere.layouts[walk.current.path],
    )
    ways = [(name, way) for name, way in walk.ways if way is not None]
    if len(ways) == len(walk.ways):
        facts["route_config"] = usage.route(cell.source, walk.current.framework, ways)
    return [path]


def _beside(page_path: Path, framework: str) -> Path:
    """The file of a framework beside the page."""
    return page_path.with_name(f"{page_path.stem}{runners.get(framework).SUFFIX}")
