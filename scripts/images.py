"""Fetch the package that carries the photographs, and check that it is the one that is meant."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from deltann import files, program
from deltann.errors import StudyError


def fetch(package: str, sha256: str, output: Path) -> None:
    """Download a package's wheel, without its dependencies, from pip's configured index.

    Raises:
        StudyError: pip found no such wheel, or its SHA-256 is another.
    """
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text(f"{package} --hash=sha256:{sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--require-hashes", "--dest", folder]
        try:
            subprocess.run([*command, "--requirement", str(requirements)], check=True)
        except subprocess.CalledProcessError as error:
            raise StudyError(
                f"{package} with SHA-256 {sha256} could not be downloaded: see pip's message above"
            ) from error
        (wheel,) = Path(folder).glob("*.whl")
        with files.atomic(output) as part:
            part.write_bytes(wheel.read_bytes())


def main(options: argparse.Namespace) -> None:
    """Fetch."""
    fetch(options.package, options.sha256, options.output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", required=True, help="name==version")
    parser.add_argument("--sha256", required=True, help="of its wheel")
    parser.add_argument("--output", type=Path, required=True, help="the wheel")
    program.run(main, parser)
