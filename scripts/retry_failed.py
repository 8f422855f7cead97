"""Drop what failed in a study, so that the next run tries it again."""

import argparse
from pathlib import Path

import h5netcdf

from deltann.errors import StudyError
from deltann.execution import cli
from deltann.provenance import records
from deltann.study import layout


def drop(study: Path) -> list[Path]:
    """Delete failed records with their empty artifacts, and failed cells; return their paths.

    The dataset is deleted too, as Snakemake only makes a missing file again if another file that
    it has to make needs it.

    Raises:
        StudyError: no such study.
    """
    if not study.is_dir():
        raise StudyError(f"{study}: no such folder; expected results/<study>")
    dropped = []
    for record in layout.artifact_records(study):
        described = records.read(record)
        if described["status"] == "failed":
            dropped += [record, *records.resolve(described["outputs"], record)]
    for cell in sorted((study / layout.PREDICTIONS).rglob("*.nc")):
        with h5netcdf.File(cell, "r") as opened:
            failed = opened.attrs["status"] == "failed"
        if failed:
            dropped.append(cell)
    if dropped:
        dropped.append(study / layout.DATASET)
    for path in dropped:
        path.unlink(missing_ok=True)
    return dropped


def main(options: argparse.Namespace) -> None:
    """Drop, and say what."""
    dropped = drop(options.study)
    print("\n".join(map(str, dropped)) or "nothing failed")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="results/<study>")
    cli.run(main, parser)
