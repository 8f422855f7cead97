"""Stack all cells' prediction files into the study dataset."""

import argparse
from pathlib import Path

from deltann.errors import StudyError
from deltann.execution import cli, environment
from deltann.provenance import files, records


def main(options: argparse.Namespace) -> None:
    """Aggregate and write."""
    digest = environment.check(options.environment)
    from deltann.dataset import aggregate
    from deltann.images import class_names

    if files.checksum(options.cells) != options.cells_sha256:
        raise StudyError(f"{options.cells}: checksum mismatch: {records.REPAIR}")
    inputs = {options.class_names: records.check(options.class_names, options.class_names_record)}
    names = class_names.from_text(options.class_names.read_text(encoding="utf-8"))
    paths = [Path(line) for line in options.cells.read_text(encoding="utf-8").splitlines()]
    tolerances = aggregate.Tolerances(options.probe_tolerance, options.contention_tolerance)
    aggregate.aggregate(paths, options.output, tolerances, digest, names)
    records.write(options.record, "aggregate", [options.output], inputs, digest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, required=True, help="prediction files, one per line")
    parser.add_argument("--cells-sha256", required=True, help="expected SHA-256 of that file")
    parser.add_argument("--class-names", type=Path, required=True, help="one a line, in order")
    records.argument(parser, "class-names")
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output", type=Path, required=True, help="the study dataset, NetCDF")
    records.argument(parser)
    parser.add_argument(
        "--probe-tolerance", type=float, required=True, help="share by which the probe may drift"
    )
    parser.add_argument(
        "--contention-tolerance",
        type=float,
        required=True,
        help="share of its processor time that others may get",
    )
    cli.run(main, parser)
