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
        module = tracers.get(framework)
        self._tracer = module.Tracer(Path(model_file)).__enter__()
        # a tracer of files of several formats has a layout for each
        self._layout = vars(self._tracer).get("layout", module.LAYOUT)

    def describe(self) -> dict:
        """The attributes of `steps.Tracer`, and the `layout` of the file."""
        tracer = self._tracer
        return {
            "input": tracer.input,
            "output": tracer.output,
            "input_shape": list(tracer.input_shape),
            "layout": self._layout,
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
