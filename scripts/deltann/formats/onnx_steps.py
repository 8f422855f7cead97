"""The operators of an ONNX graph in the words of `deltann.steps`."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deltann.formats.onnx_call import Call, Meaning, Unnamed, single
from deltann.formats.onnx_steps_elementwise import ELEMENTWISE
from deltann.formats.onnx_steps_layers import LAYERS
from deltann.formats.onnx_steps_moves import MOVES
from deltann.ours import ours
from deltann.steps import Operator

if TYPE_CHECKING:
    from deltann.formats.onnx_view import View

# ONNX Runtime's own operators that the words cover.
_OWN = ("Gelu", "FastGelu", "QuickGelu")
_DOMAINS = {"": LAYERS | ELEMENTWISE | MOVES, "ai.onnx": LAYERS | ELEMENTWISE | MOVES}
_DOMAINS["com.microsoft"] = {name: ELEMENTWISE[name] for name in _OWN}


def operators(view: "View") -> list[Operator]:
    """What each node does that depends on the image and leads to the output, in running order."""
    return [operator(view, number) for number in view.path]


def operator(view: "View", number: int) -> Operator:
    """What a node does."""
    call = Call(view, number)
    with ours(f"reading the ONNX node {view.names[number]!r}"):
        meaning = _meaning(call)
    return Operator(
        name=view.names[number],
        native=call.op_type,
        kind=meaning.kind,
        inputs=call.reads,
        outputs=tuple(name for name in call.node.output if name),
        attributes=meaning.attributes,
        parameters=meaning.parameters,
    )


def _meaning(call: Call) -> Meaning:
    reader: Callable[[Call], Meaning] | None = _DOMAINS.get(call.node.domain, {}).get(call.op_type)
    if reader:
        try:
            return reader(call)
        except Unnamed:
            pass
    return _other(call)


def _other(call: Call) -> Meaning:
    """An operator without a word: its own attributes, its constants by their positions."""
    attributes = {name: value for name, value in call.attributes.items() if _is_plain(value)}
    constants = {f"input_{at}": call.view.constant(name) for at, name in enumerate(call.node.input)}
    parameters = {name: single(values) for name, values in constants.items() if values is not None}
    return Meaning("other", attributes, parameters)


def _is_plain(value: Any) -> bool:
    """Whether JSON can hold a value."""
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
