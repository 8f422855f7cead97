"""A SavedModel with conditions, one inside the other, whose weights are read only in the branches.

Run in TensorFlow's environment: `conditional_savedmodel.py <folder>` writes the SavedModel as
`model.tar`; `converted.onnx` and `first.onnx`, in NHWC and NCHW, by our converter;
`numbered.onnx`, the former with other names; and a batch of images with the answers, `images.npy`
and `answers.npy`.
"""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import onnx
import tensorflow as tf

from deltann.converters import tf2onnx
from deltann.formats import folder_tar, onnx_names

SIZE, CLASSES, CHANNELS = 16, 10, 8


class Model(tf.Module):
    """Answers by one of three dense layers."""

    def __init__(self):
        super().__init__()
        generator = tf.random.Generator.from_seed(0)
        self.kernel = tf.Variable(generator.normal((3, 3, 3, CHANNELS)))
        self.dense = [tf.Variable(generator.normal((CHANNELS, CLASSES))) for _ in range(3)]

    @tf.function(input_signature=[tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32, "image")])
    def serve(self, image):
        first, second, third = self.dense
        x = tf.reduce_mean(tf.nn.relu(tf.nn.conv2d(image, self.kernel, 2, "SAME")), (1, 2))
        mean = tf.reduce_mean(image)

        def dark():
            return tf.cond(mean > -2.0, lambda: tf.matmul(x, second), lambda: tf.matmul(x, third))

        return {"logits": tf.cond(mean > 0.0, lambda: tf.matmul(x, first), dark)}


def main(folder: Path) -> None:
    """Write the model, its conversions and its answers."""
    model = Model()
    tf.saved_model.save(model, folder / "saved", signatures=model.serve)
    folder_tar.tar_folder(folder / "saved", folder / "model.tar")
    tf2onnx.convert(folder / "model.tar", folder / "converted.onnx")
    tf2onnx.convert(folder / "model.tar", folder / "first.onnx", channels_first=True)
    numbered = onnx.load(folder / "converted.onnx")
    onnx_names.number_tensors(numbered.graph)
    onnx_names.number_nodes(numbered.graph)
    onnx.checker.check_model(numbered)
    onnx.save(numbered, folder / "numbered.onnx")
    noise = np.random.default_rng(1).standard_normal((3, SIZE, SIZE, 3))
    images = (noise + np.reshape([1, -1, -3], (3, 1, 1, 1))).astype(np.float32)
    np.save(folder / "images.npy", images)
    answers = [model.serve(tf.constant(image[None]))["logits"] for image in images]
    np.save(folder / "answers.npy", np.concatenate(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
