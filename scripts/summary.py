"""Sum the study up in markdown; the record has the findings, the strongest first."""

import argparse
from pathlib import Path

from deltann.execution import cli, environment
from deltann.provenance import files, records


def main(options: argparse.Namespace) -> None:
    """Read the tables and write."""
    digest = environment.check(options.environment)
    import pandas as pd
    import xarray as xr

    from deltann import registry, summary
    from deltann.tables.study import Study

    inputs = {options.study: records.check(options.study, options.study_record)}
    paths = {name: options.tables / f"{name}.csv" for name in registry.tables()}
    inputs |= {path: records.check(path, options.tables_record) for path in paths.values()}
    tables = {name: pd.read_csv(path) for name, path in paths.items()}
    with xr.open_dataset(options.study, engine="h5netcdf") as dataset:
        excluded = summary.read_excluded(options.inputs)
        text, findings = summary.summary(tables, Study(dataset), excluded, options.seeded)
    files.write_text(options.output, text)
    found = [{"text": finding.text, "figures": finding.figures} for finding in findings]
    records.write(options.record, "summary", [options.output], inputs, digest, findings=found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, required=True, help="folder of the CSV tables")
    records.argument(parser, "tables")
    parser.add_argument("--study", type=Path, required=True, help="the study dataset, NetCDF")
    records.argument(parser, "study")
    parser.add_argument(
        "--inputs", type=Path, required=True, nargs="+", help="the prepared images, NetCDF"
    )
    parser.add_argument("--seeded", nargs="*", default=[], help="models of seeded weights")
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output", type=Path, required=True, help="the summary, markdown")
    records.argument(parser)
    cli.run(main, parser)
