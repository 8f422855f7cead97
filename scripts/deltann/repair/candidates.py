"""What may repair an edge, in the order of its cost."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from deltann import converters
from deltann.repair.onnx_rewrites import REWRITES, UNCHECKED
from deltann.repair.prepasses import PREPASSES

SETTING, PREPASS, REWRITE, TOOL, EDIT = "setting", "pre-pass", "rewrite", "other tool", "edit"
# Values of converters' settings that are worth a try, beside their defaults. One setting is changed
# at a time: most of them belong to another way of conversion.
WORTH_TRYING: dict[str, dict[str, tuple]] = {
    "torch_onnx": {"exporter": ("torchscript",), "batch_norms": ("kept",), "opset": (20, 17, 13)},
    "tf2onnx": {"opset": (18, 15, 13), "channels_first": (True,)},
    "tflite_onnx": {"opset": (18, 15, 13), "channels_first": (True,)},
    "keras_onnx": {"opset": (18, 15, 13)},
    "onnx2tf": {"simplify": (False, True)},
    "ort_static": {"per_channel": (True, False), "activations": ("int8", "uint8")},
    "tflite_int8": {"ends": ("float",)},
}
# Settings that another one needs.
TOGETHER = {("torch_onnx", "batch_norms", "kept"): {"exporter": "torchscript"}}
# The frameworks that a pair of converters may go through, and how many pairs are tried.
BETWEEN, PAIRS = ("onnx", "tensorflow", "tflite", "keras", "torch"), 4


@dataclass(frozen=True)
class Conversion:
    """One call of a converter."""

    converter: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """In words: `onnx2tf (simplify: false)`."""
        given = ", ".join(f"{key}: {json.dumps(item)}" for key, item in self.settings.items())
        return f"{self.converter} ({given})" if given else self.converter


@dataclass(frozen=True)
class Candidate:
    """A way to make an edge's file anew.

    Attributes:
        kind: `SETTING`, `PREPASS`, `REWRITE` or `TOOL`.
        conversions: from the file before the edge to one of the edge's target.
        prepared: what is done to the file before: one of `PREPASSES`, or names of `REWRITES`.
    """

    kind: str
    conversions: tuple[Conversion, ...]
    prepared: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """In words."""
        ways = ", then ".join(item.text for item in self.conversions)
        return f"{' and '.join(self.prepared)}, then {ways}" if self.prepared else ways


def of_edge(converter: str, settings: dict[str, Any]) -> Iterator[Candidate]:
    """All candidates but edits for an edge, the cheapest first.

    Args:
        converter: of the edge.
        settings: that the edge has.
    """
    module = converters.get(converter)
    yield from _settings(converter, settings)
    same = (Conversion(converter, settings),)
    for name, prepass in PREPASSES.items():
        if prepass.framework == module.SOURCE:
            yield Candidate(PREPASS, same, (name,))
    if module.SOURCE == "onnx":
        yield from (Candidate(REWRITE, same, (name,)) for name in REWRITES)
        yield Candidate(REWRITE, same, tuple(name for name in REWRITES if name != UNCHECKED))
    yield from _tools(converter, module.SOURCE, module.TARGET)


def _settings(converter: str, settings: dict[str, Any]) -> Iterator[Candidate]:
    """Other values of the converter's own settings, one changed at a time."""
    known = converters.settings(converter)
    for name, values in WORTH_TRYING.get(converter, {}).items():
        now = settings.get(name, known[name].default)
        for value in values:
            if value == now:
                continue
            given = settings | {name: value} | TOGETHER.get((converter, name, value), {})
            try:
                converters.get(converter).check(**given)
            except ValueError:
                continue
            yield Candidate(SETTING, (Conversion(converter, given),))


def _tools(converter: str, source: str, target: str) -> Iterator[Candidate]:
    """Other converters of the same two frameworks, alone and in pairs.

    None for an edge within one framework: by other ways, it would only be left out.
    """
    if source == target:
        return
    plain = [name for name in converters.names() if not _changes_precision(name)]
    ends = {name: (converters.get(name).SOURCE, converters.get(name).TARGET) for name in plain}
    for name in plain:
        if name != converter and ends[name] == (source, target):
            yield Candidate(TOOL, (Conversion(name),))
    pairs = [
        Candidate(TOOL, (Conversion(one, _between(one)), Conversion(other)))
        for between in BETWEEN
        if between not in (source, target)
        for one in plain
        if ends[one] == (source, between)
        for other in plain
        if ends[other] == (between, target) and other != converter
    ]
    yield from pairs[:PAIRS]


def _changes_precision(name: str) -> bool:
    """Whether a converter is there to change a model's precision."""
    module = converters.get(name)
    words = ("int8", "float16", "dynamic", "quantize", "static", "weights")
    return module.SOURCE == module.TARGET or any(word in name for word in words)


def _between(converter: str) -> dict[str, Any]:
    """Settings that the converters behind it expect."""
    known = converters.settings(converter)
    return {"channels_first": True} if "channels_first" in known else {}
