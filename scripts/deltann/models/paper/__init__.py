"""The paper's three models from four frameworks, each with its published weights."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deltann.errors import StudyError
from deltann.images.class_names import IMAGENET as IMAGENET_CLASSES
from deltann.images.conventions import CONVENTIONS
from deltann.images.preprocessing import Preprocessing
from deltann.models import PRETRAINED, SEEDED, MissingFile, Request

ENVIRONMENTS = {
    "torch": "torch",
    "keras": "tensorflow",
    "tensorflow": "tensorflow",
    "tflite": "tensorflow",
}
CLASS_NAMES = IMAGENET_CLASSES
CROPS = {"mobilenet_v2": 224, "resnet101": 224, "inception_v3": 299}
# torchvision: the transforms of its DEFAULT weights.
RESIZES = {"mobilenet_v2": 232, "resnet101": 232, "inception_v3": 342}
IMAGENET, HALF = (
    dict[str, Any](mean=CONVENTIONS[name].mean, std=CONVENTIONS[name].std)
    for name in ("imagenet", "tensorflow")
)
UNIT: dict[str, Any] = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
# TensorFlow's and TFLite's published models were evaluated on the central 87.5 % of the image
# (slim's inception_preprocessing), and have a background class.
CENTRAL = 0.875
# Standard deviation of the logits of seeded weights, over the images that they are fitted to.
SPREAD = 2.0


def _preprocessings(model: str) -> dict[str, Preprocessing]:
    side = CROPS[model]
    # slim trained its ResNet v2 on 299 pixels; the TFLite file is made from it
    large = 299 if model == "resnet101" else side
    crop, large_crop = (side, side), (large, large)
    common: dict[str, Any] = {"channels": "RGB", "classes": 1000}
    return {
        "torch": Preprocessing(
            RESIZES[model], crop, "bilinear", background=0, **IMAGENET, **common
        ),
        # as keras.utils.load_img(target_size=…) in Keras's documentation: squeezed, nearest
        "keras": Preprocessing(None, crop, "nearest", background=0, **HALF, **common),
        "tensorflow": Preprocessing(
            round(side / CENTRAL), crop, "bilinear", background=1, **UNIT, **common
        ),
        "tflite": Preprocessing(
            round(large / CENTRAL), large_crop, "bilinear", background=1, **HALF, **common
        ),
    }


MODELS = {model: _preprocessings(model) for model in CROPS}

KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
KERNELS = "weights_tf_dim_ordering_tf_kernels"
TFLITE = "https://storage.googleapis.com/download.tensorflow.org/models"
HUB = "https://tfhub.dev/google/imagenet/{}/classification/5?tf-hub-format=compressed"
# The files that each framework's loader looks for. TensorFlow and TFLite have no loader: ours does.
PUBLISHED = {
    ("torch", "mobilenet_v2"): "https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth",
    ("torch", "resnet101"): "https://download.pytorch.org/models/resnet101-cd907fc2.pth",
    (
        "torch",
        "inception_v3",
    ): "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",
    ("keras", "mobilenet_v2"): f"{KERAS}/mobilenet_v2/mobilenet_v2_{KERNELS}_1.0_224.h5",
    ("keras", "resnet101"): f"{KERAS}/resnet/resnet101v2_{KERNELS}.h5",
    ("keras", "inception_v3"): f"{KERAS}/inception_v3/inception_v3_{KERNELS}.h5",
    ("tensorflow", "mobilenet_v2"): HUB.format("mobilenet_v2_100_224"),
    ("tensorflow", "resnet101"): HUB.format("resnet_v2_101"),
    ("tensorflow", "inception_v3"): HUB.format("inception_v3"),
    ("tflite", "mobilenet_v2"): f"{TFLITE}/tflite_11_05_08/mobilenet_v2_1.0_224.tgz",
    ("tflite", "resnet101"): f"{TFLITE}/tflite_11_05_08/resnet_v2_101.tgz",
    (
        "tflite",
        "inception_v3",
    ): f"{TFLITE}/tflite/model_zoo/upload_20180427/inception_v3_2018_04_27.tgz",
}


def location(model: str, source: str) -> Path:
    """Where published weights are looked for: the framework's own cache, else ours."""
    home = Path.home()
    cache = Path(os.environ.get("XDG_CACHE_HOME", home / ".cache"))
    name = Path(urlsplit(PUBLISHED[source, model]).path).name
    if source == "torch":
        torch_home = Path(os.environ.get("TORCH_HOME", cache / "torch"))
        return torch_home / "hub" / "checkpoints" / name
    if source == "keras":
        return Path(os.environ.get("KERAS_HOME", home / ".keras")) / "models" / name
    suffix = ".tar.gz" if source == "tensorflow" else ".tflite"
    return cache / "deltann" / f"{model}-{source}{suffix}"


def missing(model: str, source: str) -> list[MissingFile]:
    """The published weights that are in no cache.

    TensorFlow and TFLite publish no SHA-256 of their files, so we don't download them. The loaders
    of torchvision and Keras check what they download.
    """
    path = location(model, source)
    if path.exists():
        return []
    what = f"{model} from {source}"
    if source == "tflite":
        what += " (the .tflite file in this archive)"
    by_hand = source in ("tensorflow", "tflite")
    return [MissingFile(what, PUBLISHED[source, model], str(path), by_hand)]


def export(request: Request, output: Path) -> dict:
    """See `models.Family`.

    Raises:
        StudyError: seeded weights without images.
    """
    if request.weights == SEEDED and request.images is None:
        raise StudyError(f"seeded weights of {request.model} need images to be fitted to")
    if request.source == "torch":
        from deltann.models.paper import from_torch

        from_torch.export(request, output)
    else:
        from deltann.models.paper import from_keras

        from_keras.export(request, output)
    return {"weights": request.weights}


def seed(request: Request) -> int:
    """A seed for each model and source, so that sources differ as published weights do."""
    import zlib

    return zlib.crc32(f"{request.model} {request.source}".encode())


def weights_file(request: Request) -> Path:
    """The file with a request's weights, for frameworks without a loader.

    Raises:
        StudyError: the file doesn't exist.
    """
    pretrained = request.weights == PRETRAINED
    path = location(request.model, request.source) if pretrained else Path(request.weights)
    if not path.exists():
        raise StudyError(f"{path}: no such file; expected the weights of {request.model}")
    return path
