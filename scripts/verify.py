"""Check that a finished study is whole: every file against its digest, every cell of its grid."""

import argparse
import sys
from pathlib import Path

from deltann.errors import StudyError
from deltann.execution import cli


def main(options: argparse.Namespace) -> None:
    """Check, and say `ok`, or what is wrong; exit with 1 if something is."""
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
