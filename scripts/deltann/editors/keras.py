"""Keras: a model is made again from its layers, without sub-models, and saved.

A layer of which something is set is made anew from what it is to be.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann.edits import Bypass, Edit, Impossible, Insert, Reconnect, SetAttribute, SetParameter
from deltann.formats import keras_file, keras_graph, words
from deltann.formats.keras_draft import Draft
from deltann.ours import ours
from deltann.tracers import keras as tracer

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "tensorflow"
WHAT = "writing a changed Keras model"


def apply(model_file: Path, edits: Sequence[Edit], output: Path) -> None:
    """See `edits.EditorModule`: what is set is set first, whatever the order.

    Raises:
        Fault: the file that was written answers in another way than the changed model.
    """
    model = tracer.load(model_file)
    draft = Draft(keras_graph.flatten(model))
    _set(draft, edits)
    for edit in edits:
        if isinstance(edit, Reconnect):
            draft.reconnect(edit)
        elif isinstance(edit, Bypass):
            draft.bypass(edit)
        elif isinstance(edit, Insert):
            draft.insert(edit)
    try:
        changed = draft.model(model)
    except ValueError as error:  # Keras's, of shapes that don't fit
        raise Impossible(str(error)) from error
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        saved = Path(folder, "changed.keras")
        keras_file.save(changed, saved)
        import keras

        with ours(WHAT):
            loaded = keras.saving.load_model(saved, compile=False, safe_mode=True)
        keras_file.compare(WHAT, changed, loaded)
        output.write_bytes(saved.read_bytes())


def _set(draft: Draft, edits: Sequence[Edit]) -> None:
    """Say what the operators are to be of which something is set."""
    attributes: dict[str, dict[str, Any]] = {}
    parameters: dict[str, dict[str, np.ndarray]] = {}
    for edit in edits:
        if isinstance(edit, SetAttribute):
            attributes.setdefault(edit.operator, {})[edit.attribute] = edit.value
        elif isinstance(edit, SetParameter):
            parameters.setdefault(edit.operator, {})[edit.parameter] = edit.value
    for name in dict.fromkeys([*attributes, *parameters]):
        item = draft.item(name)
        if item.call is not None:
            item.words = words.changed(
                tracer.operator(item.call), attributes.get(name, {}), parameters.get(name, {})
            )
