"""Prepare the calibration images for one geometry, and check that none of them is tested too."""

import argparse
from pathlib import Path

from deltann.execution import cli, environment
from deltann.images import calibration_images, listing, resizers
from deltann.images.geometry import Geometry
from deltann.provenance import records


def main(options: argparse.Namespace) -> None:
    """Prepare and write."""
    environment.check(options.environment)
    records.check(options.photographs, options.photographs_record)
    given = {"count": options.count, "seed": options.seed, "list": options.list}
    calibration_images.prepare(
        options.images,
        {key: value for key, value in given.items() if value is not None},
        {entry.sha256 for entry in listing.read(options.photographs)},
        options.allow_tested,
        options.geometry,
        resizers.DEFAULT,
        options.output,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder, wheel or archive")
    parser.add_argument("--count", type=int, help="select so many, by --seed")
    parser.add_argument("--list", help="select those that this file names, one per line")
    parser.add_argument("--seed", type=int, help="seed of the selection by --count")
    parser.add_argument("--photographs", type=Path, required=True, help="the tested ones, CSV")
    records.argument(parser, "photographs")
    parser.add_argument(
        "--allow-tested", action="store_true", help="take images that are tested too"
    )
    parser.add_argument("--geometry", type=Geometry.parse, required=True, help="which pixels")
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output", type=Path, required=True, help="the prepared images, NetCDF")
    cli.run(main, parser)
