"""Tune the kernels of a model for one device: what the schedule `tuned` compiles with."""

import argparse
import json
import os

from deltann.execution import cli, stage


def main(options: argparse.Namespace) -> None:
    """Measure in a child process, and leave the records as a database."""
    names = ("framework", "passes", "target", "trials", "known")
    arguments = {name: getattr(options, name) for name in names}
    arguments["threads"] = options.threads or len(os.sched_getaffinity(0))
    stage.run_stage("tune", arguments, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--framework", required=True, help="format of the model file")
    parser.add_argument("--passes", type=json.loads, required=True, help="switched on, JSON list")
    parser.add_argument("--target", type=json.loads, required=True, help="TVM target, JSON")
    parser.add_argument("--threads", type=int, required=True, help="0: all cores")
    parser.add_argument("--trials", type=int, required=True, help="choices measured per kernel")
    parser.add_argument("--known", help="a database to start from")
    stage.arguments(parser)
    cli.run(main, parser)
