"""How a repaired file, or a repaired route, is used in a config: lines to paste."""

import json
from collections.abc import Sequence
from itertools import chain, count

from deltann.cell import DIRECT, NO_IMPORT, UNCONVERTED, Cell
from deltann.repair.candidates import Candidate, Conversion
from deltann.study.routes import REPAIRED

# The formats that a config takes as a model of one's own.
OWN_MODELS = ("onnx", "torch", "tensorflow", "keras", "tflite")


def model(name: str, framework: str, file: str, preprocessing: dict, layout: str) -> str:
    """A config's `models`, with the repaired file as a model of one's own; empty if it can't be.

    Args:
        name: of the model.
        framework: of the file.
        file: its path.
        preprocessing: the fields of `Preprocessing`.
        layout: of the file's input, `NCHW` or `NHWC`.
    """
    if framework not in OWN_MODELS:
        return ""
    height, width = preprocessing["crop"]
    taken = {
        "size": height if height == width else [height, width],
        "resize": preprocessing["resize"],
        "interpolation": preprocessing["interpolation"],
        "layout": layout,
        **{key: preprocessing[key] for key in ("channels", "mean", "std")},
    }
    lines = [
        "models:",
        f"  - name: {json.dumps(name)}",
        f"    source: {framework}",
        f"    file: {json.dumps(file)}",
        f"    input: {_flow({key: item for key, item in taken.items() if item is not None})}",
        f"    classes: {preprocessing['classes']}",
    ]
    if preprocessing["background"]:
        lines.append(f"    background: {preprocessing['background']}")
    return "\n".join(lines) + "\n"


def repaired(cell: Cell, target: str) -> str:
    """A config's `conversions`, with the repaired file as a route beside the cell's own.

    Args:
        cell: the one that was repaired.
        target: the framework of the repaired file.
    """
    names = [] if cell.importer in (NO_IMPORT, DIRECT) else cell.importer.split("+")
    own = [*([] if cell.route == UNCONVERTED else cell.route.split("+")), *names]
    return (
        f"conversions:\n  {cell.source}:\n    {target}:\n"
        f"      - [{', '.join(own)}]\n      - [{', '.join([*own, REPAIRED])}]\n"
    )


def route(source: str, target: str, edges: Sequence[tuple[str, Conversion | Candidate]]) -> str:
    """The `edges` and the route of a config that make the repaired file; empty if none does.

    Args:
        source, target: frameworks of the cell.
        edges: by name, the conversion of each edge, or the candidate that repairs it.
    """
    names: list[str] = []
    settings: dict[str, dict] = {}
    for name, way in edges:
        if isinstance(way, Conversion):
            names.append(name)
            if way.settings or name != way.converter:
                settings[name] = _described(name, way)
            continue
        if way.prepared:
            return ""
        for conversion in way.conversions:
            made = conversion.converter
            if conversion.settings:
                made = _named(f"{made}_{REPAIRED}", conversion, settings)
                settings[made] = _described(made, conversion)
            names.append(made)
    lines = ["edges:"] if settings else []
    lines += [f"  {name}: {_flow(given)}" for name, given in settings.items()]
    lines += ["conversions:", f"  {source}:", f"    {target}: [[{', '.join(names)}]]"]
    return "\n".join(lines) + "\n"


def _named(stem: str, conversion: Conversion, taken: dict[str, dict]) -> str:
    """A name that no edge with other settings has."""
    numbered = (f"{stem}_{number}" for number in count(2))
    return next(
        name
        for name in chain([stem], numbered)
        if taken.get(name) in (None, _described(name, conversion))
    )


def _described(name: str, way: Conversion) -> dict:
    """An entry of `edges`: an edge with a name of its own also says its converter."""
    return ({"converter": way.converter} if name != way.converter else {}) | way.settings


def _flow(value: object) -> str:
    """YAML in one line: JSON is YAML."""
    return json.dumps(value)
