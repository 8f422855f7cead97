"""Print where a study's results are, how many cells ran, and what was found."""

import argparse
from pathlib import Path

from deltann.execution import cli
from deltann.workflow import print_summary


def main(options: argparse.Namespace) -> None:
    """Print the end of a run."""
    print(print_summary.text(options.study, failed=bool(options.exit_code)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="the study's folder, results/<study>")
    parser.add_argument(
        "--exit-code", type=int, default=0, help="Snakemake's exit code; not 0 if jobs failed"
    )
    cli.run(main, parser)
