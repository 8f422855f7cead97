"""New operators in an ONNX graph."""

from typing import TYPE_CHECKING, Any

from deltann.edits import Impossible, Insert
from deltann.formats import onnx_write_elementwise as elementwise
from deltann.formats.onnx_draft import Draft
from deltann.formats.onnx_write import Site
from deltann.formats.onnx_write_attributes import WRITERS, write
from deltann.formats.onnx_write_parameters import spread
from deltann.steps import BINARY

if TYPE_CHECKING:
    import numpy as np

# What a new node starts as; what isn't here is named by the writer of its attributes.
FIRST = {"pad": "Pad", "transpose": "Transpose", "slice": "Slice", "resize": "Resize"}
_POOLS = {"max_pool": "MaxPool", "average_pool": "AveragePool"}
_NOT_ALONE = ("concat", "split", "quantize", "dequantize", "matmul", "dense", "lrn", "other")


def insert(draft: Draft, edit: Insert) -> None:
    """Put a new operator behind a tensor.

    Raises:
        Impossible: ONNX, or its version in the file, has none such.
    """
    tensor = draft.tensor(edit.behind)
    others = [draft.tensor(name) for name in edit.inputs]
    shape, dtype = draft.view.shape(tensor), draft.view.dtype(tensor)
    if tensor == draft.output:
        output, tensor = tensor, draft.move_output()
        others = [tensor if name == output else name for name in others]
        readers: list[Any] = []
    else:
        output, readers = draft.fresh(f"{tensor}_{edit.kind}"), draft.readers(tensor)
    node = draft.add(FIRST.get(edit.kind, "Identity"), [tensor], output)
    site = Site(draft, node, draft.view.opset.get("", 1), shape, dtype)
    fill(site, edit, others)
    draft.rewire(tensor, output, readers)


def fill(site: Site, edit: Insert, others: list[str]) -> None:
    """Make a node what an edit asks for."""
    kind, attributes, parameters = edit.kind, edit.attributes, edit.parameters
    if kind in BINARY:
        _binary(site, edit, others)
        return
    if others or kind in _NOT_ALONE or "convolution" in kind:
        raise Impossible(f"no {kind} of {1 + len(others)} tensors can be inserted")
    changed = {*attributes}
    if kind == "batch_norm":
        _batch_norm(site, parameters)
    elif kind == "prelu":
        site.become("PRelu")
        slope = parameters["slope"]
        site.give(1, site.real(spread(slope, site.shape)), "slope")
    elif kind == "swish":
        elementwise.swish(site, attributes, changed)
    elif kind == "gelu":
        changed = {"approximate"}
    elif kind in _POOLS:
        site.become(_POOLS[kind])
    elif kind == "slice":
        changed |= {"axes", "steps"}
        attributes = {"steps": [1] * len(attributes["axes"]), **attributes}
    elif kind in elementwise.OP_TYPES or kind == "identity":
        elementwise.plain(kind, site, attributes, changed)
    elif kind not in WRITERS:
        raise Impossible(f"no {kind} can be inserted")
    if kind in WRITERS and kind not in elementwise.OP_TYPES:
        write(site, kind, attributes, changed)


def _binary(site: Site, edit: Insert, others: list[str]) -> None:
    """An operator with two sides, of which one may be constant."""
    operand = edit.parameters.get("operand")
    if len(others) + (operand is not None) != 1:
        raise Impossible(f"{edit.kind} needs one operand, or one further tensor")
    site.become(elementwise.OP_TYPES[edit.kind])
    if operand is None:
        site.put(1, others[0])
        return
    site.give(1, site.real(spread(operand, site.shape)), "operand")
    if edit.attributes.get("constant_first"):
        site.node.input[:] = [*site.node.input][::-1]


def _batch_norm(site: Site, parameters: "dict[str, np.ndarray]") -> None:
    """A batch norm, with the values of an identity for parameters that aren't given."""
    import numpy as np

    if len(site.shape) < 2:
        raise Impossible(f"the tensor has {len(site.shape)} axes; expected channels")
    site.become("BatchNormalization")
    channels = site.shape[1]
    defaults = {"scale": 1, "shift": 0, "mean": 0, "variance": 1}
    for position, (name, value) in enumerate(defaults.items(), 1):
        values = parameters.get(name, np.full(channels, value, np.float32))
        site.give(position, site.real(values), name)
