"""Sets of switches tried, each once, in a child process of its own."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deltann.cell import TUNED, UNSCHEDULED
from deltann.errors import StudyError
from deltann.execution import stage
from deltann.execution.isolation import Limits, Task
from deltann.explain import SCHEDULE
from deltann.explain.attempt import LOGITS


class Attempt(NamedTuple):
    """What a set came to.

    Attributes:
        folder: with what `attempt` wrote.
        logits: float32 (image, class), or None where it failed.
        error: why it failed; empty where it didn't.
    """

    folder: Path
    logits: np.ndarray | None
    error: str


@dataclass
class Attempts:
    """Compiles and runs sets of switches: names of passes, and `schedule <name>`.

    Attributes:
        compilation: arguments of `deltann.stages.compile.work`: framework, target, model file, and
            the database where the cell's schedule is `tuned`.
        run: arguments of `deltann.explain.attempt.work`: preprocessing, pixels and threads.
        limits: of each attempt.
        retries_left: how often Snakemake would try again.
        folder: to write to.
    """

    compilation: dict
    run: dict
    limits: Limits
    retries_left: int
    folder: Path
    known: dict[tuple, Attempt] = field(default_factory=dict)

    def attempt(self, switches: tuple[str, ...], schedule: str | None = None) -> Attempt:
        """Compile and run a set; with another schedule than its own, if one is given.

        A failure is one outcome of a set among others: not every set need compile.
        """
        task = self._start(switches, schedule)
        if isinstance(task, Attempt):
            return task
        return self._done(switches, schedule, task.wait())

    def needed(self, switches: tuple[str, ...]) -> Attempt:
        """Compile and run a set without which nothing can be said.

        Raises:
            StudyError: it failed.
            Transient: as `records.finish` does.
        """
        task = self._start(switches, None)
        if isinstance(task, Task):
            task = self._done(switches, None, stage.finish(task, self.retries_left))
        if task.error:
            raise StudyError(
                f"with {', '.join(switches) or 'no pass'} switched on, the model was not compiled "
                f"and run again: {task.error}"
            )
        return task

    def _start(self, switches: tuple[str, ...], schedule: str | None) -> Attempt | Task:
        """The child at work, or what is known already."""
        if (switches, schedule) in self.known:
            return self.known[switches, schedule]
        own = [item.removeprefix(SCHEDULE) for item in switches if item.startswith(SCHEDULE)]
        chosen = schedule or next(iter(own), UNSCHEDULED)
        passes = [item for item in switches if not item.startswith(SCHEDULE)]
        compilation = self.compilation | {"passes": passes, "schedule": chosen}
        if chosen != TUNED:
            compilation.pop("database", None)
        folder = self.folder / str(len(self.known))
        folder.mkdir()
        names = ", ".join(passes) or "no pass"
        print(f"set {len(self.known) + 1}: {names}; {SCHEDULE}{chosen}", flush=True)
        arguments = {"compilation": compilation, "folder": str(folder)} | self.run
        return stage.start("deltann.explain.attempt", arguments, self.limits, folder)

    def _done(self, switches: tuple[str, ...], schedule: str | None, outcome) -> Attempt:
        folder = self.folder / str(len(self.known))
        failure = outcome.failure
        logits = None if failure else np.load(folder / LOGITS, allow_pickle=False)
        error = f"{failure.type}: {failure.message}" if failure else ""
        self.known[switches, schedule] = Attempt(folder, logits, error)
        return self.known[switches, schedule]
