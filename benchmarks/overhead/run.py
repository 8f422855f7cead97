"""Run the default study: for what share of the time is no foreign tool at work?"""

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from deltann.execution.worker import BEGINS, ENDS  # noqa: E402
from deltann.stages import machine  # noqa: E402  the folder above first

CONFIGS = [str(ROOT / "config/config.yaml"), str(Path(__file__).with_name("study.yaml"))]
RESULTS = ROOT / "results/benchmark-overhead"
WORK = re.compile(
    rf"{BEGINS} deltann\.stages\.(?P<stage>\w+?)(?:_child)? (?P<start>[\d.]+)$(?P<said>.*?)"
    rf"{ENDS} \S+ (?P<end>[\d.]+) (?P<processor>[\d.]+)$",
    re.DOTALL | re.MULTILINE,
)
# A line of `python -X importtime`: of modules that no other module imported, the whole time in µs.
IMPORTED = re.compile(r"^import time: +\d+ \| +(\d+) \| \S", re.MULTILINE)
# The goal: no foreign tool is at work for less than this share of the time.
GOAL = 0.25


@dataclass(frozen=True)
class Work:
    """A foreign tool at work: a stage's call in its child process.

    Attributes:
        stage: the module's name.
        start, end: seconds since 1970.
        processor: its processor seconds.
        imports: seconds for which it imported modules, the framework's above all.
    """

    stage: str
    start: float
    end: float
    processor: float
    imports: float

    @classmethod
    def read(cls, log: Path) -> "Work | None":
        """From a job's log; None where it has no such call.

        Raises:
            RuntimeError: the call didn't end by itself.
        """
        text = log.read_text(encoding="utf-8", errors="replace")
        found = WORK.search(text)
        if found is None:
            if BEGINS in text:
                raise RuntimeError(f"{log}: the foreign tool was ended; expected a study without")
            return None
        imports = sum(int(microseconds) for microseconds in IMPORTED.findall(found["said"])) / 1e6
        times = [float(found[name]) for name in ("start", "end", "processor")]
        return cls(found["stage"], *times, imports)


@dataclass(frozen=True)
class Run:
    """The whole study: when it started and ended, its processor seconds, and the calls in it."""

    start: float
    end: float
    processor: float
    works: list[Work]

    @property
    def seconds(self) -> float:
        """Wall-clock."""
        return self.end - self.start


def run() -> Run:
    """Run the study from nothing but environments and photographs.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    snakemake = [".venv/bin/snakemake", "--cores", "all", "--quiet", "all", "--configfile"]
    prepared = ["--until", "environment", "fetch_images"]
    subprocess.run([*snakemake, *CONFIGS, *prepared], cwd=ROOT, check=True)
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    traced = os.environ | {"PYTHONPROFILEIMPORTTIME": "1"}
    start, before = time.time(), processor_seconds()
    with open(RESULTS / "benchmark.log", "w") as log:
        command = ["make", "study", f"CONFIG={' '.join(CONFIGS)}"]
        subprocess.run(command, cwd=ROOT, check=True, env=traced, stdout=log, stderr=log)
    end, after = time.time(), processor_seconds()
    works = [Work.read(log) for log in sorted((RESULTS / "logs").rglob("*.log"))]
    return Run(start, end, after - before, [work for work in works if work])


def processor_seconds() -> float:
    """Processor seconds that this process's children and theirs had."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def covered(intervals: Iterable[tuple[float, float]]) -> float:
    """Seconds that at least one of the intervals covers."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def table(measured: Run) -> Iterator[str]:
    """What the time went to, in markdown."""
    works, whole = measured.works, measured.seconds
    busy = covered((work.start, work.end) for work in works)
    # a framework is imported when its call begins
    own = covered((min(work.start + work.imports, work.end), work.end) for work in works)
    first, last = min(work.start for work in works), max(work.end for work in works)
    rows = {
        "a foreign tool at work, its imports apart": own,
        "only imports of foreign tools": busy - own,
        "**no foreign tool at work**": whole - busy,
        "— before the first": first - measured.start,
        "— between them": last - first - busy,
        "— after the last": measured.end - last,
        "all": whole,
    }
    yield "| | seconds | share |"
    yield "| --- | ---: | ---: |"
    for name, seconds in rows.items():
        yield f"| {name} | {seconds:.1f} | {100 * seconds / whole:.1f} % |"
    spent = sum(work.processor for work in works)
    rest = measured.processor - spent
    for name, seconds in {"foreign tools": spent, "all else": rest}.items():
        share = seconds / measured.processor
        yield f"| processor time, {name} | {seconds:.1f} | {100 * share:.1f} % |"


def stages(works: list[Work]) -> Iterator[str]:
    """The foreign calls of each stage, in markdown."""
    yield "| stage | calls | seconds | of which imports | processor seconds |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    by_stage = sorted(works, key=lambda work: work.stage)
    for stage, group in groupby(by_stage, key=lambda work: work.stage):
        found = list(group)
        sums = [sum(getattr(work, name) for work in found) for name in ("imports", "processor")]
        seconds = sum(work.end - work.start for work in found)
        yield f"| {stage} | {len(found)} | {seconds:.1f} | {sums[0]:.1f} | {sums[1]:.1f} |"


def main(options: argparse.Namespace) -> None:
    """Run, and print the tables."""
    load = os.getloadavg()[1]
    measured = run()
    host = machine.describe(0)
    where = f"{host['processor']}, {host['cores']} cores, {host['system']}"
    share = 1 - covered((work.start, work.end) for work in measured.works) / measured.seconds
    parts = [
        f"{where}; load {load:.1f} over 5 minutes before.",
        "\n".join(table(measured)),
        f"Goal (less than {100 * GOAL:.0f} % of the time without a foreign tool at work): "
        f"{'reached' if share < GOAL else 'missed'}, {100 * share:.1f} %.",
        "\n".join(stages(measured.works)),
    ]
    text = "\n\n".join(parts) + "\n"
    print(text, end="")
    if options.output:
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, help="the tables, markdown")
    main(parser.parse_args())
