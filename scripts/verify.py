"""Check a finished study: every file against its record, every cell of its grid."""

import argparse
import sys
from pathlib import Path

from deltann.errors import StudyError
from deltann.execution import cli


def main(options: argparse.Namespace) -> None:
    """Print `ok` or each fault; exit with 1 if there is one."""
    from deltann.archive.verify import Verification

    if not options.study.is_dir():
        raise StudyError(f"{options.study}: no such folder; expected results/<study>")
    found = Verification(options.study)
    for path in found.left_over:
        print(f"note: {path} is no part of the study")
    for line in found.wrong:
        print(f"wrong: {line}")
    counts = ", ".join(f"{count} {kind}" for kind, count in found.counts.items())
    print(f"{'wrong' if found.wrong else 'ok'}: {options.study}: {counts}")
    sys.exit(bool(found.wrong))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="results/<study>")
    cli.run(main, parser)
