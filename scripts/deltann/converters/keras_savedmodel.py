"""Keras's own export to a SavedModel."""

import os
import tempfile
from pathlib import Path

from deltann.converters import accept
from deltann.formats import folder_tar

SOURCE = "keras"
TARGET = "tensorflow"
ENVIRONMENT = "tensorflow"
check = accept


def convert(model_file: Path, output: Path) -> None:
    """Convert a `.keras` file to a tarred SavedModel whose serving signature takes one image.

    Args:
        model_file: the `.keras` file, loaded in safe mode.
        output: the tarred SavedModel to write.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras

    model = keras.saving.load_model(model_file, compile=False, safe_mode=True)
    kind, shape = model.inputs[0].dtype, (1, *model.input_shape[1:])
    declared = keras.InputSpec(dtype=kind, shape=shape, name="inputs")
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        saved = Path(folder, "saved")
        model.export(saved, format="tf_saved_model", verbose=False, input_signature=[declared])
        folder_tar.tar_folder(saved, output)
