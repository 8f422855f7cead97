"""Studies of made-up cells: prediction files and the dataset of them."""

from pathlib import Path

import numpy as np
import xarray as xr

from deltann.cell import Cell
from deltann.dataset import aggregate, predictions

IMAGES, CLASSES, REPEATS = 6, 10, 3


def cell(target: str, backend: str = "native", **names: str) -> Cell:
    """A cell of model m from torch, by one route and import, on the CPU; or with other names."""
    source = names.get("source", "torch")
    if backend == "native":
        by = {"importer": "none", "compiler": "runtime", "schedule": "runtime"}
    else:
        by = {"importer": "direct", "compiler": "tvm", "schedule": "rules"}
    known = {
        "model": "m",
        "source": source,
        "target": target,
        "route": "unconverted" if target == source else f"to_{target}",
        "preprocessing": "source",
        "resizer": "pillow",
        **by,
        "backend": backend,
        "device": "cpu",
    }
    return Cell(**known | names)


TOLERANCES = aggregate.Tolerances(drift=0.15, contention=0.05)
NATIVE = cell("torch")
CONVERTED = cell("onnx")
SLOW, FAST = cell("onnx", "O0"), cell("onnx", "O2")
BROKEN = cell("keras")


def ran(cell: Cell, images: int = IMAGES, classes: int = CLASSES, **changes) -> xr.Dataset:
    """A cell that ran; image k's answer is k, which is right, and each image takes 10 ms."""
    arguments = {
        "logits": np.eye(images, classes, dtype=np.float32),
        "latency": np.full((images, REPEATS), 0.01),
        "image": np.array([f"{k}.jpg" for k in range(images)]),
        "true_label": np.arange(images),
        "inputs": f"{cell.model}/{cell.resizer}",
        "inputs_digest": cell.model,
        "probe_drift": 1.0,
        "contention": 0.0,
        "provenance": {},
    }
    return predictions.succeeded(cell, **arguments | changes)


def failed(cell: Cell) -> xr.Dataset:
    """A cell whose conversion failed."""
    error = {"type": "KeyError", "message": "no such layer", "traceback": ""}
    return predictions.failed(cell, {"failed_stage": "convert", "error": error}, "", "", {})


def write(folder: Path, datasets: list[xr.Dataset]) -> list[Path]:
    """Prediction files of these cells, in this order."""
    paths = [folder / f"{number}.nc" for number in range(len(datasets))]
    for dataset, path in zip(datasets, paths, strict=True):
        predictions.write(dataset, path)
    return paths


def study(folder: Path, datasets: list[xr.Dataset]) -> xr.Dataset:
    """The study dataset of these cells, opened as a user would."""
    aggregate.aggregate(write(folder, datasets), folder / "study.nc", TOLERANCES, "digest")
    return xr.open_dataset(folder / "study.nc")


def many(folder: Path) -> xr.Dataset:
    """A study with a second source, route, preprocessing, resizer, importer and device."""
    rng = np.random.default_rng(0)

    def slow(factor: float) -> np.ndarray:
        return 0.01 * factor * rng.uniform(0.95, 1.05, (IMAGES, REPEATS))

    near = np.eye(IMAGES, CLASSES, dtype=np.float32) * np.float32(1.00001)
    far = near + np.float32(0.01)
    other = np.eye(IMAGES, CLASSES, k=1, dtype=np.float32)
    keras = {"source": "keras", "route": "unconverted"}
    return study(
        folder,
        [
            ran(NATIVE, latency=slow(1)),
            ran(cell("torch", resizer="opencv"), logits=other, latency=slow(1)),
            ran(CONVERTED, logits=near, latency=slow(1)),
            ran(cell("onnx", route="other"), logits=far, latency=slow(1)),
            ran(cell("onnx", preprocessing="target"), logits=other, latency=slow(1)),
            failed(BROKEN),
            ran(cell("keras", **keras), logits=other, latency=slow(3)),
            ran(cell("torch", "O0"), latency=slow(2)),
            ran(cell("torch", "O0", importer="torch_onnx"), latency=slow(2)),
            ran(cell("torch", "O2"), latency=slow(1)),
            ran(cell("torch", "O0", device="gpu"), latency=slow(0.5)),
            failed(cell("torch", "O2", device="gpu")),
            ran(SLOW, latency=slow(4)),
        ],
    )
