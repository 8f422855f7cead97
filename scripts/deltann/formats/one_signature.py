"""A SavedModel as the study needs it: one signature, for images of one size, with one output."""

import os
import tempfile
from pathlib import Path
from typing import Any

from deltann import spot_check
from deltann.formats import folder_tar, named_outputs, signatures
from deltann.formats.signatures import SERVING, Signature, Tensor
from deltann.ours import ours

# The names of the written signature's input and output.
IMAGE, CLASSES = "image", "classes"


def save(path: Path, shape: tuple[int, ...], described: dict, output: Path) -> None:
    """Save a SavedModel as a tar, with what the config names as its only signature and output.

    If there is one signature with one output, and no height or width to fix, the files stay as they
    are.

    Args:
        path: the user's folder or tar.
        shape: that of the input by the config, with a batch of 1, for sides that are left open.
        described: the model's entry in the config.
        output: the tar to write.

    Raises:
        ValueError: the config names no signature or output and there are several, or it names one
            that isn't there, takes no images or gives no numbers.
        Fault: the written model answers an image in another way than the file.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow

    with tempfile.TemporaryDirectory(prefix="deltann-") as made:
        folder = folder_tar.saved_model(path, Path(made, "given"))
        model = tensorflow.saved_model.load(str(folder))
        known = read(model)
        name = signatures.choose(known, described)
        given = _output(known[name], described)
        (taken,) = known[name].inputs.values()
        # several signatures that share weights lose them in TensorFlow 2.21's TFLiteConverter
        if list(known) == [SERVING] and len(known[name].outputs) == 1 and _is_fixed(taken):
            _copy(path, folder, Path(made, "given"), output)
            return
        written, function = Path(made, "written"), model.signatures[name]
        with ours("keeping one signature and output of a SavedModel"):
            _keep(model, function, given, shape, written)
        _compare(function, given, shape, written)
        folder_tar.tar_folder(written, output)


def _copy(path: Path, folder: Path, extracted: Path, output: Path) -> None:
    """Write the user's files to a tar, or the user's own tar as it is."""
    if folder == extracted:
        output.write_bytes(path.read_bytes())
    else:
        folder_tar.tar_folder(folder, output)


def read(model: Any) -> dict[str, Signature]:
    """The signatures of a loaded SavedModel, sorted by name, as are their inputs and outputs."""
    return {
        name: Signature(
            _tensors(function.structured_input_signature[1]), _tensors(function.structured_outputs)
        )
        for name, function in sorted(model.signatures.items())
    }


def _tensors(specs: dict) -> dict[str, Tensor]:
    found = {}
    for name, spec in sorted(specs.items()):
        shape = None if spec.shape.rank is None else tuple(spec.shape)
        found[name] = Tensor(spec.dtype.name, shape)
    return found


def _output(signature: Signature, described: dict) -> str:
    """The output that has the classes."""
    key = f"config key models.{described['name']}.output_name"
    name = str(described.get("output_name", ""))
    if name in signature.outputs and not signature.outputs[name].numbers():
        raise ValueError(
            f"{key}: {name!r} is {signature.outputs[name]}; expected an output of real or whole"
            " numbers, one for each class"
        )
    if not signature.answers():
        raise ValueError(
            f"the model {described['name']} {signature}; expected an output of real or whole"
            " numbers, one for each class"
        )
    return named_outputs.choose(signature.answers(), described)


def _is_fixed(tensor: Tensor) -> bool:
    """Whether the file says which height, width and channels it takes."""
    return tensor.shape is not None and None not in tensor.shape[1:]


def _image(spec: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of one image: a signature's sides, those of `shape` where it leaves one open."""
    if spec.shape.rank is None:
        return shape
    return (1, *(a or b for a, b in zip(spec.shape[1:], shape[1:], strict=True)))


def _keep(model: Any, function: Any, given: str, shape: tuple[int, ...], folder: Path) -> None:
    """Write a SavedModel around one function of a loaded one."""
    import tensorflow

    ((taken, declared),) = function.structured_input_signature[1].items()
    batch = None if declared.shape.rank is None else declared.shape[0]
    sides = (batch, *_image(declared, shape)[1:])
    spec = tensorflow.TensorSpec(sides, declared.dtype, IMAGE)

    @tensorflow.function(input_signature=[spec])
    def serve(image: Any) -> dict:
        return {CLASSES: function(**{taken: image})[given]}

    owned = (
        tensorflow.Variable,
        tensorflow.saved_model.Asset,
        tensorflow.saved_model.experimental.TrackableResource,
    )
    module = tensorflow.Module()
    # without the other functions, whose operators a converter may not know
    module.owned = [
        item
        for item in tensorflow.train.TrackableView(model).descendants()
        if isinstance(item, owned)
    ]
    tensorflow.saved_model.save(module, str(folder), signatures={SERVING: serve})


def _compare(function: Any, given: str, shape: tuple[int, ...], folder: Path) -> None:
    """Check that the written SavedModel answers one image as the user's signature does."""
    import tensorflow

    what = "keeping one signature and output of a SavedModel"
    ((taken, declared),) = function.structured_input_signature[1].items()
    with ours("making a test image for a SavedModel"):
        image = spot_check.image(_image(declared, shape), declared.dtype.name)

    def before(image: Any) -> Any:
        return function(**{taken: tensorflow.constant(image)})[given].numpy()

    def after(image: Any) -> Any:
        written = tensorflow.saved_model.load(str(folder))
        return written.signatures[SERVING](**{IMAGE: tensorflow.constant(image)})[CLASSES].numpy()

    spot_check.compare_models(what, before, after, image)
