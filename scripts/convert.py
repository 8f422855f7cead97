"""Convert a model file to another framework by one converter."""

import argparse
import json

from deltann.execution import cli, stage


def main(options: argparse.Namespace) -> None:
    """Convert in a child process."""
    arguments = {"converter": options.converter, "settings": options.settings}
    stage.run_stage("convert", arguments, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--converter", required=True, help="module in deltann.converters")
    parser.add_argument("--settings", type=json.loads, required=True, help="JSON object")
    stage.arguments(parser)
    cli.run(main, parser)
