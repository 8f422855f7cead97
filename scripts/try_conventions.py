"""Run a model on a few images in each convention: see which one it was trained with."""

import argparse
import json
from pathlib import Path

from deltann.execution import cli, stage


def main(options: argparse.Namespace) -> None:
    """Run in a child process."""
    names = ("source", "model_file", "preprocessing", "images", "count")
    arguments = {name: getattr(options, name) for name in names}
    stage.run_question("try_conventions", arguments, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="framework of the model")
    parser.add_argument("--model-file", required=True, help="the exported model")
    parser.add_argument("--preprocessing", type=json.loads, required=True, help="proposed, JSON")
    parser.add_argument("--images", required=True, help="prepared images, NetCDF")
    parser.add_argument("--count", type=int, required=True, help="of images, at most")
    stage.limit_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="the answer, JSON")
    cli.run(main, parser)
