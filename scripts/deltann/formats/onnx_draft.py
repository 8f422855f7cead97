"""An ONNX model that is being edited."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann.edits import Impossible
from deltann.formats.onnx_names import names_inside, read_by, rename_reads
from deltann.formats.onnx_parts import input_of, load
from deltann.formats.onnx_steps import operator
from deltann.formats.onnx_view import View
from deltann.steps import Operator

if TYPE_CHECKING:
    import numpy as np


class Draft:
    """A model file with its nodes under the tracer's names, until it is saved.

    Attributes:
        nodes: each an `onnx.NodeProto`, in any order.
        output: the name of the model's output.
        answer: the shape of the output.
        open_batch: whether the file takes more than one image.
    """

    def __init__(self, model_file: Path) -> None:
        import onnx

        self._model_file = model_file
        self._model = load(model_file)
        self._shapes = bool(self._model.graph.value_info)
        self.output = self._model.graph.output[0].name
        sides = input_of(self._model.graph).type.tensor_type.shape.dim
        self.open_batch = bool(sides) and sides[0].dim_value != 1
        view = View(self._model)
        self._first = view.parts
        names = {_made(node): name for node, name in zip(view.nodes, view.names, strict=True)}
        self.nodes = []
        self._original: dict[str, str] = {}
        for node in self._model.graph.node:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copy.name = names.get(_made(node), node.name)
            self._original[copy.name] = node.name
            self.nodes.append(copy)
        self._read = set(self._reads())
        self._view: View | None = view
        self._moved: dict[str, str] = {}
        self.answer = view.shape(self.output)

    @property
    def view(self) -> View:
        """The model as it is now."""
        if self._view is None:
            self._order()
            self._view = View(self._light(), self._first)
        return self._view

    def changed(self) -> None:
        """Say that nodes or constants were changed."""
        self._view = None

    def operator(self, name: str) -> tuple[Any, Operator]:
        """A node by its name, and what it does.

        Raises:
            Impossible: there is none that leads from the input to the output.
        """
        view = self.view
        for number in view.path:
            if view.names[number] == name:
                made = _made(view.nodes[number])
                return self.maker(made), operator(view, number)
        raise Impossible(f"the model has no operator {name!r} between its input and its output")

    def number(self, node: Any) -> int:
        """The number of a node in `view`."""
        return [_made(item) for item in self.view.nodes].index(_made(node))

    def maker(self, tensor: str) -> Any:
        """The node that makes a tensor; None for an input or an initializer."""
        return next((node for node in self.nodes if tensor in node.output), None)

    def tensor(self, name: str) -> str:
        """The present name of a tensor that the file calls `name`.

        Raises:
            Impossible: there is none that the image reaches.
        """
        name = self._moved.get(name, name)
        if name not in self.view.depending:
            raise Impossible(f"the model has no tensor {name!r} that depends on its input")
        return name

    def fresh(self, hint: str) -> str:
        """A name that nothing has."""
        graph = self._model.graph
        taken = {item.name for item in [*graph.initializer, *graph.input, *graph.output]}
        for node in self.nodes:
            taken.update([node.name, *node.output, *read_by(node), *names_inside(node)])
        name, count = hint, 1
        while name in taken:
            count += 1
            name = f"{hint}_{count}"
        return name

    def constant(self, values: "np.ndarray", hint: str) -> str:
        """Add an initializer.

        Returns:
            Its name.
        """
        import numpy as np
        from onnx import numpy_helper

        name = self.fresh(hint)
        tensor = numpy_helper.from_array(np.ascontiguousarray(values).reshape(values.shape), name)
        self._model.graph.initializer.append(tensor)
        self.changed()
        return name

    def add(self, op_type: str, inputs: list[str], output: str, **attributes: Any) -> Any:
        """Add a node of ONNX's own domain with one output."""
        from onnx import helper

        taken = any(node.name == output for node in self.nodes)
        name = self.fresh(output) if taken else output
        node = helper.make_node(op_type, inputs, [output], name, **attributes)
        self._original[node.name] = node.name
        self.nodes.append(node)
        self.changed()
        return node

    def readers(self, tensor: str) -> list[Any]:
        """The nodes that read a tensor, also in graphs inside them."""
        return [node for node in self.nodes if tensor in read_by(node)]

    def rewire(self, tensor: str, other: str, readers: list[Any]) -> None:
        """Have nodes read another tensor instead of one."""
        for node in readers:
            rename_reads(node, tensor, other)
        self.changed()

    def move_output(self) -> str:
        """Give the model's output to whoever makes it next: what makes it now gets a fresh name.

        Returns:
            That name.
        """
        moved = self.fresh(f"{self.output}_before")
        maker = self.maker(self.output)
        if maker is None:
            raise Impossible("the model's output is made by no node")
        maker.output[:] = [moved if name == self.output else name for name in maker.output]
        self._moved = {
            name: moved if now == self.output else now for name, now in self._moved.items()
        } | {self.output: moved}
        self.changed()
        return moved

    def renamed(self, tensor: str, now: str) -> None:
        """Note that what the file calls `tensor` has another name."""
        self._moved[tensor] = now

    def save(self, output: Path) -> None:
        """Check and write the model.

        Raises:
            Impossible: it is no valid model, doesn't run, or its output has another shape.
        """
        import onnx

        self._prune()
        try:
            answer = self.view.parts.run({self.view.input: self.view.image()}, [self.output])
        except Exception as error:  # ONNX Runtime's classes have no common base but this
            raise Impossible(f"the edited model doesn't run: {error}") from error
        if answer[self.output].shape != self.answer:
            found = answer[self.output].shape
            raise Impossible(f"the output has the shape {found}; expected {self.answer}")
        for node in self.nodes:
            node.name = self._original[node.name]
        if self._shapes:
            self._infer()
        onnx.save(self._assembled(), output)
        why = _invalid(output)
        if why and not _invalid(self._model_file):
            output.unlink()
            raise Impossible(f"the edited model isn't valid: {why}")

    def _infer(self) -> None:
        """Write the shapes and types of all tensors into the model."""
        import onnx

        inferred = onnx.shape_inference.infer_shapes(self._light(), data_prop=True)
        del self._model.graph.value_info[:]
        self._model.graph.value_info.extend(inferred.graph.value_info)

    def _light(self) -> Any:
        """A copy of the model as it is now, with references in the place of large constants."""
        import onnx

        whole, references = self._model, self._first.references()
        light = onnx.ModelProto(ir_version=whole.ir_version)
        light.opset_import.extend(whole.opset_import)
        light.graph.name = whole.graph.name
        light.graph.input.extend(whole.graph.input)
        light.graph.output.extend(whole.graph.output)
        light.graph.sparse_initializer.extend(whole.graph.sparse_initializer)
        light.graph.initializer.extend(
            references.get(item.name, item) for item in whole.graph.initializer
        )
        light.graph.node.extend(self.nodes)
        return light

    def _assembled(self) -> Any:
        """The model of the present nodes."""
        graph = self._model.graph
        del graph.node[:]
        graph.node.extend(self.nodes)
        return self._model

    def _reads(self) -> Iterator[str]:
        yield from (item.name for item in self._model.graph.output)
        for node in self.nodes:
            yield from read_by(node)

    def _order(self) -> None:
        """Sort the nodes so that each comes after what it reads, and else as they are.

        Raises:
            Impossible: they read each other in a circle.
        """
        makers = {name: node for node in self.nodes for name in node.output if name}
        ordered: list[Any] = []
        state: dict[str, bool] = {}  # False while what a node reads is put in order

        def put(node: Any) -> None:
            key = _made(node)
            if key in state:
                if not state[key]:
                    raise Impossible(f"the operator {node.name!r} would read its own output")
                return
            state[key] = False
            for name in read_by(node):
                if name in makers and makers[name] is not node:
                    put(makers[name])
                elif name in makers and name in node.input:
                    raise Impossible(f"the operator {node.name!r} would read its own output")
            state[key] = True
            ordered.append(node)

        for node in self.nodes:
            put(node)
        self.nodes = ordered

    def _prune(self) -> None:
        """Remove what the edits left unread."""
        while True:
            read = set(self._reads())
            kept = [
                node
                for node in self.nodes
                if not read.isdisjoint(node.output) or self._read.isdisjoint(node.output)
            ]
            if len(kept) == len(self.nodes):
                break
            self.nodes = kept
        graph = self._model.graph
        constants = [
            item for item in graph.initializer if item.name in read or item.name not in self._read
        ]
        if len(constants) < len(graph.initializer):
            del graph.initializer[:]
            graph.initializer.extend(constants)
        self.changed()


def _invalid(path: Path) -> str:
    """Why an ONNX file isn't valid; empty if it is."""
    import onnx

    try:
        onnx.checker.check_model(path, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        return str(error)
    return ""


def _made(node: Any) -> str:
    """What tells a node from all others: the first tensor that it makes."""
    return next(name for name in node.output if name)
