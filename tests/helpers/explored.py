"""Studies for the explorer's tests: cells that give chosen labels by chosen margins."""

from pathlib import Path

import numpy as np
import xarray as xr

from deltann.dataset import aggregate
from helpers import made_up_cells
from helpers.made_up_cells import CLASSES, TOLERANCES, cell, failed


def ran(cell, labels: list[int], margins: float | list[float] = 0.5, **changes) -> xr.Dataset:
    """A cell that gives images these labels, by these margins over the next class."""
    probability = np.full((len(labels), CLASSES), 1e-9)
    for row, (label, margin) in enumerate(
        zip(labels, np.broadcast_to(margins, len(labels)), strict=True)
    ):
        probability[row, label] = (1 + margin) / 2
        probability[row, (label + 1) % CLASSES] = (1 - margin) / 2
    given = {
        "logits": np.log(probability).astype(np.float32),
        "latency": np.full((len(labels), 1), 0.01),
        "image": np.array([f"{k}.jpg" for k in range(len(labels))]),
        "true_label": np.zeros(len(labels), np.int64),
    }
    return made_up_cells.ran(cell, **given | changes)


def study(folder: Path, datasets: list[xr.Dataset], class_names=()) -> xr.Dataset:
    """The study dataset of these cells."""
    paths = made_up_cells.write(folder, datasets)
    aggregate.aggregate(paths, folder / "study.nc", TOLERANCES, "digest", class_names)
    return xr.open_dataset(folder / "study.nc", engine="h5netcdf")


def disagreeing(folder: Path) -> xr.Dataset:
    """Two sources' cells on images with none, one, and two disagreeing cells; 3 by sources only."""
    return study(
        folder,
        [
            ran(cell("torch"), [1, 1, 1, 1], [0.9, 0.8, 0.7, 0.6]),
            ran(cell("torch", "O0"), [1, 1, 1, 1], [0.9, 0.2, 0.5, 0.6]),
            ran(cell("torch", "O2"), [1, 4, 5, 1], 0.125),
            failed(cell("torch", "O4")),
            ran(cell("keras", source="keras"), [1, 1, 1, 2]),
            ran(cell("keras", "O0", source="keras"), [1, 1, 1, 2]),
            ran(cell("keras", "O2", source="keras"), [1, 1, 6, 2]),
        ],
    )


# Cells whose groups the explorer words: three routes, three levels, two devices.
GRID = [
    {
        "source": "torch",
        "target": target,
        "route": route,
        "preprocessing": "source",
        "resizer": "pillow",
        "importer": importer if backend != "native" else "none",
        "compiler": "tvm" if backend != "native" else "runtime",
        "schedule": "rules" if backend != "native" else "runtime",
        "backend": backend,
        "device": device,
    }
    for target, route, importer in (
        ("torch", "unconverted", "direct"),
        ("onnx", "torch_onnx", "direct"),
        ("keras", "nobuco", "keras_onnx"),
    )
    for backend in ("native", "O0", "O4")
    for device in ("cpu", "arm")
]
