"""Small Keras, TensorFlow and TFLite models, and their answers by TensorFlow's own calls.

Run in TensorFlow's environment: `small_models.py <folder>` reads `<folder>/images.npy`, a float32
batch in NHWC, and writes `model.h5`, `saved/`, `model.tflite`, and the logits of each as
`keras.npy`, `tensorflow.npy` and `tflite.npy`. `saved/` takes images of any size in one of its two
signatures, which has two outputs; so does `model.h5`. `jpeg/` has only the other signature.
"""

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
import tensorflow as tf
from keras import layers


def network(seed: int, size: int | None, classes: int) -> keras.Model:
    """Convolutions with batch norms and a branch, as the paper's models have them."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((size, size, 3))
    stem = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(inputs)
    stem = layers.ReLU(6.0)(layers.BatchNormalization()(stem))
    branch = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(stem)
    branch = layers.ReLU(6.0)(layers.BatchNormalization()(branch))
    joined = layers.Add()([stem, layers.Conv2D(8, 1)(branch)])
    pooled = layers.GlobalAveragePooling2D()(layers.MaxPooling2D(2)(joined))
    model = keras.Model(inputs, layers.Dense(classes, name="logits")(pooled))
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            shape = layer.gamma.shape
            values = [generator.uniform(0.5, 2.0, shape) for _ in range(4)]
            layer.set_weights(values)
    model.layers[-1].kernel.assign(model.layers[-1].kernel * 10)
    return model


class Signatures(tf.Module):
    """A Keras model as a SavedModel with signatures for images and for a JPEG file's bytes."""

    def __init__(self, model: keras.Model):
        super().__init__()
        self.model = model

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32, "image")])
    def predict(self, image):
        logits = self.model(image, training=False)
        return {"logits": logits, "negative": -logits}

    @tf.function(input_signature=[tf.TensorSpec((), tf.string, "jpeg")])
    def from_jpeg(self, jpeg):
        image = tf.cast(tf.io.decode_jpeg(jpeg, channels=3), tf.float32)
        return {"logits": self.model(image[None] / 255, training=False)}


def main(folder: Path) -> None:
    """Make the models and their answers."""
    images = np.load(folder / "images.npy")
    size = images.shape[1]
    model = network(0, None, 10)
    negative = layers.Rescaling(-1, name="negative")(model.output)
    keras.Model(model.input, [negative, model.output]).save(folder / "model.h5")
    np.save(folder / "keras.npy", model(images, training=False).numpy())

    made = Signatures(network(1, None, 10))
    by_name = {"predict": made.predict, "from_jpeg": made.from_jpeg}
    tf.saved_model.save(made, folder / "saved", signatures=by_name)
    tf.saved_model.save(made, folder / "jpeg", signatures=made.from_jpeg)
    served = tf.saved_model.load(folder / "saved").signatures["predict"]
    np.save(folder / "tensorflow.npy", served(tf.constant(images))["logits"].numpy())

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
