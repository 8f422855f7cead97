"""Tracers and editors of other environments, as if they were in this process."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deltann import editors, interpreter, tracers
from deltann.edits import Edit, Impossible
from deltann.execution.isolation import Limits
from deltann.execution.session import LastingSession, Session
from deltann.stages import edit
from deltann.steps import Operator
from deltann.study import layout

LIMITS = Limits(seconds=300, memory_mb=8000)
# Where the environments are, for programs that run outside of the repository's root.
ENVIRONMENTS = "DELTANN_ENVIRONMENTS"


def python(environment: str) -> list[str]:
    """The start of a command by the Python of an environment."""
    given = os.environ.get(ENVIRONMENTS)
    if given:
        return interpreter.of_environment(f"{given}/{environment}")
    return layout.interpreter(environment)


class RemoteTracer:
    """A `steps.Tracer` in its framework's environment; a context manager.

    Raises, from all methods:
        deltann.execution.session.ToolFailed: the tool raised, crashed or went over a limit.
    """

    def __init__(self, framework: str, model_file: Path, limits: Limits = LIMITS):
        self.framework, self.model_file, self.limits = framework, model_file, limits
        self._operators: list[Operator] | None = None

    def __enter__(self) -> "RemoteTracer":
        arguments = {"framework": self.framework, "model_file": str(self.model_file.resolve())}
        command = python(tracers.get(self.framework).ENVIRONMENT)
        self._session = LastingSession(
            lambda: Session(command, "deltann.stages.trace", arguments, self.limits)
        )
        described = self._session.call("describe")
        self.input, self.output = described["input"], described["output"]
        self.input_shape = tuple(described["input_shape"])
        self.layout = described["layout"]
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def operators(self) -> list[Operator]:
        """See `steps.Tracer`."""
        if self._operators is None:
            self._operators = [
                Operator(**item | {name: tuple(item[name]) for name in ("inputs", "outputs")})
                for item in self._session.call("operators")
            ]
        return self._operators

    def run(
        self,
        image: np.ndarray,
        wanted: Collection[str],
        replaced: Mapping[str, np.ndarray] | None = None,
    ) -> dict[str, np.ndarray]:
        """See `steps.Tracer`."""
        return self._session.call(
            "run", image=image, wanted=list(wanted), replaced=dict(replaced or {})
        )


def open_tracer(framework: str, model_file: Path, limits: Limits = LIMITS) -> RemoteTracer:
    """A tracer of a model file; enter it to load the file."""
    return RemoteTracer(framework, model_file, limits)


class RemoteEditor:
    """An `edits.EditorModule` in its framework's environment; a context manager."""

    def __init__(self, framework: str, limits: Limits = LIMITS):
        self.framework, self.limits = framework, limits

    def __enter__(self) -> "RemoteEditor":
        command = python(editors.get(self.framework).ENVIRONMENT)
        arguments: dict[str, Any] = {"framework": self.framework}
        self._session = LastingSession(
            lambda: Session(command, "deltann.stages.edit", arguments, self.limits)
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def apply(self, model_file: Path, changes: Sequence[Edit], output: Path) -> None:
        """See `edits.EditorModule`."""
        why = self._session.call(
            "apply",
            model_file=str(model_file.resolve()),
            changes=[edit.fields(item) for item in changes],
            output=str(output.resolve()),
        )
        if why:
            raise Impossible(why)
