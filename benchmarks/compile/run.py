"""Time compiled models against the frameworks' own runtimes, all in turn, in one run."""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import xarray as xr

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(Path(__file__).parent)]

import report  # noqa: E402  the folders above first
from contestants import Entry, race  # noqa: E402

from deltann.provenance import records  # noqa: E402
from deltann.stages import machine  # noqa: E402
from deltann.study import grid, model_sources, schema  # noqa: E402

CONFIG = Path(__file__).with_name("study.yaml")
STUDY = "results/benchmark-compile"
# Runtime: its runner, the route from PyTorch to its format, and the runner's settings.
RUNTIMES = {
    "ONNX Runtime": ("onnx", "torch_onnx.onnx", {}),
    "TFLite": ("tflite", "torch_onnx+onnx2tf+tflite_converter.tflite", {}),
    "TFLite, LiteRT's converter": ("tflite", "litert_torch.tflite", {}),
    "OpenVINO": ("openvino", "torch_onnx+onnx_openvino.openvino.tar", {"precision": "f32"}),
    "PyTorch": ("torch", "unconverted.pt2", {}),
    "torch.compile": ("torch", "unconverted.pt2", {"compile": True}),
}
REFERENCE = "ONNX Runtime"


def compiled(model: str, schedule: str, level: str, device: str) -> str:
    """The library of a compilation, as rules/compile.smk names it."""
    start = f"{STUDY}/compiled/{model}/torch/torch/unconverted/direct/tvm"
    return f"{start}/{schedule}/{level}/{device}.so"


def wanted(options: argparse.Namespace, model: str, device: str) -> dict[str, Entry]:
    """Each contestant by its name."""
    found = {
        name: Entry(runner, f"{STUDY}/models/{model}/torch/{file}", settings)
        for name, (runner, file, settings) in RUNTIMES.items()
        if name in options.peers
    }
    for schedule in options.schedules:
        levels = options.tuned_levels if schedule == "tuned" else options.levels
        for level in levels:
            # only tuning knows the threads
            made_for = device if schedule == "tuned" else "one"
            found[f"{schedule} {level}"] = Entry("tvm", compiled(model, schedule, level, made_for))
    return found


def build(options: argparse.Namespace, inputs: list[str]) -> None:
    """Make all files by the study's own rules."""
    files = {
        entry.path
        for model in options.models
        for device in options.devices
        for entry in wanted(options, model, device).values()
    }
    command = [".venv/bin/snakemake", "--cores", "all", "--configfile", str(CONFIG)]
    subprocess.run([*command, "--", *sorted(files), *inputs], cwd=ROOT, check=True)


def failed(entry: Entry) -> bool:
    """Whether a converter or the compiler failed to make a contestant's file."""
    return records.read(ROOT / f"{entry.path}.json")["status"] != "ok"


def timed(options: argparse.Namespace, config: dict, model: str, device: str) -> dict:
    """The seconds of a model's contestants; those that failed are left out, with a message."""
    how = model_sources.sources(config, model)["torch"]
    threads = config["devices"][device].get("threads") or len(os.sched_getaffinity(0))
    entries = wanted(options, model, device)
    for name in [name for name, entry in entries.items() if failed(entry)]:
        print(f"{model}: {name} failed: {entries.pop(name).path}.json", flush=True)
    print(f"{model}, {threads} threads", flush=True)
    with tempfile.TemporaryDirectory() as folder, xr.open_dataset(ROOT / inputs(model)) as images:
        pixels = Path(folder) / "pixels.npy"
        np.save(pixels, images["pixels"].values[0])
        return race(entries, threads, asdict(how), pixels, options.rounds)


def inputs(model: str) -> str:
    """The prepared image of a model."""
    config = schema.read(CONFIG)
    geometry = grid.geometry(model_sources.sources(config, model)["torch"])
    return f"{STUDY}/inputs/{geometry}/pillow.nc"


def main(options: argparse.Namespace) -> None:
    """Build, race, and write the tables."""
    config = schema.read(CONFIG)
    build(options, sorted({inputs(model) for model in options.models}))
    host = machine.describe(0)
    parts = [
        f"{host['processor']}, {host['cores']} cores, {host['system']}; "
        f"{options.rounds} rounds; load {os.getloadavg()[2]:.1f} over 15 minutes at the start."
    ]
    judged = [f"{name} {level}" for name in options.schedules for level in options.levels][-1:]
    for device in options.devices:
        title = "one thread" if device == "one" else "all cores"
        results = {}
        for model in options.models:
            results[model] = timed(options, config, model, device)
            files = {name: entry.path for name, entry in wanted(options, model, device).items()}
            table = report.each(results[model], files, REFERENCE)
            parts += [f"### {model}, {title}", table]
            print("\n\n".join(parts[-2:]), flush=True)
        parts += [f"### All models, {title}"]
        parts += [report.reach(results, name, options.peers) for name in judged]
        print("\n\n".join(parts[-2:]), flush=True)
        if options.output:
            options.output.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    known = schema.read(CONFIG)
    names = model_sources.model_names(known)
    levels = [name for name in known["backends"] if name != "native"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=names, choices=names)
    parser.add_argument("--devices", nargs="+", default=["one", "all"], choices=["one", "all"])
    parser.add_argument("--peers", nargs="+", default=[*RUNTIMES], choices=[*RUNTIMES])
    parser.add_argument("--schedules", nargs="*", default=["rules"], choices=known["schedules"])
    parser.add_argument("--levels", nargs="+", default=levels[-1:], choices=levels)
    parser.add_argument("--tuned-levels", nargs="+", default=levels[-1:], choices=levels)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, help="the tables, markdown")
    main(parser.parse_args())
