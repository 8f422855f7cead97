"""Studies of made-up cells: prediction files and the dataset of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from deltann.cell import Cell
from deltann.dataset import aggregate, kernel_times, lowering, predictions
from deltann.precision import MODEL
from deltann.stages import disturbance
from deltann.tables import compute
from deltann.tables.study import Study
from deltann.tvm.levels import PASSES

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
        "provenance": {"preprocessing": cell.preprocessing, "model_file": cell.backend},
        "lowered": lowered(),
        **changes,
    }
    arguments.setdefault("pass_spread", disturbance.pass_spread([arguments["latency"]]))
    return predictions.succeeded(cell, **arguments)


def untimed(cell: Cell, **changes) -> xr.Dataset:
    """A cell that ran on an emulated device, as `ran`."""
    nothing = {name: np.nan for name in ("probe_drift", "contention", "pass_spread")}
    return ran(cell, latency=np.full((IMAGES, 1), np.nan), emulated=True, **nothing | changes)


def lowered(precision: str = "float32", cause: str = MODEL, **numbers: float) -> dict:
    """What a cell computes in, for `ran`: two operators of one precision."""
    texts = dict(zip(lowering.TEXTS, (precision, f"2 {precision}", cause), strict=True))
    return lowering.NOTHING | texts | {"model_bytes": 1000.0} | numbers


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


def compilation(passes: tuple[str, ...], idle: str = "") -> dict:
    """What a compilation of nine kernels came to."""
    texts = {"passes": ";".join(passes), "idle_passes": idle}
    return texts | dict(compile_seconds=2.5, kernels=9.0, code_bytes=5000.0)


# A machine of 100 GFLOP/s, which copies 1 MB at 50 GB/s, and 100 MB at 10.
PEAK, COPIES = 1e11, [[1e6, 5e10], [1e8, 1e10]]


def timed(**kernels: tuple) -> dict[str, str]:
    """Kernel times: by the kernel's name its calls, seconds, flops, bytes and constant bytes."""
    record = {"details": {"work": {}}}
    measured: dict = {"flops": PEAK, "copies": COPIES, "kernels": {}}
    for name, (calls, seconds, *work) in kernels.items():
        measured["kernels"][name] = {"calls": calls, "seconds": seconds}
        names = ("flops", "bytes", "constant_bytes")
        record["details"]["work"][name] = dict(zip(names, work, strict=True))
    return kernel_times.describe(record, measured)


def passes_study(folder: Path) -> xr.Dataset:
    """A file compiled with no pass, with one that does something, one that doesn't, and all."""

    def compiled(backend: str, passes, milliseconds: float, idle: str = "", **changes):
        latency = np.full((IMAGES, REPEATS), milliseconds / 1000)
        # the same library where the pass changed nothing
        provenance = {"model_file": "O0" if idle == ";".join(passes) else backend}
        where = cell("torch", backend, model="inception_v3")
        details = {"provenance": provenance, "compiled": compilation(passes, idle)}
        return ran(where, latency=latency, **details, **changes)

    other = np.eye(IMAGES, CLASSES, dtype=np.float32)
    other[2, 7] = 2
    broken = cell("torch", "pack", model="inception_v3")
    error = {"failed_stage": "compile", "error": {"type": "E", "message": "", "traceback": ""}}
    asked = predictions.compilation.NOTHING | {"passes": "PackLayout"}
    return study(
        folder,
        [
            ran(cell("torch", model="inception_v3")),
            compiled("O0", (), 10),
            compiled("fold", ("FoldConstant",), 8),
            compiled("fast", ("FastMathTransform",), 11, idle="FastMathTransform"),
            predictions.failed(broken, error, "", "", {}, asked),
            compiled("two", ("FuseOps", "FoldConstant"), 7),
            compiled("O4", PASSES, 5, idle="FastMathTransform", logits=other),
        ],
    )


def row(name: str, dataset: xr.Dataset, **values: str) -> pd.Series:
    """The one row of a table with these values."""
    rows = compute.table(name, Study(dataset))
    for column, value in values.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1
    return rows.iloc[0]
