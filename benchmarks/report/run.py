"""Time each step from prediction files to what is read, on a made-up study, and its memory."""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = ROOT / "scripts"
# As in config/config.yaml.
TOLERANCES = ["--probe-tolerance", "0.15", "--contention-tolerance", "0.05"]
# As in rules/figures.smk: the figures that draw the table of another name.
DRAWN = {"backends": "conversions"}
# The goal for 576 cells of 5,500 images.
SECONDS, MEGABYTES = 600, 2000


@dataclass(frozen=True)
class Measured:
    """What a step took: wall-clock and processor seconds, and its largest resident memory."""

    step: str
    seconds: float
    processor_seconds: float
    memory_mb: float


def measure(step: str, command: list[str]) -> Measured:
    """Run a program to its end.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    start = time.monotonic()
    child = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(SCRIPTS)})
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    processor = usage.ru_utime + usage.ru_stime
    # Linux counts in KiB; children that a program waited for are in its times, not its memory
    return Measured(step, seconds, processor, usage.ru_maxrss * 1024 / 1e6)


def figures() -> list[str]:
    """The modules that draw a table; found by reading them, for importing them takes memory."""
    paths = sorted((SCRIPTS / "deltann" / "figures").glob("*.py"))
    return [path.stem for path in paths if re.search(r"^def draw\(table\b", path.read_text(), re.M)]


def commands(folder: Path) -> dict[str, list[str]]:
    """The program of each step and its arguments, in the order of the rules."""
    study, tables = folder / "study.nc", folder / "tables"
    images = [str(path) for path in sorted(folder.glob("inputs/*/*.nc"))]
    listed, record, tables_record = (
        folder / name for name in ("cells.txt", "study.nc.json", "tables/record.json")
    )
    aggregate = [
        "--cells",
        listed,
        "--cells-sha256",
        hashlib.sha256(listed.read_bytes()).hexdigest(),
        *TOLERANCES,
    ]
    dataset = ["--study", study, "--study-record", record]
    steps = {
        "aggregate": ["aggregate.py", *aggregate, "--output", study, "--record", record],
        "tables": ["tables.py", *dataset, "--output-folder", tables, "--record", tables_record],
    }
    for name in figures():
        table, stem = tables / f"{DRAWN.get(name, name)}.csv", folder / "figures" / name
        steps[f"figure {name}"] = ["figures.py", "--figure", name, "--table", table]
        steps[f"figure {name}"] += ["--table-record", tables_record, "--output-stem", stem]
        steps[f"figure {name}"] += ["--record", stem.with_suffix(".json")]
    from_study = [*dataset, "--inputs", *images]
    gallery = folder / "gallery.xhtml"
    steps["gallery"] = ["gallery.py", *from_study, "--output", gallery]
    steps["gallery"] += ["--record", folder / "gallery.xhtml.json"]
    summary = folder / "summary.md"
    steps["summary"] = ["summary.py", "--tables", tables, *from_study, "--output", summary]
    steps["summary"] += ["--page", summary.with_suffix(".html")]
    steps["summary"] += ["--tables-record", tables_record, "--record", folder / "summary.json"]
    environment = ["--environment", folder / "environment.json"]
    return {
        step: [sys.executable, str(SCRIPTS / script), *map(str, [*arguments, *environment])]
        for step, (script, *arguments) in steps.items()
    }


def report(rows: list[Measured], folder: Path, cells: int, images: int) -> str:
    """The table in markdown, and whether the goal is reached."""
    total = sum(row.seconds for row in rows)
    memory = max(row.memory_mb for row in rows)
    lines = [
        f"# {cells} cells of {images} images",
        "",
        "| step | seconds | processor seconds | peak memory, MB |",
        "| --- | ---: | ---: | ---: |",
    ]
    for row in rows:
        numbers = f"{row.seconds:.1f} | {row.processor_seconds:.1f} | {row.memory_mb:.0f}"
        lines.append(f"| {row.step} | {numbers} |")
    processor = sum(row.processor_seconds for row in rows)
    lines += [
        f"| all, one after the other | {total:.1f} | {processor:.1f} | {memory:.0f} |",
        "",
        f"Goal ({SECONDS} s, {MEGABYTES} MB): "
        f"{'reached' if total <= SECONDS and memory <= MEGABYTES else 'missed'}. "
        f"Machine: {os.cpu_count()} processors, load {os.getloadavg()[2]:.1f} over 15 minutes. "
        f"Study dataset: {(folder / 'study.nc').stat().st_size / 1e9:.2f} GB; gallery: "
        f"{(folder / 'gallery.xhtml').stat().st_size / 1e6:.1f} MB.",
    ]
    return "\n".join(lines) + "\n"


def main(options: argparse.Namespace) -> None:
    """Make the study, measure, write the table, and remove what was made."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark-", dir=options.scratch))
    try:
        program = [sys.executable, str(Path(__file__).with_name("study.py"))]
        size = ["--cells", str(options.cells), "--images", str(options.images)]
        made = measure("make", [*program, *size, "--folder", str(folder)])
        print(f"made the study in {made.seconds:.0f} s", flush=True)
        rows = []
        for step, command in commands(folder).items():
            rows.append(measure(step, command))
            print(rows[-1], flush=True)
        text = report(rows, folder, options.cells, options.images)
    finally:
        shutil.rmtree(folder)
    print(text)
    if options.output:
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=576, help="at most 576")
    parser.add_argument("--images", type=int, default=5500)
    parser.add_argument("--scratch", type=Path, help="where the made-up study goes meanwhile")
    parser.add_argument("--output", type=Path, help="the table, markdown")
    main(parser.parse_args())
