"""What a SavedModel says of the signature that takes the images."""

import os
import tempfile
from pathlib import Path

from deltann.formats import folder_tar, one_signature, signatures
from deltann.formats.descriptions import OPEN, Description
from deltann.formats.signatures import Tensor


def describe(path: Path) -> Description:
    """See `descriptions.Describer`.

    Raises:
        ValueError: no signature takes images, or that one gives no numbers.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow

    with tempfile.TemporaryDirectory(prefix="deltann-") as made:
        model = tensorflow.saved_model.load(str(folder_tar.saved_model(path, Path(made))))
        known = one_signature.read(model)
        name = signatures.proposed(known)
        others = signatures.in_words({key: item for key, item in known.items() if key != name})
        ((taken, tensor),) = known[name].inputs.items()
        given = known[name].outputs
        kinds = {item.dtype.name for item in model.signatures[name].variables} or {""}
        return Description(
            input_name=taken,
            shape=_sides(tensor) or (OPEN,) * 4,
            dtype=tensor.dtype,
            outputs={key: _sides(given[key]) for key in known[name].answers()},
            precision=" and ".join(sorted(kinds)),
            written_by=f"TensorFlow {model.tensorflow_version}, signature {name}",
            signature=name if others else "",
            other_signatures=others,
        )


def _sides(tensor: Tensor) -> tuple[int, ...]:
    return tuple(side or OPEN for side in tensor.shape or ())
