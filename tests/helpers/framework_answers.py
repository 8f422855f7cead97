"""The answers of one of the paper's models by its framework's own documented calls.

Run in that framework's environment: `framework_answers.py <source> <model> <file> <logits.npy>
<photograph>...` writes float32 (photograph, class). Nothing of the study prepares the images here.
"""

import os
import sys
from pathlib import Path

import numpy as np
from PIL import Image

CENTRAL = 0.875  # TensorFlow's and TFLite's published models see the centre of an image


def by_torch(name: str, file: str, photographs: list[str]) -> np.ndarray:
    """torchvision's model class and transforms."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
    import torch

    from deltann.formats.torchvision_loader import load_torchvision

    torchvision = load_torchvision()
    extra = {"init_weights": False} if name == "inception_v3" else {}
    network = torchvision.models.get_model(name, weights=None, **extra)
    missing = network.load_state_dict(torch.export.load(file).state_dict, strict=False)
    assert all(key.startswith("AuxLogits") for key in missing.missing_keys), missing
    if name == "inception_v3":
        # a checkpoint of Google's, whose input the class normalises again
        network.transform_input = True
    transforms = torchvision.models.get_model_weights(name).DEFAULT.transforms()
    with torch.no_grad():
        images = [transforms(Image.open(path).convert("RGB"))[None] for path in photographs]
        return np.concatenate([network.eval()(image).numpy() for image in images])


def by_keras(name: str, file: str, photographs: list[str]) -> np.ndarray:
    """keras.applications' loading and preprocessing, as its pages show them."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras

    model = keras.saving.load_model(file, compile=False)
    module = {"resnet101": "resnet_v2"}.get(name, name)
    prepare = getattr(keras.applications, module).preprocess_input
    size = model.input_shape[1:3]
    images = [
        keras.utils.img_to_array(keras.utils.load_img(path, target_size=size))
        for path in photographs
    ]
    return np.asarray(model(prepare(np.stack(images)), training=False))


def _central(path: str, size: int, mean: float) -> np.ndarray:
    image = Image.open(path).convert("RGB")
    short, sides = round(size / CENTRAL), image.size
    image = image.resize([int(short * side / min(sides)) for side in sides], Image.BILINEAR)
    left, top = (round((side - size) / 2) for side in image.size)
    values = np.asarray(image.crop((left, top, left + size, top + size)), np.float32) / 255
    return values[None] if mean == 0 else ((values - mean) / mean)[None]


def by_tensorflow(name: str, file: str, photographs: list[str]) -> np.ndarray:
    """The SavedModel's serving signature; values in 0..1 as TF Hub's image models take them."""
    import tarfile
    import tempfile

    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        tarfile.open(file).extractall(folder, filter="data")
        (saved,) = Path(folder).rglob("saved_model.pb")
        serve = tf.saved_model.load(saved.parent).signatures["serving_default"]
        ((_, declared),) = serve.structured_input_signature[1].items()
        images = [_central(path, declared.shape[1], 0) for path in photographs]
        answers = [next(iter(serve(tf.constant(image)).values())).numpy() for image in images]
    return np.concatenate(answers)


def by_tflite(name: str, file: str, photographs: list[str]) -> np.ndarray:
    """tf.lite.Interpreter; values in -1..1 as the published files take them."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(file)
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    answers = []
    for path in photographs:
        interpreter.set_tensor(taken["index"], _central(path, taken["shape"][1], 0.5))
        interpreter.invoke()
        answers.append(interpreter.get_tensor(given["index"]))
    return np.concatenate(answers)


if __name__ == "__main__":
    source, model, model_file, target, *images = sys.argv[1:]
    answer = {
        "torch": by_torch,
        "keras": by_keras,
        "tensorflow": by_tensorflow,
        "tflite": by_tflite,
    }
    np.save(target, answer[source](model, model_file, images))
