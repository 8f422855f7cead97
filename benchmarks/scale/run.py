"""How a study's cost grows with its cells and images: a table of seconds and memory."""

import argparse
import math
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import analysis
import workflow
from measure import Measured

# What is to be reached, and at which numbers of cells and images.
GOALS = {
    ("dry run of all", "seconds"): (40, 10_000, 0),
    ("run again, nothing to do", "seconds"): (60, 10_000, 0),
    ("aggregate", "memory_mb"): (2000, 0, 50_000),
}
UNITS = {"seconds": "s", "memory_mb": "MB"}
MEASURED = "## Measured\n"


def in_a_folder(measured: Callable, scratch: Path | None, *size: int) -> list[Measured]:
    """Measure in a folder of its own, that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark-", dir=scratch))
    try:
        return list(measured(folder, *size))
    finally:
        shutil.rmtree(folder)


def growth(before: Measured | None, now: Measured) -> str:
    """The power of the size with which processor seconds grew: 1 is linear."""
    if before is None:
        return ""
    sizes = now.cells / before.cells, now.images / before.images
    return f"{math.log(now.processor_seconds / before.processor_seconds, max(sizes)):.2f}"


def table(rows: list[Measured]) -> Iterator[str]:
    """The rows in markdown, step by step, by growing size."""
    yield "| step | cells | images | seconds | processor seconds | growth | peak memory, MB |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for step in dict.fromkeys(row.step for row in rows):
        before = None
        for row in (row for row in rows if row.step == step):
            grown = growth(before, row) if before is None or row.cells >= before.cells else ""
            numbers = f"{row.cells:,} | {row.images:,} | {row.seconds:.1f}"
            numbers += f" | {row.processor_seconds:.1f} | {grown} | {row.memory_mb:.0f}"
            yield f"| {step} | {numbers} |"
            before = row


def verdicts(rows: list[Measured]) -> Iterator[str]:
    """Whether each goal was reached, of those whose size was measured."""
    for (step, name), (limit, cells, images) in GOALS.items():
        for row in rows:
            if row.step == step and row.cells >= cells and row.images >= images:
                found = getattr(row, name)
                yield (
                    f"- Goal of {step}, {row.cells:,} cells of {row.images:,} images: {found:.0f} "
                    f"{UNITS[name]} of {limit}: {'reached' if found <= limit else 'missed'}"
                )


def machine() -> str:
    """The machine in words, and how busy it is."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    load = os.getloadavg()[2]
    return f"{model}, {os.cpu_count()} processors, {platform.platform()}; load {load:.1f}"


def write(text: str, path: Path) -> None:
    """Put the text in the place of what a file has under `MEASURED`, or make the file of it."""
    kept = path.read_text(encoding="utf-8") if path.exists() else MEASURED
    path.write_text(kept[: kept.index(MEASURED)] + f"{MEASURED}\n{text}", encoding="utf-8")


def main(options: argparse.Namespace) -> None:
    """Measure every size, and write the table."""
    before = machine()
    rows = []
    for cells in options.workflows:
        rows += in_a_folder(workflow.measured, options.scratch, cells)
    for cells, images in options.studies:
        rows += in_a_folder(analysis.measured, options.scratch, cells, images)
    parts = [
        f"{before} over 15 minutes before, {os.getloadavg()[2]:.1f} after.",
        "\n".join(table(rows)),
        "\n".join(verdicts(rows)),
    ]
    text = "\n\n".join(filter(None, parts)) + "\n"
    print(text, end="")
    if options.output:
        write(text, options.output)


def size(text: str) -> tuple[int, int]:
    """`576x5500`: cells and images."""
    cells, _, images = text.partition("x")
    if not (cells.isdecimal() and images.isdecimal() and int(cells) and int(images)):
        raise argparse.ArgumentTypeError(f"{text!r}; expected cells and images, as in 576x5500")
    return int(cells), int(images)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--workflows",
        type=int,
        nargs="*",
        default=[100, 1_000, 10_000],
        help="numbers of cells whose workflow is measured, with every output made up",
    )
    parser.add_argument(
        "--studies",
        type=size,
        nargs="*",
        default=[(100, 20), (1_000, 20), (10_000, 20)]
        + [(24, images) for images in (100, 1_000, 10_000, 50_000)],
        help="cells x images of the studies that are aggregated and read, as 576x5500",
    )
    parser.add_argument("--scratch", type=Path, help="where the made-up studies go meanwhile")
    parser.add_argument(
        "--output", type=Path, help="where the table goes, in the place of what is under Measured"
    )
    sys.exit(main(parser.parse_args()))
