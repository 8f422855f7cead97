"""SavedModels: the frozen serving signature is changed and written as a SavedModel again.

An operator of which something is set is made anew from what it is to be.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann import spot_check
from deltann.edits import Edit
from deltann.formats import folder_tar, tensorflow_frozen
from deltann.formats.signatures import SERVING
from deltann.ours import ours
from deltann.runners import tensorflow as runner

if TYPE_CHECKING:
    import numpy as np


ENVIRONMENT = "tensorflow"
THREADS = 1
WHAT = "writing a changed graph as a SavedModel"


def apply(model_file: Path, edits: Sequence[Edit], output: Path) -> None:
    """See `edits.EditorModule`.

    Raises:
        Fault: the file that was written answers in another way than the changed graph.
    """
    runner.start(THREADS, onednn=False, bfloat16=False)
    from deltann.formats import tensorflow_draft, tensorflow_operators
    from deltann.formats.tensorflow_eager import Execution

    frozen = tensorflow_frozen.read(model_file, few=sys.maxsize)
    operators = tensorflow_operators.operators(Execution(frozen))
    draft = tensorflow_draft.draft(frozen, operators)
    draft.apply(edits)
    changed = replace(
        frozen,
        definition=tensorflow_draft.definition(draft, frozen),
        output=draft.output,
        shapes={},
        types={},
    )
    used = {*changed.nodes}
    changed.captured = {
        name: value
        for name, value in frozen.captured.items()
        if tensorflow_frozen.node_of(name) in used
    }
    with ours(WHAT):
        tensorflow_frozen.infer(changed)
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        saved = Path(folder, "saved")
        with ours(WHAT):
            _write(changed, saved)
        _check(changed, saved)
        folder_tar.tar_folder(saved, output)


def _write(frozen: tensorflow_frozen.Frozen, folder: Path) -> None:
    """Write a graph as a SavedModel with the signature that it came from."""
    import tensorflow

    taken = {frozen.input, *frozen.captured}
    definition = type(frozen.definition)()
    definition.CopyFrom(frozen.definition)
    del definition.node[:]
    definition.node.extend(node for name, node in frozen.nodes.items() if f"{name}:0" not in taken)
    declared = frozen.declared
    spec = tensorflow.TensorSpec(declared.shape, declared.dtype, frozen.taken)

    @tensorflow.function(input_signature=[spec])
    def serve(image: Any) -> dict[str, Any]:
        graph = tensorflow.compat.v1.get_default_graph()
        outside = {name: graph.capture(value) for name, value in frozen.captured.items()}
        (answer,) = tensorflow.graph_util.import_graph_def(
            definition,
            input_map={frozen.input: image, **outside},
            return_elements=[frozen.output],
            name="",
        )
        return {frozen.given: answer}

    module = tensorflow.Module()
    module.owned = _owned(frozen)
    tensorflow.saved_model.save(module, str(folder), signatures={SERVING: serve})


def _owned(frozen: tensorflow_frozen.Frozen) -> list[Any]:
    """The variables that a graph reads, and its assets and tables."""
    import tensorflow

    handles = {id(value) for value in frozen.captured.values()}
    others = (
        tensorflow.saved_model.Asset,
        tensorflow.saved_model.experimental.TrackableResource,
    )
    return [
        item
        for item in tensorflow.train.TrackableView(frozen.model).descendants()
        if isinstance(item, others)
        or (isinstance(item, tensorflow.Variable) and id(item.handle) in handles)
    ]


def _check(frozen: tensorflow_frozen.Frozen, folder: Path) -> None:
    """Check that a SavedModel answers an image as a graph does."""
    import tensorflow

    from deltann.formats.tensorflow_eager import Execution

    image = spot_check.image(frozen.input_shape, frozen.declared.dtype.name)

    def before(image: "np.ndarray") -> "np.ndarray":
        return Execution(frozen).run(image, [frozen.output], {})[frozen.output]

    def loaded() -> Callable[["np.ndarray"], "np.ndarray"]:
        model = tensorflow.saved_model.load(str(folder))
        serve = model.signatures[SERVING]
        return lambda image: (
            model and serve(**{frozen.taken: tensorflow.constant(image)})[frozen.given].numpy()
        )

    with ours(WHAT):
        after = loaded()
    spot_check.compare_models(WHAT, before, after, image)
