"""Converters that change one operator of a file: faults of known place and kind, by edges."""

from pathlib import Path

FRAMEWORKS = ("keras", "onnx", "tensorflow", "tflite", "torch")
# A converter's module. Without a fault the file is only written again.
MODULE = '''"""Planted by a test: changes one operator of a file, by the project's own editor."""

from pathlib import Path

from deltann import editors, tracers
from deltann.converters import accept
from deltann.edits import SetAttribute, SetParameter

SOURCE = TARGET = "{framework}"
ENVIRONMENT = editors.get(SOURCE).ENVIRONMENT
check = accept


def convert(model_file: Path, output: Path, fault: str = "") -> None:
    """Write a file again, with a fault in the last operator that can have it."""
    with tracers.get(SOURCE).Tracer(model_file) as tracer:
        operators = tracer.operators()[::-1]
    edits = []
    if fault == "bias":
        found = next(item for item in operators if "bias" in item.parameters)
        edits = [SetParameter(found.name, "bias", 1 - found.parameters["bias"])]
    elif fault == "weight":
        found = next(item for item in operators if item.kind == "convolution")
        weight = found.parameters["weight"].copy()
        weight[[0, 1]] = weight[[1, 0]]
        edits = [SetParameter(found.name, "weight", weight)]
    elif fault == "epsilon":
        found = next(item for item in operators if item.kind == "batch_norm")
        edits = [SetAttribute(found.name, "epsilon", 0.5)]
    elif fault == "clip":
        found = next(item for item in operators if item.kind == "clip")
        edits = [SetAttribute(found.name, "max", 0.5)]
    elif fault:
        raise ValueError(fault)
    editors.get(SOURCE).apply(model_file, edits, output)
'''


def plant(folder: Path) -> None:
    """Put the converters `planted_<framework>` into a workspace."""
    for framework in FRAMEWORKS:
        path = folder / f"scripts/deltann/converters/planted_{framework}.py"
        path.write_text(MODULE.replace("{framework}", framework))


def edges(faults: dict[str, str]) -> dict:
    """A config's `edges`: `bad_<framework>` with a fault, `again_<framework>` without one."""
    return {
        name: {"converter": f"planted_{framework}"} | settings
        for framework, fault in faults.items()
        for name, settings in ((f"bad_{framework}", {"fault": fault}), (f"again_{framework}", {}))
    }
