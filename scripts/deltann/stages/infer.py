"""The job of one cell: run its model on every prepared image and write the prediction file.

`deltann.stages.infer_child` runs the model in a child process. This process measures the probe
before and after, and writes the file. It imports numpy and HDF5 only after the child has started,
so that both processes import at the same time.
"""

import argparse
import os
import uuid
from typing import TYPE_CHECKING, Any

from deltann.cell import Cell
from deltann.dataset import compilation, kernel_times, lowering
from deltann.execution import environment, stage
from deltann.execution.isolation import Child
from deltann.precision import UNASKED
from deltann.provenance import files, records
from deltann.stages import machine

if TYPE_CHECKING:
    from deltann.images.prepared import Prepared
    from deltann.stages.checkpoint import Checkpoint

CHILD = "deltann.stages.infer_child"


def infer(options: argparse.Namespace) -> None:
    """Infer one cell; its prediction file says so if it failed, here or in an earlier stage.

    Args:
        options: those of `scripts/infer.py`.

    Raises:
        StudyError: wrong environment, a damaged input, or a fault of ours.
        Transient: see `stage.finish`.
    """
    digest = environment.check(options.environment)
    upstream = stage.read_record(options)
    if upstream["status"] == "failed":
        _write_failed(options, upstream, "", _provenance(options, digest, upstream), upstream)
        return
    with Child(CHILD) as child:
        from deltann.images import prepared
        from deltann.stages import checkpoint

        provenance = _provenance(options, digest, upstream)
        # Beside the output, not in it: Snakemake deletes the outputs of an incomplete job.
        folder = options.output.with_name(f"{options.output.name}.progress")
        with prepared.open_file(options.images) as images, checkpoint.lock(folder):
            images.check()
            saved = checkpoint.Checkpoint(folder, _key(options, images.checksum, provenance))
            _measure(options, images, saved, provenance, upstream, child)


def _provenance(options: argparse.Namespace, environment_digest: str, upstream: dict) -> dict:
    """What is known about a cell before it runs. Replaces 0 threads by the number of cores."""
    device = options.device
    if "rpc" not in device:  # on another machine, 0 means all threads of its server
        device["threads"] = device["threads"] or len(os.sched_getaffinity(0))
    return {
        "commit": machine.commit(),
        "environment": {"name": options.environment.stem, "digest": environment_digest},
        "machine": machine.describe(device["threads"], device),
        "model_file": stage.artifact_checksum(options, upstream),
        "preprocessing": options.preprocessing,
    }


def _output(options: argparse.Namespace) -> dict[str, str]:
    """What the model's outputs are, as its export found out: `output`, `output_warning`."""
    details = records.read(options.export_record).get("details") or {}
    # the models of the study's own families give logits
    known = {"output": "logits", "output_warning": ""}
    return {name: details.get(name, value) for name, value in known.items()}


def _runtime(options: argparse.Namespace) -> str:
    """The cause of a precision that a cell's runtime decided on, in words."""
    named = ", ".join(f"{name}={value}" for name, value in sorted(options.settings.items()))
    if named:
        return f"{options.runner}'s runtime with {named}"
    return f"{UNASKED}{options.runner}'s runtime on this processor"


def _key(options: argparse.Namespace, inputs_digest: str, provenance: dict) -> str:
    """Digest of everything that determines a cell's predictions and the machine that times it."""
    device = options.device | {"rpc": options.device.get("rpc", {}) | {"seconds": None}}
    determining = {
        "cell": options.cell,
        "code": options.code,
        "runner": options.runner,
        "settings": options.settings,
        "preprocessing": options.preprocessing,
        "inputs": inputs_digest,
        "device": device,
        "repeats": options.repeats,
        **{name: provenance[name] for name in ("environment", "machine", "model_file")},
    }
    return files.checksum_json(determining)


