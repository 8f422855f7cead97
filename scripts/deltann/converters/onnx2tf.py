"""onnx2tf: an ONNX model rebuilt from TensorFlow operators, channels last."""

import os
import tempfile
from pathlib import Path

from deltann import savedmodel

SOURCE = "onnx"
TARGET = "tensorflow"
ENVIRONMENT = "onnx2tf"


def convert(source: Path, target: Path) -> None:
    """Convert an `.onnx` file to a packed SavedModel with a serving signature."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import numpy as np
    import onnx2tf

    here = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        os.chdir(folder)
        try:
            # onnx2tf downloads this file unless it lies in its working directory. Only
            # quantization reads its content, and nothing is quantized here.
            np.save(
                "calibration_image_sample_data_20x128x128x3_float32.npy",
                np.zeros((20, 128, 128, 3), np.float32),
            )
            onnx2tf.convert(
                input_onnx_file_path=str(source.resolve() if source.is_absolute() else
                                         Path(here, source)),
                output_folder_path="saved",
                output_signaturedefs=True,
                non_verbose=True,
            )
        finally:
            os.chdir(here)
        for extra in Path(folder, "saved").glob("*.tflite"):
            extra.unlink()
        savedmodel.pack(Path(folder, "saved"), target)
