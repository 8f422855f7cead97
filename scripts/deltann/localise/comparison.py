"""What differs between two segments that should do the same, and how to mend it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from deltann.edits import Bypass, Edit, Insert, Reconnect, SetAttribute, SetParameter
from deltann.localise import parameters
from deltann.localise.canonical import WEIGHTED, Part, moves, parts
from deltann.localise.finding import Difference, Family
from deltann.localise.pairing import tokens
from deltann.localise.wording import named, summary, text
from deltann.steps import ACTIVATIONS, BINARY, Operator

# Attributes that say the same in other words, and those that a tracer may not know.
COORDINATES = {"pytorch_half_pixel": "half_pixel"}
LAYOUTS = ("axis", "axes", "permutation", "shape")
NUMBERS = 1e-5
COMMUTATIVE = ("add", "multiply", "maximum", "minimum")


@dataclass(frozen=True)
class Segments:
    """The operators between tensors that agree, of the source and of the target.

    Attributes:
        source, target: in running order.
        same_layout: whether both formats have the same layout, so that axes can be compared.
        inputs: by source tensor that the segments read, the target's tensor that is equal to it.
        single_reader: whether one operator alone reads a target's tensor.
        same: whether a source tensor and a target tensor hold the same; None if the target's holds
            nothing that the source has.
        image: the target's input.
    """

    source: tuple[Operator, ...]
    target: tuple[Operator, ...]
    same_layout: bool
    inputs: dict[str, str]
    single_reader: Callable[[str], bool]
    same: Callable[[str, str], bool | None]
    image: str


def compare(segments: Segments) -> list[Difference]:
    """All that differs, in running order; what can be mended first."""
    one, other = parts(segments.source), parts(segments.target)
    if [part.kind for part in one] != [part.kind for part in other]:
        folded = parts(segments.source, fold=True), parts(segments.target, fold=True)
        if _unlike(*folded) < _unlike(one, other):
            one, other = folded
    found = list(_differences(segments, one, other))
    if not found:
        found = list(_moves(segments))
    return sorted(found, key=lambda item: not item.edits)


def _unlike(one: list[Part], other: list[Part]) -> int:
    matcher = SequenceMatcher(None, [p.kind for p in one], [p.kind for p in other], autojunk=False)
    return max(len(one), len(other)) - sum(block.size for block in matcher.get_matching_blocks())


def _differences(segments: Segments, one: list[Part], other: list[Part]) -> Iterator[Difference]:
    matcher = SequenceMatcher(None, *tokens(one, other), autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            for source, target in zip(one[a:b], other[c:d], strict=True):
                yield from _pair(segments, source, target)
            continue
        same = min(b - a, d - c)
        for source, target in zip(one[a : a + same], other[c : c + same], strict=True):
            yield _other_kind(segments, source, target)
        for source in one[a + same : b]:
            yield _missing(segments, source, other[: c + same])
        for target in other[c + same : d]:
            yield _extra(segments, target)


def _pair(segments: Segments, source: Part, target: Part) -> Iterator[Difference]:
    """What differs between two parts of the same kind."""
    for key in sorted(source.attributes.keys() | target.attributes.keys()):
        if key in LAYOUTS and not (segments.same_layout or _letters(source, target, key)):
            continue
        difference = _attribute(source, target, key)
        if difference:
            yield difference
    for key in sorted(source.parameters.keys() | target.parameters.keys()):
        difference = _parameter(segments, source, target, key)
        if difference:
            yield difference
    yield from _inputs(segments, source, target)


def _letters(source: Part, target: Part, key: str) -> bool:
    """Whether both say an axis by letters, which no layout changes."""
    words = np.ravel([source.attribute(key), target.attribute(key)]).tolist()
    return key in ("axis", "axes") and all(isinstance(word, str) for word in words)


def _inputs(segments: Segments, source: Part, target: Part) -> Iterator[Difference]:
    """Tensors that the target's operator reads instead of those that the source's reads."""
    one, other = source.operators[0].inputs, target.operators[0].inputs
    if source.fused or target.fused or len(one) != len(other) or not one:
        return
    wrong = [
        number
        for number in range(len(one))
        if one[number] in segments.inputs and segments.same(one[number], other[number]) is False
    ]
    if not wrong or (source.kind in COMMUTATIVE and _crossed(segments, one, other)):
        return
    edits = tuple(Reconnect(target.name, item, segments.inputs[one[item]]) for item in wrong)
    what = f"{target.kind} reads another tensor than in the source"
    if len(wrong) > 1 and _crossed(segments, one, other):
        what = f"{target.kind}'s inputs are swapped"
    family = Family.LAYOUT if target.kind == "concat" else Family.GRAPH
    yield Difference(
        family, what, target.name, source.name, "inputs", list(one), list(other), edits
    )


def _crossed(segments: Segments, one: Sequence[str], other: Sequence[str]) -> bool:
    return all(segments.same(a, b) for a, b in zip(one, reversed(other), strict=True))


def _attribute(source: Part, target: Part, key: str) -> Difference | None:
    one, other = source.attribute(key), target.attribute(key)
    if _same(one, other) or (key == "rounding" and source.attribute("mode") != "nearest"):
        return None
    family = Family.ATTRIBUTES
    if target.kind in ACTIVATIONS and key != "slope":
        family = Family.ACTIVATION
    elif key in LAYOUTS:
        family = Family.LAYOUT
    elif key in ("constant_first", "training"):
        family = Family.GRAPH
    edits: tuple[Edit, ...] = (SetAttribute(target.name, key, one),)
    if target.fused:
        whole = {"kind": source.kind} | source.attributes
        edits = (SetAttribute(target.name, "activation", whole),)
    elif key in ("pads", "padded_with"):
        edits = (SetAttribute(target.name, "pads", source.attribute("pads")),)
        pads = [o for o in target.operators if o.kind == "pad" and target.kind != "pad"]
        edits = (*edits, *(Bypass(operator.name) for operator in pads))
    what = f"{target.kind}'s {key} is {text(other)}, not {text(one)}"
    return Difference(family, what, target.name, source.name, key, one, other, edits)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return COORDINATES.get(one, one) == COORDINATES.get(other, other)
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one == other
    try:
        a, b = np.asarray(one, np.float64), np.asarray(other, np.float64)
    except (TypeError, ValueError):
        return one == other
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=NUMBERS, atol=0, equal_nan=True))


def _parameter(segments: Segments, source: Part, target: Part, key: str) -> Difference | None:
    one, other = source.parameters.get(key), target.parameters.get(key)
    words = parameters.differ(one, other)
    if words is None:
        return None
    family = words.family
    first = _reads_image(segments, target)
    if key == "weight" and first and "input channels" in words.text:
        family = Family.INPUT
    edits: tuple[Edit, ...] = ()
    operator, name = target.places.get(key, (target.name, key))
    if one is not None:
        edits = (SetParameter(operator, name, one.astype(np.float32)),)
    elif other is not None:
        edits = (SetParameter(operator, name, np.zeros(other.shape, np.float32)),)
    what = f"{target.kind}'s {key} {words.text}"
    return Difference(family, what, operator, source.name, key, summary(one), summary(other), edits)


def _reads_image(segments: Segments, part: Part) -> bool:
    return any(segments.image in operator.inputs for operator in part.operators)


def _other_kind(segments: Segments, source: Part, target: Part) -> Difference:
    both = source.kind in ACTIVATIONS and target.kind in ACTIVATIONS
    family = Family.ACTIVATION if both else Family.GRAPH
    edits: tuple[Edit, ...] = ()
    if target.fused:
        edits = (
            SetAttribute(target.name, "activation", {"kind": source.kind} | source.attributes),
        )
    elif source.kind in (*ACTIVATIONS, *BINARY):
        inputs = _others(segments, source)
        if inputs is not None and target.operators[0].outputs:
            edits = (_insert(source, target.operators[0].outputs[0], inputs), Bypass(target.name))
    what = f"{named(target)} stands in place of {named(source)}"
    return Difference(
        family, what, target.name, source.name, "kind", source.kind, target.kind, edits
    )


def _missing(segments: Segments, source: Part, before: Sequence[Part]) -> Difference:
    family = Family.ACTIVATION if source.kind in ACTIVATIONS else Family.GRAPH
    behind = ""
    edits: tuple[Edit, ...] = ()
    known = [
        segments.inputs[name] for name in source.operators[0].inputs if name in segments.inputs
    ]
    if before:
        behind = before[-1].operators[0].outputs[0]
        if len(before[-1].operators) > 1:
            behind = before[-1].operators[-1].outputs[0]
    elif known:
        behind = known[0]
    inputs = _others(segments, source)
    if source.kind == "batch_norm" or source.kind in (*ACTIVATIONS, *BINARY, "pad"):
        if behind and inputs is not None and segments.single_reader(behind):
            edits = (_insert(source, behind, inputs),)
    name = before[-1].name if before else (segments.target[0].name if segments.target else "")
    what = f"{named(source)} is missing" + (f" behind {name}" if before else f" before {name}")
    return Difference(family, what, name, source.name, "kind", source.kind, None, edits)


def _extra(segments: Segments, target: Part) -> Difference:
    family = Family.GRAPH
    if target.kind == "batch_norm":  # numbers are normalised that are so already
        family = Family.PARAMETERS
    if _reads_image(segments, target) and target.kind not in WEIGHTED:
        family = Family.INPUT
    edits: tuple[Edit, ...] = (Bypass(target.name),)
    if target.fused:
        edits = (SetAttribute(target.name, "activation", {}),)
    what = f"{named(target)} isn't in the source"
    return Difference(family, what, target.name, "", "kind", None, target.kind, edits)


def _others(segments: Segments, source: Part) -> tuple[str, ...] | None:
    """The target's tensors that a source's operator reads beside its first; None if not known."""
    read = source.operators[0].inputs
    if source.kind not in BINARY or len(read) < 2:
        return ()
    known = [segments.inputs[name] for name in read if name in segments.inputs]
    return tuple(known[-1:]) if known else None


def _insert(source: Part, behind: str, inputs: tuple[str, ...]) -> Insert:
    numbers = {key: value.astype(np.float32) for key, value in source.parameters.items()}
    return Insert(behind, source.kind, dict(source.attributes), numbers, inputs)


def _plain(operator: Operator) -> bool:
    """Whether a transpose has nothing to do with the layout of a format."""
    return len(operator.attributes.get("permutation", ())) != 4


def _moves(segments: Segments) -> Iterator[Difference]:
    """Transposes that one side has and the other doesn't, where nothing else differs."""
    one, other = (
        [item for item in moves(side) if segments.same_layout or _plain(item)]
        for side in (segments.source, segments.target)
    )
    for operator in one[len(other) :]:
        known = [segments.inputs[name] for name in operator.inputs if name in segments.inputs]
        attributes = {"permutation": operator.attributes.get("permutation")}
        edits = (Insert(known[0], "transpose", attributes),) if known else ()
        name = segments.target[0].name if segments.target else ""
        what = f"a transpose {text(attributes['permutation'])} is missing"
        yield Difference(Family.LAYOUT, what, name, operator.name, "kind", "transpose", None, edits)
    for operator in other[len(one) :]:
        what = f"a transpose {text(operator.attributes.get('permutation'))} isn't in the source"
        edit = (Bypass(operator.name),)
        yield Difference(Family.LAYOUT, what, operator.name, "", "kind", None, "transpose", edit)
    for source, target in zip(one, other, strict=False):
        permutation = source.attributes.get("permutation"), target.attributes.get("permutation")
        if not _same(*permutation):
            what = f"a transpose is {text(permutation[1])}, not {text(permutation[0])}"
            change = (SetAttribute(target.name, "permutation", permutation[0]),)
            yield Difference(
                Family.LAYOUT, what, target.name, source.name, "permutation", *permutation, change
            )
