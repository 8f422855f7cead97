"""The smallest example of a fault as a zip file: a model, its input, and a short script."""

import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deltann import converters, runners
from deltann.execution.session import Session, ToolFailed
from deltann.explain import snippets
from deltann.explain.answer import fault_in_words
from deltann.explain.chain import Artefact
from deltann.explain.stages import Case
from deltann.images.normalise import layout, normalise
from deltann.localise import remote
from deltann.localise.finding import Verdict
from deltann.provenance import files
from deltann.steps import Operator

# A whole model is put into the zip file up to this size.
LARGEST_BYTES = 50 * 2**20
SCRIPT, README = "reproduce.py", "README.md"
# Converters that make channels last of a model with channels first.
MOVING = ("onnx2tf",)


@dataclass(frozen=True)
class Suspect:
    """A fault whose example is made.

    Attributes:
        source, target: the files before and after the edge.
        fault: its facts: see `operators.facts`.
    """

    source: Artefact
    target: Artefact
    fault: dict

    @property
    def what(self) -> str:
        """The fault in words."""
        return f"{self.target.converter} changed {fault_in_words(self.fault)}."


def suspect(case: Case, facts: dict) -> Suspect | None:
    """The first located fault, else the first one; None if there is none."""
    edges = [item.edge for item in case.chain]
    found = []
    for item in facts["localisations"]:
        if item["edge"] not in edges:
            continue  # TVM's import writes no file
        number = edges.index(item["edge"])
        before, after = case.chain[number - 1], case.chain[number]
        found += [Suspect(before, after, fault) for fault in item.get("faults", [])]
    located = (item for item in found if item.fault["verdict"] == Verdict.LOCATED)
    return next(located, found[0] if found else None)


def write(path: Path, case: Case, facts: dict) -> str:
    """Write the zip file; one without a fault says so.

    Args:
        path: the file.
        case: the cell's.
        facts: those of the page.

    Returns:
        What it has, in a sentence.
    """
    found = suspect(case, facts)
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        inside = Path(folder)
        said = "No edge has an operator at fault, so there is no example."
        if found:
            try:
                said = _fill(inside, case, found)
            except ToolFailed as error:
                said = f"No example could be made: {error}"
        (inside / README).write_text(f"# {facts['cell_name']}\n\n{said}\n", encoding="utf-8")
        with files.atomic(path) as part, zipfile.ZipFile(part, "w") as archive:
            for item in sorted(item for item in inside.rglob("*") if item.is_file()):
                name = zipfile.ZipInfo(f"{path.stem}/{item.relative_to(inside).as_posix()}")
                archive.writestr(name, item.read_bytes(), zipfile.ZIP_DEFLATED)
    return said


def _fill(folder: Path, case: Case, found: Suspect) -> str:
    """Put model, input and script into a folder."""
    source, target = found.source, found.target
    cut = source.framework == "onnx" and target.converter in snippets.CONVERT
    if not cut and max(source.path.stat().st_size, target.path.stat().st_size) > LARGEST_BYTES:
        return f"{found.what} The model is too large for an example: see {source.path}."
    model, converted = (snippets.NAMES[i.framework] for i in (source, target))
    with remote.open_tracer(source.framework, source.path, case.limits) as tracer:
        image = _image(case, tracer)
        shape = tracer.input_shape
        if cut:
            read = _extract(case, found, folder / "model.onnx")
            inputs = tracer.run(image, read)
            arrays = [inputs[name] for name in read]
        else:
            arrays = [image]
            _copy(source, folder / model.format("model"))
        dense = _dense(folder, tracer, found, image)
    for number, array in enumerate(arrays):
        np.save(folder / f"input{number}.npy", array)
    if target.converter not in snippets.CONVERT:
        _copy(target, folder / converted.format("converted"))
    moved = target.converter in MOVING if cut else None
    if moved is None:
        with remote.open_tracer(target.framework, target.path, case.limits) as tracer:
            moved = tracer.input_shape != shape
    last = moved and _channels_first(shape)
    (folder / SCRIPT).write_text(_script(found, last, moved, dense), encoding="utf-8")
    part = "The suspect operators alone" if cut else "The whole model"
    return (
        f"{found.what} {part}, an input, and `{SCRIPT}`, which prints the answers before and "
        "after the conversion."
    )


def _image(case: Case, tracer: remote.RemoteTracer) -> np.ndarray:
    convention = case.native.convention
    order = layout(tracer.input_shape, convention)
    return normalise(case.native.pixels[0], convention, order)


def _channels_first(shape: Sequence[int]) -> bool:
    return len(shape) == 4 and shape[1] in (1, 3)


def _extract(case: Case, found: Suspect, output: Path) -> list[str]:
    """Cut the source's operators out; the names of the tensors that they read."""
    names = [item["name"] for item in found.fault["source_operators"]]
    python = remote.python(runners.get("onnx").ENVIRONMENT)
    with Session(python, "deltann.explain.segment", {}, case.limits) as session:
        return session.call(
            "extract",
            framework=found.source.framework,
            model_file=str(found.source.path.resolve()),
            operators=names,
            output=str(output.resolve()),
        )


def _copy(artefact: Artefact, output: Path) -> None:
    if artefact.framework == "tensorflow":
        with tarfile.open(artefact.path) as archive:
            archive.extractall(output, filter="data")
    else:
        shutil.copyfile(artefact.path, output)


def _dense(
    folder: Path, tracer: remote.RemoteTracer, found: Suspect, image: np.ndarray
) -> Operator | None:
    """Write what numpy needs for the suspect, if that is a dense layer, and give the layer."""
    names = {item["name"] for item in found.fault["source_operators"] if item["kind"] == "dense"}
    layers = [item for item in tracer.operators() if item.name in names]
    if len(layers) != 1 or "bias" not in layers[0].parameters:
        return None
    (layer,) = layers
    read = layer.inputs[0]
    given = tracer.run(image, [read])[read]
    weight, bias = (layer.parameters[name] for name in ("weight", "bias"))
    np.savez(folder / "dense.npz", x=given, weight=weight, bias=bias)
    return layer


def _script(found: Suspect, last: bool, moved: bool, dense: Operator | None) -> str:
    source, target = found.source, found.target
    converter = snippets.CONVERT.get(target.converter, "")
    settings = snippets.DEFAULTS | target.settings
    model, converted = (snippets.NAMES[i.framework] for i in (source, target))
    forms = {True: snippets.CHANNELS_LAST, False: snippets.CHANNELS_FIRST}
    reference = snippets.DENSE if dense else ""
    if source.framework == "onnx":
        reference += snippets.REFERENCE.format(model="model.onnx")
    module = converters.get(target.converter)
    frameworks = dict.fromkeys((source.framework, target.framework))
    return snippets.SCRIPT.format(
        what=found.what,
        tools=f"those of envs/{module.ENVIRONMENT}.txt",
        run="".join(snippets.RUN[name] for name in frameworks),
        source=source.framework,
        target=target.framework,
        model=model.format("model"),
        converted=converted.format("converted"),
        convert=converter.format(**settings).strip(),
        given=forms[last] if moved else "inputs",
        moved="after = np.moveaxis(after, -1, 1) if after.ndim == 4 else after" if last else "",
        reference=reference.strip(),
    )
