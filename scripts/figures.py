"""Draw one figure from its table: PDF for print, PNG for the eye, and the table drawn."""

import argparse
from pathlib import Path

from deltann.execution import cli, environment
from deltann.provenance import files, records


def main(options: argparse.Namespace) -> None:
    """Draw and write."""
    digest = environment.check(options.environment)
    inputs = {options.table: records.check(options.table, options.table_record)}
    import pandas as pd

    from deltann import figures
    from deltann.figures import output, style

    style.use()
    pages = figures.get(options.figure).draw(pd.read_csv(options.table))
    outputs = csv, pdf, png = [_path(options, suffix) for suffix in (".csv", ".pdf", ".png")]
    files.write_text(csv, options.table.read_text(encoding="utf-8"))
    with files.atomic(pdf) as pdf_part, files.atomic(png) as png_part:
        output.save(pages, pdf_part, png_part)
    records.write(options.record, "figures", outputs, inputs, digest)


def _path(options: argparse.Namespace, suffix: str) -> Path:
    return options.output_stem.with_name(options.output_stem.name + suffix)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", required=True, help="its name")
    parser.add_argument("--table", type=Path, required=True, help="the table that it draws, CSV")
    records.argument(parser, "table")
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output-stem", type=Path, required=True, help="path without the suffix")
    records.argument(parser)
    cli.run(main, parser)
