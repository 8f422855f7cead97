"""Print where a study's results are, how many cells ran, and what was found."""

import argparse
from pathlib import Path

from deltann.execution import cli
from deltann.workflow import print_summary


def main(options: argparse.Namespace) -> None:
    """Print the end of a run."""
    print(print_summary.text(options.study))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="the study's folder, results/<study>")
    cli.run(main, parser)
