"""The script of an example, which reproduces a fault with nothing but the tools themselves."""

from dataclasses import dataclass, field

from deltann.explain import snippets_convert
from deltann.explain.snippets_run import NAMES, RUN, functions

# What the source answers, for environments that its runtime isn't in.
STORED = "before.npy"
SCRIPT = '''"""{what}

Run it in this folder, where the tools of {pins} are installed.
"""
import glob
import numpy as np
{run}
inputs = [np.load(path) for path in sorted(glob.glob("input*.npy"))]
{before}
{convert}
{given}
after = run_{target}({converted}, given)
{moved}
print("before:", before.ravel()[:8])
print("after: ", after.ravel()[:8]{by})
{reference}
if before.size == after.size:
    far = np.abs(before.ravel() - after.ravel()).max()
    print("largest difference:", far, "of", np.abs(before).max())
'''
FAR = "largest difference:"
# Writes what a source answers.
STORING = """import glob
import numpy as np
{run}
inputs = [np.load(path) for path in sorted(glob.glob("input*.npy"))]
np.save("{stored}", run_{source}("{model}", inputs))
"""
BEFORE = "before = {call}"
BEFORE_OR_STORED = """try:
    before = {call}
except ImportError:  # its runtime isn't installed here
    before = np.load("{stored}")"""
# What a model takes whose channels are elsewhere, and its answer with the channels first again.
GIVEN = {
    "": "given = inputs",
    "last": "given = [np.moveaxis(x, 1, -1) if x.ndim > 2 else x for x in inputs]",
    "first": "given = [np.moveaxis(x, -1, 1) if x.ndim == 4 else x for x in inputs]",
}
# The versions of the tools, beside the script.
PINS = "requirements.txt"
MOVED = "after = np.moveaxis(after, -1, 1) if after.ndim > 2 else after"
REFERENCE = """
try:
    from onnx.reference import ReferenceEvaluator
    reference = ReferenceEvaluator("{model}")
    answer = reference.run(None, dict(zip(reference.input_names, inputs)))[0]
    print("onnx's reference:", answer.ravel()[:8])
except Exception as error:  # it isn't installed, or doesn't know an operator
    print("onnx's reference:", error)
"""
# A dense layer by numpy: `dense.npz` has what the operator reads and its constants.
DENSE = """
dense = np.load("dense.npz")
print("numpy, the suspect alone:", (dense["x"] @ dense["weight"].T + dense["bias"]).ravel()[:8])
"""


@dataclass(frozen=True)
class Example:
    """What a script shows.

    Attributes:
        what: the fault in a sentence.
        source, target: the frameworks before and after the conversion.
        call: a name of `snippets_convert.CALLS`; empty if the converted file is there, too.
        settings: the converter's, as the config sets them.
        channels: where the converted model has them, `first` or `last`; empty if not elsewhere.
        kept: inputs whose channels the converter must leave where they are.
        stored: whether the source's answer is there, too.
        dense: whether the suspect is a dense layer that numpy can compute.
    """

    what: str
    source: str
    target: str
    call: str = ""
    settings: dict = field(default_factory=dict)
    channels: str = ""
    kept: list[str] | None = None
    stored: bool = False
    dense: bool = False


def script(example: Example) -> str:
    """The text of the script."""
    source, target = example.source, example.target
    model = NAMES[source].format("model")
    before = BEFORE_OR_STORED if example.stored else BEFORE
    reference = DENSE if example.dense else ""
    reference += REFERENCE.format(model=model) if source == "onnx" else ""
    objects = example.call in snippets_convert.OBJECTS
    convert = ""
    if example.call:
        convert = snippets_convert.text(example.call, example.settings, example.kept)
    return SCRIPT.format(
        what=_quoted(example.what),
        pins=PINS,
        run=functions(source, target),
        before=before.format(call=f'run_{source}("{model}", inputs)', stored=STORED),
        convert=convert,
        given=GIVEN[example.channels],
        target=target,
        converted="converted" if objects else f'"{NAMES[target].format("converted")}"',
        by=", by" if target == "onnx" and source != "onnx" else "",
        moved=MOVED if example.channels == "last" else "",
        reference=reference.strip(),
    )


def _quoted(text: str) -> str:
    """A text for a docstring: a model's names, which are in it, may hold anything."""
    printable = "".join(item if item.isprintable() else " " for item in text)
    return printable.replace("\\", r"\\").replace('"', r"\"")


def storing(framework: str) -> str:
    """The text of a script that writes `STORED`."""
    model = NAMES[framework].format("model")
    return STORING.format(run=RUN[framework], stored=STORED, source=framework, model=model)
