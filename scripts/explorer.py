"""Write the explorer: one page for a browser, with every cell and the images they disagree on."""

import argparse
from pathlib import Path

from deltann.execution import cli, environment
from deltann.provenance import files, records

TABLES = ("precision", "pareto")


def main(options: argparse.Namespace) -> None:
    """Collect and write."""
    digest = environment.check(options.environment)
    inputs = {options.study: records.check(options.study, options.study_record)}
    paths = {name: options.tables / f"{name}.csv" for name in TABLES}
    inputs |= {path: records.check(path, options.tables_record) for path in paths.values()}
    import pandas as pd
    import xarray as xr

    from deltann.explorer import libraries, page, thumbnails
    from deltann.explorer.cells import Explainable

    tables = {name: pd.read_csv(path) for name, path in paths.items()}
    explainable = Explainable(options.folder)
    with (
        xr.open_dataset(options.study, engine="h5netcdf") as dataset,
        thumbnails.drawing(options.inputs) as draw,
    ):
        text = page.page(dataset, tables, draw, explainable, libraries.scripts())
    files.write_text(options.output, text)
    records.write(options.record, "explorer", [options.output], inputs, digest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, required=True, help="the study dataset, NetCDF")
    records.argument(parser, "study")
    parser.add_argument("--tables", type=Path, required=True, help="folder of the CSV tables")
    records.argument(parser, "tables")
    parser.add_argument(
        "--inputs", type=Path, required=True, nargs="+", help="the prepared images, NetCDF"
    )
    parser.add_argument("--folder", required=True, help="the study's, for the commands on the page")
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output", type=Path, required=True, help="the explorer, HTML")
    records.argument(parser)
    cli.run(main, parser)
