"""Convert changed files on: a fault of an earlier conversion in all files behind it.

Run in an environment of converters: `hops.py CORPUS ENVIRONMENT`. A tool that fails leaves
`<file>.failed` with its message.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from conversions import CONVERSIONS  # noqa: E402

from deltann import converters  # noqa: E402  the folder above first

# The part of the corpus with faults before the last conversion.
PART = "hops"


def truths(corpus: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The truth of each case of the part, and its file."""
    for path in sorted(corpus.glob("truth/*.json")):
        truth = json.loads(path.read_text("utf-8"))
        if truth["part"] == PART:
            yield path, truth


def failure(file: Path) -> Path:
    """Where it says why a file couldn't be made."""
    return file.with_name(f"{file.name}.failed")


def convert(corpus: Path, environment: str) -> None:
    """Convert what isn't there yet, by the converters of an environment."""
    for _, truth in truths(corpus):
        for before, after in zip(truth["files"], truth["files"][1:], strict=False):
            source, output = corpus / before["path"], corpus / after["path"]
            conversion = CONVERSIONS[after["conversion"]]
            module = converters.get(conversion.converter)
            known = output.exists() or failure(output).exists()
            if known or module.ENVIRONMENT != environment or not source.exists():
                continue
            failure(output).write_text("the tool ended the process", encoding="utf-8")
            try:
                module.convert(source, output, **conversion.settings)
                failure(output).unlink()
            except Exception as error:  # of the foreign tool: the case is left out
                output.unlink(missing_ok=True)
                failure(output).write_text(f"{type(error).__name__}: {error}", encoding="utf-8")


if __name__ == "__main__":
    convert(Path(sys.argv[1]), sys.argv[2])
