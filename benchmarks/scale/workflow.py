"""The workflow of a large study, every output of which an executor of ours makes up."""

import json
import math
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from measure import ROOT, Measured, measure

HERE = Path(__file__).parent
IMAGES = 20
# As study.yaml has them.
CELLS_OF_A_MODEL = 102
INPUT = {"size": 224, "resize": 256, "layout": "NCHW", "channels": "RGB"}
INPUT |= {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def checkout(folder: Path) -> None:
    """Copy what git tracks or would track: the benchmark leaves the repository's folder alone."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def onnx_header(name: str) -> bytes:
    """An ONNX file without a graph, which the study plans with: it reads where weights are."""
    producer = name.encode()
    return bytes([0x08, 8, 0x12, len(producer)]) + producer  # ir_version, producer_name


def configure(folder: Path, cells: int) -> tuple[Path, int]:
    """Write the models of a study of so many cells or a few more, and the files that it names.

    Returns:
        Their config's path, which is laid over study.yaml, and how many cells there are.
    """
    models = []
    for number in range(math.ceil(cells / CELLS_OF_A_MODEL)):
        path = folder / "models" / f"model_{number}.onnx"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(onnx_header(path.stem))
        model = {"name": path.stem, "source": "onnx", "file": f"models/{path.name}"}
        models.append(model | {"input": INPUT, "classes": 1000})
    for number in range(IMAGES):
        (folder / "images").mkdir(exist_ok=True)
        (folder / "images" / f"{number}.jpg").write_text("made up\n", encoding="utf-8")
    path = folder / "models.json"
    path.write_text(json.dumps({"models": models}), encoding="utf-8")
    return path, len(models) * CELLS_OF_A_MODEL


def steps(config: Path) -> dict[str, list[str]]:
    """Snakemake's arguments at each step, from an empty folder on."""
    first = "results/large/models/model_0/onnx/unconverted.onnx"
    # not .venv/bin/snakemake, which ignores PYTHONPATH, where the executor is
    start = [str(ROOT / ".venv" / "bin" / "python"), "-m", "snakemake", "--cores", "2"]
    start += ["--configfile", str(HERE / "study.yaml"), str(config)]
    return {
        "read the rules, as a cluster's job does": [*start, "--dry-run", "--", first],
        "dry run of all": [*start, "--dry-run"],
        "run, every output made up": [*start, "--executor", "made-up"],
        "run again, nothing to do": start,
        "Snakemake's report": [*start, "--report", "report.html"],
    }


def measured(folder: Path, cells: int) -> Iterator[Measured]:
    """Measure every step in a new folder."""
    checkout(folder)
    config, count = configure(folder, cells)
    for step, command in steps(config).items():
        yield measure(step, (count, IMAGES), command, folder, PYTHONPATH=str(HERE))
