"""Make the folder that a machine with a GPU and without a network runs."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import xarray as xr

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT / "scripts"), str(HERE)]

import bundle  # noqa: E402  the folders above first

from deltann.cell import NATIVE, Cell  # noqa: E402
from deltann.execution import environment  # noqa: E402
from deltann.provenance import records  # noqa: E402
from deltann.study import grid, layout, model_sources, schema  # noqa: E402

CONFIG = HERE / "study.yaml"
STUDY = layout.study("benchmark-gpu")
# What TVM needs to run: of its environment's pins, and CUDA's runtime, which every driver for
# CUDA 13 can serve.
PACKAGES = (
    *("apache-tvm", "apache-tvm-ffi", "cuda-bindings", "cuda-pathfinder", "ml-dtypes"),
    *("nvidia-cuda-cccl", "nvidia-cuda-nvrtc", "psutil", "typing-extensions"),
)
RUNTIME = "nvidia-cuda-runtime==13.0.96"
PLATFORM = "x86_64-manylinux_2_28"
# What isn't run there.
LEFT_OUT = ("tvm/3rdparty/", "bin/")
SCRIPTS = ("race.py", "worker.py", "tables.py")


def model_files(config: dict, model: str) -> dict[str, str]:
    """The study's files of a model, below the study's folder, by their names in the bundle."""
    found = {}
    for cell in grid.cells(config):
        if cell.model == model and cell.compiled:
            start = "models" if cell.device == "gpu" else "dry"
            library = layout.compiled().format(level=cell.backend, **asdict(cell))
            found[f"{start}/{model}/{cell.backend}.so"] = library
            found[f"{start}/{model}/{cell.backend}.so.json"] = layout.record(library)
    for route, suffix in (("unconverted", ".pt2"), ("torch_onnx", ".onnx")):
        found[f"models/{model}/{route}{suffix}"] = layout.model_file(model, "torch", route, suffix)
    return found


def native_cell(config: dict, model: str) -> Cell:
    """The cell whose answers the others are compared with: ONNX Runtime on the processor."""
    (found,) = (c for c in grid.cells(config) if c.model == model and c.backend == NATIVE)
    return found


def build(config: dict, models: list[str]) -> None:
    """Make the study's files by its own rules.

    Raises:
        SystemExit: a tool failed to make one.
    """
    made = [path for model in models for path in model_files(config, model).values()]
    made = [path for path in made if not path.endswith(".json")]
    answers = [layout.prediction(native_cell(config, model)) for model in models]
    targets = [f"{STUDY}/{path}" for path in (*made, *answers)]
    command = [".venv/bin/snakemake", "--cores", "all", "--configfile", str(CONFIG)]
    subprocess.run([*command, "--", *targets], cwd=ROOT, check=True)
    for path in made:
        record = ROOT / STUDY / layout.record(path)
        if records.read(record)["status"] != "ok":
            sys.exit(f"{record}: a tool failed to make {path}; expected status ok: read its error")


def data(config: dict, model: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Write a model's photographs, the processor's answers and its preprocessing.

    Yields:
        The names in the bundle, and the files.
    """
    cell = native_cell(config, model)
    folder.mkdir()
    with xr.open_dataset(ROOT / STUDY / grid.prepared_images(config, cell)) as images:
        np.save(folder / "pixels.npy", images["pixels"].values)
    with xr.open_dataset(ROOT / STUDY / layout.prediction(cell)) as answers:
        np.save(folder / "expected.npy", answers["logits"].values)
    described = {"preprocessing": asdict(grid.preprocessing(config, cell))}
    (folder / "model.json").write_text(json.dumps(described), encoding="utf-8")
    for path in sorted(folder.iterdir()):
        yield f"models/{model}/{path.name}", path


def packages(python: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Install what TVM needs for a version of Python, `3.12`.

    Yields:
        The names in the bundle, and the files.
    """
    pins = environment.pins(ROOT / "envs/tvm.txt")
    wanted = [pin for pin in pins if pin.split("==")[0] in PACKAGES]
    command = [str(ROOT / ".venv/bin/uv"), "pip", "install", "--quiet", "--no-deps"]
    command += ["--target", str(folder), "--python-version", python]
    command += ["--python-platform", PLATFORM, "--only-binary", ":all:"]
    subprocess.run([*command, "--", *wanted, RUNTIME], cwd=ROOT, check=True)
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not name.startswith(LEFT_OUT) and "__pycache__" not in name:
            yield f"site/{python}/{name}", path


def common(folder: Path, models: list[str]) -> Iterator[tuple[str, Path]]:
    """The names and files of what runs the contestants, and this project's runners."""
    (folder / "models.json").write_text(json.dumps(models), encoding="utf-8")
    yield "common/models.json", folder / "models.json"
    for name in SCRIPTS:
        yield f"common/{name}", HERE / name
    for path in sorted((ROOT / "scripts/deltann").rglob("*.py")):
        yield f"common/{path.relative_to(ROOT)}", path


def main(options: argparse.Namespace) -> None:
    """Build, collect, and write the parts."""
    config = schema.read(CONFIG)
    build(config, options.models)
    if options.output.exists():
        sys.exit(f"--output {options.output} exists; expected a new folder: delete it first")
    with tempfile.TemporaryDirectory(prefix="deltann-") as name:
        scratch = Path(name)
        files = dict(common(scratch, options.models))
        for python in options.pythons:
            files |= packages(python, scratch / f"site-{python}")
        for model in options.models:
            files |= data(config, model, scratch / model)
        sources = {m: model_files(config, m) for m in options.models}
        for start in ("models/", "dry/"):  # what only the dry mode needs comes last
            for named in sources.values():
                chosen = {k: ROOT / STUDY / v for k, v in named.items() if k.startswith(start)}
                files |= chosen
        options.output.mkdir(parents=True)
        bundle.write(options.output, files)
    for name in ("run.sh", "bundle.py"):
        shutil.copy(HERE / name, options.output / name)
    parts = sorted(options.output.glob("part-*"))
    size = sum(path.stat().st_size for path in parts)
    print(f"{options.output}: {len(parts)} parts, {size / 1e6:.0f} MB")


if __name__ == "__main__":
    names = model_sources.model_names(schema.read(CONFIG))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=names, choices=names)
    parser.add_argument("--pythons", nargs="+", default=["3.11", "3.12", "3.13"])
    parser.add_argument("--output", type=Path, default=ROOT / STUDY / "bundle", help="a new folder")
    main(parser.parse_args())
