"""The graph that TVM imports from an ONNX, PyTorch or TFLite file, compiled without any pass.

Tensors are called by their variables in Relax. What an item of a tuple is bound to is an output of
the operator that gives the tuple.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from deltann.formats.tensor_types import TensorType, encode
from deltann.ours import ours
from deltann.steps import Operator
from deltann.tvm import compat, importers
from deltann.tvm.call import Call, native
from deltann.tvm.expressions import known_sides
from deltann.tvm.load import load_tvm
from deltann.tvm.meanings import meaning
from deltann.tvm.stepwise import Step, Stepwise

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "tvm"
LAYOUT = "NCHW"
# The format of a file, by its suffix.
FRAMEWORKS = {".onnx": "onnx", ".pt2": "torch", ".tflite": "tflite"}


class Tracer:
    """See `deltann.steps.Tracer`.

    Raises, on entering:
        KeyError: TVM imports no file of this suffix.
        ValueError: the graph has several inputs.
    """

    def __init__(self, model_file: Path) -> None:
        self.model_file = Path(model_file)

    def __enter__(self) -> Self:
        framework = FRAMEWORKS[self.model_file.suffix]
        self.layout = "NHWC" if framework == "tflite" else LAYOUT
        if framework == "torch":
            import torch  # noqa: F401  # before TVM, see `load_tvm`
        else:
            load_tvm()
        imported = importers.import_model(self.model_file, framework).repaired()
        types = importers.tensor_types(self.model_file, framework)
        self._input_type = TensorType(**types["input_type"])
        self._graph = Stepwise(imported)
        self.input, self.output = self._graph.input, self._graph.output
        self.input_shape = self._shape(self.input)
        return self

    def __exit__(self, *_: object) -> None:
        del self._graph

    def _shape(self, name: str) -> tuple[int, ...]:
        return tuple(known_sides(self._graph.variables[name]) or ())

    def operators(self) -> list[Operator]:
        """See `steps.Tracer`."""
        graph = self._graph
        names = [step.name for step in graph.steps if step.name not in graph.dependent]
        constants = graph.run({}, names)
        with ours("reading the operators of an imported graph"):
            items = graph.items
            outputs = {name for found in items.values() for name in found.values()}
            found = [
                self._operator(step, items.get(step.name), constants)
                for step in graph.steps
                if step.name in graph.dependent and step.name not in outputs
            ]
            return _leading([item for item in found if item.outputs], self.output)

    def _operator(
        self, step: Step, items: dict[int, str] | None, constants: dict[str, Any]
    ) -> Operator:
        """An operator; one without outputs if the binding only names a tuple."""
        graph = self._graph
        sizes = graph.sizes(step.name)
        single = () if graph.is_tuple(step.name) else (step.name,)
        outputs = tuple(items.values()) if items else single
        inputs = tuple(name for name in graph.reads(step) if name in graph.dependent)

        def constant(expression: Any) -> Any:
            value = compat.constant(expression)
            return value if value is not None else constants.get(graph.known(expression))

        kind, attributes, parameters = meaning(Call(step.value, self.layout, constant, sizes))
        return Operator(
            step.name, native(step.value), kind, inputs, outputs, attributes, parameters
        )

    def run(
        self,
        image: "np.ndarray",
        wanted: Collection[str],
        replaced: "Mapping[str, np.ndarray] | None" = None,
    ) -> "dict[str, np.ndarray]":
        """See `steps.Tracer`. An image for a model of whole numbers is quantized.

        Raises:
            KeyError: there is no tensor of a name.
        """
        given = {self.input: encode(image, self._input_type), **(replaced or {})}
        return self._graph.run(given, wanted)


def _leading(operators: list[Operator], output: str) -> list[Operator]:
    """Those that lead to the output."""
    wanted, found = {output}, []
    for item in reversed(operators):
        if wanted.intersection(item.outputs):
            wanted.update(item.inputs)
            found.append(item)
    return found[::-1]
