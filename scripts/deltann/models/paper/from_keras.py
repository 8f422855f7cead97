"""The paper's models built by Keras: as `.keras` files, SavedModels and TFLite files."""

import os
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from deltann.formats import folder_tar, keras_file
from deltann.images.normalise import normalise
from deltann.models import PRETRAINED, SEEDED, Request
from deltann.models.paper import SPREAD, seed, weights_file

# Keras has ResNet101 in both versions; TensorFlow's and TFLite's published ones are the second.
APPLICATIONS = {
    "mobilenet_v2": "MobileNetV2",
    "resnet101": "ResNet101V2",
    "inception_v3": "InceptionV3",
}


def export(request: Request, output: Path) -> None:
    """Save the model in its source's format."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if request.source == "keras":
        keras_file.save(build(request), output)
    elif request.weights != SEEDED:
        _copy_published(request, output)
    else:
        with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
            saved = Path(folder, "saved")
            export_savedmodel(build(request), saved)
            _write_savedmodel(request, saved, output)


def _copy_published(request: Request, output: Path) -> None:
    """Write a published SavedModel, a folder or an archive, or a published TFLite file."""
    path = weights_file(request)
    if request.source == "tflite":
        output.write_bytes(path.read_bytes())
    elif path.is_dir():
        folder_tar.tar_folder(path, output)
    else:
        with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
            with tarfile.open(path) as archive:
                archive.extractall(folder, filter="data")
            folder_tar.tar_folder(Path(folder), output)


def _write_savedmodel(request: Request, saved: Path, output: Path) -> None:
    """Write a SavedModel in the format of its source: as a tar, or converted to TFLite."""
    if request.source == "tensorflow":
        folder_tar.tar_folder(saved, output)
        return
    import tensorflow

    converter = tensorflow.lite.TFLiteConverter.from_saved_model(str(saved))
    output.write_bytes(converter.convert())


def export_savedmodel(model: Any, folder: Path) -> None:
    """Write a Keras model as a SavedModel whose serving signature takes one image."""
    import keras

    declared = keras.InputSpec(dtype="float32", shape=(1, *model.input_shape[1:]), name="inputs")
    model.export(folder, format="tf_saved_model", verbose=False, input_signature=[declared])


def build(request: Request) -> Any:
    """The `keras.Model`, (batch, height, width, 3) float32 to logits (batch, classes)."""
    import keras
    import tensorflow

    tensorflow.config.experimental.enable_op_determinism()
    preprocessing = request.preprocessing
    make = getattr(keras.applications, APPLICATIONS[request.model])
    settings = {
        "input_shape": (*preprocessing.crop, 3),
        "classifier_activation": None,
    }
    if request.weights == PRETRAINED:
        return make(weights="imagenet", **settings)
    keras.utils.set_random_seed(seed(request))
    model = make(weights=None, classes=preprocessing.classes + preprocessing.background, **settings)
    if request.weights == SEEDED:
        fit(model, request)
    else:
        model.load_weights(request.weights)
    return model


def fit(model: Any, request: Request) -> None:
    """Fit batch-norm statistics, then the last layer, to the images: see `from_torch.fit`."""
    import keras
    import numpy as np

    images = [normalise(image, request.preprocessing, "NHWC") for image in request.fitting_images()]
    batch = np.concatenate(images)
    norms = [one for one in model.layers if isinstance(one, keras.layers.BatchNormalization)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(batch, training=True)
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
    logits = np.asarray(model(batch, training=False))
    kernel, bias = model.layers[-1].get_weights()
    mean = logits.mean(0)
    scale = SPREAD / (logits - mean).std()
    model.layers[-1].set_weights([kernel * scale, (bias - mean) * scale])
