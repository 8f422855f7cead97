"""Find the stage and the operator at which a cell's answers leave the native ones."""

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


def chain_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options about the model files from the unconverted one to the cell's."""
    what = "edge, converter, settings and framework of each model file, JSON list"
    parser.add_argument("--chain", type=json.loads, required=True, help=what)
    parser.add_argument("--files", type=Path, nargs="+", required=True, help="the model files")
    parser.add_argument("--records", type=Path, nargs="+", required=True, help="their records")
    what = "of all environments that run or read one of these files"
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help=what)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", required=True, help="its names, joined by /")
    parser.add_argument("--cell-name", required=True, help="its readable name")
    parser.add_argument("--native-name", required=True, help="that of the native cell")
    chain_arguments(parser)
    parser.add_argument("--runtime", required=True, help="what runs the cell, in words")
    what = "its framework's own runtime runs the cell, with its defaults, on this processor"
    parser.add_argument("--native-run", action="store_true", help=what)
    what = "passes, schedule and target of a cell whose compilations can be compared here, JSON"
    parser.add_argument("--compilation", type=json.loads, required=True, help=what)
    parser.add_argument("--database", type=Path, help="of tuning records, for tuned")
    parser.add_argument("--database-record", type=Path, help="its record, JSON")
    parser.add_argument("--threads", type=int, required=True, help="0: all cores")
    for name, whose in (("", "cell"), ("native-", "native cell")):
        what = f"how the {whose}'s images are prepared, JSON"
        parser.add_argument(f"--{name}preprocessing", type=json.loads, required=True, help=what)
        what = f"the {whose}'s prepared images, NetCDF"
        parser.add_argument(f"--{name}images", type=Path, required=True, help=what)
    parser.add_argument("--prediction", type=Path, required=True, help="the cell's, NetCDF")
    parser.add_argument("--native", type=Path, required=True, help="the native cell's, NetCDF")
    parser.add_argument("--config", type=Path, required=True, help="the study's, resolved, JSON")
    parser.add_argument("--class-names", type=Path, required=True, help="one a line, in order")
    records.argument(parser, "class-names")
    parser.add_argument("--page", type=Path, required=True, help="the page to write, HTML")
    parser.add_argument("--example", type=Path, required=True, help="of the fault, zip to write")
    parser.add_argument("--facts", type=Path, required=True, help="the same, JSON")
    stage.limit_arguments(parser)
    cli.run(main, parser)
