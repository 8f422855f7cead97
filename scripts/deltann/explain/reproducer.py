"""The smallest example of a fault as a zip file: a model, its input, and a short script.

The script is run before it is handed out. If the suspect operators alone don't show the fault, the
whole model takes their place.
"""

import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deltann import runners, tracers
from deltann.execution.session import Session, ToolFailed
from deltann.explain import segment, shown, snippets
from deltann.explain.chain import Artefact
from deltann.explain.snippets import Example
from deltann.explain.snippets_convert import CHANNELS_LAST, NUMBERED
from deltann.explain.snippets_run import NAMES, RUNTIMES
from deltann.explain.stages import IMPORTER, Case
from deltann.explain.suspects import Suspect, suspect
from deltann.formats import segments
from deltann.images.normalise import layout, normalise
from deltann.localise import remote
from deltann.provenance import files
from deltann.steps import Operator

# A whole model is put into the zip file up to this size.
LARGEST_BYTES = 50 * 2**20
README = "README.md"
# The lists of packages.
ENVIRONMENTS = Path(__file__).resolve().parents[3] / "envs"
ALONE, WHOLE = "The suspect operators alone", "The whole model"


class Ambiguous(Exception):
    """Tools order the outputs of these operators in different ways."""


def write(path: Path, case: Case, facts: dict) -> str:
    """Write the zip file; one without a fault says so.

    Args:
        path: the file.
        case: the cell's.
        facts: those of the page.

    Returns:
        What it has, in sentences.
    """
    found = suspect(case, facts)
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        inside = Path(folder)
        said, printed = "No edge has an operator at fault, so there is no example.", ""
        if found:
            try:
                said, printed = _made(inside, case, found)
            except ToolFailed as error:
                said = f"No example could be made: {error}"
        text = f"# {facts['cell_name']}\n\n{said}\n{printed}"
        (inside / README).write_text(text, encoding="utf-8")
        with files.atomic(path) as part, zipfile.ZipFile(part, "w") as archive:
            for item in sorted(item for item in inside.rglob("*") if item.is_file()):
                name = zipfile.ZipInfo(f"{path.stem}/{item.relative_to(inside).as_posix()}")
                archive.writestr(name, item.read_bytes(), zipfile.ZIP_DEFLATED)
    return said


def _made(folder: Path, case: Case, found: Suspect) -> tuple[str, str]:
    """Put the example into a folder: the suspects alone, if they show the fault.

    Returns:
        What it is, in sentences; and what the script prints, for the README.
    """
    if found.source.framework not in tracers.names():
        return f"{found.what} Of {found.source.framework} files, no example can be made.", ""
    why = "" if found.call else "The script can't make the second file, so that is there, too."
    if found.operators and found.call and found.source.framework in segment.frameworks():
        try:
            example = _fill(folder, case, found, cut=True)
            seen = shown.look(folder, found, case.limits)
            if seen.differs:
                return _told(found, example, ALONE, ""), seen.text
            why = f"{ALONE} don't show it: {seen.why}."
        except (ToolFailed, Ambiguous) as error:
            why = f"{ALONE} couldn't be cut out: {error}."
        for item in folder.iterdir():
            shutil.rmtree(item) if item.is_dir() else item.unlink()
    if max(item.path.stat().st_size for item in (found.source, found.target)) > LARGEST_BYTES:
        said = f"{found.what} The model is too large for an example: see {found.source.path}."
        return " ".join(filter(None, [said, why])), ""
    example = _fill(folder, case, found, cut=False)
    seen = shown.look(folder, found, case.limits)
    if not seen.differs:
        why = " ".join(filter(None, [why, f"Run here, the script doesn't show it: {seen.why}."]))
    return _told(found, example, WHOLE, why), seen.text


def _told(found: Suspect, example: Example, part: str, why: str) -> str:
    """What the example is."""
    what = "TVM's import" if found.target.framework == IMPORTER else "the conversion"
    said = (
        f"{found.what} {part}, an input, and `{shown.SCRIPT}`, which prints the answers before "
        f"and after {what}."
    )
    if example.dense:
        said += " NumPy's answer of the suspect is the reference."
    else:
        said += f" The answer before, by {example.source}'s own runtime, is the reference."
    if example.source == "onnx":
        said += " That of onnx.reference is printed, too."
    elif example.target == "onnx" and example.target not in RUNTIMES.get(found.environment, ()):
        said += " The answer after is by onnx.reference, as onnxruntime isn't among the tools."
    return f"{said} {why}".strip()


