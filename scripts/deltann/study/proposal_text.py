"""A proposed config as YAML, with a comment beside each value that says why."""

import re
import unicodedata
from pathlib import Path
from typing import Any

import yaml

from deltann.formats.descriptions import Description
from deltann.study.proposal import Proposed, in_words, nested

# What no study can be called: see the key `study` in the schema.
RESERVED = ("environments", "images", "logs")
BACKENDS = ["native", "O0", "O4"]
# The first conversions of a model, by its source: those that need no setting.
CONVERSIONS: dict[str, dict[str, list]] = {
    "onnx": {
        "onnx": [[]],
        "tensorflow": [["onnx2tf"]],
        "tflite": [["onnx2tf", "tflite_converter"]],
    },
    "torch": {
        "torch": [[]],
        "onnx": [["torch_onnx"]],
        "tensorflow": [["torch_onnx", "onnx2tf"]],
        "tflite": [["torch_onnx", "onnx2tf", "tflite_converter"]],
    },
    "keras": {"keras": [[]], "onnx": [["keras_onnx"]], "tflite": [["keras_tflite"]]},
    "tensorflow": {
        "tensorflow": [[]],
        "onnx": [["tf2onnx"]],
        "tflite": [["tflite_converter"]],
    },
    "tflite": {"tflite": [[]], "onnx": [["tflite_onnx"]]},
}
# The format by which TVM gets a model, where it can't import the model's own.
IMPORTED = {"keras": "onnx", "tensorflow": "onnx"}


def safe_name(path: Path) -> str:
    """A model's and study's name from that of its file: letters, digits, `_`, `.` and `-`."""
    stem = path.name if path.is_dir() else path.stem.removesuffix(".savedmodel")
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", plain).strip("-._") or "model"
    return f"{name}-model" if name in RESERVED else name


def imports(source: str, targets: dict) -> Proposed:
    """How TVM gets the model: one way, to be quick."""
    way = IMPORTED.get(source, source)
    reason = f"TVM compiles the {way} file; an empty list leaves a target's files uncompiled"
    return Proposed({target: [[]] if target == way else [] for target in targets}, reason)


def content(name: str, source: str, file: str, images: dict, model: dict[str, Proposed]) -> dict:
    """The config's content, as `text` writes it.

    Args:
        name: the model's.
        source: its framework.
        file: its path.
        images: the key `images`.
        model: the other keys of the model's entry, as `input.size`.
    """
    targets = CONVERSIONS[source]
    return {
        "images": images,
        "models": [{"name": name, "source": source, "file": file} | nested(model)],
        "conversions": {source: targets},
        "tvm_imports": imports(source, targets).value,
        "backends": BACKENDS,
        "devices": {"cpu": {"target": {"kind": "llvm", "mcpu": "host"}, "native": True}},
    }


def text(config: dict, model: dict[str, Proposed], description: Description, why: dict) -> str:
    """The config's file.

    Args:
        config: of `content`.
        model: the entries of the model, with their reasons.
        description: of the model's file.
        why: the reason of other keys: `images`, `source`.
    """
    (entry,) = config["models"]
    source = entry["source"]
    ways = imports(source, CONVERSIONS[source])
    inside = [
        _line(6, key.partition(".")[2], found.value, found.reason)
        for key, found in model.items()
        if key.startswith("input.")
    ]
    outside = [
        _line(4, key, found.value, found.reason) for key, found in model.items() if "." not in key
    ]
    head = [
        "# Proposed by `make try`: each comment says why. What this file doesn't say is as in",
        "# config.yaml; config/README.md documents every key.",
        *(f"# {line}" for line in said(description)),
    ]
    return "\n".join(
        [
            *head,
            _line(0, "images", config["images"], why["images"]),
            "models:",
            f"  - {_yaml({'name': entry['name']})}",
            _line(4, "source", source, why["source"]),
            _line(4, "file", entry["file"], ""),
            "    input:",
            *inside,
            *outside,
            _line(
                0, "backends", config["backends"], "its own runtime, TVM's lowest and highest level"
            ),
            "conversions:" + _comment("the usual ones; docs/converters.md lists others"),
            _line(2, source, CONVERSIONS[source], ""),
            _line(0, "tvm_imports", ways.value, ways.reason),
            _line(0, "devices", config["devices"], "this machine, all its cores"),
            "",
        ]
    )


def said(description: Description) -> list[str]:
    """What the file says of itself, a line each; no line of its own words can break out."""
    outputs = ", ".join(
        f"{name!a}, {in_words(shape)}" for name, shape in description.outputs.items()
    )
    stands = ""
    if description.scale is not None:
        stands = f", with scale {description.scale:.6g} and zero point {description.zero_point}"
    name = f"{description.input_name!a}, " if description.input_name else ""
    lines = [f"input: {name}{description.dtype}, {in_words(description.shape)}{stands}"]
    lines.append(f"output: {outputs}" if len(description.outputs) == 1 else f"outputs: {outputs}")
    if description.precision:
        lines.append(f"weights: {description.precision}")
    if description.written_by:
        lines.append(f"written by: {_one_line(description.written_by)}")
    return ["The model's file says:", *(f"  {line}" for line in lines)]


def _line(indent: int, key: str, value: Any, reason: str) -> str:
    """A key with its value, and the reason as a comment: above it where the line would be long."""
    written = " " * indent + _yaml({key: value})
    comment = _comment(reason)
    if len(written + comment) <= 100:
        return written + comment
    return f"{' ' * indent}{comment.strip()}\n{written}" if comment else written


def _comment(reason: str) -> str:
    return f" # {_one_line(reason)}" if reason else ""


def _one_line(words: str) -> str:
    """Words that can stand in a comment: a file's own words may hold anything."""
    printable = "".join(character if character.isprintable() else " " for character in words)
    return " ".join(printable.split())


def _yaml(entry: dict) -> str:
    """An entry in one line: `key: {…}`, quoted where YAML needs it."""
    ((key, value),) = entry.items()
    written = yaml.safe_dump(
        {key: value}, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**9
    )
    return written.strip()[1:-1]
