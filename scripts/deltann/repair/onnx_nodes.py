"""An ONNX graph whose nodes are replaced by others that say the same."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def attributes(node: Any) -> dict[str, Any]:
    """The attributes of an `onnx.NodeProto` that are set."""
    from onnx import helper

    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


class Graph:
    """The graph of a model with inferred shapes, and the nodes that are put into it.

    Args:
        model: `onnx.ModelProto` with the shapes of its tensors.
    """

    def __init__(self, model: Any):
        self._graph = model.graph
        # kept: a node that nothing refers to is another Python object when it is looked at again
        self._nodes = list(model.graph.node)
        self._opset = max(
            item.version for item in model.opset_import if item.domain in ("", "ai.onnx")
        )
        from onnx import helper, numpy_helper

        self._constants = {
            item.name: numpy_helper.to_array(item) for item in self._graph.initializer
        }
        for node in self._nodes:
            value = attributes(node).get("value") if node.op_type == "Constant" else None
            if value is not None:
                self._constants[node.output[0]] = numpy_helper.to_array(value)
        self._before: dict[int, list] = {}
        self._dropped: set[int] = set()
        self._stored: list[Any] = []
        self._names = {name for node in self._nodes for name in [*node.input, *node.output]}
        self._shapes = {
            item.name: [side.dim_value for side in item.type.tensor_type.shape.dim]
            for item in [*self._graph.value_info, *self._graph.input, *self._graph.output]
        }
        self._types = {
            item.name: helper.tensor_dtype_to_np_dtype(item.type.tensor_type.elem_type)
            for item in [*self._graph.value_info, *self._graph.input, *self._graph.output]
            if item.type.tensor_type.elem_type
        }

    def of(self, *kinds: str) -> list[Any]:
        """The nodes of these kinds."""
        return [node for node in self._nodes if node.op_type in kinds]

    def shape(self, name: str) -> list[int] | None:
        """The shape of a tensor, 0 for a side that isn't known; None if nothing is known."""
        constant = self._constants.get(name)
        return list(constant.shape) if constant is not None else self._shapes.get(name)

    def constant(self, name: str) -> "np.ndarray | None":
        """A tensor that doesn't depend on the input."""
        return self._constants.get(name)

    def maker(self, name: str) -> Any | None:
        """The node that writes a tensor."""
        return next((node for node in self._nodes if name in node.output), None)

    def only_reader(self, name: str, kind: str) -> Any | None:
        """The node of this kind that writes a tensor that only one node reads."""
        readers = sum(list(node.input).count(name) for node in self._nodes)
        outputs = {item.name for item in self._graph.output}
        maker = self.maker(name)
        wanted = maker is not None and maker.op_type == kind
        return maker if wanted and readers == 1 and name not in outputs else None

    def store(self, values: "np.ndarray", like: str) -> str:
        """Add a constant, of the type that the tensor `like` has; return its name."""
        import numpy as np
        from onnx import numpy_helper

        kind = self._type(like)
        limits = np.finfo(kind)
        given = np.clip(np.asarray(values), limits.min, limits.max).astype(kind)
        name = self._name("constant")
        self._stored.append(numpy_helper.from_array(given, name))
        self._constants[name] = given
        return name

    def _type(self, name: str) -> "np.dtype":
        """The type of a tensor; float32 if it isn't known."""
        import numpy as np

        constant = self._constants.get(name)
        known = self._types.get(name, np.dtype(np.float32))
        return known if constant is None else constant.dtype

    def number(self, value: float, like: str) -> str:
        """Add a constant of one number, see `store`."""
        import numpy as np

        return self.store(np.asarray(value), like)

    def add(self, before: Any, kind: str, *inputs: str, **given: Any) -> str:
        """Put a node before another one; return the name of its output."""
        from onnx import helper

        name = self._name(kind.lower())
        node = helper.make_node(kind, list(inputs), [name], name=name, **given)
        self._types[name] = self._type(inputs[0])
        self._before.setdefault(id(before), []).append(node)
        return name

    def pad(self, before: Any, taken: str, pads: list[int], value: float) -> str:
        """Put a Pad of height and width before a node: [top, left, bottom, right]."""
        import numpy as np
        from onnx import numpy_helper

        top, left, bottom, right = pads
        whole = [0, 0, top, left, 0, 0, bottom, right]
        if self._opset < 11:
            return self.add(before, "Pad", taken, pads=whole, value=value)
        name = self._name("pads")
        self._stored.append(numpy_helper.from_array(np.array(whole, np.int64), name))
        return self.add(before, "Pad", taken, name, self.number(value, taken))

    def clip(self, before: Any, taken: str, low: float, high: float, like: str) -> str:
        """Put a Clip before a node; the limits have the type of the tensor `like`."""
        if self._opset < 11:
            return self.add(before, "Clip", taken, min=low, max=high)
        limits = self.number(low, like), self.number(high, like)
        return self.add(before, "Clip", taken, *limits)

    def set(self, node: Any, **given: Any) -> None:
        """Set attributes of a node; None removes one."""
        from onnx import helper

        kept = [item for item in node.attribute if item.name not in given]
        del node.attribute[:]
        node.attribute.extend(kept)
        node.attribute.extend(
            helper.make_attribute(name, value) for name, value in given.items() if value is not None
        )

    def replace(self, node: Any, name: str) -> None:
        """Take a node out: what read its output reads the tensor `name`."""
        output = node.output[0]
        if output in {item.name for item in self._graph.output}:
            from onnx import helper

            self._before.setdefault(id(node), []).append(
                helper.make_node("Identity", [name], [output], name=self._name("identity"))
            )
        else:
            inserted = [item for made in self._before.values() for item in made]
            for reader in [*self._nodes, *inserted]:
                for place, read in enumerate(reader.input):
                    if read == output:
                        reader.input[place] = name
        self._dropped.add(id(node))

    def finish(self, model: Any) -> None:
        """Write the changed nodes and constants into `model`."""
        nodes = []
        for node in self._nodes:
            nodes += self._before.get(id(node), [])
            nodes += [] if id(node) in self._dropped else [node]
        nodes = _needed(nodes, {item.name for item in self._graph.output})
        read = {name for node in nodes for name in node.input}
        constants = [*self._graph.initializer, *self._stored]
        constants = [item for item in constants if item.name in read]
        inputs = [item.name for item in constants]
        model.graph.CopyFrom(self._graph)
        del model.graph.node[:], model.graph.initializer[:], model.graph.value_info[:]
        model.graph.node.extend(nodes)
        model.graph.initializer.extend(constants)
        kept = [item for item in model.graph.input if item.name not in inputs]
        del model.graph.input[:]
        model.graph.input.extend(kept)

    def _name(self, stem: str) -> str:
        number = len(self._names)
        while f"repair_{stem}_{number}" in self._names:
            number += 1
        self._names.add(f"repair_{stem}_{number}")
        return f"repair_{stem}_{number}"


def _needed(nodes: list, outputs: set[str]) -> list:
    """The nodes that lead to the outputs, in their order."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted & {name for name in node.output if name}:
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]
