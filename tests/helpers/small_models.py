"""Small Keras, TensorFlow and TFLite models, and their answers by TensorFlow's own calls.

Run in TensorFlow's environment: `small_models.py <folder>` reads `<folder>/images.npy`, a float32
batch in NHWC, and writes `model.keras`, `saved/`, `model.tflite`, and the logits of each as
`keras.npy`, `tensorflow.npy` and `tflite.npy`.
"""

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
import tensorflow as tf
from keras import layers


def network(seed: int, size: int, classes: int) -> keras.Model:
    """Convolutions with batch norms and a branch, as the paper's models have them."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((size, size, 3))
    stem = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(inputs)
    stem = layers.ReLU(6.0)(layers.BatchNormalization()(stem))
    branch = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(stem)
    branch = layers.ReLU(6.0)(layers.BatchNormalization()(branch))
    joined = layers.Add()([stem, layers.Conv2D(8, 1)(branch)])
    pooled = layers.GlobalAveragePooling2D()(layers.MaxPooling2D(2)(joined))
    model = keras.Model(inputs, layers.Dense(classes)(pooled))
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            shape = layer.gamma.shape
            values = [generator.uniform(0.5, 2.0, shape) for _ in range(4)]
            layer.set_weights(values)
    model.layers[-1].kernel.assign(model.layers[-1].kernel * 10)
    return model


def main(folder: Path) -> None:
    """Make the models and their answers."""
    images = np.load(folder / "images.npy")
    size = images.shape[1]
    of = {name: network(seed, size, 10) for seed, name in enumerate(("keras", "tensorflow"))}
    of["keras"].save(folder / "model.keras")
    np.save(folder / "keras.npy", of["keras"](images, training=False).numpy())

    of["tensorflow"].export(folder / "saved", verbose=False)
    served = tf.saved_model.load(folder / "saved").signatures["serving_default"]
    (answer,) = served(tf.constant(images)).values()
    np.save(folder / "tensorflow.npy", answer.numpy())

    content = tf.lite.TFLiteConverter.from_keras_model(network(2, size, 10)).convert()
    (folder / "model.tflite").write_bytes(content)
    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    taken, given = (
        details[0]["index"]
        for details in (interpreter.get_input_details(), interpreter.get_output_details())
    )
    answers = []
    for image in images:
        interpreter.set_tensor(taken, image[None])
        interpreter.invoke()
        answers.append(interpreter.get_tensor(given)[0])
    np.save(folder / "tflite.npy", np.stack(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
