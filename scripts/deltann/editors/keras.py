"""Keras: a model is made again from its layers, without sub-models, and saved.

A layer of which something is set is made anew from what it is to be.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from deltann.edits import Edit
from deltann.formats import keras_draft, keras_file, keras_graph
from deltann.ours import ours
from deltann.tracers import keras as tracer

ENVIRONMENT = "tensorflow"
WHAT = "writing a changed Keras model"


def apply(model_file: Path, edits: Sequence[Edit], output: Path) -> None:
    """See `edits.EditorModule`.

    Raises:
        Fault: the file that was written answers in another way than the changed model.
    """
    model = tracer.load(model_file)
    import keras

    draft = keras_draft.draft(keras_graph.flatten(model), tracer.operator)
    draft.apply(edits)
    changed = keras_draft.model(draft, model)
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        saved, stripped = Path(folder, "saved.keras"), Path(folder, "stripped.keras")
        changed.save(saved)
        with ours(WHAT):
            keras_file.strip(saved, stripped)
            loaded = keras.saving.load_model(stripped, compile=False, safe_mode=True)
        keras_file.compare(WHAT, changed, loaded)
        output.write_bytes(stripped.read_bytes())
