"""Prepare the photographs for one geometry: decoded, resized and cropped."""

import argparse
from pathlib import Path

from deltann.execution import cli, environment
from deltann.images import listing, prepare
from deltann.images.geometry import Geometry
from deltann.provenance import records


def main(options: argparse.Namespace) -> None:
    """Prepare and write."""
    environment.check(options.environment)
    records.check(options.photographs, options.photographs_record)
    listed = listing.read(options.photographs)
    read = (
        prepare.Photograph(entry.image, entry.label, data)
        for entry, data in listing.contents(options.images, listed)
    )
    prepare.prepare(read, options.geometry, options.resizer, options.output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--geometry", type=Geometry.parse, required=True, help="which pixels")
    parser.add_argument("--resizer", required=True, help="module in deltann.images.resizers")
    parser.add_argument("--images", type=Path, required=True, help="folder, wheel or archive")
    parser.add_argument("--photographs", type=Path, required=True, help="the list of them, CSV")
    records.argument(parser, "photographs")
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output", type=Path, required=True, help="the prepared images, NetCDF")
    cli.run(main, parser)
