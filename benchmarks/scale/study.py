"""Make up a study: prediction files of many cells on many images, and the prepared images."""

import argparse
from itertools import product
from multiprocessing import Pool
from pathlib import Path

import h5netcdf
import numpy as np

from deltann.cell import DIRECT, NATIVE, NO_IMPORT, RULES, RUNTIME, SOURCE, UNCONVERTED, Cell
from deltann.dataset import compilation, predictions
from deltann.execution import environment
from deltann.images import prepared
from deltann.provenance import files
from deltann.tvm.levels import LEVELS

CLASSES, REPEATS, SIDE = 1000, 3, 224
# Prepared images that differ; more are these again, as thousands take minutes to make up.
PICTURES = 500
# 4 sources x 6 routes x 4 backends x 2 devices
CELLS_OF_A_MODEL, MODELS = 192, 3
SOURCES = ("torch", "keras", "tensorflow", "tflite")
TVM = ("O0", "O2", "O4")
DEVICES = ("cpu", "cpu-baseline")
# Standard deviation of what a conversion, and what a level, adds to a logit; logits have 3.
CONVERSIONS = {"onnx": 1e-5, "keras": 1e-3, "tflite": 1e-2, "tensorflow": 1e-2, "torch": 0.1}
LEVEL_NOISE = {NATIVE: 0.0, "O0": 1e-6, "O2": 1e-5, "O4": 1e-3}
FAILED = 0.02
GEOMETRY = "256-224-bilinear"
INPUTS = f"{GEOMETRY}/pillow"


def cells(count: int) -> list[Cell]:
    """So many cells, in their grid's order, with all sources among them.

    3 models, or more where it takes more, x 4 sources x 6 routes (the native model, four other
    targets, a second route to one of them) x 4 backends x 2 devices.
    """
    grid = []
    models = [f"model_{number}" for number in range(max(MODELS, -(-count // CELLS_OF_A_MODEL)))]
    for model, source in product(models, SOURCES):
        for backend, device, route in product((NATIVE, *TVM), DEVICES, range(6)):
            others = [target for target in CONVERSIONS if target != source]
            # the sixth is another way to the first target
            target = source if route == 0 else others[(route - 1) % 4]
            way = UNCONVERTED if route == 0 else f"{source}_{target}"
            way += "+again" if route == 5 else ""
            by = (NO_IMPORT, RUNTIME, RUNTIME) if backend == NATIVE else (DIRECT, "tvm", RULES)
            grid.append(Cell(model, source, target, way, SOURCE, "pillow", *by, backend, device))
    each = CELLS_OF_A_MODEL // len(SOURCES)
    chosen = sorted(range(len(grid)), key=lambda number: number % each)[:count]
    return [grid[number] for number in sorted(chosen)]


def _seed(*words: str) -> np.random.Generator:
    return np.random.default_rng(int(files.checksum_json(list(words))[:15], 16))


def names(images: int) -> np.ndarray:
    """Names like those of ImageNet's validation images."""
    return np.array([f"ILSVRC2012_val_{number:08}.JPEG" for number in range(1, images + 1)], object)


def truth(images: int) -> np.ndarray:
    """True labels, int64 (image,)."""
    return _seed("truth").integers(0, CLASSES, images)


def logits(cell: Cell, images: int) -> np.ndarray:
    """A cell's logits, float32 (image, class): those of its source plus small differences."""
    shape = (images, CLASSES)
    values = _seed(cell.model, cell.source).standard_normal(shape, np.float32) * 3
    values[np.arange(images), truth(images)] += 9
    for words, scale in (
        ((cell.model, cell.source, cell.route), CONVERSIONS[cell.target]),
        ((str(cell),), LEVEL_NOISE[cell.backend]),
    ):
        if scale and cell.route != UNCONVERTED or words == (str(cell),):
            values += _seed(*words).standard_normal(shape, np.float32) * np.float32(scale)
    return values


PROVENANCE = {"commit": "0" * 40, "versions": {f"package-{k}": "1.0" for k in range(60)}}
COMPILED = {"idle_passes": "", "compile_seconds": 5.0}
COMPILED |= {"kernels": 50.0, "code_bytes": 100_000.0}


def provenance(cell: Cell) -> dict:
    """Where its answers come from; cells of one level share no code."""
    return PROVENANCE | {"model_file": files.checksum_json([str(cell)])}


def compiled(cell: Cell) -> dict[str, str | float]:
    """What its compilation came to."""
    if not cell.compiled:
        return compilation.NOTHING
    return COMPILED | {"passes": ";".join(LEVELS[cell.backend])}


def write_cell(cell: Cell, images: int, path: Path) -> None:
    """Write a cell's prediction file; about one in fifty failed."""
    chance = _seed("failed", str(cell))
    if chance.random() < FAILED:
        error = {"type": "KeyError", "message": "no such layer", "traceback": "Traceback\n" * 30}
        record = {"failed_stage": "convert", "error": error}
        failed = predictions.failed(cell, record, "", "", provenance(cell), compiled(cell))
        predictions.write(failed, path)
        return
    speed = 0.02 * (1 + TVM.index(cell.backend) if cell.compiled else 1)
    dataset = predictions.succeeded(
        cell,
        logits=logits(cell, images),
        latency=speed * chance.lognormal(0, 0.1, (images, REPEATS)),
        image=names(images),
        true_label=truth(images),
        inputs=INPUTS,
        inputs_digest="made up",
        probe_drift=float(chance.normal(1, 0.05)),
        pass_spread=1.0,
        contention=float(chance.uniform(0, 0.06)),
        provenance=provenance(cell),
        compiled=compiled(cell),
    )
    predictions.write(dataset, path)


def write_images(images: int, path: Path) -> None:
    """Write prepared images with as much detail at each scale as a photograph has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5netcdf.File(path, "w") as file:
        pictures = [_photograph(number) for number in range(min(images, PICTURES))]
        writer = prepared.Writer(file, (SIDE, SIDE))
        for number, (name, label) in enumerate(zip(names(images), truth(images), strict=True)):
            writer.add(name, int(label), pictures[number % PICTURES])
        writer.finish(["broken.JPEG: not an image"])


def _photograph(number: int) -> np.ndarray:
    """Noise whose amplitude falls with frequency, uint8 (y, x, channel)."""
    noise = np.random.default_rng(number).standard_normal((SIDE, SIDE, 3))
    noise += 3 * noise[:, :, :1]  # mostly grey
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :])
    frequency[0, 0] = 1 / SIDE
    spectrum = np.fft.rfft2(noise, axes=(0, 1)) / frequency[..., None] ** 1.3
    values = np.fft.irfft2(spectrum, (SIDE, SIDE), axes=(0, 1))
    return np.clip(128 + 55 * values / values.std(), 0, 255).astype(np.uint8)


def main(options: argparse.Namespace) -> None:
    """Write `predictions/`, `cells.txt`, `inputs/` and `environment.json`."""
    folder = options.folder
    grid = cells(options.cells)
    paths = [folder / "predictions" / f"{cell}.nc" for cell in grid]
    jobs = [(cell, options.images, path) for cell, path in zip(grid, paths, strict=True)]
    with Pool(options.processes) as pool:
        pool.starmap(write_cell, jobs, chunksize=1)
    write_images(options.images, folder / "inputs" / f"{INPUTS}.nc")
    files.write_text(folder / "cells.txt", "".join(f"{path}\n" for path in paths))
    files.write_json(folder / "environment.json", environment.describe())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, required=True)
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="a new folder")
    parser.add_argument("--processes", type=int, default=2)
    main(parser.parse_args())
