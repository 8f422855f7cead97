"""Run the contestants of each model in turn on the machine with the GPU, and write the tables."""

import argparse
import filecmp
import json
import os
import platform
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
UNPACKED = HERE.parent
sys.path[:0] = [str(HERE), str(HERE / "scripts")]

import numpy as np  # noqa: E402  as the modules below, found by the line above

import tables  # noqa: E402
from deltann.stages import machine  # noqa: E402
from deltann.tvm.target_kinds import CUDA  # noqa: E402

ROUNDS = 20
# A turn of one contestant lasts about as long, and is one run at least.
TURN_SECONDS, RUNS = 0.2, 50
# The share of a model's time in which its contestants must have loaded.
LOADING_SHARE = 0.6
LEVELS = ("O0", "O2", "O4")


@dataclass(frozen=True)
class Entry:
    """What a contestant runs.

    Attributes:
        runner: one of `deltann.runners`, or `worker.HALF`.
        file: the model file, below the model's folder.
        settings: the runner's.
    """

    runner: str
    file: str
    settings: dict = field(default_factory=dict)


CONTESTANTS = {
    tables.REFERENCE: Entry("torch", "unconverted.pt2"),
    "PyTorch, TF32": Entry("torch", "unconverted.pt2", {"float32_precision": "tf32"}),
    "PyTorch, float16": Entry("torch_half", "unconverted.pt2"),
    "ONNX Runtime": Entry("onnx", "torch_onnx.onnx"),
    **{f"TVM {level}": Entry("tvm", f"{level}.so") for level in LEVELS},
}


class Failed(Exception):
    """A contestant failed; the message says why."""


class TimedOut(Failed):
    """A contestant didn't answer in time."""


class Contestant:
    """A process that runs one model in one way.

    Attributes:
        logits: where it writes its answers.
        log: where it writes its errors.
    """

    def __init__(self, command: list[str], environment: dict[str, str], logits: Path):
        self.logits, self.log = logits, logits.with_suffix(".log")
        with open(self.log, "wb") as errors:
            self.process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._asked = time.monotonic()
        self._lines: queue.Queue = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self._lines.put(line)
        self._lines.put(None)

    def answer(self, deadline: float) -> Any:
        """Its next answer.

        Args:
            deadline: how long to wait, by `time.monotonic`.

        Raises:
            TimedOut: it took longer.
            Failed: it ended.
        """
        try:
            line = self._lines.get(timeout=max(0.1, deadline - time.monotonic()))
        except queue.Empty:
            raise TimedOut(f"no answer within {time.monotonic() - self._asked:.0f} s") from None
        if line is None:
            raise Failed(self._end())
        return json.loads(line)

    def turn(self, number: int, deadline: float) -> list[float]:
        """Let it run a number of times until a deadline; the seconds of each.

        Raises:
            Failed: see `answer`.
        """
        self._asked = time.monotonic()
        try:
            self.process.stdin.write(f"{number}\n")  # type: ignore[union-attr]
            self.process.stdin.flush()  # type: ignore[union-attr]
        except BrokenPipeError:
            raise Failed(self._end()) from None
        return self.answer(deadline)

    def _end(self) -> str:
        """Why it ended: its exception or the last line of its log, and the signal, if one did."""
        code = self.process.wait()
        text = self.log.read_text("utf-8", "replace").rpartition("Traceback (most recent")
        lines = [line for line in text[2].splitlines() if line.strip()]
        if text[1]:  # behind the first line and the calls, which are indented
            lines = [line for line in lines[1:] if not line.startswith(" ")][:1]
        last = lines[-1].strip() if lines else "no message"
        return last if code > 0 else f"{signal.Signals(-code).name}: {last}" if code else last


def start(name: str, model: Path, options: argparse.Namespace) -> Contestant:
    """Start a contestant."""
    entry, short = CONTESTANTS[name], f"{model.name}-{name}".replace(", ", "-").replace(" ", "-")
    folder = UNPACKED / "dry" / model.name if options.dry and entry.runner == "tvm" else model
    command = [sys.executable, "-s", str(HERE / "worker.py"), entry.runner]
    logits = options.output / f"{short}.npy"
    command += [str(folder / entry.file), str(model), str(logits)]
    command += ["--settings", json.dumps(entry.settings)]
    command += ["--threads", str(len(os.sched_getaffinity(0)))]
    environment = dict(os.environ)
    if entry.runner == "tvm":  # no other contestant sees its packages
        site = UNPACKED / "site" / f"{sys.version_info.major}.{sys.version_info.minor}"
        environment["PYTHONPATH"] = _joined(str(site), os.environ.get("PYTHONPATH"))
        libraries = str(site / "nvidia/cu13/lib")
        environment["LD_LIBRARY_PATH"] = _joined(libraries, os.environ.get("LD_LIBRARY_PATH"))
        if options.dry:
            command += ["--gpu-code", str(model / entry.file)]
    command += ["--dry"] * options.dry
    return Contestant(command, environment, logits)


