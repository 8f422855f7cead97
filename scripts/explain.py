"""Find the passes and the kernel at which a compiled cell's answers leave the native ones."""

import argparse
import json
from pathlib import Path

from deltann.execution import cli, environment, stage
from deltann.provenance import records


def main(options: argparse.Namespace) -> None:
    """Check the environment, then search."""
    digest = environment.check(options.environment)
    from deltann.explain import explain

    explain.explain(options, digest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", required=True, help="its names, joined by /")
    parser.add_argument("--cell-name", required=True, help="its readable name")
    parser.add_argument("--native-name", required=True, help="that of the native cell")
    parser.add_argument("--framework", required=True, help="format of the model file")
    parser.add_argument("--passes", type=json.loads, required=True, help="the cell's, JSON list")
    parser.add_argument("--schedule", required=True, help="none, rules or tuned")
    parser.add_argument("--database", type=Path, help="of tuning records, for tuned")
    parser.add_argument("--database-record", type=Path, help="its record, JSON")
    parser.add_argument("--target", type=json.loads, required=True, help="TVM target, JSON")
    parser.add_argument("--threads", type=int, required=True, help="0: all cores")
    parser.add_argument("--preprocessing", type=json.loads, required=True, help="the model's, JSON")
    parser.add_argument("--images", type=Path, required=True, help="the prepared images, NetCDF")
    parser.add_argument("--prediction", type=Path, required=True, help="the cell's, NetCDF")
    parser.add_argument("--native", type=Path, required=True, help="the native cell's, NetCDF")
    parser.add_argument("--config", type=Path, required=True, help="the study's, resolved, JSON")
    parser.add_argument("--class-names", type=Path, required=True, help="one a line, in order")
    records.argument(parser, "class-names")
    parser.add_argument("--page", type=Path, required=True, help="the page to write, HTML")
    parser.add_argument("--facts", type=Path, required=True, help="the same, JSON")
    stage.limit_arguments(parser)
    stage.model_file_arguments(parser)
    cli.run(main, parser)
