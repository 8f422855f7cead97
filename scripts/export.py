"""Export a model with its weights to the native file of its source framework."""

import argparse
import json
from pathlib import Path

from deltann.execution import cli, stage


def main(options: argparse.Namespace) -> None:
    """Export in a child process."""
    names = ("module", "request", "images")
    arguments = {name: getattr(options, name) for name in names}
    stage.run_stage("export", arguments, options, user_files=options.file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", required=True, help="module in deltann.models")
    parser.add_argument("--request", type=json.loads, required=True, help="what is asked, JSON")
    parser.add_argument("--images", help="that seeded weights are fitted to, NetCDF")
    parser.add_argument(
        "--file",
        type=Path,
        action="append",
        default=[],
        help="one of the user's files that the export reads",
    )
    stage.arguments(parser, from_model_file=False)
    cli.run(main, parser)
