"""What is known of a run's jobs: which run, how long they took, and how much time is left."""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# The workflow's target has no work of its own.
TARGET = "all"
# What a step of each rule took in the last runs in this folder, on this machine and on a cluster.
PAST = Path(".snakemake/deltann.seconds.json")
HERE, CLUSTER = "here", "cluster"


@dataclass
class Job:
    """A job that was started.

    Attributes:
        message: what it does.
        begin: when it was started, in seconds of the clock.
        cost: its part of the wall time so far, in seconds: with two jobs at work, each has half.
    """

    rule: str
    message: str
    begin: float
    cost: float = 0.0


class Jobs:
    """The jobs of a run.

    Attributes:
        running: those that were started, by Snakemake's number.
        messages: what each job does that was ever started.
        done, total: numbers of steps; total is 0 while it isn't known.
        failed: the message and the log of those that failed and weren't started again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self.running: dict[int, Job] = {}
        self.failed: dict[int, str] = {}
        self.messages: dict[int, str] = {}
        self.done = self.total = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._begin = self._advanced = clock()
        self._remaining: dict[str, int] = {}
        self._costs: dict[str, list[float]] = {}
        self._past: Mapping[str, float] = {}

    def plan(self, steps: Mapping[str, int], past: Mapping[str, float]) -> None:
        """Take the plan: how many steps of each rule, and what a step took in earlier runs."""
        self._remaining = dict(steps)
        self.total = sum(steps.values())
        self._past = past

    def start(self, number: int, rule: str, message: str) -> None:
        """A job was started, perhaps again."""
        self._advance()
        self.failed.pop(number, None)
        self.messages[number] = message
        self.running[number] = Job(rule, message, self._clock())

    def finish(self, number: int) -> Job | None:
        """A job is done; None if its start wasn't seen."""
        job = self._end(number)
        if job:
            self._costs.setdefault(job.rule, []).append(job.cost)
            self._remaining[job.rule] = self._remaining.get(job.rule, 1) - 1
        return job

    def fail(self, number: int, logs: Sequence[str]) -> Job | None:
        """A job failed; None if its start wasn't seen."""
        message = self.messages.get(number, f"job {number}")
        self.failed[number] = ": ".join([message, *logs[:1]])
        return self._end(number)

    def seconds(self, job: Job) -> float:
        """How long a job has been running."""
        return self._clock() - job.begin

    def elapsed(self) -> float:
        """Seconds since this run began."""
        return self._clock() - self._begin

    def left(self) -> tuple[float, bool]:
        """The seconds that the known steps will take, and whether all steps are known.

        A rule's steps are known once one of them has finished, now or in an earlier run.
        """
        self._advance()
        seconds, known = 0.0, True
        running = list(self.running.values())
        for rule, count in list(self._remaining.items()):
            cost = self._cost(rule)
            if cost is None:
                known = known and not count
                continue
            begun = [job.cost for job in running if job.rule == rule]
            seconds += cost * max(count - len(begun), 0) + sum(max(cost - had, 0) for had in begun)
        return seconds, known

    def costs(self) -> dict[str, float]:
        """What a step of each rule took on average, in seconds of wall time."""
        return {rule: sum(costs) / len(costs) for rule, costs in self._costs.items()}

    def _cost(self, rule: str) -> float | None:
        if rule == TARGET:
            return 0.0
        costs = self._costs.get(rule)
        return sum(costs) / len(costs) if costs else self._past.get(rule)

    def _end(self, number: int) -> Job | None:
        self._advance()
        return self.running.pop(number, None)

    def _advance(self) -> None:
        """Share the time since the last call among the jobs that were running."""
        with self._lock:  # the bar asks for the time left in a thread of its own
            now, running = self._clock(), list(self.running.values())
            for job in running:
                job.cost += (now - self._advanced) / len(running)
            self._advanced = now


def read_past(place: str) -> dict[str, float]:
    """What a step of each rule took on average in earlier runs; empty without any."""
    try:
        return dict(json.loads(PAST.read_text())[place])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def write_past(place: str, costs: Mapping[str, float]) -> None:
    """Remember what a step of each rule took; a folder that can't be written to is left alone."""
    try:
        whole = {name: read_past(name) for name in (HERE, CLUSTER)}
        whole[place] |= {rule: round(cost, 3) for rule, cost in costs.items()}
        part = PAST.with_suffix(f".{os.getpid()}.tmp")
        part.write_text(json.dumps(whole))
        part.replace(PAST)
    except OSError:
        pass
