"""Show the images on which cells disagree, with every answer, in one file for a browser."""

import argparse
from pathlib import Path

from deltann.execution import cli, environment
from deltann.provenance import files, records


def main(options: argparse.Namespace) -> None:
    """Collect and write."""
    digest = environment.check(options.environment)
    inputs = {options.study: records.check(options.study, options.study_record)}
    import xarray as xr

    from deltann.gallery import page, thumbnails
    from deltann.images import class_names

    named = class_names.read(**options.class_names) if options.class_names else []

    with (
        xr.open_dataset(options.study, engine="h5netcdf") as dataset,
        thumbnails.drawing(options.inputs) as draw,
    ):
        text = page.page(dataset, draw, class_names=class_names.shown(named))
    files.write_text(options.output, text)
    records.write(options.record, "gallery", [options.output], inputs, digest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, required=True, help="the study dataset, NetCDF")
    records.argument(parser, "study")
    parser.add_argument(
        "--inputs", type=Path, required=True, nargs="+", help="the prepared images, NetCDF"
    )
    cli.class_names_argument(parser)
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output", type=Path, required=True, help="the gallery, XHTML")
    records.argument(parser)
    cli.run(main, parser)
