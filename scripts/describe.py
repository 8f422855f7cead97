"""Ask a model file what it says of itself: its input, its outputs, its types."""

import argparse
from pathlib import Path

from deltann.execution import cli, stage


def main(options: argparse.Namespace) -> None:
    """Ask in a child process."""
    stage.run_question("describe", {"source": options.source, "file": options.file}, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="framework of the file")
    parser.add_argument("--file", required=True, help="the model's file or folder")
    stage.limit_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="the answer, JSON")
    cli.run(main, parser)
