"""Changes of ONNX files, in the words of `deltann.steps`."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from deltann.edits import (
    Bypass,
    Edit,
    Impossible,
    Insert,
    Reconnect,
    Replace,
    SetAttribute,
    SetParameter,
)
from deltann.formats import onnx_write_attributes, onnx_write_parameters
from deltann.formats.onnx_draft import Draft
from deltann.formats.onnx_insert import insert
from deltann.formats.onnx_replace import replace
from deltann.formats.onnx_write import Site
from deltann.ours import Fault, ours

ENVIRONMENT = "onnx"


def apply(model_file: Path, edits: Sequence[Edit], output: Path) -> None:
    """See `edits.EditorModule`. The edited model is checked, and has run once."""
    draft = Draft(Path(model_file))
    for _, group in groupby(edits, _together):
        # Impossible is an answer, not a fault of ours
        answer = _attempt(draft, list(group))
        if answer is not None:
            raise answer
    draft.save(Path(output))


def _together(edit: Edit) -> object:
    """What edits have in common that are valid together only: attributes of one operator."""
    if isinstance(edit, SetAttribute) and edit.attribute != "activation":
        return edit.operator
    return id(edit)


def _attempt(draft: Draft, edits: list[Edit]) -> Impossible | None:
    """Apply an edit, or attributes of one operator, or say why it is impossible."""
    with ours(f"editing an ONNX graph: {type(edits[0]).__name__}"):
        try:
            _one(draft, edits)
        except Impossible as error:
            return error
        except Exception as error:
            cause = error.__cause__ if isinstance(error, Fault) else error
            if type(cause).__module__.startswith("onnxruntime"):
                return Impossible(f"the model wouldn't run: {cause}")
            raise
    return None


def _one(draft: Draft, edits: list[Edit]) -> None:
    edit = edits[0]
    if isinstance(edit, SetAttribute) and edit.attribute == "activation":
        _set_activation(draft, edit)
    elif isinstance(edit, SetAttribute):
        changed = {item.attribute: item.value for item in edits if isinstance(item, SetAttribute)}
        _set_attributes(draft, edit.operator, changed)
    elif isinstance(edit, SetParameter):
        node, operator = draft.operator(edit.operator)
        site = _site(draft, node)
        onnx_write_parameters.write(site, operator, edit.parameter, edit.value)
    elif isinstance(edit, Reconnect):
        _reconnect(draft, edit)
    elif isinstance(edit, Bypass):
        _bypass(draft, edit)
    elif isinstance(edit, Replace):
        replace(draft, edit)
    else:
        insert(draft, edit)


def _site(draft: Draft, node: Any) -> Site:
    view = draft.view
    first = view.read(draft.number(node))[0]
    opset = view.opset.get(node.domain, view.opset.get("", 1))
    return Site(draft, node, opset, view.shape(first), view.dtype(first))


def _set_activation(draft: Draft, edit: SetAttribute) -> None:
    node, _ = draft.operator(edit.operator)
    if edit.value:  # none runs together with an operator in this format
        attributes = {name: item for name, item in edit.value.items() if name != "kind"}
        insert(draft, Insert(node.output[0], edit.value["kind"], attributes))


def _set_attributes(draft: Draft, name: str, changed: dict[str, Any]) -> None:
    node, operator = draft.operator(name)
    attributes = operator.attributes | changed
    try:
        onnx_write_attributes.write(_site(draft, node), operator.kind, attributes, set(changed))
    except Impossible:
        # what an opset can't say it may still mean
        if any(operator.attributes.get(key) != value for key, value in changed.items()):
            raise


def _reconnect(draft: Draft, edit: Reconnect) -> None:
    node, _ = draft.operator(edit.operator)
    tensor = draft.tensor(edit.tensor)
    depending = [place for place, name in enumerate(node.input) if name in draft.view.depending]
    if edit.position not in range(len(depending)):
        raise Impossible(
            f"{edit.operator!r} reads {len(depending)} tensors; expected a position below that,"
            f" not {edit.position}"
        )
    node.input[depending[edit.position]] = tensor
    draft.changed()


def _bypass(draft: Draft, edit: Bypass) -> None:
    node, operator = draft.operator(edit.operator)
    if not operator.inputs or operator.inputs[0] not in node.input:
        raise Impossible(f"{edit.operator!r} has no first input")
    first, output = operator.inputs[0], node.output[0]
    if any(draft.readers(name) for name in operator.outputs[1:]):
        raise Impossible(f"{edit.operator!r} has further outputs that are read")
    if output != draft.output:
        draft.rewire(output, first, draft.readers(output))
        draft.renamed(output, first)
        return
    # the model's output keeps its name: whoever makes the input makes the output
    maker = draft.maker(first)
    draft.nodes = [item for item in draft.nodes if item is not node]
    if maker is None:
        draft.add("Identity", [first], output)
        return
    draft.rewire(first, output, draft.readers(first))
    maker.output[:] = [output if name == first else name for name in maker.output]
    draft.renamed(first, output)
    draft.changed()
