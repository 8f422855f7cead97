"""Small Keras models and SavedModels with most kinds of operators, and some of their tensors.

Run in TensorFlow's environment: `traced_tensorflow.py <folder>` writes `image.npy`, float32 of
SHAPE; `model.keras` and `model.savedmodel.tar`, whose operators are on branches of their own, so
that a change of one leaves the others as they are; and `keras.npz` and `tensorflow.npz`, tensors by
their names, computed by Keras's sub-models and by TensorFlow's eager calls.
"""

import os
import sys
import tarfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

SHAPE = (1, 13, 16, 3)
RANDOM = np.random.default_rng(0)


def numbers(*shape: int) -> np.ndarray:
    """A weight."""
    return RANDOM.normal(size=shape).astype(np.float32)


def block() -> keras.Model:
    """A sub-model with another one in it."""
    inputs = keras.Input((None, None, 4))
    inner = keras.Sequential([layers.Conv2D(4, 1, name="point"), layers.ReLU(name="cut")])
    inner.name = "inner"
    joined = layers.Add(name="joined")([inputs, inner(inputs)])
    return keras.Model(inputs, joined, name="block")


def keras_branches(stem: keras.KerasTensor) -> list[keras.KerasTensor]:
    """One or two calls each."""
    shared = block()
    plain = [
        layers.Conv2D(6, (3, 2), strides=2, padding="same", name="conv"),
        layers.Conv2D(6, 3, dilation_rate=2, groups=2, activation="relu6", name="grouped"),
        layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", name="depthwise"),
        layers.Conv2DTranspose(5, 3, strides=2, padding="same", name="transposed"),
        layers.MaxPooling2D(3, 2, padding="same", name="max_pool"),
        layers.AveragePooling2D((3, 2), (2, 1), padding="same", name="average_pool"),
        layers.BatchNormalization(name="norm", epsilon=0.01),
        layers.ReLU(6.0, name="relu6"),
        layers.LeakyReLU(negative_slope=0.3, name="leaky"),
        layers.ELU(0.5, name="elu"),
        layers.Softmax(name="softmax"),
        layers.PReLU(shared_axes=[1, 2], alpha_initializer="random_normal", name="prelu"),
        layers.Activation("gelu", name="gelu"),
        layers.Activation("hard_sigmoid", name="hard_sigmoid"),
        layers.Activation("silu", name="silu"),
        layers.ZeroPadding2D(((1, 2), (0, 1)), name="padded"),
        layers.Cropping2D(((1, 2), (0, 1)), name="crop"),
        layers.UpSampling2D((2, 3), name="up"),
        layers.UpSampling2D(2, interpolation="bilinear", name="up_linear"),
        layers.Resizing(9, 20, "nearest", name="resized"),
        layers.Permute((2, 1, 3), name="turned"),
        layers.Rescaling(2.0, offset=-1.0, name="rescaled"),
        layers.Dropout(0.5, name="dropped"),
        layers.SeparableConv2D(4, 3, name="separable"),
        shared,
    ]
    front = layers.ZeroPadding2D(((0, 1), (0, 1)), name="front")(stem)
    made = [layer(stem) for layer in plain]
    made += [layers.Conv2D(4, 3, strides=2, name="behind")(front)]
    called = [ops.subtract(2.0, stem), ops.clip(stem, -0.5, 0.7), ops.transpose(stem, (0, 2, 1, 3))]
    called += [ops.multiply(stem, numbers(4)), stem[:, 1:9:2, :-1], ops.square(stem)]
    called += [ops.pad(stem, [[0, 0], [1, 0], [2, 1], [0, 0]], constant_values=-1.0)]
    called += ops.split(stem, 2, 3)
    return [*made, *called, shared(made[7])]


