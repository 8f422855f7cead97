"""Some layers and operations of a Keras model as a model of their own: for a minimal reproducer."""

import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann import spot_check
from deltann.formats import keras_draft, keras_file, keras_given, keras_graph, segments
from deltann.formats.keras_graph import Flat
from deltann.ours import ours

if TYPE_CHECKING:
    import numpy as np


def extract(model_file: Path, operators: Collection[str], output: Path) -> list[str]:
    """Write a model of these calls alone.

    Its inputs are the tensors that they read from others, for batches as the model takes them. Its
    outputs are those that others read, or the model's. A layer that is called several times is
    there once for each call.

    Args:
        model_file: the whole model.
        operators: names of calls, as the tracer gives them.
        output: the `.keras` file to write.

    Returns:
        The names of its inputs.

    Raises:
        ValueError: the model has no such call, or the file computes something else.
    """
    model = keras_given.load(model_file)
    with ours("reading the calls of a Keras model"):
        flat = keras_graph.flatten(model)
        calls = {call.name: (call.reads, call.writes) for call in flat.calls}
    inputs, outputs = segments.ends(calls, operators, flat.output)
    taken = model.inputs[0]
    image = spot_check.image((1, *taken.shape[1:]), taken.dtype)
    tensors = keras_graph.run(flat, image, {*inputs, *outputs}, {})
    given = [tensors[name] for name in inputs]
    with ours("cutting layers out of a Keras model"):
        kept = [call for call in flat.calls if call.name in operators]
        starts = _starts(flat, model, {name: tensors[name] for name in inputs})
        part = _model(kept, starts, outputs)
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        saved, stripped = Path(folder, "saved.keras"), Path(folder, "stripped.keras")
        part.save(saved)
        with ours("removing dates and addresses from a .keras file"):
            keras_file.strip(saved, stripped)
        answers = _answers(stripped, given)
        segments.check(model_file, {name: tensors[name] for name in outputs}, answers)
        output.write_bytes(stripped.read_bytes())
    return inputs


def _starts(flat: Flat, model: Any, tensors: "Mapping[str, np.ndarray]") -> dict[str, Any]:
    """Symbolic inputs in place of some tensors, by their names.

    Args:
        tensors: for one image. A sub-model may say less of their shapes.
    """
    import keras

    symbols = {flat.input: model.inputs[0]}
    for call in flat.calls:
        symbols |= dict(zip(call.writes, call.node.outputs, strict=True))
    return {
        name: keras.Input(
            batch_shape=(symbols[name].shape[0], *values.shape[1:]),
            dtype=symbols[name].dtype,
            name=name.replace(":", "_"),
        )
        for name, values in tensors.items()
    }


def _model(
    calls: Sequence[keras_graph.Call], starts: Mapping[str, Any], outputs: Sequence[str]
) -> Any:
    """A model of some calls between symbolic inputs and the outputs of these names."""
    import keras

    tensors = dict(starts)
    for call in calls:
        made = keras_draft.again(call, [tensors[name] for name in call.reads])
        tensors |= dict(zip(call.writes, made, strict=True))
    ends = [[*starts.values()], [tensors[name] for name in outputs]]
    return keras.Model(*(item if len(item) > 1 else item[0] for item in ends), name="segment")


def _answers(path: Path, inputs: "Sequence[np.ndarray]") -> "list[np.ndarray]":
    """All outputs of a model."""
    import keras

    model = keras_given.load(path)
    given = model([*inputs] if len(inputs) > 1 else inputs[0], training=False)
    return [keras.ops.convert_to_numpy(item) for item in keras.tree.flatten(given)]
