"""Try sets of switches, each once and in a child process of its own."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deltann.cell import TUNED, UNSCHEDULED
from deltann.errors import StudyError
from deltann.execution import stage
from deltann.execution.isolation import Limits, Outcome, Task
from deltann.explain import SCHEDULE
from deltann.explain.attempt import LOGITS


class Attempt(NamedTuple):
    """The outcome of one set.

    Attributes:
        folder: where `attempt` wrote its files.
        logits: float32 (image, class), or None if it failed.
        error: why it failed; empty if it didn't.
    """

    folder: Path
    logits: np.ndarray | None
    error: str

    def answers(self) -> np.ndarray:
        """The logits of a set that ran.

        Raises:
            ValueError: it failed.
        """
        if self.logits is None:
            raise ValueError(f"{self.folder}: {self.error}")
        return self.logits


@dataclass
class Attempts:
    """Compiles and runs sets of switches: names of passes, and `schedule <name>`.

    Attributes:
        compilation: arguments of `deltann.stages.compile.compile_file`: framework, target, model
            file, and the database if the cell's schedule is `tuned`.
        run: arguments of `deltann.explain.attempt.work`: preprocessing, pixels and threads.
        limits: the limits of each attempt.
        retries_left: how often Snakemake would try again.
        folder: each attempt writes into a folder in it.
        tried: the outcomes so far, by switches and schedule.
    """

    compilation: dict
    run: dict
    limits: Limits
    retries_left: int
    folder: Path
    tried: dict[tuple, Attempt] = field(default_factory=dict)

    def attempt(self, switches: tuple[str, ...], schedule: str | None = None) -> Attempt:
        """Compile and run a set, with its own schedule or with the one given.

        A failure is a normal outcome: not every set compiles.
        """
        task = self._start(switches, schedule)
        if isinstance(task, Attempt):
            return task
        return self._done(switches, schedule, task.wait())

    def needed(self, switches: tuple[str, ...]) -> Attempt:
        """Compile and run a set that the search can't do without.

        Raises:
            StudyError: it failed.
            Transient: it failed, and the machine may be at fault (see `stage.finish`).
        """
        attempt = self._start(switches, None)
        if isinstance(attempt, Task):
            attempt = self._done(switches, None, stage.finish(attempt, self.retries_left))
        if attempt.error:
            raise StudyError(
                f"with {', '.join(switches) or 'no pass'} switched on, the model can't be compiled "
                f"and run again: {attempt.error}"
            )
        return attempt

    def _start(self, switches: tuple[str, ...], schedule: str | None) -> Attempt | Task:
        """The child at work, or the outcome if the set was tried before."""
        if (switches, schedule) in self.tried:
            return self.tried[switches, schedule]
        own = [item.removeprefix(SCHEDULE) for item in switches if item.startswith(SCHEDULE)]
        chosen = schedule or next(iter(own), UNSCHEDULED)
        passes = [item for item in switches if not item.startswith(SCHEDULE)]
        compilation = self.compilation | {"passes": passes, "schedule": chosen}
        if chosen != TUNED:
            compilation.pop("database", None)
        folder = self.folder / str(len(self.tried))
        folder.mkdir()
        names = ", ".join(passes) or "no pass"
        print(f"set {len(self.tried) + 1}: {names}; {SCHEDULE}{chosen}", flush=True)
        arguments = {"compilation": compilation, "folder": str(folder)} | self.run
        return stage.start("deltann.explain.attempt", arguments, self.limits, folder)

    def _done(self, switches: tuple[str, ...], schedule: str | None, outcome: Outcome) -> Attempt:
        folder = self.folder / str(len(self.tried))
        failure = outcome.failure
        logits = None if failure else np.load(folder / LOGITS, allow_pickle=False)
        error = f"{failure.type}: {failure.message}" if failure else ""
        self.tried[switches, schedule] = Attempt(folder, logits, error)
        return self.tried[switches, schedule]
