"""PyTorch: an ExportedProgram's graph, run node by node.

An operator and its output are called as the node of the graph. Outputs of an operator that has
several are called as the nodes that take them out.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from deltann.formats import torch_graph, torch_operators
from deltann.steps import Operator

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "torch"
LAYOUT = "NCHW"


class Tracer:
    """See `steps.Tracer`."""

    def __init__(self, model_file: Path):
        self.model_file = model_file

    def __enter__(self) -> Self:
        """Load the file.

        Raises:
            ValueError: see `exported_program.load`.
        """
        self.network = torch_graph.load(self.model_file)
        self.input, self.output = self.network.input.name, self.network.output.name
        self.input_shape = self.network.shape
        return self

    def __exit__(self, *_: object) -> None:
        del self.network

    def operators(self) -> list[Operator]:
        """See `steps.Tracer`. Weights that are stored in fewer bits are given dequantized."""
        return torch_operators.operators(self.network)

    def run(
        self,
        image: "np.ndarray",
        wanted: Collection[str],
        replaced: "Mapping[str, np.ndarray] | None" = None,
    ) -> "dict[str, np.ndarray]":
        """See `steps.Tracer`. Tensors in bfloat16, which NumPy lacks, are float32."""
        as_tensor = torch_graph.as_tensor
        given = {name: as_tensor(value) for name, value in (replaced or {}).items()}
        return self.network.run(as_tensor(image), set(wanted), given)
