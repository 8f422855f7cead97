"""The programs from prediction files to what is read, on a made-up study."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from measure import ROOT, Measured, measure

SCRIPTS = ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
from deltann import registry  # noqa: E402

# As in config/config.yaml.
TOLERANCES = ["--probe-tolerance", "0.15", "--contention-tolerance", "0.05"]
SUMMED = ("seconds", "processor_seconds")


def commands(folder: Path) -> dict[str, list[str]]:
    """The program of each step and its arguments, in the order of the rules."""
    study, tables = folder / "study.nc", folder / "tables"
    images = [str(path) for path in sorted(folder.glob("inputs/*/*.nc"))]
    listed, record, tables_record = (
        folder / name for name in ("cells.txt", "study.nc.json", "tables/record.json")
    )
    sha256 = hashlib.sha256(listed.read_bytes()).hexdigest()
    aggregate = ["--cells", listed, "--cells-sha256", sha256, *TOLERANCES]
    dataset = ["--study", study, "--study-record", record]
    steps = {
        "aggregate": ["aggregate.py", *aggregate, "--output", study, "--record", record],
        "tables": ["tables.py", *dataset, "--output-folder", tables, "--record", tables_record],
    }
    for name, figure in registry.figures().items():
        table, stem = tables / f"{figure.table}.csv", folder / "figures" / name
        steps[f"figure {name}"] = ["figures.py", "--figure", name, "--table", table]
        steps[f"figure {name}"] += ["--table-record", tables_record, "--output-stem", stem]
        steps[f"figure {name}"] += ["--record", stem.with_suffix(".json")]
    from_study = [*dataset, "--inputs", *images]
    explorer = folder / "explorer.html"
    steps["explorer"] = ["explorer.py", *from_study, "--tables", tables, "--output", explorer]
    steps["explorer"] += ["--tables-record", tables_record, "--record", f"{explorer}.json"]
    steps["explorer"] += ["--folder", "results/scale", "--explained-devices", "cpu"]
    summary = folder / "summary.md"
    steps["summary"] = ["summary.py", "--tables", tables, *from_study, "--output", summary]
    steps["summary"] += ["--tables-record", tables_record, "--record", folder / "summary.json"]
    page = folder / "summary.html"
    pictures = [folder / "figures" / f"{name}.png" for name in registry.figures()]
    steps["summary page"] = ["summary_page.py", "--summary", summary, "--pictures", *pictures]
    steps["summary page"] += ["--summary-record", folder / "summary.json", "--output", page]
    steps["summary page"] += ["--part", folder / "summary_part.html", "--record", f"{page}.json"]
    environment = ["--environment", folder / "environment.json"]
    return {
        step: [sys.executable, str(SCRIPTS / script), *map(str, [*arguments, *environment])]
        for step, (script, *arguments) in steps.items()
    }


def measured(folder: Path, cells: int, images: int) -> Iterator[Measured]:
    """Make a study in a new folder, and measure every step; all figures are one."""
    program = [sys.executable, str(Path(__file__).with_name("study.py"))]
    size = ["--cells", str(cells), "--images", str(images), "--folder", str(folder)]
    measure("make the study up", (cells, images), program + size, folder, PYTHONPATH=str(SCRIPTS))
    drawn = []
    for step, command in commands(folder).items():
        found = measure(step, (cells, images), command, folder, PYTHONPATH=str(SCRIPTS))
        if step.startswith("figure"):
            drawn.append(found)
        else:
            yield found
    seconds, processor = (sum(getattr(one, name) for one in drawn) for name in SUMMED)
    memory = max(one.memory_mb for one in drawn)
    yield Measured(f"all {len(drawn)} figures", cells, images, seconds, processor, memory)