def _joined(first: str, others: str | None) -> str:
    return f"{first}{os.pathsep}{others}" if others else first


def repeated(model: Path) -> dict[str, str]:
    """The levels whose library for the GPU is that of a lower level, with the lowest such."""
    found = {}
    for place, level in enumerate(LEVELS):
        for lower in LEVELS[:place]:
            if filecmp.cmp(model / f"{lower}.so", model / f"{level}.so", shallow=False):
                found.setdefault(f"TVM {level}", f"TVM {lower}")
    return found


def race(model: Path, deadline: float, options: argparse.Namespace) -> dict[str, dict]:
    """Load and time a model's contestants.

    Args:
        model: its folder.
        deadline: when to end, by `time.monotonic`.
        options: those of the command line.

    Returns:
        By contestant, `failed`, a message; or `answers`, see `tables.compare`, `seconds` of each
        run in a list per round, and what its process says of itself.
    """
    expected = np.load(model / "expected.npy", allow_pickle=False)
    same = repeated(model)
    field = {name: start(name, model, options) for name in CONTESTANTS}
    found: dict[str, dict] = {}
    try:
        now = time.monotonic()
        loaded_by = now + LOADING_SHARE * (deadline - now)
        for name, item in field.items():
            try:
                found[name] = item.answer(loaded_by) | {"seconds": []}
                logits = np.load(item.logits, allow_pickle=False)
                found[name] |= {"same_as": same[name]} if name in same else {}
                found[name]["answers"] = tables.compare(logits, expected)
            except (Failed, ValueError) as error:
                found[name] = {"failed": str(error)}
        time_rounds(field, found, deadline)
    finally:
        for item in field.values():
            item.process.kill()
            item.process.wait()
    return found


def time_rounds(field: dict[str, Contestant], found: dict[str, dict], deadline: float) -> None:
    """Let those that loaded run in turn, round by round, until the time is up.

    Args:
        field: the contestants.
        found: of each, `seconds`, to which this adds a list per round, or `failed`.
        deadline: when to end, by `time.monotonic`.
    """
    numbers: dict[str, int] = {}
    for turn in range(ROUNDS + 1):  # the first finds how often each runs, and warms up
        for name, item in field.items():
            if "failed" in found[name]:
                continue
            if deadline - time.monotonic() < TURN_SECONDS:
                return
            try:
                seconds = item.turn(numbers.get(name, 2), deadline)
            except TimedOut as error:  # it keeps what it measured
                if not found[name]["seconds"]:
                    found[name] = {"failed": f"while it was timed: {error}"}
                return
            except Failed as error:
                found[name] = {"failed": f"while it was timed: {error}"}
                continue
            if turn == 0:
                numbers[name] = max(1, min(RUNS, round(TURN_SECONDS / seconds[-1])))
            else:
                found[name]["seconds"].append(seconds)


def described(options: argparse.Namespace) -> dict:
    """The machine: processor, GPU, and the versions of what computes."""
    import torch

    device = None if options.dry else {"kind": CUDA}
    about = machine.describe(len(os.sched_getaffinity(0)), device)
    return (
        {"gpu": "not used"}
        | about
        | {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda or "none",
            "cudnn": torch.backends.cudnn.version() or "none",
        }
    )


def main(options: argparse.Namespace) -> None:
    """Race all models that were copied here, and write the results after each."""
    import torch

    if not options.dry and not torch.cuda.is_available():
        sys.exit(f"PyTorch {torch.__version__} finds no CUDA GPU; expected one, or --dry")
    deadline = time.monotonic() + options.seconds - (time.time() - options.started)
    options.output.mkdir(parents=True, exist_ok=True)
    order = json.loads((HERE / "models.json").read_text("utf-8"))
    models = [UNPACKED / "models" / name for name in order]
    models = [model for model in models if model.is_dir()]
    results = {"dry": options.dry, "machine": described(options), "models": {}, "not_run": []}
    for place, model in enumerate(models):
        left = deadline - time.monotonic()
        if left < options.seconds / 20:
            results["not_run"].append(model.name)
        else:
            print(f"{model.name}: at most {left / (len(models) - place):.0f} s", flush=True)
            until = time.monotonic() + left / (len(models) - place)
            results["models"][model.name] = race(model, until, options)
            print(tables.table(results["models"][model.name]), flush=True)
        (options.output / "results.json").write_text(json.dumps(results), encoding="utf-8")
        (options.output / "tables.md").write_text(tables.markdown(results), encoding="utf-8")
    print(f"the tables: {options.output / 'tables.md'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__)
    parser.add_argument("--dry", action="store_true", help="every step, on the CPU")
    parser.add_argument("--output", type=Path, default=Path("gpu-results"), help="a folder")
    parser.add_argument("--seconds", type=float, default=570, help="for all steps together")
    parser.add_argument("--started", type=float, default=time.time(), help=argparse.SUPPRESS)
    main(parser.parse_args())
