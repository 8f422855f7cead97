"""The explorer of a made-up study whose names and messages hold markup."""

import io
import subprocess
from pathlib import Path

import h5netcdf
import numpy as np
import xarray as xr

from deltann.dataset import aggregate, predictions
from deltann.images import prepared
from deltann.provenance import files, records
from deltann.tables import compute
from deltann.tables.study import Study
from helpers import made_up_cells
from helpers.made_up_cells import CLASSES, CONVERTED, FAST, NATIVE, SLOW, TOLERANCES, cell, lowered
from helpers.workspace import Workspace

MARKUP = "</script><script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'>"
IMAGES = [f"{MARKUP}.jpg", 'two\nlines & "quotes".jpg', "é ☃ 😀.jpg", "3.jpg", "4.jpg", "5.jpg"]
CLASS_NAMES = [MARKUP, "zebra", *(f"class {k}" for k in range(2, CLASSES))]
OTHER = cell("onnx", route="a+b")
BROKEN = cell("keras", "O4")


def planted_cells() -> list:
    """A reference, two routes of which one changes two labels, two levels, and a failure."""
    names = {"image": np.array(IMAGES, object)}
    changed = np.eye(6, CLASSES, dtype=np.float32)
    changed[0, 1] = changed[1, 7] = 2
    error = {"type": "Markup<b>", "message": MARKUP, "traceback": f"Traceback\n{MARKUP}"}

    def slow(factor: float) -> dict:
        return {"latency": np.full((6, 3), 0.01 * factor)}

    return [
        made_up_cells.ran(NATIVE, **names, **slow(10)),
        made_up_cells.ran(CONVERTED, **names, **slow(2), logits=changed, lowered=lowered("int8")),
        made_up_cells.ran(OTHER, **names, **slow(9)),
        made_up_cells.ran(SLOW, **names, **slow(30), probe_drift=1.3),
        made_up_cells.ran(FAST, **names, **slow(1), logits=changed),
        predictions.failed(BROKEN, {"failed_stage": "compile", "error": error}, "", "", {}),
    ]


def write(workspace: Workspace, folder: Path) -> Path:
    """Write the study into an empty folder, and its explorer by the program; return the page."""
    study, tables, images = folder / "study.nc", folder / "tables", folder / "images.nc"
    paths = made_up_cells.write(folder, planted_cells())
    aggregate.aggregate(paths, study, TOLERANCES, "", CLASS_NAMES)
    records.write(folder / "study.nc.json", "aggregate", [study], {}, "")
    with xr.open_dataset(study) as dataset:
        made = {name: compute.table(name, Study(dataset)) for name in ("precision", "pareto")}
    for name, table in made.items():
        text = io.StringIO()
        table.to_csv(text, index=False)
        files.write_text(tables / f"{name}.csv", text.getvalue())
    written = [tables / f"{name}.csv" for name in made]
    records.write(tables / "record.json", "tables", written, {}, "")
    with h5netcdf.File(images, "w") as file:
        writer = prepared.Writer(file, (32, 32))
        for name in IMAGES:
            writer.add(name, -1, np.full((32, 32, 3), 90, np.uint8))
        writer.finish([])
    command = [workspace.path / ".envs/analysis/bin/python", "scripts/explorer.py"]
    command += ["--study", study, "--study-record", folder / "study.nc.json", "--inputs", images]
    command += ["--tables", tables, "--tables-record", tables / "record.json"]
    command += ["--environment", "results/environments/analysis.json"]
    command += ["--folder", "results/odd"]
    command += ["--output", folder / "explorer.html", "--record", folder / "explorer.html.json"]
    done = subprocess.run(command, cwd=workspace.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "explorer.html"
