"""TensorFlow's converter to TFLite, from a Keras model, in float32."""

import os
from pathlib import Path

SOURCE = "keras"
TARGET = "tflite"
ENVIRONMENT = "tensorflow"


def convert(source: Path, target: Path) -> None:
    """Convert a `.keras` file to a `.tflite` file that takes one image.

    Args:
        source: the `.keras` file, loaded in safe mode.
        target: the `.tflite` file to write.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import tensorflow

    model = keras.saving.load_model(source, compile=False, safe_mode=True)
    inputs = keras.Input(batch_shape=(1, *model.input_shape[1:]))
    single = keras.Model(inputs, model(inputs))
    target.write_bytes(tensorflow.lite.TFLiteConverter.from_keras_model(single).convert())
