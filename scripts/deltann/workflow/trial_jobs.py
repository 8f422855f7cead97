"""The jobs of `make try`: Snakemake's, and questions to a tool in its environment."""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deltann import interpreter
from deltann.errors import StudyError
from deltann.execution import messages
from deltann.provenance import files
from deltann.study import layout, overlay

# The line of a finished job, and where the plugin in logger/ begins to say what failed.
FINISHED = re.compile(r"\[ *\d+/\d+\] ")
ERROR = re.compile(r"Error( in rule \w+)?: ")
SNAKEMAKE = str(interpreter.PYTHON.parent / "snakemake")


def snakemake(targets: Sequence[str], config: str = "", progress: bool = False) -> None:
    """Run Snakemake for some targets of a config, by default that of the default study.

    What it says is shown only if it fails.

    Args:
        targets: the files to make.
        config: its path.
        progress: whether to print a line for each job that is done.

    Raises:
        StudyError: it failed.
    """
    command = [SNAKEMAKE, "--cores", "all", "--", *targets]
    if config:
        command[1:1] = ["--configfile", config]
    said = []
    with subprocess.Popen(
        command,
        env=interpreter.clean(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if progress and FINISHED.match(line):
                print(line, end="", flush=True)
    if process.returncode:
        raise StudyError(f"Snakemake failed: {messages.bounded(failure(said))}")


def failure(said: Sequence[str]) -> str:
    """What Snakemake says from its first error on; all of it if it names none."""
    begin = next((number for number, line in enumerate(said) if ERROR.match(line)), 0)
    return "".join(said[begin:]).strip().removeprefix("Error: ")


def ask(stage: str, environment: str, question: Sequence[str], scratch: Path) -> dict:
    """Run a stage's script in an environment, and return its answer.

    Args:
        stage: the name of the script and of the stage's module.
        environment: the environment's name.
        question: the script's own options.
        scratch: a folder for the answer.

    Raises:
        StudyError: the foreign tool failed, or our script.
    """
    limits = overlay.load_defaults()["limits"]["export"]
    output = scratch / f"{stage}.json"
    command = [*layout.interpreter(environment), f"scripts/{stage}.py", *question]
    command += ["--environment", layout.manifest(environment), "--output", str(output)]
    command += ["--seconds", str(limits["seconds"]), "--memory-mb", str(limits["memory_mb"])]
    command += ["--retries-left", "0"]
    done = subprocess.run(
        command,
        env=interpreter.clean(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StudyError(messages.bounded((done.stderr or done.stdout).strip()))
    answer = files.read_json(output)
    if "failure" in answer:
        said = messages.bounded(answer["failure"]["message"])
        raise StudyError(messages.telling(said) if "\n" in said.strip() else said)
    return answer["result"]
