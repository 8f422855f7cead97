"""A model file that is traced: in a process of its framework's environment, by `Session`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deltann import tracers

if TYPE_CHECKING:
    import numpy as np


class Served:
    """A tracer, by what a session can carry.

    Args:
        framework: a module of `deltann.tracers`.
        model_file: of that framework.
    """

    def __init__(self, framework: str, model_file: str):
        self._tracer = tracers.get(framework).Tracer(Path(model_file)).__enter__()

    def describe(self) -> dict:
        """The attributes of `steps.Tracer`."""
        tracer = self._tracer
        return {
            "input": tracer.input,
            "output": tracer.output,
            "input_shape": list(tracer.input_shape),
        }

    def operators(self) -> list[dict]:
        """The fields of each `steps.Operator`."""
        return [
            {key: getattr(operator, key) for key in operator.__dataclass_fields__}
            for operator in self._tracer.operators()
        ]

    def run(
        self,
        image: "np.ndarray",
        wanted: Sequence[str],
        replaced: "Mapping[str, np.ndarray]",
    ) -> "dict[str, np.ndarray]":
        """See `steps.Tracer`."""
        return self._tracer.run(image, wanted, replaced)
