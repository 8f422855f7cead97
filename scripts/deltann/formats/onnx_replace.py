"""Operators of another model, written into an ONNX graph in the place of what makes a tensor."""

from dataclasses import replace as replaced
from itertools import chain

from deltann.edits import Insert, Replace
from deltann.formats.onnx_draft import Draft
from deltann.formats.onnx_insert import FIRST, fill
from deltann.formats.onnx_write import Site
from deltann.formats.onnx_write_attributes import WRITERS, write
from deltann.steps import Operator

CONVOLUTIONS = {"convolution": "Conv", "transposed_convolution": "ConvTranspose"}
JOINS = {"concat": "Concat", "matmul": "MatMul"}


def replace(draft: Draft, edit: Replace) -> None:
    """Have all readers of a tensor read what new operators make.

    Raises:
        Impossible: ONNX, or its version in the file, has none such.
    """
    place = _Place(draft, edit)
    for operator in chain(*map(_plain, edit.operators)):
        attributes = dict(operator.attributes)
        activation = dict(attributes.pop("activation", {}))
        tensors = [place.known[name] for name in operator.inputs]
        site = place.node(operator.kind, tensors[0])
        _write(site, operator, tensors[1:], attributes)
        place.made(operator.outputs[0])
        if activation:
            kind = activation.pop("kind")
            site = place.node(kind, place.known[operator.outputs[0]])
            fill(site, Insert("", kind, activation), [])
            place.made(operator.outputs[0])
    draft.renamed(edit.tensor, place.now)


def _plain(operator: Operator) -> list[Operator]:
    """A dense layer as a product and a sum, which take a tensor of any rank; others as they are."""
    if operator.kind != "dense":
        return [operator]
    name, outputs, words = operator.name, operator.outputs, operator.attributes
    weight = {"weight": operator.parameters["weight"]}
    if "bias" not in operator.parameters:
        return [replaced(operator, parameters=weight)]
    added = {"operand": operator.parameters["bias"]}
    return [
        replaced(operator, attributes={}, parameters=weight),
        Operator(f"{name}_bias", "", "add", outputs, outputs, words, added),
    ]


class _Place:
    """A tensor's place, which one new node after the other takes.

    What isn't on the way to the output has no shape in a draft, so that each is measured there.

    Attributes:
        known: the graph's tensors by their names in the edit.
        now: what is in the place.
    """

    def __init__(self, draft: Draft, edit: Replace) -> None:
        self.draft = draft
        self.now = draft.tensor(edit.tensor)
        self.known = {name: draft.tensor(item) for name, item in edit.reads.items()}
        self.readers = draft.readers(self.now)
        self.sizes = {name: self._size(name) for name in {*self.known.values()}}

    def _size(self, name: str) -> tuple[tuple[int, ...], str]:
        return self.draft.view.shape(name), self.draft.view.dtype(name)

    def node(self, kind: str, tensor: str) -> Site:
        """A new node that reads a tensor and whose output is in the place."""
        draft, shape, dtype = self.draft, *self.sizes[tensor]
        if self.now == draft.output:
            moved = draft.move_output()
            self.sizes[moved] = self.sizes.get(self.now, ((), ""))
            self.known = {
                key: moved if name == self.now else name for key, name in self.known.items()
            }
            tensor, made = moved if tensor == self.now else tensor, self.now
        else:
            made = draft.fresh(f"{self.now}_{kind}")
        node = draft.add(FIRST.get(kind, "Identity"), [tensor], made)
        if made != self.now:
            draft.rewire(self.now, made, self.readers)
        self.now = made
        return Site(draft, node, draft.view.opset.get("", 1), shape, dtype)

    def made(self, name: str) -> None:
        """Say what the edit calls the tensor that is in the place."""
        self.known[name] = self.now
        self.sizes[self.now] = self._size(self.now)


def _write(site: Site, operator: Operator, others: list[str], attributes: dict) -> None:
    """Make a node what an operator is."""
    kind = operator.kind
    if kind in CONVOLUTIONS or kind == "dense":
        _layer(site, operator)
    elif kind in JOINS and not operator.parameters:
        site.become(JOINS[kind])
        for position, name in enumerate(others, 1):
            site.put(position, name)
        attributes = {name: value for name, value in attributes.items() if value is not False}
        if attributes:
            write(site, kind, attributes, {*attributes})
    else:
        fill(site, Insert("", kind, attributes, operator.parameters), others)


def _layer(site: Site, operator: Operator) -> None:
    """A convolution, or a product with a matrix."""
    kind, attributes, parameters = operator.kind, operator.attributes, operator.parameters
    if kind == "dense":
        site.become("MatMul")
        site.give(1, site.real(parameters["weight"].T), "weight")
        return
    site.become(CONVOLUTIONS[kind])
    for position, name in enumerate(("weight", "bias"), 1):
        if name in parameters:
            site.give(position, site.real(parameters[name]), name)
    write(site, kind, attributes, {*attributes} & WRITERS[kind][0])
