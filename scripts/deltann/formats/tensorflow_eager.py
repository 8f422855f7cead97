"""Run the nodes of a frozen TensorFlow graph one by one, as eager TensorFlow does.

Nothing is fused, folded or compiled, and no time is lost with a new function for each set of
tensors that somebody wants.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from deltann.formats.tensorflow_frozen import (
    SHAPES,
    Frozen,
    constant,
    data_inputs,
    dynamic,
    node_of,
)

if TYPE_CHECKING:
    import numpy as np


class Execution:
    """Runs a frozen graph, or only what the wanted tensors need.

    Attributes:
        moving: the names of the nodes that depend on the input and lead to the output.
    """

    def __init__(self, frozen: Frozen):
        from tensorflow.python.eager import context

        self.frozen = frozen
        self.moving = dynamic(frozen)
        self.context = context.context()
        self.context.ensure_initialized()
        for function in frozen.definition.library.function:  # of If and While
            if not self.context.has_function(function.signature.name):
                self.context.add_function_def(function)
        self.attributes: dict[str, tuple] = {}
        self.constants: dict[str, Any] = dict(frozen.captured)

    def run(
        self,
        image: "np.ndarray",
        wanted: Collection[str],
        replaced: "Mapping[str, np.ndarray]",
    ) -> "dict[str, np.ndarray]":
        """See `steps.Tracer`."""
        import tensorflow

        order = self._needed(wanted, replaced)
        uses = Counter(item for name in order for item in data_inputs(self.frozen.nodes[name]))
        uses.update(wanted)
        values = {self.frozen.input: tensorflow.constant(image)}
        values |= {name: tensorflow.constant(array) for name, array in replaced.items()}
        found = {name: values[name].numpy() for name in {*wanted} & values.keys()}
        for name in order:
            node = self.frozen.nodes[name]
            read = data_inputs(node)
            results = self._execute(node, [self._value(values, item) for item in read])
            for index, result in enumerate(results):
                output = f"{name}:{index}"
                if output in uses and output not in values:
                    values[output] = result
                if output in wanted and output not in found:
                    found[output] = values[output].numpy()
            for item in read:
                uses[item] -= 1
                if not uses[item]:
                    values.pop(item, None)
        return found | {name: self.constant(name).numpy() for name in {*wanted} - found.keys()}

    def _needed(self, wanted: Collection[str], replaced: Collection[str]) -> list[str]:
        """The nodes that the wanted tensors need, in running order."""
        tensors = {*wanted} - {*replaced}
        found = []
        for name in reversed(self.moving):
            if any(node_of(item) == name for item in tensors):
                found.append(name)
                tensors = {item for item in tensors if node_of(item) != name}
                tensors.update({*data_inputs(self.frozen.nodes[name])} - {*replaced})
        return found[::-1]

    def _value(self, values: dict[str, Any], name: str) -> Any:
        return values[name] if name in values else self.constant(name)

    def constant(self, name: str) -> Any:
        """A tensor that doesn't depend on the input; kept."""
        import tensorflow

        if name not in self.constants:
            node = self.frozen.nodes[node_of(name)]
            if node.op == "Const":
                self.constants[name] = tensorflow.constant(constant(node))
            elif node.op in SHAPES:
                shape = self.frozen.shapes[data_inputs(node)[0]]
                self.constants[name] = self._of_shape(node, shape)
            else:
                read = [self.constant(item) for item in data_inputs(node)]
                for index, result in enumerate(self._execute(node, read)):
                    self.constants[f"{node.name}:{index}"] = result
        return self.constants[name]

    def _of_shape(self, node: Any, shape: Any) -> Any:
        import tensorflow

        kind = tensorflow.int32
        if node.op != "Rank":
            kind = tensorflow.dtypes.as_dtype(node.attr["out_type"].type or kind)
        zeros = tensorflow.broadcast_to(tensorflow.constant(0.0), shape)
        reader = {"Shape": tensorflow.shape, "Size": tensorflow.size}.get(node.op)
        return reader(zeros, out_type=kind) if reader else tensorflow.rank(zeros)

    def _execute(self, node: Any, inputs: list[Any]) -> list[Any]:
        from tensorflow.python.eager import execute

        if node.op in ("Identity", "StopGradient"):
            return inputs
        if node.name not in self.attributes:
            self.attributes[node.name] = _attributes(node)
        outputs = len(self.outputs(node.name))
        return execute.quick_execute(
            node.op, outputs, inputs, self.attributes[node.name], self.context
        )

    def outputs(self, name: str) -> list[str]:
        """The tensors that a node writes."""
        index, found = 0, []
        while (output := f"{name}:{index}") in self.frozen.shapes:
            found.append(output)
            index += 1
        return found


def _attributes(node: Any) -> tuple:
    """The attributes of a node that its operator declares, as `quick_execute` takes them."""
    from tensorflow.python.framework import op_def_registry

    found: list[Any] = []
    for declared in op_def_registry.get(node.op).attr:
        if declared.name in node.attr:
            found += [declared.name, _attribute(node.attr[declared.name])]
    return tuple(found)


def _attribute(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "list":
        fields = value.list.ListFields()
        return [_plain(fields[0][0].name, item) for item in fields[0][1]] if fields else []
    return _plain(kind, getattr(value, kind))


def _plain(kind: str, value: Any) -> Any:
    """A value of an attribute's protobuf, as Python's."""
    from tensorflow.python.framework import tensor_shape

    if kind == "shape":
        return tensor_shape.as_shape(value)
    if kind == "func":
        return value.name
    if kind == "tensor":
        return value.SerializeToString()
    return value
