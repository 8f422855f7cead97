"""Conversions and answers in other environments, each in a process of its own."""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deltann import converters, precision, runners
from deltann.execution.isolation import Limits
from deltann.execution.session import Session, ToolFailed
from deltann.localise import remote
from deltann.precision import Precision
from deltann.repair.candidates import Candidate, Conversion
from deltann.repair.onnx_rewrites import REWRITES
from deltann.repair.prepasses import PREPASSES
from deltann.repair.shots import Shots

NOT_BUILT = "NotBuilt"


@dataclass(frozen=True)
class Made:
    """A model file on the way: its path, format, and what it computes in."""

    path: Path
    framework: str
    precision: Precision


@dataclass
class Elsewhere:
    """What a repair runs in other environments.

    Attributes:
        shots: the images that models answer.
        preprocessing: the fields of `Preprocessing`, of these images.
        calibration: prepared calibration images and the preprocessing for them, if there are some.
        limits: of each process.
        threads: of the runtimes.
        folder: for the files that are made.
        layouts, movements: of the files that have answered: of the input, and by rounding.
    """

    shots: Shots
    preprocessing: dict
    calibration: tuple[Path, dict] | None
    limits: Limits
    threads: int
    folder: Path
    layouts: dict[Path, str] = field(default_factory=dict)
    movements: dict[Path, float] = field(default_factory=dict)
    _answers: dict[Path, np.ndarray] = field(default_factory=dict)
    _number: int = 0

    def call(self, environment: str, method: str, **arguments: Any) -> Any:
        """Call a method of `served.Served` in an environment.

        Raises:
            ToolFailed: a tool failed, or the environment isn't built.
            StudyError: a fault of ours.
        """
        python = remote.python(environment)
        if not Path(python[0]).exists():
            raise ToolFailed(NOT_BUILT, f"environment {environment} isn't built in this folder")
        with Session(python, "deltann.repair.served", {}, self.limits, self.threads) as session:
            return session.call(method, **arguments)

    def new(self, framework: str) -> Path:
        """A path for a new file of a framework."""
        self._number += 1
        return self.folder / f"made-{self._number}{runners.get(framework).SUFFIX}"

    def answers(self, made: Made, movement: bool = False) -> np.ndarray:
        """A file's answers to all images, float32 (image, class), in its framework's own runtime.

        Args:
            made: the file.
            movement: whether to find out how far rounding moves them: for `movements`.

        Raises:
            ToolFailed: it can't be loaded or run.
        """
        if made.path not in self._answers:
            given = self.call(
                runners.get(made.framework).ENVIRONMENT,
                "infer",
                runner=made.framework,
                model_file=str(made.path.resolve()),
                preprocessing=self.preprocessing,
                pixels=self.shots.pixels,
                threads=self.threads,
                movement=movement,
            )
            self._answers[made.path] = given["logits"]
            self.layouts[made.path] = given["layout"]
            self.movements[made.path] = given["movement"]
        return self._answers[made.path]

    def convert(self, conversion: Conversion, before: Made, edge: str = "") -> Made:
        """Convert a file as the rule `convert` does.

        Raises:
            ToolFailed: the converter failed.
            StudyError: a fault of ours.
        """
        module = converters.get(conversion.converter)
        output = self.new(module.TARGET)
        images, preprocessing = self.calibration or (None, None)
        if not converters.calibrates(conversion.converter):
            images = preprocessing = None
        details = self.call(
            module.ENVIRONMENT,
            "convert",
            arguments={
                "edge": edge or conversion.converter,
                "converter": conversion.converter,
                "settings": conversion.settings,
                "preprocessing": preprocessing,
                "before": {"precision": asdict(before.precision)},
                "calibration": str(images) if images else None,
                "model_file": str(before.path.resolve()),
                "output": str(output.resolve()),
            },
        )
        if not output.exists() or not output.stat().st_size:
            raise ToolFailed("NoOutput", "the tool ended without an error and wrote nothing")
        return Made(output, module.TARGET, precision.read(details))

    def make(self, candidate: Candidate, before: Made) -> Made | None:
        """The file that a candidate makes; None if its preparation changes nothing.

        Raises:
            ToolFailed, StudyError: see `convert`.
        """
        made = before
        if candidate.prepared:
            output, names = self.new(before.framework), list(candidate.prepared)
            files = {"model_file": str(made.path.resolve()), "output": str(output.resolve())}
            if names[0] in REWRITES:
                changed = self.call("onnx", "rewrite", names=names, **files)
            else:
                changed = self.call(
                    PREPASSES[names[0]].environment, "prepass", name=names[0], **files
                )
            if not changed:
                return None
            made = Made(output, before.framework, before.precision)
        for conversion in candidate.conversions:
            made = self.convert(conversion, made)
        return made

    def compiled(self, made: Made, compilation: dict, environment: str, images: int) -> np.ndarray:
        """What a file answers to the first images when TVM compiles it.

        Raises:
            ToolFailed: TVM failed.
        """
        given = compilation | {
            "framework": made.framework,
            "model_file": str(made.path.resolve()),
        }
        return self.call(
            environment,
            "compiled",
            compilation=given,
            preprocessing=self.preprocessing,
            pixels=self.shots.pixels[:images],
            threads=self.threads,
        )


class Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def seconds(self) -> float:
        """Rounded."""
        return round(time.monotonic() - self._start, 2)
