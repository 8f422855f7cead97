"""SavedModels: the nodes of the serving signature, run one by one, with TensorFlow's own kernels.

The signature is frozen, and calls of functions are replaced by what is in them, so that the nodes
are those of the file. oneDNN's operators aren't used.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deltann.runners import tensorflow as runner
from deltann.steps import Operator

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "tensorflow"
LAYOUT = "NHWC"
THREADS = 1


class Tracer:
    """See `steps.Tracer`."""

    def __init__(self, model_file: Path):
        self.model_file = model_file

    def __enter__(self) -> "Tracer":
        runner.start(THREADS, onednn=False, bfloat16=False)
        from deltann.formats import tensorflow_frozen
        from deltann.formats.tensorflow_eager import Execution

        frozen = tensorflow_frozen.read(self.model_file)
        self.execution = Execution(frozen)
        self.input, self.output = frozen.input, frozen.output
        self.input_shape = frozen.input_shape
        return self

    def __exit__(self, *_: object) -> None:
        del self.execution

    def operators(self) -> list[Operator]:
        """See `steps.Tracer`."""
        from deltann.formats import tensorflow_operators

        return tensorflow_operators.operators(self.execution)

    def run(
        self,
        image: "np.ndarray",
        wanted: Collection[str],
        replaced: "Mapping[str, np.ndarray] | None" = None,
    ) -> "dict[str, np.ndarray]":
        """See `steps.Tracer`."""
        return self.execution.run(image, wanted, replaced or {})
