"""Time compiled models against the frameworks' own runtimes, all in turn, in one run."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from deltann import metrics  # noqa: E402  the folder above first
from deltann.cell import UNSCHEDULED  # noqa: E402
from deltann.stages import machine  # noqa: E402  the folder above first
from deltann.study import grid, model_sources, schema  # noqa: E402  the folder above first

CONFIG = Path(__file__).with_name("study.yaml")
STUDY = "results/benchmark-compile"
# Runtime: its runner, and the route from PyTorch to its format.
RUNTIMES = {
    "ONNX Runtime": ("onnx", "torch_onnx.onnx"),
    "PyTorch": ("torch", "unconverted.pt2"),
    "TFLite": ("tflite", "torch_onnx+onnx2tf+tflite_converter.tflite"),
}
REFERENCE = "ONNX Runtime"
# A turn of one contestant lasts about as long, and is one run at least.
TURN_SECONDS = 0.3


@dataclass
class Contestant:
    """A process that runs one model in one way, stopped whenever it isn't its turn."""

    name: str
    process: subprocess.Popen
    number: int = 1
    seconds: list[list[float]] = field(default_factory=list)

    def turn(self) -> list[float]:
        """Let it run its number of times; return the seconds of each.

        Raises:
            RuntimeError: it ended.
        """
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(f"{self.number}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.name} ended with {self.process.wait()}")
        # threads of a pool would go on spinning
        self.process.send_signal(signal.SIGSTOP)
        return json.loads(answer)


def compiled(model: str, schedule: str, level: str, device: str) -> str:
    """The library of a compilation, as rules/compile.smk names it."""
    start = f"{STUDY}/compiled/{model}/torch/torch/unconverted/direct/tvm"
    return f"{start}/{schedule}/{level}/{device}.so"


def wanted(options: argparse.Namespace, model: str, device: str) -> dict[str, tuple[str, str]]:
    """Per contestant its runner and its model file."""
    found = {
        name: (runner, f"{STUDY}/models/{model}/torch/{file}")
        for name, (runner, file) in RUNTIMES.items()
    }
    for schedule in options.schedules:
        levels = options.tuned_levels if schedule == "tuned" else options.levels
        for level in levels:
            # only tuning knows the threads
            made_for = device if schedule == "tuned" else "one"
            library = compiled(model, schedule, level, made_for)
            found[f"{schedule} {level}"] = "tvm", library
    return found


def build(options: argparse.Namespace, inputs: list[str]) -> None:
    """Make all files by the study's own rules."""
    files = {
        path
        for model in options.models
        for device in options.devices
        for _, path in wanted(options, model, device).values()
    }
    command = [".venv/bin/snakemake", "--cores", "all", "--configfile", str(CONFIG), "--quiet"]
    subprocess.run([*command, "rules", "--", *sorted(files), *inputs], cwd=ROOT, check=True)


def race(options: argparse.Namespace, config: dict, model: str, device: str) -> list[Contestant]:
    """Time all contestants of a model in turn, round by round."""
    how = model_sources.sources(config, model)["torch"]
    threads = config["devices"][device].get("threads") or len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder, xr.open_dataset(ROOT / inputs(model)) as images:
        pixels = Path(folder) / "pixels.npy"
        np.save(pixels, images["pixels"].values[0])
        field = []
        try:
            for name, (runner, path) in wanted(options, model, device).items():
                field.append(start(name, runner, path, threads, asdict(how), pixels))
            for item in field:
                (once,) = item.turn()
                item.number = max(1, min(50, round(TURN_SECONDS / once)))
            for number in range(options.rounds):
                print(f"{model}, {threads} threads: round {number + 1}", flush=True)
                for item in field:
                    item.seconds.append(item.turn())
        finally:
            for item in field:
                item.process.kill()
                item.process.wait()
    return field


def start(name: str, runner: str, path: str, threads: int, how: dict, pixels: Path) -> Contestant:
    """Start a contestant's process and wait until it has run once."""
    environment = "tvm" if runner == "tvm" else runner
    worker = str(Path(__file__).with_name("worker.py"))
    command = [f".envs/{environment}/bin/python", worker, runner, path, str(threads)]
    process = subprocess.Popen(
        [*command, json.dumps(how), str(pixels)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    # a runtime may write to stdout of its own
    for line in process.stdout:
        if line.strip() == "ready":
            process.send_signal(signal.SIGSTOP)
            return Contestant(name, process)
    raise RuntimeError(f"{name} ended with {process.wait()}")


def inputs(model: str) -> str:
    """The prepared image of a model."""
    config = schema.read(CONFIG)
    geometry = grid.geometry(model_sources.sources(config, model)["torch"])
    return f"{STUDY}/inputs/{geometry}/pillow.nc"


def table(field: list[Contestant], options: argparse.Namespace, model: str, device: str) -> str:
    """A model's contestants in markdown: time, ratio to the reference, and what compiling took."""
    lines = [
        "| | ms | ratio | 95 % interval | kernels | unscheduled | compile, s | peak memory, MB |",
        "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    by_name = {item.name: np.array(item.seconds) for item in field}
    reference = by_name[REFERENCE]
    for name, (_, path) in wanted(options, model, device).items():
        seconds = by_name[name]
        interval = metrics.latency_ratio_interval(reference, seconds, 0)
        cells = [
            name,
            f"{1000 * np.median(seconds):.2f}",
            f"{metrics.latency_ratio(reference, seconds):.2f}",
            f"{interval.low:.2f} to {interval.high:.2f}",
            *compilation(path),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def compilation(path: str) -> list[str]:
    """Kernels, unscheduled ones, seconds and memory of a compilation; empty for a runtime."""
    if not path.endswith(".so"):
        return [""] * 4
    record = json.loads((ROOT / f"{path}.json").read_text(encoding="utf-8"))
    details = record["details"]
    # the schedule none leaves all of them so
    left = details["kernels"] if f"/{UNSCHEDULED}/" in path else len(details["unscheduled"])
    return [
        str(details["kernels"]),
        str(left),
        f"{record['seconds']:.0f}",
        f"{record['peak_memory_bytes'] / 1e6:.0f}",
    ]


def main(options: argparse.Namespace) -> None:
    """Build, race, and write the tables."""
    config = schema.read(CONFIG)
    build(options, sorted({inputs(model) for model in options.models}))
    host = machine.describe(0)
    parts = [
        f"{host['processor']}, {host['cores']} cores, {host['system']}; "
        f"{options.rounds} rounds; load {os.getloadavg()[2]:.1f} over 15 minutes at the start."
    ]
    for model in options.models:
        for device in options.devices:
            title = f"### {model}, {'one thread' if device == 'one' else 'all cores'}"
            field = race(options, config, model, device)
            parts += [title, table(field, options, model, device)]
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
    parser.add_argument("--schedules", nargs="*", default=known["schedules"])
    parser.add_argument("--levels", nargs="+", default=levels, choices=levels)
    parser.add_argument("--tuned-levels", nargs="+", default=levels[-1:], choices=levels)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, help="the tables, markdown")
    main(parser.parse_args())
