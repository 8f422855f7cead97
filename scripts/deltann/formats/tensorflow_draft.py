"""A frozen TensorFlow graph that is being changed."""

from collections.abc import Sequence
from typing import Any

from deltann.edits import Bypass, Impossible, Insert, Reconnect
from deltann.formats.tensorflow_build import build
from deltann.formats.tensorflow_frozen import Frozen, data_inputs, node_of, tensor
from deltann.formats.words import Words
from deltann.steps import Operator

# A place where a node reads a tensor: the node and the place among its inputs.
Entry = tuple[str, int]


class Draft:
    """The nodes of a graph, and where each operator reads its tensors.

    Attributes:
        nodes: copies, by their names.
        output: the tensor of the logits.
        entries: of each operator, where its inputs are read.
        operators: those of the graph before any change, by their names.
    """

    def __init__(self, frozen: Frozen, operators: Sequence[Operator]):
        self.frozen, self.output = frozen, frozen.output
        self.shapes, self.types = dict(frozen.shapes), dict(frozen.types)
        self.operators = {operator.name: operator for operator in operators}
        self.nodes: dict[str, Any] = {}
        for name, node in frozen.nodes.items():
            self.nodes[name] = type(node)()
            self.nodes[name].CopyFrom(node)
        self.entries: dict[str, list[list[Entry]]] = {}
        for operator in operators:
            read = data_inputs(self.nodes[operator.name])
            moving = [place for place, item in enumerate(read) if item in operator.inputs]
            self.entries[operator.name] = [[(operator.name, place)] for place in moving]

    def operator(self, name: str) -> Operator:
        """An operator of the graph before any change.

        Raises:
            Impossible: there is none of that name.
        """
        if name not in self.operators:
            raise Impossible(f"there is no operator {name!r}")
        return self.operators[name]

    def check(self, name: str) -> str:
        """A tensor's name.

        Raises:
            Impossible: there is none of that name.
        """
        if name not in self.shapes:
            raise Impossible(f"there is no tensor {name!r}")
        return name

    def rebuild(self, words: Words, name: str) -> None:
        """Make an operator again as `words` say: its last node has the name, others its prefix."""
        operator = self.operator(name)
        if self.nodes[name].attr["data_format"].s == b"NCHW":
            raise Impossible(f"a change of {name!r}, whose channels are first")
        del self.nodes[name]
        self.entries[name] = self._splice(words, operator.inputs, name)

    def insert(self, edit: Insert) -> None:
        """Put new nodes behind a tensor."""
        behind = self.check(edit.behind)
        name = f"{node_of(behind)}/{edit.kind}"
        while name in self.nodes:
            name += "_"
        readers = [*self.nodes.values()]
        words = Words(edit.kind, dict(edit.attributes), dict(edit.parameters))
        inputs = (behind, *map(self.check, edit.inputs))
        self.entries[name] = self._splice(words, inputs, name)
        self._redirect(readers, behind, f"{name}:0")

    def bypass(self, edit: Bypass) -> None:
        """Have whoever reads an operator's outputs read its first input."""
        operator = self.operator(edit.operator)
        ((node, place), *_) = self.entries[operator.name][0]
        source = tensor(self.nodes[node].input[place])
        for output in operator.outputs:
            self._redirect([*self.nodes.values()], output, source)

    def reconnect(self, edit: Reconnect) -> None:
        """Have an operator read another tensor."""
        entries = self.entries[self.operator(edit.operator).name]
        if not 0 <= edit.position < len(entries):
            raise Impossible(f"{edit.operator!r} has no input {edit.position}")
        for node, place in entries[edit.position]:
            self.nodes[node].input[place] = self.check(edit.tensor)

    def definition(self) -> Any:
        """`GraphDef` of what leads to the output."""
        from tensorflow.python.framework import graph_util

        made = type(self.frozen.definition)()
        made.CopyFrom(self.frozen.definition)
        del made.node[:]
        made.node.extend(self.nodes.values())
        ends = [node_of(self.frozen.input), node_of(self.output)]
        return graph_util.extract_sub_graph(made, ends)

    def _redirect(self, readers: list[Any], old: str, new: str) -> None:
        for node in readers:
            for place, item in enumerate(node.input):
                if tensor(item) == old:
                    node.input[place] = new
        self.output = new if self.output == old else self.output

    def _splice(self, words: Words, inputs: Sequence[str], name: str) -> list[list[Entry]]:
        """Add the nodes that `words` need; return where they read the inputs."""
        import tensorflow

        graph = tensorflow.Graph()
        with graph.as_default():
            placeholders = [
                tensorflow.compat.v1.placeholder(self.types[item], self._shape(item))
                for item in inputs
            ]
            try:
                made = build(words, placeholders)
            except (ValueError, TypeError) as error:
                raise Impossible(f"{name!r}: {error}") from error
        outputs = made if isinstance(made, list) else [made]
        last = outputs[0].op
        if any(item.op is not last for item in outputs):
            raise Impossible(f"{name!r} has outputs of several operators")
        names = {item.name: f"{name}/{item.name}" for item in graph.get_operations()}
        names[last.name] = name
        sources = {item.op.name: place for place, item in enumerate(placeholders)}
        self._describe(outputs, name)
        return self._add(graph.as_graph_def(), names, sources, inputs)

    def _describe(self, outputs: list[Any], name: str) -> None:
        for place, item in enumerate(outputs):
            self.types[f"{name}:{place}"] = item.dtype
            known = item.shape.rank is not None
            shape = (1, *item.shape.as_list()[1:]) if known and item.shape.rank else None
            self.shapes[f"{name}:{place}"] = shape

    def _add(
        self, definition: Any, names: dict[str, str], sources: dict[str, int], inputs: Sequence[str]
    ) -> list[list[Entry]]:
        entries: list[list[Entry]] = [[] for _ in inputs]
        for node in definition.node:
            if node.name in sources:
                continue
            node.name = names[node.name]
            for place, item in enumerate(node.input):
                source, _, index = tensor(item).rpartition(":")
                if source in sources:
                    entries[sources[source]].append((node.name, place))
                    node.input[place] = inputs[sources[source]]
                else:
                    node.input[place] = f"{names[source]}:{index}"
            self.nodes[node.name] = node
        return entries

    def _shape(self, name: str) -> Any:
        """The shape of a tensor, with the batch left open as the signature has it."""
        shape = self.shapes[name]
        if shape and self.frozen.declared.shape[0] is None:
            return [None, *shape[1:]]
        return shape
