"""Compute every table of the study from its dataset."""

import argparse
from pathlib import Path

from deltann import environment, files, program


def main(options: argparse.Namespace) -> None:
    """Compute and write each table as CSV, those in the paper's layout for reading too."""
    environment.check(options.environment)
    import xarray as xr

    from deltann import tables
    from deltann.tables import passes, speedups

    readable = {"passes": passes, "speedups": speedups}
    with xr.open_dataset(options.study, engine="h5netcdf") as dataset:
        study = tables.Study(dataset)
        for name in tables.MAKERS:
            rows = tables.table(name, study)
            text = rows.to_csv(index=False, float_format="%.6g")
            files.write_text(options.output_folder / f"{name}.csv", text)
            if name in readable:
                path = options.output_folder / f"{name}.md"
                files.write_text(path, readable[name].markdown(rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, required=True, help="the study dataset, NetCDF")
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output-folder", type=Path, required=True, help="where the CSV files go")
    program.run(main, parser)
