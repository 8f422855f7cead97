"""An ONNX graph as the image goes through it: what depends on it, constants, shapes, types."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from deltann import spot_check
from deltann.formats.onnx_names import read_by
from deltann.formats.onnx_parts import Parts, input_of
from deltann.ours import ours

if TYPE_CHECKING:
    import numpy as np

# They read the shape of a tensor, which is constant as the input's is.
SHAPE_READERS = ("Shape", "Size")
# So many tensors are computed at a time to learn their shapes.
CHUNK = 32


class View:
    """An ONNX model for one image of a fixed size.

    Args:
        model: `onnx.ModelProto`; it isn't changed.
        like: see `Parts`.

    Attributes:
        parts: what runs it.
        input, output: the names of its first input and output.
        input_shape: of the input, with a batch of 1.
        opset: by domain, the version of the operators.

    Raises:
        ValueError: a side of the image is open.
    """

    def __init__(self, model: Any, like: Parts | None = None) -> None:
        self.parts = Parts(model, like)
        graph = self.parts.model.graph
        _one_image(graph)
        self.input_shape = tuple(
            side.dim_value for side in input_of(graph).type.tensor_type.shape.dim
        )
        if 0 in self.input_shape:
            raise ValueError(
                f"the model's input has the shape {self.input_shape}, with 0 for an open side;"
                " expected a fixed height and width"
            )
        self.input, self.output = self.parts.input, graph.output[0].name
        self.opset = {item.domain: item.version for item in model.opset_import}
        self.nodes = list(graph.node)
        with ours("following an image through an ONNX graph"):
            self.depending = self._depending()
            #: The numbers of the nodes that depend on the input and lead to the output.
            self.path = self._path()
            self.names = node_names(self.nodes)

    def _depending(self) -> set[str]:
        """The tensors whose numbers depend on the image."""
        found = {self.input}
        for node in self.nodes:
            if node.op_type not in SHAPE_READERS and not found.isdisjoint(read_by(node)):
                found.update(node.output)
        return found - {""}

    def _path(self) -> list[int]:
        needed, path = {self.output}, []
        for number in reversed(range(len(self.nodes))):
            node = self.nodes[number]
            if not needed.isdisjoint(node.output) and self.depending & {*node.output}:
                path.append(number)
                needed.update(self.depending.intersection(read_by(node)))
        return path[::-1]

    @cached_property
    def _computed(self) -> "dict[str, np.ndarray]":
        """The constants that nodes of the path read and that nodes make."""
        read = {name for number in self.path for name in read_by(self.nodes[number])}
        made = {name for node in self.nodes for name in node.output}
        names = sorted((read & made) - self.depending - {*self.parts.constants, ""})
        return self.parts.run({self.input: self.image()}, names) if names else {}

    def constant(self, name: str) -> "np.ndarray | None":
        """The numbers of a tensor that doesn't depend on the image; None for another."""
        if not name or name in self.depending:
            return None
        found = self.parts.constants.get(name)
        return self._computed.get(name) if found is None else found

    def image(self) -> "np.ndarray":
        """An image to learn shapes with."""
        return spot_check.image(self.input_shape, self._declared[self.input][1])

    @cached_property
    def _declared(self) -> dict[str, tuple[tuple[int, ...] | None, str]]:
        """Shapes and types by inference: None for a shape that stays open."""
        import onnx

        with ours("inferring the shapes of an ONNX graph"):
            graph = onnx.shape_inference.infer_shapes(self.parts.model, data_prop=True).graph
            items = [*graph.value_info, *graph.output, *graph.input]
            return {item.name: _described(item) for item in items}

    @cached_property
    def _known(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Shapes and types of the path's tensors by inference; what it leaves open comes later."""
        names = {name for number in self.path for name in self.nodes[number].output}
        declared = {name: self._declared.get(name) for name in sorted(names | {self.input} - {""})}
        known = {name: item for name, item in declared.items() if item and item[0] is not None}
        self._open = [name for name in declared if name not in known]
        return cast(dict[str, tuple[tuple[int, ...], str]], known)

    def _measure(self, name: str) -> None:
        """Learn the shape of a tensor, and those of others with it, by running the model.

        Raises:
            KeyError: the path has no such tensor.
            Exception: ONNX Runtime's own.
        """
        start = self._open.index(name) // CHUNK * CHUNK if name in self._open else 0
        image, wanted = {self.input: self.image()}, self._open[start : start + CHUNK]
        if name not in wanted:
            raise KeyError(name)
        try:
            found = self.parts.run(image, wanted)
        except Exception:  # of ONNX Runtime; while edits go on, parts behind may not run
            found = self.parts.run(image, [name])
        for key, values in found.items():
            self._known[key] = ((), "") if values is None else (values.shape, values.dtype.name)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor of the path, or of a constant that the path reads."""
        return self._of(name)[0]

    def dtype(self, name: str) -> str:
        """The type of such a tensor, by its name in NumPy."""
        return self._of(name)[1]

    def _of(self, name: str) -> tuple[tuple[int, ...], str]:
        values = self.constant(name)
        if values is not None:
            return values.shape, values.dtype.name
        if name not in self._known:
            self._measure(name)
        return self._known[name]

    def read(self, number: int) -> tuple[str, ...]:
        """The tensors that a node reads and that depend on the image, in its order."""
        node = self.nodes[number]
        inside = dict.fromkeys(name for name in read_by(node) if name not in node.input)
        return tuple(name for name in [*node.input, *inside] if name in self.depending)


def node_names(nodes: list[Any]) -> list[str]:
    """The nodes' names; one without a name, or with another's, is called by its first output."""
    names: list[str] = []
    counts: dict[str, int] = {}
    for node in nodes:
        counts[node.name] = counts.get(node.name, 0) + 1
    taken = {name for name, count in counts.items() if count == 1}
    for node in nodes:
        name = node.name
        if not name or counts[name] > 1:
            outputs = [output for output in node.output if output]
            name = f"{node.op_type}:{outputs[0] if outputs else len(names)}"
            while name in taken:
                name += "_"
            taken.add(name)
        names.append(name)
    return names


def _described(item: Any) -> tuple[tuple[int, ...] | None, str]:
    """The shape of an `onnx.ValueInfoProto`, None if it is open, and its type."""
    from onnx.helper import tensor_dtype_to_np_dtype

    kind = item.type.tensor_type
    if not kind.elem_type:
        return None, ""
    fixed = kind.HasField("shape") and all(side.HasField("dim_value") for side in kind.shape.dim)
    shape = tuple(side.dim_value for side in kind.shape.dim) if fixed else None
    return shape, tensor_dtype_to_np_dtype(kind.elem_type).name


def _one_image(graph: Any) -> None:
    """Make a graph's batch 1, and drop the output's shape, which may hold another."""
    with ours("setting an ONNX graph's batch to 1"):
        sides = input_of(graph).type.tensor_type.shape.dim
        if sides and sides[0].dim_value != 1:
            sides[0].Clear()
            sides[0].dim_value = 1
        for item in graph.output:
            item.type.tensor_type.ClearField("shape")
