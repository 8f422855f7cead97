"""Build a pinned environment, describe what was installed, check that a job runs in it."""

import os
import platform
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from deltann import interpreter
from deltann.errors import StudyError
from deltann.provenance import files, records

REBUILD = ".venv/bin/snakemake --cores all --force"


def pins(path: Path) -> list[str]:
    """The sorted requirements of a list, without comments and blank lines.

    Raises:
        StudyError: the list doesn't exist, or a line isn't pinned with `==`.
    """
    if not path.is_file():
        raise StudyError(f"{path}: no such environment list")
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    requirements = sorted(line for line in lines if line)
    for requirement in requirements:
        if "==" not in requirement:
            raise StudyError(f"{path}: {requirement!r} is not pinned; expected name==version")
    return requirements


def describe() -> dict:
    """The running interpreter and every installed distribution, with a checksum over them."""
    versions = {
        item.metadata["Name"].lower().replace("_", "-"): item.version
        for item in metadata.distributions()
    }
    content = {
        "interpreter": f"{platform.python_implementation()} {platform.python_version()}",
        "distributions": dict(sorted(versions.items())),
    }
    return records.with_checksum(content)


def build(folder: Path, requirements: list[str], manifest: Path) -> None:
    """Install exactly these requirements into a new environment, and write its manifest.

    Wheels from `PIP_FIND_LINKS` are used as by pip; uv ignores that variable by itself.

    Args:
        folder: of the environment.
        requirements: pinned, `name==version`.
        manifest: the JSON file to write: what `describe` says in the environment.

    Raises:
        StudyError: uv could not resolve or install them, or the folder is a link.
    """
    if folder.is_symlink():
        raise StudyError(
            f"{folder} is a link to {folder.resolve()}, whose content would be replaced; expected "
            f"a folder or nothing. Remove the link (rm {shlex.quote(str(folder))}) and run again"
        )
    uv = str(interpreter.PYTHON.parent / "uv")
    find_links = os.environ.get("PIP_FIND_LINKS", "").split()
    links = [option for location in find_links for option in ("--find-links", location)]
    python = interpreter.of_environment(str(folder))[0]
    variables = interpreter.clean(os.environ)
    create = [uv, "venv", "--quiet", "--clear", "--python", str(interpreter.PYTHON), str(folder)]
    _run(create, variables)
    install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
    _run([*install, *links, "--", *requirements], variables)
    describing = [python, "-m", "deltann.execution.environment", str(manifest)]
    _run(describing, interpreter.with_package(os.environ))


def _run(command: list[str], variables: dict[str, str]) -> None:
    try:
        subprocess.run(command, check=True, env=variables, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise StudyError(f"building the environment failed: {error}") from error


def check(manifest: Path) -> str:
    """Make sure that this process runs in the environment that a manifest describes.

    Args:
        manifest: what `build` wrote.

    Returns:
        The environment's digest: the checksum of its manifest.

    Raises:
        StudyError: it doesn't; the message names the difference and the repair.
    """
    actual = describe()
    try:
        expected = files.read_json(manifest)
        different = sorted(
            set(expected["distributions"].items()) ^ set(actual["distributions"].items())
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise StudyError(
            f"{manifest}: not the manifest of an environment: {error!r}. Make it again: "
            f"{REBUILD} {manifest}"
        ) from error
    if expected == actual:
        return actual[records.KEY]
    raise StudyError(
        f"{sys.prefix} is not the environment that {manifest} describes; it differs in "
        f"{different[:5] or 'the interpreter'}. Rebuild it: {REBUILD} {manifest}"
    )


if __name__ == "__main__":
    files.write_json(Path(sys.argv[1]), describe())