def _measure(
    options: argparse.Namespace,
    images: "Prepared",
    saved: "Checkpoint",
    provenance: dict,
    upstream: dict,
    child: Child,
) -> None:
    """Run the child between two probes, and write the prediction file."""
    from deltann.stages import disturbance

    child.wait_until_imported()  # its imports would disturb the probe
    session, before = uuid.uuid4().hex, disturbance.probe_seconds()
    arguments = {
        "runner": options.runner,
        "settings": options.settings,
        "model_file": str(options.model_file),
        "preprocessing": options.preprocessing,
        "images": str(options.images),
        "device": options.device,
        "repeats": options.repeats,
        "checkpoint": {"folder": str(saved.folder), "key": saved.key},
        "session": session,
        "probe_seconds": before,
    }
    task = stage.start(CHILD, arguments, stage.limits(options), saved.folder, child)
    outcome = stage.finish(task, options.retries_left)
    provenance |= {"peak_memory_bytes": outcome.peak_memory_bytes}
    if outcome.failure:
        failure = stage.failed("infer", outcome.failure)
        _write_failed(options, failure, images.checksum, provenance, upstream)
        if outcome.failure.transient:  # a run with higher limits resumes from the checkpoints
            return
    else:
        result = outcome.result or {}
        after = result.pop("probe", None) or disturbance.probe_seconds()
        lowered = lowering.describe(
            upstream, options.model_file, result.pop("operators"), _runtime(options)
        )
        timed = kernel_times.describe(upstream, result.pop("kernel_times"))
        described: dict[str, Any] = {"compiled": compilation.describe(upstream)}
        described |= {"lowered": lowered, "timed": timed}
        _write(options, images, saved, provenance | result, described, session, after)
    saved.remove()


def _write(
    options: argparse.Namespace,
    images: "Prepared",
    saved: "Checkpoint",
    provenance: dict,
    described: dict[str, Any],
    session: str,
    probe_after: float,
) -> None:
    """Write the prediction file from all checkpoints, those of interrupted sessions too.

    Args:
        options: those of `scripts/infer.py`.
        images: the prepared images.
        saved: with a result for each part of the images.
        provenance: without `sessions`.
        described: what `compilation`, `lowering` and `kernel_times` say of the cell.
        session: the name of the last session.
        probe_after: seconds of the probe after it.
    """
    from deltann.dataset import predictions
    from deltann.images import prepared
    from deltann.stages import disturbance

    circumstances, latencies = [], []
    for part in prepared.parts(len(images)):
        result = saved.load(part)
        circumstances.append(result.circumstances)
        latencies.append(result.latency)
    sessions = {session, *(item.session for item in circumstances)}
    results = map(saved.load, prepared.parts(len(images)))
    predictions.write_parts(
        options.output,
        Cell.parse(options.cell),
        predictions.attributes(
            inputs=_inputs(options),
            inputs_digest=images.checksum,
            probe_drift=disturbance.drift([item.probe for item in circumstances], probe_after),
            contention=disturbance.contention([item.demand for item in circumstances]),
            pass_spread=disturbance.pass_spread(latencies),
            provenance=provenance | {"sessions": len(sessions)},
            emulated=options.device.get("emulated", False),
            **described | _output(options),
        ),
        images.names,
        images.true_label,
        ((result.logits, result.latency) for result in results),
    )


def _write_failed(
    options: argparse.Namespace, failure: dict, inputs_digest: str, provenance: dict, upstream: dict
) -> None:
    """Write the prediction file of a cell that failed, here or in an earlier stage."""
    from deltann.dataset import predictions

    dataset = predictions.failed(
        Cell.parse(options.cell),
        failure,
        _inputs(options),
        inputs_digest,
        provenance,
        compilation.describe(upstream),
        emulated=options.device.get("emulated", False),
    )
    predictions.write(dataset, options.output)


def _inputs(options: argparse.Namespace) -> str:
    """The name of the prepared images: geometry and resizer."""
    return f"{options.images.parent.name}/{options.images.stem}"
