"""Repair the model file of a cell that a converter changed."""

import argparse
import json
from pathlib import Path

from deltann.execution import cli, environment, stage


def main(options: argparse.Namespace) -> None:
    """Check the environment, then search."""
    digest = environment.check(options.environment)
    from deltann.repair import repair

    repair.repair(options, digest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", required=True, help="its names, joined by /")
    parser.add_argument("--cell-name", required=True, help="its readable name")
    parser.add_argument(
        "--chain",
        type=json.loads,
        required=True,
        help="the model files from the unconverted one on: edge, converter, settings, framework; "
        "JSON list",
    )
    parser.add_argument("--files", type=Path, nargs="+", required=True, help="those files")
    parser.add_argument("--records", type=Path, nargs="+", required=True, help="their records")
    parser.add_argument(
        "--manifests", type=Path, nargs="+", required=True, help="of their environments, JSON"
    )
    parser.add_argument("--preprocessing", type=json.loads, required=True, help="the cell's, JSON")
    parser.add_argument("--images", type=Path, required=True, help="the prepared images, NetCDF")
    parser.add_argument("--calibration", type=Path, help="the calibration images, NetCDF")
    parser.add_argument(
        "--calibration-preprocessing", type=json.loads, help="the model's own, JSON"
    )
    parser.add_argument("--prediction", type=Path, required=True, help="the cell's, NetCDF")
    parser.add_argument("--native", type=Path, required=True, help="the native cell's, NetCDF")
    parser.add_argument("--target", type=json.loads, required=True, help="TVM target, JSON")
    parser.add_argument("--schedule", required=True, help="none or rules: of TVM's kernels")
    parser.add_argument("--tvm-environment", required=True, help="TVM's environment")
    parser.add_argument("--threads", type=int, required=True, help="of runtimes; 0: all cores")
    parser.add_argument("--page", type=Path, required=True, help="the page to write, HTML")
    parser.add_argument("--facts", type=Path, required=True, help="the same, JSON")
    stage.limit_arguments(parser)
    cli.run(main, parser)
