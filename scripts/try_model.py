"""Propose a config for a model file, and run a first study of it: `make try`."""

import argparse

from deltann.execution import cli
from deltann.workflow import trial, trial_request


def main(options: argparse.Namespace) -> None:
    """Check what was given, then propose, write and run."""
    given = {name: getattr(options, name) for name in ("model", "images", "labels", "output")}
    trial.run(trial_request.check(**given, config=options.config))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, prog="make try")
    parser.add_argument("--model", default="", help="the model's file, or a SavedModel's folder")
    parser.add_argument("--images", default="", help="a folder of images, may have labels.csv")
    parser.add_argument("--labels", default="", help="the classes' names, one a line")
    parser.add_argument("--output", default="", help="which of several outputs has the classes")
    parser.add_argument("--config", default="", help="the config to write")
    cli.run(main, parser)
