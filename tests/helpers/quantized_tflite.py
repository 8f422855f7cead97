"""TFLite models with whole numbers at both ends, and their answers.

Run in TensorFlow's environment: `quantized_tflite.py <folder> <size>` reads `pixels.npy`, uint8
(image, size, size, 3), from the folder. For `uint8` and `int8` it writes `<type>.tflite`, whose
input stands for (pixel - 128) / 128, and `<type>.npy`, its answers for the pixels as they are:
float32 (image, class) probabilities. It prints as JSON the scale and zero point of each input.
"""

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf

CLASSES = 10
LOWEST = {"uint8": 0, "int8": -128}  # what the pixel 0 is written as


def network(size: int) -> keras.Model:
    """A small Keras model, the same at every call, whose answers differ from image to image."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((size, size, 3), batch_size=1),
            keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(CLASSES, kernel_initializer=keras.initializers.RandomNormal(0, 9)),
            keras.layers.Softmax(),
        ]
    )


def converted(model: keras.Model, images: np.ndarray, dtype: str) -> bytes:
    """The model in eight bits; black and white set the ends of its input."""
    black = np.zeros_like(images[:1])
    samples = np.float32([*images, *black, *(black + 255)]) / 128 - 1
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
    converter.inference_input_type = converter.inference_output_type = tf.as_dtype(dtype)
    return converter.convert()


def main(folder: Path, size: int) -> None:
    """Write the models and their answers."""
    model, images = network(size), np.load(folder / "pixels.npy")
    found = {}
    for dtype, lowest in LOWEST.items():
        path = folder / f"{dtype}.tflite"
        path.write_bytes(converted(model, images, dtype))
        interpreter = tf.lite.Interpreter(str(path))
        interpreter.allocate_tensors()
        (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
        found[dtype] = taken["quantization"]
        scale, zero_point = given["quantization"]
        answers = []
        for image in images:
            interpreter.set_tensor(taken["index"], (image[None].astype(int) + lowest).astype(dtype))
            interpreter.invoke()
            answers.append(interpreter.get_tensor(given["index"])[0].astype(float))
        np.save(folder / f"{dtype}.npy", np.float32(scale * (np.array(answers) - zero_point)))
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
