"""Small TFLite files with most kinds of operators, by TensorFlow's converter.

Run in TensorFlow's environment: `tflite_models.py <folder>` writes `image.npy`, float32 of SHAPE;
`float.tflite`, `float16.tflite` and `int8.tflite` of one network, and `tensors.npz`, its tensors as
TensorFlow computes them by itself; `words.tflite`, whose operators are all different; and
`moves.tflite`, in which no operator needs a tensor of a certain size.
"""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

SHAPE = (1, 13, 16, 3)
RANDOM = np.random.default_rng(0)


def numbers(*shape: int) -> tf.Tensor:
    """A weight."""
    return tf.constant(RANDOM.normal(size=shape), tf.float32)


WEIGHTS = {
    "first": (numbers(3, 3, 3, 8), numbers(8)),
    "depthwise": (numbers(3, 3, 8, 1), numbers(8)),
    "last": (numbers(1, 1, 8, 6), numbers(6)),
    "dense": (numbers(6, 5), numbers(5)),
}


def network(image: tf.Tensor) -> dict[str, tf.Tensor]:
    """The tensors of a network of the usual kind, in order."""
    found = {}
    weight, bias = WEIGHTS["first"]
    found["first"] = tf.nn.relu6(tf.nn.conv2d(image, weight, 2, "SAME") + bias)
    weight, bias = WEIGHTS["depthwise"]
    moved = tf.nn.depthwise_conv2d(found["first"], weight, [1, 1, 1, 1], "SAME")
    found["depthwise"] = tf.nn.relu(moved + bias)
    found["sum"] = found["first"] + found["depthwise"]
    found["pool"] = tf.nn.max_pool2d(found["sum"], 3, 2, "SAME")
    weight, bias = WEIGHTS["last"]
    found["last"] = tf.nn.conv2d(found["pool"], weight, 1, "VALID") + bias
    found["mean"] = tf.reduce_mean(found["last"], [1, 2])
    weight, bias = WEIGHTS["dense"]
    found["logits"] = tf.matmul(found["mean"], weight) + bias
    return found


def words(image: tf.Tensor) -> tf.Tensor:
    """Other operators, each different; their results are added at the end."""
    weight, bias = numbers(3, 2, 3, 4), numbers(4)
    padded = tf.pad(image, [[0, 0], [1, 2], [0, 1], [0, 0]])
    found = tf.nn.conv2d(padded, weight, [2, 1], "VALID", dilations=[1, 1]) + bias
    found = tf.nn.leaky_relu(found, 0.3)
    averaged = tf.nn.avg_pool2d(found, [3, 2], [2, 1], "SAME")
    large = tf.raw_ops.ResizeBilinear(images=averaged, size=[9, 11], half_pixel_centers=True)
    near = tf.raw_ops.ResizeNearestNeighbor(images=averaged, size=[9, 11])
    both = tf.concat([tf.nn.gelu(large), tf.nn.softmax(near)], 3)
    first, second = tf.split(both, 2, 3)
    part = tf.math.subtract(first, numbers(4))[:, 1:8:2, :-1]
    other = tf.transpose(tf.math.divide(2.0, 3 + tf.math.square(second)), [0, 2, 1, 3])
    other = tf.raw_ops.MirrorPad(
        input=other, paddings=[[0, 0], [1, 0], [1, 1], [0, 0]], mode="REFLECT"
    )
    turned = tf.nn.conv2d_transpose(other, numbers(3, 3, 2, 4), [1, 24, 22, 2], 2, "SAME")
    ends = [
        tf.reduce_max(tf.nn.tanh(turned), [1, 2]),
        tf.reduce_sum(tf.sigmoid(part), [1, 2])[:, :2],
        tf.reshape(tf.maximum(found, 0.1), [1, -1])[:, 3:5],
        tf.nn.elu(tf.abs(tf.reduce_mean(other, [1, 2])))[:, 1:3],
    ]
    return tf.add_n([ends[0] * ends[1], ends[2], ends[3]])


def moves(image: tf.Tensor) -> tf.Tensor:
    """Operators that move numbers."""
    whole = tf.concat([image, 2 * image], 3)
    small, large = tf.split(tf.exp(image), [1, 2], 3)
    found = tf.reduce_sum(tf.transpose(small, [0, 2, 1, 3]), [1, 2, 3])
    return tf.stack([found[0], tf.reduce_max(large), tf.reduce_max(whole)])[None]


def converted(function: object, image: np.ndarray, kind: str) -> bytes:
    """A function of an image as a TFLite file."""
    given = tf.function(function, input_signature=[tf.TensorSpec(SHAPE, tf.float32, "image")])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([given.get_concrete_function()])
    if kind != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if kind == "int8":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: ([image * factor] for factor in (1, -1, 0.5))
    return converter.convert()


def main(folder: Path) -> None:
    """Write the files."""
    image = RANDOM.normal(size=SHAPE).astype(np.float32)
    np.save(folder / "image.npy", image)
    np.savez(
        folder / "tensors.npz", **{name: item.numpy() for name, item in network(image).items()}
    )
    for kind in ("float", "float16", "int8"):
        content = converted(lambda given: network(given)["logits"], image, kind)
        (folder / f"{kind}.tflite").write_bytes(content)
    for function in (words, moves):
        content = converted(function, image, "float")
        (folder / f"{function.__name__}.tflite").write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
