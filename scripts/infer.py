"""Run one cell: its model on every prepared image, to one prediction file."""

import argparse
import json
import os
import uuid
from pathlib import Path

from deltann.cell import Cell
from deltann.dataset import compilation
from deltann.execution import cli, environment, stage
from deltann.execution.isolation import Child
from deltann.provenance import files


def main(options: argparse.Namespace) -> None:
    """Predict and time in a child process, between two probes."""
    digest = environment.check(options.environment)
    upstream = stage.read_record(options)
    if upstream["status"] == "failed":
        _write_failed(options, upstream, "", _provenance(options, digest, upstream), upstream)
        return
    # the child imports numpy and HDF5 at the same time as this process
    with Child("deltann.stages.infer") as child:
        from deltann.images import prepared
        from deltann.stages import checkpoint

        provenance = _provenance(options, digest, upstream)
        # beside the output: Snakemake deletes an incomplete job's outputs before it runs it again
        folder = options.output.with_name(f"{options.output.name}.progress")
        with prepared.open_file(options.images) as images, checkpoint.held(folder):
            images.check()
            kept = checkpoint.Progress(folder, _key(options, images.digest, provenance))
            _measure(options, images, kept, provenance, upstream, child)


def _provenance(options: argparse.Namespace, environment_digest: str, upstream: dict) -> dict:
    """What is known of a cell before it runs; the device's threads are counted on the way."""
    from deltann.stages import infer

    place = options.device
    if "rpc" not in place:  # 0 of another machine's are all that its server has
        place["threads"] = place["threads"] or len(os.sched_getaffinity(0))
    return {
        "commit": infer.commit(),
        "environment": {"name": options.environment.stem, "digest": environment_digest},
        "machine": infer.machine(place["threads"], place),
        "model_file": upstream.get("sha256", ""),
    }


def _key(options: argparse.Namespace, inputs_digest: str, provenance: dict) -> str:
    """Digest of all that determines a cell's answers, and of the machine that it is timed on."""
    place = options.device | {"rpc": options.device.get("rpc", {}) | {"seconds": None}}
    determined = {
        "cell": options.cell,
        "code": options.code,
        "runner": options.runner,
        "settings": options.settings,
        "preprocessing": options.preprocessing,
        "inputs": inputs_digest,
        "device": place,
        "repeats": options.repeats,
        **{name: provenance[name] for name in ("environment", "machine", "model_file")},
    }
    return files.digest(determined)


def _measure(options, images, kept, provenance: dict, upstream: dict, child: Child) -> None:
    """Have the child work, and write what it and interrupted sessions before it have left."""
    from deltann.dataset import predictions
    from deltann.images import prepared
    from deltann.stages import disturbance

    child.wait_until_imported()  # else the probe would be disturbed
    before, session = disturbance.seconds(), uuid.uuid4().hex
    arguments = {
        "runner": options.runner,
        "settings": options.settings,
        "model_file": str(options.model_file),
        "preprocessing": options.preprocessing,
        "images": str(options.images),
        "device": options.device,
        "repeats": options.repeats,
        "progress": {"folder": str(kept.folder), "key": kept.key},
        "session": session,
        "probe_seconds": before,
    }
    task = stage.start("deltann.stages.infer", arguments, stage.limits(options), kept.folder, child)
    outcome = stage.finish(task, options.retries_left)
    provenance |= {"peak_memory_bytes": outcome.peak_memory_bytes}
    if outcome.failure:
        failure = stage.failed("infer", outcome.failure)
        _write_failed(options, failure, images.digest, provenance, upstream)
        if not outcome.failure.transient:  # with a higher limit it would go on from there
            kept.drop()
        return
    after = outcome.result.pop("probe", None) or disturbance.seconds()
    parts = prepared.parts(len(images))
    found = [kept.read(part).circumstances for part in parts]
    sessions = {session, *(item.session for item in found)}
    predictions.write_parts(
        options.output,
        Cell.parse(options.cell),
        predictions.ran(
            _inputs(options),
            images.digest,
            disturbance.drift([item.probe for item in found], after),
            disturbance.contention([item.demand for item in found]),
            provenance | outcome.result | {"sessions": len(sessions)},
            compilation.describe(upstream),
        ),
        images.names,
        images.true_label,
        ((part.logits, part.latency) for part in map(kept.read, parts)),
    )
    kept.drop()


def _write_failed(options, failure: dict, digest: str, provenance: dict, upstream: dict) -> None:
    from deltann.dataset import predictions

    cell, compiled = Cell.parse(options.cell), compilation.describe(upstream)
    inputs = _inputs(options)
    dataset = predictions.failed(cell, failure, inputs, digest, provenance, compiled)
    predictions.write(dataset, options.output)


def _inputs(options) -> str:
    """Which images, by name: their geometry and resizer."""
    return f"{options.images.parent.name}/{options.images.stem}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", required=True, help="its names, joined by /")
    parser.add_argument("--runner", required=True, help="module in deltann.runners")
    parser.add_argument("--settings", type=json.loads, required=True, help="the runner's, JSON")
    parser.add_argument(
        "--preprocessing",
        type=json.loads,
        required=True,
        help="the model's, JSON",
    )
    parser.add_argument("--images", type=Path, required=True, help="the prepared images, NetCDF")
    parser.add_argument("--device", type=json.loads, required=True, help="where it runs, JSON")
    parser.add_argument("--repeats", type=int, required=True, help="timed passes")
    parser.add_argument("--output", type=Path, required=True, help="the prediction file")
    parser.add_argument(
        "--code", required=True, help="digest of this code, of which finished parts must be"
    )
    stage.limit_arguments(parser)
    stage.model_file_arguments(parser)
    cli.run(main, parser)