def keras_model() -> keras.Model:
    """Branches behind one convolution; their means are joined."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input(SHAPE[1:], name="image")
    stem = layers.Conv2D(4, 3, padding="same", bias_initializer="random_normal", name="stem")
    means = [layers.GlobalAveragePooling2D()(item) for item in keras_branches(stem(inputs))]
    joined = layers.Concatenate(name="joined_means")(means)
    model = keras.Model(inputs, layers.Dense(5, activation="softmax", name="logits")(joined))
    norm = model.get_layer("norm")
    norm.set_weights([np.abs(numbers(4)) + 0.5, numbers(4), numbers(4), np.abs(numbers(4)) + 0.5])
    return model


def keras_tensors(model: keras.Model, image: np.ndarray) -> dict[str, np.ndarray]:
    """Of each layer that is called once, by a sub-model that ends there."""
    names = {layer.name: layer for layer in model.layers[1:] if len(layer._inbound_nodes) == 1}
    known = {name: layer.output for name, layer in names.items() if name != "block"}
    return keras.Model(model.inputs, known).predict_on_batch(image)


class Network(tf.Module):
    """Branches behind one convolution, by TensorFlow's operators, in functions within functions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = tf.Variable(numbers(3, 3, 3, 4))
        # tensors that a function takes from outside, as those of onnx2tf do, two before it
        self.scales = tf.constant(numbers(1, 4)), tf.constant(numbers(3, 1, 1, 4))
        self.large = tf.constant(numbers(3, 3, 4, 40))
        self.edges = tf.constant([[0, 0], [1, 2], [0, 1], [0, 0]])
        self.found: dict[str, tf.Tensor] = {}

    @tf.function(input_signature=[tf.TensorSpec((None, *SHAPE[1:]), tf.float32, "image")])
    def serve(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """What is saved."""
        return {"classes": self.logits(image)}

    @tf.function
    def logits(self, image: tf.Tensor) -> tf.Tensor:
        """Within a function."""
        return self.compute(image)

    def compute(self, image: tf.Tensor) -> tf.Tensor:
        """The logits; also run eagerly, for the tensors."""
        RANDOM.bit_generator.state = np.random.default_rng(1).bit_generator.state
        # the product is a constant that is to be computed
        weight = tf.multiply(*self.scales) * self.stem
        stem = tf.nn.bias_add(tf.nn.conv2d(image, weight, 1, "SAME"), numbers(4))
        self.found = {"stem": stem}
        self.windows(stem)
        self.elementwise(stem)
        self.moves(stem)
        means = [
            tf.reduce_mean(item, [1, 2]) for name, item in self.found.items() if name[0] != "_"
        ]
        joined = tf.concat(means, 1)
        flat = tf.reshape(joined, [tf.shape(image)[0], -1])
        self.found["_logits"] = tf.linalg.matmul(
            flat, numbers(5, joined.shape[1]), transpose_b=True
        )
        return self.found["_logits"] + numbers(5)

    def windows(self, x: tf.Tensor) -> None:
        """Convolutions, poolings, paddings, resizings."""
        raw, keep = tf.raw_ops, self.keep
        edges = [0, 0, 1, 2, 0, 1, 0, 0]
        front = tf.pad(x, [[0, 0], [0, 1], [0, 1], [0, 0]], name="front")
        keep("behind", tf.nn.conv2d(front, numbers(3, 3, 4, 4), 2, "VALID", name="behind"))
        keep("conv", tf.nn.conv2d(x, numbers(3, 2, 4, 6), 2, "SAME", name="conv"))
        explicit = {"padding": "EXPLICIT", "explicit_paddings": edges, "strides": [1, 2, 2, 1]}
        weight = numbers(3, 3, 4, 6)
        keep("explicit", raw.Conv2D(input=x, filter=weight, **explicit, name="explicit"))
        weight = numbers(3, 3, 2, 6)
        spread = {"strides": [1] * 4, "dilations": [1, 2, 2, 1], "padding": "VALID"}
        keep("grouped", raw.Conv2D(input=x, filter=weight, **spread, name="grouped"))
        weight = numbers(3, 3, 4, 2)
        once = {"strides": [1] * 4, "padding": "SAME"}
        keep("deep", raw.DepthwiseConv2dNative(input=x, filter=weight, **once, name="deep"))
        size = [tf.shape(x)[0], 26, 31, 5]
        weight = numbers(3, 3, 5, 4)
        keep("turned", tf.nn.conv2d_transpose(x, weight, size, 2, "SAME", name="turned"))
        keep("largest", tf.nn.max_pool2d(x, 3, 2, "SAME", name="largest"))
        keep("average", tf.nn.avg_pool2d(x, [3, 2], [2, 1], "SAME", name="average"))
        keep("large", tf.nn.conv2d(x, self.large, 1, "SAME", name="large"))
        keep("pad", tf.pad(x, self.edges, constant_values=0.5, name="pad"))
        keep("mirror", tf.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]], "REFLECT", name="mirror"))
        for name, flags in RESIZES.items():
            kind = raw.ResizeNearestNeighbor if "near" in name else raw.ResizeBilinear
            keep(name, kind(images=x, size=[9, 21], **flags, name=name))

    def elementwise(self, x: tf.Tensor) -> None:
        """Numbers one by one, or by channels."""
        nn, keep = tf.nn, self.keep
        four = (np.abs(numbers(4)) + 0.5 for _ in range(4))
        norm = dict(zip(("scale", "offset", "mean", "variance"), four, strict=True))
        values = tf.raw_ops.FusedBatchNormV3(
            x=x, **norm, epsilon=0.01, is_training=False, name="norm"
        )
        keep("norm", values[0])
        keep("relu6", nn.relu6(x, name="relu6"))
        keep("leaky", nn.leaky_relu(x, 0.3, name="leaky"))
        keep("elu", nn.elu(x, name="elu"))
        keep("softmax", nn.softmax(x, name="softmax"))
        keep("tanh", nn.tanh(x, name="tanh"))
        keep("sub", tf.subtract(2.0, x, name="sub"))
        keep("scaled", tf.multiply(x, numbers(1, 1, 1, 4), name="scaled"))
        keep("div", tf.divide(x, numbers(4), name="div"))
        keep("square", tf.square(x, name="square"))
        keep("limit", tf.raw_ops.ClipByValue(
            t=x, clip_value_min=-0.5, clip_value_max=0.7, name="limit"
        ))  # fmt: skip
        keep("both", tf.add(x, nn.relu(x, name="relu"), name="both"))

    def moves(self, x: tf.Tensor) -> None:
        """Numbers to other places."""
        keep = self.keep
        keep("transposed", tf.transpose(x, [0, 2, 1, 3], name="transposed"))
        keep("strided", tf.strided_slice(
            x, [0, 1, 0], [0, 9, -1], [1, 2, 1], begin_mask=5, end_mask=1, name="strided"
        ))  # fmt: skip
        keep("slice", tf.slice(x, [0, 2, 1, 0], [-1, 5, -1, 4], name="slice"))
        for place, item in enumerate(tf.split(x, 2, 3, name="split")):
            keep(f"split:{place}", item)
        largest = tf.reduce_max(x, [1, 2], name="max")
        keep("expanded", tf.reshape(largest, [-1, 1, 1, 4], name="expanded"))
        lines = tf.squeeze(tf.reduce_sum(x, 1, True, name="sum"), 1, name="squeezed")
        keep("again", tf.expand_dims(lines, 1, name="again"))

    def keep(self, name: str, tensor: tf.Tensor) -> None:
        """Remember a branch."""
        self.found[name] = tensor


RESIZES: dict[str, dict[str, bool]] = {
    "linear": {"half_pixel_centers": True},
    "linear_corners": {"align_corners": True},
    "linear_old": {},
    "near": {"half_pixel_centers": True},
    "near_old": {},
}


def main(folder: Path) -> None:
    """Write the files."""
    image = RANDOM.normal(size=SHAPE).astype(np.float32)
    np.save(folder / "image.npy", image)
    model = keras_model()
    model.save(folder / "model.keras")
    np.savez(folder / "keras.npz", **keras_tensors(model, image))
    network = Network()
    tf.saved_model.save(network, folder / "saved", signatures=network.serve)
    with tarfile.open(folder / "model.savedmodel.tar", "w") as archive:
        archive.add(folder / "saved", ".")
    network.compute(tf.constant(image))
    found = {name.removeprefix("_"): item.numpy() for name, item in network.found.items()}
    np.savez(folder / "tensorflow.npz", **found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
