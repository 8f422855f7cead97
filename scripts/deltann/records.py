"""The record a stage leaves beside its artifact: how it went, on what, in which environment."""

import argparse
import os
from dataclasses import asdict
from pathlib import Path

from deltann import files
from deltann.isolation import Failure, Limits, Outcome, Task


class Transient(Exception):
    """An end that could be the machine's fault, while Snakemake has retries left."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that every stage with a foreign tool takes."""
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--seconds", type=float, required=True, help="time limit")
    parser.add_argument("--memory-mb", type=float, required=True, help="memory limit, MiB")
    parser.add_argument(
        "--retries-left", type=int, default=0, help="how often Snakemake would try again"
    )


def limits(options: argparse.Namespace) -> Limits:
    """The limits among a stage's options."""
    return Limits(options.seconds, options.memory_mb)


def start(stage: str, arguments: dict, limits: Limits, writes: Path) -> Task:
    """Start `deltann.<stage>`.work(**arguments) in a child that writes into the folder `writes`."""
    return Task(f"deltann.{stage}", arguments, limits, writes)


def finish(task: Task, retries_left: int) -> Outcome:
    """Wait for a task.

    Raises:
        Transient: it ended in a way that may be the machine's fault, and retries are left.
        StudyError: a fault of ours.
    """
    outcome = task.wait()
    if outcome.failure and outcome.failure.transient and retries_left > 0:
        raise Transient(f"{outcome.failure.type}: {outcome.failure.message}; trying again")
    return outcome


def inputs(*paths: Path) -> dict[str, str]:
    """The SHA-256 of each input, by its path relative to the working directory."""
    return {os.path.relpath(path): files.sha256(path) for path in paths}


def failed(stage: str, failure: Failure) -> dict:
    """What a record says of a failure that happened in `stage`."""
    error = asdict(failure)
    error.pop("transient")
    return {"status": "failed", "failed_stage": stage, "error": error}


def inherit(record: dict) -> dict:
    """What a record says when the input it depends on had failed: the same cause, passed on."""
    return {key: record[key] for key in ("status", "failed_stage", "error")}


def produce(
    stage: str,
    arguments: dict,
    artifact: Path,
    record_path: Path,
    options: argparse.Namespace,
    environment_digest: str,
    upstream: Path | None = None,
) -> dict:
    """Make one artifact in a child process, and leave it and its record.

    The child calls `deltann.<stage>`.work(**arguments, output=<temporary path>). A failed
    artifact is an empty file, so that both declared files exist whatever happened.

    Args:
        stage: the stage's name, also the module's.
        arguments: JSON-able keyword arguments; the value of `source`, if any, is a file.
        artifact: where the artifact goes.
        record_path: where the record goes.
        options: the options of `arguments` above.
        environment_digest: the digest in the environment's manifest.
        upstream: the record of the input, if a stage made it.

    Returns:
        The record that was written.
    """
    base = {"stage": stage, "environment_digest": environment_digest, "arguments": arguments}
    cause = files.read_json(upstream) if upstream else {"status": "ok"}
    with files.atomic(artifact) as part:
        if cause["status"] == "failed":
            record = base | inherit(cause)
        else:
            if "source" in arguments:
                base["inputs"] = inputs(Path(arguments["source"]))
            task = start(
                stage, arguments | {"output": str(part)}, limits(options), part.parent
            )
            outcome = finish(task, options.retries_left)
            record = base | _describe(stage, outcome, part)
        if record["status"] == "failed":
            part.write_bytes(b"")
    files.write_json(record_path, record)
    return record


def _describe(stage: str, outcome: Outcome, part: Path) -> dict:
    failure = outcome.failure
    if failure is None and not (part.exists() and part.stat().st_size):
        failure = Failure("NoOutput", "the tool ended without an error and wrote nothing")
    measured = {
        "seconds": round(outcome.seconds, 3),
        "peak_memory_bytes": outcome.peak_memory_bytes,
    }
    if failure:
        return measured | failed(stage, failure)
    return measured | {
        "status": "ok",
        "details": outcome.result,
        "sha256": files.sha256(part),
        "bytes": part.stat().st_size,
    }
