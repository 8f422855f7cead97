"""ONNX files, by ONNX Runtime without its graph optimizations."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deltann.formats import onnx_steps, onnx_types
from deltann.formats.onnx_parts import load
from deltann.formats.onnx_view import View
from deltann.formats.tensor_types import encode
from deltann.steps import Operator

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "onnx"
LAYOUT = "NCHW"


class Tracer:
    """See `steps.Tracer`."""

    def __init__(self, model_file: Path) -> None:
        self.model_file = Path(model_file)

    def __enter__(self) -> "Tracer":
        model = load(self.model_file)
        self._input_type = onnx_types.input_type(model.graph)
        self._view = View(model)
        self.input, self.output = self._view.input, self._view.output
        self.input_shape = self._view.input_shape
        return self

    def __exit__(self, *_: object) -> None:
        del self._view

    def operators(self) -> list[Operator]:
        """See `steps.Tracer`. Operators in the branches of `If` or a loop are no operators."""
        return onnx_steps.operators(self._view)

    def run(
        self,
        image: "np.ndarray",
        wanted: Collection[str],
        replaced: "Mapping[str, np.ndarray] | None" = None,
    ) -> "dict[str, np.ndarray]":
        """See `steps.Tracer`. An image for a model of whole numbers is quantized."""
        feeds = {self.input: encode(image, self._input_type), **(replaced or {})}
        return self._view.parts.run(feeds, wanted)
