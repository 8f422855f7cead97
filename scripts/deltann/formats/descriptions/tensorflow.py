"""What a SavedModel says of its serving signature."""

import os
import tempfile
from pathlib import Path
from typing import Any

from deltann.formats import folder_tar
from deltann.formats.descriptions import OPEN, Description, only_input

SIGNATURE = "serving_default"


def describe(path: Path) -> Description:
    """See `descriptions.Describer`.

    Raises:
        ValueError: it has no such signature.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow

    with tempfile.TemporaryDirectory(prefix="deltann-") as made:
        folder = path if path.is_dir() else folder_tar.untar_folder(path, Path(made))
        model = tensorflow.saved_model.load(str(folder))
        if SIGNATURE not in model.signatures:
            known = ", ".join(map(repr, model.signatures)) or "none"
            raise ValueError(f"it has no signature {SIGNATURE!r}, only {known}")
        function = model.signatures[SIGNATURE]
        taken = function.structured_input_signature[1]
        name = only_input(list(taken))
        kinds = {item.dtype.name for item in function.variables} or {""}
        return Description(
            input_name=name,
            shape=_sides(taken[name]),
            dtype=taken[name].dtype.name,
            outputs={key: _sides(item) for key, item in function.structured_outputs.items()},
            precision=" and ".join(sorted(kinds)),
            written_by=f"TensorFlow {model.tensorflow_version}, signature {SIGNATURE}",
        )


def _sides(spec: Any) -> tuple[int, ...]:
    if spec.shape.rank is None:
        return ()
    return tuple(side or OPEN for side in spec.shape)
