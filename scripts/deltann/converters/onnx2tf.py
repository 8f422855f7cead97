"""onnx2tf: an ONNX model rebuilt from TensorFlow operators, channels last."""

import os
import shutil
import tempfile
from pathlib import Path

from deltann import interpreter
from deltann.converters import accept
from deltann.formats import folder_tar
from deltann.ours import ours

SOURCE = "onnx"
TARGET = "tensorflow"
ENVIRONMENT = "onnx2tf"
check = accept


def convert(model_file: Path, output: Path, simplify: bool = True) -> None:
    """Convert an `.onnx` file to a tarred SavedModel with a serving signature.

    Args:
        model_file: the `.onnx` file; an input with the channels last stays so.
        output: the tarred SavedModel to write.
        simplify: whether onnx2tf runs onnxsim over the model first.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    # onnx2tf runs onnxsim as a command, and skips it if it isn't found
    os.environ["PATH"] = os.pathsep.join([str(interpreter.PYTHON.parent), os.environ["PATH"]])
    import numpy as np
    import onnx2tf

    output = output.absolute()
    with ours("looking at the input of an ONNX file"):
        channels_last = _channels_last(model_file)
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        # onnx2tf writes the simplified model over its input
        copy = shutil.copyfile(model_file, Path(folder, "model.onnx"))
        saved = Path(folder, "saved")
        # onnx2tf downloads this file unless it is in the working directory. It tests its
        # conversion on these images to find the axes of an operator, so they can't be zeros.
        np.save(
            Path(folder, "calibration_image_sample_data_20x128x128x3_float32.npy"),
            np.random.default_rng(0).random((20, 128, 128, 3), np.float32),
        )
        before = os.getcwd()
        os.chdir(folder)
        try:
            onnx2tf.convert(
                input_onnx_file_path=str(copy),
                output_folder_path=str(saved),
                output_signaturedefs=True,
                keep_shape_absolutely_input_names=channels_last,
                not_use_onnxsim=not simplify,
                non_verbose=True,
            )
        finally:
            os.chdir(before)
        for extra in saved.glob("*.tflite"):
            extra.unlink()
        folder_tar.tar_folder(saved, output)


def _channels_last(model_file: Path) -> list[str] | None:
    """The input's name if its channels are last: onnx2tf takes those of all others to be first."""
    import onnx

    taken = onnx.load(model_file, load_external_data=False).graph.input[0]
    sides = [side.dim_value for side in taken.type.tensor_type.shape.dim]
    last = len(sides) == 4 and sides[3] in (1, 3) and sides[1] not in (1, 3)  # gray, RGB
    return [taken.name] if last else None
