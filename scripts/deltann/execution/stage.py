"""Run a stage: one artifact from a foreign tool in a child process, and the artifact's record."""

import argparse
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from deltann.errors import StudyError, Transient
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
        module: dotted name of a stage's module.
        arguments: JSON-able keyword arguments.
        limits: of the child.
        writes: the folder that the child writes to.
        child: the process, if it has been started already.
    """
    return Task(module, arguments, limits, writes, child)


def finish(task: Task, retries_left: int) -> Outcome:
    """Wait for a task.

    Raises:
        Transient: the machine may be at fault, and retries are left.
        StudyError: a fault of ours.
    """
    outcome = task.wait()
    if outcome.failure and outcome.failure.transient and retries_left > 0:
        raise Transient(f"{outcome.failure.type}: {outcome.failure.message}; trying again")
    return outcome


def read_record(options: argparse.Namespace, name: str = "model_file") -> dict:
    """The record of an artifact that a stage reads, once the artifact is checked against it.

    Args:
        options: with the artifact's path by its name, and its record's by `<name>_record`.
        name: one of `READS`.

    Raises:
        StudyError: the artifact or its record was changed or damaged.
    """
    path, record_path = _paths(options, name)
    record = records.read(record_path)
    expected = records.output_checksum(record, path, record_path)
    records.compare(path, files.checksum(path), expected, record_path)
    return record


def artifact_checksum(options: argparse.Namespace, record: dict, name: str = "model_file") -> str:
    """The checksum of an artifact that a stage reads; empty if the artifact's stage failed.

    Args:
        options: as `read_record` takes them.
        record: what `read_record` returned.
        name: one of `READS`.
    """
    if record["status"] == "failed":
        return ""
    return records.output_checksum(record, *_paths(options, name))


def _paths(options: argparse.Namespace, name: str) -> tuple[Path, Path]:
    """The paths of an artifact and of its record."""
    given = vars(options)
    return given[name], given[f"{name}_record"]


def failed(stage: str, failure: Failure, file: str = "") -> dict:
    """What a record says of a failure that happened in `stage`, which was to make a file."""
    error = asdict(failure) | {"file": file}
    error.pop("transient")
    return {"status": "failed", "failed_stage": stage, "error": error}


def inherit(record: dict) -> dict:
    """What a record says if an input had failed: the same cause."""
    return {key: record[key] for key in ("status", "failed_stage", "error")}


def run_stage(
    stage: str,
    arguments: dict,
    options: argparse.Namespace,
    extra_outputs: tuple[str, ...] = (),
    user_files: Iterable[Path] = (),
    more_inputs: Iterable[Path] = (),
) -> dict:
    """Make one artifact in a child process, and write its record.

    The child calls `deltann.stages.<stage>`.work(**arguments, model_file=<path>, output=<temporary
    path>), with the path of each of `READS` that the options have. A failed artifact is an empty
    file: Snakemake's declared outputs exist whatever happened.

    Args:
        stage: the stage's name, also the module's.
        arguments: JSON-able keyword arguments.
        options: those of `arguments` above.
        extra_outputs: names of options with files that the child makes too, each an argument of
            `work` with a temporary path.
        user_files: files of the user's that the child reads; the record has their checksums.
        more_inputs: files of the study's that the child reads and that have no record.

    Returns:
        The record that was written.

    Raises:
        StudyError: wrong environment, an input that is damaged or changes, or a fault of ours.
        Transient: see `finish`.
    """
    environment_digest, given = environment.check(options.environment), vars(options)
    reads = {name: read_record(options, name) for name in READS if given.get(name)}
    broken = next((record for record in reads.values() if record["status"] == "failed"), None)
    outputs = {"output": options.artifact} | {name: given[name] for name in extra_outputs}
    with ExitStack() as stack:
        parts = {name: stack.enter_context(files.atomic(path)) for name, path in outputs.items()}
        checksums = stack.enter_context(_unchanged(user_files))
        paths = {name: str(given[name]) for name in reads}
        result = inherit(broken) if broken else _work(stage, arguments | paths, options, parts)
        if result["status"] == "failed":
            for part in parts.values():
                part.write_bytes(b"")
    inputs = {
        given[name]: records.output_checksum(record, *_paths(options, name))
        for name, record in reads.items()
    } | {path: files.checksum(path) for path in more_inputs}
    more = {"arguments": arguments, records.USER_FILES: checksums} | result
    return records.write(
        options.record, stage, outputs.values(), inputs, environment_digest, **more
    )


def run_question(stage: str, arguments: dict, options: argparse.Namespace) -> None:
    """Ask a foreign tool something about a file, in a child process, and write down the answer.

    The answer is no result of a study: it has no record. It is a JSON object, either `result`,
    what `deltann.stages.<stage>`.work returned, or `failure`, the fields of a `Failure`.

    Args:
        stage: the stage's name, also the module's.
        arguments: JSON-able keyword arguments.
        options: those of `limit_arguments` above, and `output`.

    Raises:
        StudyError: wrong environment, or a fault of ours.
    """
    environment.check(options.environment)
    task = start(f"deltann.stages.{stage}", arguments, limits(options), options.output.parent)
    outcome = finish(task, options.retries_left)
    failure = outcome.failure
    answer = {"failure": asdict(failure)} if failure else {"result": outcome.result}
    files.write_json(options.output, answer)


@contextmanager
def _unchanged(paths: Iterable[Path]) -> Iterator[dict[str, str]]:
    """Yield the checksum of each file by its path; in the end, make sure that it is still so.

    Raises:
        StudyError: a file was changed meanwhile.
    """
    checksums = {str(path): files.checksum(path) for path in paths}
    yield checksums
    for name, checksum in checksums.items():
        if files.checksum(Path(name)) != checksum:
            raise StudyError(f"{name} was changed while it was read. Run again")


def _work(stage: str, arguments: dict, options: argparse.Namespace, parts: dict[str, Path]) -> dict:
    """Have the child make its outputs, and say for the record how it went.

    Args:
        parts: the temporary path of each output, by the name of `work`'s argument.
    """
    output = parts["output"]
    task = start(
        f"deltann.stages.{stage}",
        arguments | {name: str(path) for name, path in parts.items()},
        limits(options),
        output.parent,
    )
    outcome = finish(task, options.retries_left)
    failure = outcome.failure
    if failure is None and not (output.exists() and output.stat().st_size):
        failure = Failure("NoOutput", "the tool ended without an error and wrote nothing")
    measured = {
        "seconds": round(outcome.seconds, 3),
        "peak_memory_bytes": outcome.peak_memory_bytes,
    }
    if failure:
        return measured | failed(stage, failure, options.artifact.name)
    return measured | {"status": "ok", "details": outcome.result}
