"""Compute every table of the study from its dataset."""

import argparse
from pathlib import Path

from deltann.execution import cli, environment
from deltann.provenance import files, records


def main(options: argparse.Namespace) -> None:
    """Compute and write each table as CSV, those in the paper's layout for reading too."""
    digest = environment.check(options.environment)
    read = records.check(options.study, options.study_record)
    import xarray as xr

    from deltann import tables
    from deltann.tables import passes, speedups

    readable = {"passes": passes, "speedups": speedups}
    made = []
    with xr.open_dataset(options.study, engine="h5netcdf") as dataset:
        study = tables.Study(dataset)
        for name in tables.MAKERS:
            rows = tables.table(name, study)
            text = {".csv": rows.to_csv(index=False, float_format="%.6g")}
            if name in readable:
                text[".md"] = readable[name].markdown(rows)
            for suffix, content in text.items():
                made.append(options.output_folder / f"{name}{suffix}")
                files.write_text(made[-1], content)
    records.seal(options.record, made, read, digest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, required=True, help="the study dataset, NetCDF")
    records.argument(parser, "study")
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output-folder", type=Path, required=True, help="where the CSV files go")
    records.argument(parser)
    cli.run(main, parser)
