"""The record a stage leaves beside its artifact: how it went, on what, in which environment."""

import argparse
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from deltann.errors import Transient
from deltann.execution import environment
from deltann.execution.isolation import Child, Failure, Limits, Outcome, Task
from deltann.provenance import files, records

# Artifacts that a stage may read, by the names of their options.
READS = ("model_file", "database")


def limit_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that every stage with a foreign tool takes."""
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--seconds", type=float, required=True, help="time limit")
    parser.add_argument("--memory-mb", type=float, required=True, help="memory limit, MiB")
    parser.add_argument(
        "--retries-left", type=int, required=True, help="how often Snakemake would try again"
    )


def model_file_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a stage that reads a model file."""
    parser.add_argument("--model-file", type=Path, required=True, help="the model file to read")
    parser.add_argument("--model-file-record", type=Path, required=True, help="its record, JSON")


def arguments(parser: argparse.ArgumentParser, from_model_file: bool = True) -> None:
    """Add the options of a stage that makes an artifact, from a model file or from nothing."""
    limit_arguments(parser)
    if from_model_file:
        model_file_arguments(parser)
    parser.add_argument("--artifact", type=Path, required=True, help="the file to make")
    parser.add_argument("--record", type=Path, required=True, help="its record, JSON")


def limits(options: argparse.Namespace) -> Limits:
    """The limits among a stage's options."""
    return Limits(options.seconds, options.memory_mb)


def start(
    module: str, arguments: dict, limits: Limits, writes: Path, child: Child | None = None
) -> Task:
    """Start `module`.work(**arguments) in a child that writes into the folder `writes`.

    Args:
        module, arguments, limits, writes: as said.
        child: the process, where it has been started already.
    """
    return Task(module, arguments, limits, writes, child)


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


def read_record(options: argparse.Namespace, name: str = "model_file") -> dict:
    """The record of an artifact that a stage reads, once the file is seen to be that artifact.

    Args:
        options: with the artifact's path by its name, and its record's by `<name>_record`.
        name: `model_file`, the model file, or another of `READS`.

    Raises:
        StudyError: the file isn't the one that its record describes (a failed one is empty), or
            the record is damaged.
    """
    return records.artifact(getattr(options, name), getattr(options, f"{name}_record"))


def failed(stage: str, failure: Failure) -> dict:
    """What a record says of a failure that happened in `stage`."""
    error = asdict(failure)
    error.pop("transient")
    return {"status": "failed", "failed_stage": stage, "error": error}


def inherit(record: dict) -> dict:
    """What a record says when the input it depends on had failed: the same cause, passed on."""
    return {key: record[key] for key in ("status", "failed_stage", "error")}


def run_stage(
    stage: str, arguments: dict, options: argparse.Namespace, extra_outputs: tuple[str, ...] = ()
) -> dict:
    """Make one artifact in a child process, and leave it and its record.

    The child calls `deltann.stages.<stage>`.work(**arguments, model_file=<path>, output=<temporary
    path>), with the path of each of `READS` that the options have.
    A failed artifact is an empty file, so that the declared files exist whatever happened.

    Args:
        stage: the stage's name, also the module's.
        arguments: JSON-able keyword arguments.
        options: those of `arguments` above.
        extra_outputs: names of options with files that the child makes too, each an argument of
            `work` with a temporary path.

    Returns:
        The record that was written.

    Raises:
        StudyError: wrong environment, damaged input, or a fault of ours.
        Transient: see `finish`.
    """
    record = {
        "stage": stage,
        "arguments": arguments,
        "environment_digest": environment.check(options.environment),
    }
    read = {name: read_record(options, name) for name in READS if getattr(options, name, None)}
    broken = next((item for item in read.values() if item["status"] == "failed"), None)
    if read and not broken:
        record["inputs"] = {str(getattr(options, name)): read[name]["sha256"] for name in read}
        arguments = arguments | {name: str(getattr(options, name)) for name in read}
    with ExitStack() as stack:
        part = stack.enter_context(files.atomic(options.artifact))
        others = {
            name: stack.enter_context(files.atomic(getattr(options, name)))
            for name in extra_outputs
        }
        if broken:
            record |= inherit(broken)
        else:
            paths = {name: str(path) for name, path in {"output": part, **others}.items()}
            task = start(f"deltann.stages.{stage}", arguments | paths, limits(options), part.parent)
            record |= _describe(stage, finish(task, options.retries_left), part)
        if record["status"] == "failed":
            for path in (part, *others.values()):
                path.write_bytes(b"")
        record["beside"] = {path.name: files.sha256(path) for path in others.values()}
    records.write_json(options.record, record)
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