def _fill(folder: Path, case: Case, found: Suspect, cut: bool) -> Example:
    """Put model, input and script into a folder."""
    source, target = found.source, found.target
    model = folder / NAMES[source.framework].format("model")
    kept = None
    with remote.open_tracer(source.framework, source.path, case.limits) as tracer:
        image = _image(found, tracer)
        shape, read = tracer.input_shape, [tracer.input]
        if cut:
            if _quantized(source) and target.framework != source.framework:
                raise Ambiguous("their tensors are quantized, and tools take them in other types")
            if len(_outputs(tracer, found)) > 1:
                raise Ambiguous("they have several outputs, which tools don't keep in order")
            read = _extract(case, found, model)
            inputs = tracer.run(image, read)
            arrays = [inputs[name] for name in read]
        else:
            arrays = [image]
            _place(source.framework, source.path, model)
            if not _channels_first(shape):
                kept = read
        dense = _dense(folder, tracer, found, image)
    for number, array in enumerate(arrays):
        np.save(folder / f"input{number:03}.npy", array)
    if source.framework == "onnx" and (found.call in NUMBERED or len(arrays) > 1):
        _prepare(case, model)
    if not found.call:
        _place(target.framework, target.path, folder / NAMES[target.framework].format("converted"))
    example = Example(
        what=found.what,
        source=source.framework,
        target=target.framework,
        call=found.call,
        settings=target.settings,
        channels=_channels(case, found, shape, cut),
        kept=kept,
        stored=source.framework not in RUNTIMES.get(found.environment, ()),
        dense=dense is not None,
    )
    shutil.copyfile(ENVIRONMENTS / f"{found.environment}.txt", folder / snippets.PINS)
    if example.stored:
        shown.store(folder, source.framework, case.limits)
    (folder / shown.SCRIPT).write_text(snippets.script(example), encoding="utf-8")
    return example


def _quantized(artefact: Artefact) -> bool:
    """Whether a file's tensors between operators are whole numbers."""
    return artefact.framework == "tflite" and artefact.precision.name.startswith("int")


def _image(found: Suspect, tracer: remote.RemoteTracer) -> np.ndarray:
    convention = found.images.convention
    order = layout(tracer.input_shape, convention)
    return normalise(found.images.pixels[0], convention, order)


def _channels(case: Case, found: Suspect, shape: Sequence[int], cut: bool) -> str:
    """Where the second file has the channels: `first` or `last`; empty if not elsewhere.

    Args:
        case: the cell's.
        found: the fault.
        shape: of the first model's input.
        cut: whether the example has the suspects alone.
    """
    if found.call:
        if found.call in CHANNELS_LAST:
            return "last" if cut or _channels_first(shape) else ""
        return "first" if found.target.settings.get("channels_first") else ""
    target = found.target
    if target.framework not in tracers.names():
        return ""
    with remote.open_tracer(target.framework, target.path, case.limits) as tracer:
        if tracer.input_shape == shape:
            return ""
    return "last" if _channels_first(shape) else "first"


def _channels_first(shape: Sequence[int]) -> bool:
    return len(shape) == 4 and shape[1] in (1, 3)


def _outputs(tracer: remote.RemoteTracer, found: Suspect) -> list[str]:
    """The tensors that others read from the suspects."""
    calls = {item.name: (item.inputs, item.outputs) for item in tracer.operators()}
    return segments.ends(calls, [item["name"] for item in found.operators], tracer.output)[1]


def _extract(case: Case, found: Suspect, output: Path) -> list[str]:
    """Cut the source's operators out; the names of the tensors that they read."""
    framework = found.source.framework
    python = remote.python(tracers.get(framework).ENVIRONMENT)
    with (
        tempfile.TemporaryDirectory(prefix="deltann-") as folder,
        Session(python, segment.__name__, {}, case.limits) as session,
    ):
        made = Path(folder, f"segment{runners.get(framework).SUFFIX}")
        names = session.call(
            "extract",
            framework=framework,
            model_file=str(found.source.path.resolve()),
            operators=[item["name"] for item in found.operators],
            output=str(made),
        )
        _place(framework, made, output)
    return names


def _prepare(case: Case, model: Path) -> None:
    """Give an ONNX file's tensors names that a converter takes, and that sort as its inputs."""
    python = remote.python(runners.get("onnx").ENVIRONMENT)
    with Session(python, shown.MODULE, {}, case.limits) as session:
        session.call("number", model_file=str(model.resolve()))


def _place(framework: str, path: Path, output: Path) -> None:
    """Copy a model file to where the script reads it."""
    if runners.get(framework).SUFFIX.endswith(".tar"):
        folder = output if output.suffix == "" else output.parent
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
    else:
        shutil.copyfile(path, output)


def _dense(
    folder: Path, tracer: remote.RemoteTracer, found: Suspect, image: np.ndarray
) -> Operator | None:
    """Write what numpy needs for the suspect, if that is a dense layer, and give the layer."""
    names = {item["name"] for item in found.operators if item["kind"] == "dense"}
    layers = [item for item in tracer.operators() if item.name in names]
    plain = [item for item in layers if "bias" in item.parameters and not item.attributes]
    if len(found.operators) != 1 or len(plain) != 1:
        return None
    (layer,) = plain
    read = layer.inputs[0]
    given = tracer.run(image, [read])[read]
    weight, bias = (layer.parameters[name] for name in ("weight", "bias"))
    np.savez(folder / "dense.npz", x=given, weight=weight, bias=bias)
    return layer
