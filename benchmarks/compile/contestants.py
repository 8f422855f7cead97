"""Models that run in turn: each in a process of its own, stopped whenever it isn't its turn."""

import json
import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A turn of one contestant lasts about as long, and is one run at least.
TURN_SECONDS = 0.3


@dataclass(frozen=True)
class Entry:
    """What a contestant runs.

    Attributes:
        runner: the name of a module of `deltann.runners`.
        path: the model file.
        settings: the runner's.
    """

    runner: str
    path: str
    settings: dict = field(default_factory=dict)


@dataclass
class Contestant:
    """A process that runs one model in one way.

    Attributes:
        seconds: of each run, in one list per turn.
    """

    name: str
    process: subprocess.Popen
    number: int = 1
    seconds: list[list[float]] = field(default_factory=list)

    def ready(self) -> None:
        """Wait until it has run once, and stop it.

        Raises:
            RuntimeError: it ended.
        """
        for line in self.process.stdout:  # a runtime may write to stdout of its own
            if line.strip() == "ready":
                self.process.send_signal(signal.SIGSTOP)
                return
        raise RuntimeError(f"{self.name} ended with {self.process.wait()}")

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


def race(entries: dict[str, Entry], threads: int, how: dict, pixels: Path, rounds: int) -> dict:
    """Time contestants in turn, round by round.

    Args:
        entries: what they run, by name.
        threads: of each.
        how: the fields of `Preprocessing`.
        pixels: an `.npy` file with an image.
        rounds: turns of each.

    Returns:
        By name, the seconds of each run: a list per turn.
    """
    field = []
    try:
        for name, entry in entries.items():
            field.append(Contestant(name, _start(entry, threads, how, pixels)))
        for item in field:
            item.ready()
        for item in field:
            (once,) = item.turn()
            item.number = max(1, min(50, round(TURN_SECONDS / once)))
        for _ in range(rounds):
            for item in field:
                item.seconds.append(item.turn())
    finally:
        for item in field:
            item.process.kill()
            item.process.wait()
    return {item.name: item.seconds for item in field}


def _start(entry: Entry, threads: int, how: dict, pixels: Path) -> subprocess.Popen:
    environment = "tvm" if entry.runner == "tvm" else entry.runner
    worker = str(Path(__file__).with_name("worker.py"))
    command = [f".envs/{environment}/bin/python", worker, entry.runner, entry.path, str(threads)]
    return subprocess.Popen(
        [*command, json.dumps(entry.settings), json.dumps(how), str(pixels)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
