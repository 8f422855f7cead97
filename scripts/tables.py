"""Compute every table of the study from its dataset."""

import argparse
from pathlib import Path

from deltann import registry
from deltann.execution import cli, environment
from deltann.provenance import files, records


def main(options: argparse.Namespace) -> None:
    """Compute and write each table as CSV, and as markdown if its module lays it out."""
    digest = environment.check(options.environment)
    inputs = {options.study: records.check(options.study, options.study_record)}
    import xarray as xr

    from deltann.tables import compute
    from deltann.tables.study import Study

    outputs = []
    with xr.open_dataset(options.study, engine="h5netcdf") as dataset:
        study = Study(dataset)
        for name, declared in registry.tables().items():
            table = compute.table(name, study)
            texts = {".csv": table.to_csv(index=False, float_format="%.6g")}
            if declared.markdown:
                texts[".md"] = compute.markdown(name, table)
            for suffix, text in texts.items():
                outputs.append(options.output_folder / f"{name}{suffix}")
                files.write_text(outputs[-1], text)
    records.write(options.record, "tables", outputs, inputs, digest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, required=True, help="the study dataset, NetCDF")
    records.argument(parser, "study")
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output-folder", type=Path, required=True, help="where the CSV files go")
    records.argument(parser)
    cli.run(main, parser)
