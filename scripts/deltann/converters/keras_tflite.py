"""TensorFlow's converter to TFLite, from a Keras model, in float32."""

import os
from pathlib import Path

from deltann.converters import accept
from deltann.formats import keras_file
from deltann.ours import ours

SOURCE = "keras"
TARGET = "tflite"
ENVIRONMENT = "tensorflow"
check = accept


def convert(model_file: Path, output: Path) -> None:
    """Convert a `.keras` file to a `.tflite` file that takes one image.

    Args:
        model_file: the `.keras` file, loaded in safe mode.
        output: the `.tflite` file to write.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import tensorflow

    model = keras.saving.load_model(model_file, compile=False, safe_mode=True)
    what = "giving a Keras model a batch of 1"
    with ours(what):
        inputs = keras.Input(batch_shape=(1, *model.input_shape[1:]), dtype=model.inputs[0].dtype)
        single = keras.Model(inputs, model(inputs))
    keras_file.compare(what, model, single)
    output.write_bytes(tensorflow.lite.TFLiteConverter.from_keras_model(single).convert())
