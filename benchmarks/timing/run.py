"""Time the same cells again and again by the study's own rule: do their medians agree?"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from deltann.cell import Cell  # noqa: E402
from deltann.dataset import aggregate  # noqa: E402  the folder above first
from deltann.stages import machine  # noqa: E402  the folder above first
from deltann.study import grid, schema  # noqa: E402  the folder above first

CONFIG = Path(__file__).with_name("study.yaml")
DEVICES = {"one": "one thread", "all": "all cores"}
BACKENDS = {"native": "ONNX Runtime", "O4": "TVM O4"}
# The goal: so large a share of the runs have a median this near to the median of all medians.
NEAR, SHARE = 0.05, 0.9


@dataclass
class Repeated:
    """One cell's runs: each one's median seconds an image, and what the machine did meanwhile.

    Attributes:
        answers: the different logits that its runs gave, byte for byte.
    """

    cell: Cell
    medians: list[float] = field(default_factory=list)
    contention: list[float] = field(default_factory=list)
    drift: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)
    answers: set[bytes] = field(default_factory=set)

    @property
    def path(self) -> str:
        """Its prediction file, as rules/infer.smk names it."""
        return f"results/benchmark-timing/predictions/{self.cell}.nc"

    def add(self) -> None:
        """Read what a run left.

        Raises:
            RuntimeError: it failed.
        """
        with xr.open_dataset(ROOT / self.path, engine="h5netcdf") as run:
            if run.status != "ok":
                raise RuntimeError(f"{self.path}: {run.error_type}: {run.error_message}")
            self.medians.append(float(run.latency.median()))
            self.answers.add(run.logits.values.tobytes())
            self.contention.append(float(run.contention))
            self.drift.append(float(run.probe_drift))
            self.spread.append(float(run.pass_spread))

    def disturbed(self, tolerances: aggregate.Tolerances) -> np.ndarray:
        """Per run, whether a study would flag it."""
        runs = zip(self.drift, self.contention, self.spread, strict=True)
        return np.array([tolerances.exceeded(*run) for run in runs])

    def near(self) -> np.ndarray:
        """Per run, whether its median is near to the median of all runs' medians."""
        return abs(np.array(self.medians) / np.median(self.medians) - 1) <= NEAR


def snakemake(targets: list[str], *options: str) -> None:
    """Make files by the study's rules.

    Raises:
        subprocess.CalledProcessError: Snakemake failed.
    """
    command = [".venv/bin/snakemake", "--cores", "all", "--configfile", str(CONFIG), *options]
    subprocess.run([*command, "--quiet", "all", "--", *targets], cwd=ROOT, check=True)


def table(cells: list[Repeated], tolerances: aggregate.Tolerances) -> Iterator[str]:
    """The cells in markdown, a line each; times in ms."""
    yield (
        "| | threads | median of medians, ms | least | most | runs within 5 % | disturbed "
        "| of the others, within 5 % | contention, most | pass spread, most | different answers |"
    )
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for item in cells:
        near, quiet = item.near(), ~item.disturbed(tolerances)
        columns = [
            BACKENDS[item.cell.backend],
            DEVICES[item.cell.device],
            *(f"{1000 * of(item.medians):.2f}" for of in (np.median, min, max)),
            f"{near.sum()} of {near.size}",
            str((~quiet).sum()),
            f"{near[quiet].sum()} of {quiet.sum()}",
            f"{100 * max(item.contention):.1f} %",
            f"{max(item.spread):.2f}",
            str(len(item.answers)),
        ]
        yield f"| {' | '.join(columns)} |"


def verdict(cells: list[Repeated]) -> str:
    """Whether the goal was reached, and by which of its cells not."""
    missed = [
        f"{BACKENDS[item.cell.backend]} on {DEVICES[item.cell.device]}"
        for item in cells
        if item.near().mean() < SHARE
    ]
    goal = f"Goal ({100 * SHARE:.0f} % of the runs within {100 * NEAR:.0f} %)"
    return f"{goal}: {'not reached by ' + ', '.join(missed) if missed else 'reached by each cell'}."


def each_run(cells: list[Repeated], tolerances: aggregate.Tolerances) -> Iterator[str]:
    """Every run's median in ms, in the order of time; an asterisk where it is disturbed."""
    for item in cells:
        runs = zip(item.medians, item.disturbed(tolerances), strict=True)
        shown = ", ".join(f"{1000 * median:.2f}{'*' if flag else ''}" for median, flag in runs)
        yield f"- {BACKENDS[item.cell.backend]}, {DEVICES[item.cell.device]}: {shown}"


def main(options: argparse.Namespace) -> None:
    """Build once, time all cells in each round, and write the table."""
    config = schema.read(CONFIG)
    timing = config["timing"]
    tolerances = aggregate.Tolerances(timing["probe_tolerance"], timing["contention_tolerance"])
    cells = [Repeated(cell) for cell in grid.cells(config)]
    paths = [item.path for item in cells]
    snakemake(paths)
    load = os.getloadavg()[2]
    for number in range(options.runs):
        print(f"run {number + 1} of {options.runs}", flush=True)
        snakemake(paths, "--forcerun", "infer")
        for item in cells:
            item.add()
    host = machine.describe(0)
    where = f"{host['processor']}, {host['cores']} cores, {host['system']}"
    parts = [
        f"{where}; {options.runs} runs; load {load:.1f} over 15 minutes before them.",
        "\n".join(table(cells, tolerances)),
        verdict(cells),
        "Medians in ms, run by run (* disturbed):",
        "\n".join(each_run(cells, tolerances)),
    ]
    text = "\n\n".join(parts) + "\n"
    print(text, end="")
    if options.output:
        options.output.write_text(text, encoding="utf-8")


def count(text: str) -> int:
    """A number of runs: one at least."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number}; expected 1 or more")
    return number


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=count, default=10, help="of each cell")
    parser.add_argument("--output", type=Path, help="the table, markdown")
    main(parser.parse_args())
