"""TensorFlow's optimizer overwrites a constant `<node>/Const` with a batch norm's epsilon.

Needs tensorflow.
"""

import numpy as np
import tensorflow

image = np.array([1, -1, 2, -2], np.float32).reshape(1, 2, 2, 1)
scale, offset, mean, variance = (np.array([value], np.float32) for value in (8, 1, 0, 1))


def answer(name, optimize=True):
    """FusedBatchNormV3 called "norm", with its scale in a constant of this name."""
    tensorflow.config.optimizer.set_experimental_options({"remapping": optimize})

    @tensorflow.function(input_signature=[tensorflow.TensorSpec(image.shape)])
    def norm(image):
        normed = tensorflow.raw_ops.FusedBatchNormV3(
            x=image,
            scale=tensorflow.constant(scale, name=name),
            offset=offset,
            mean=mean,
            variance=variance,
            epsilon=0.01,
            is_training=False,
            name="norm",
        )
        return normed[0] + 0.0

    return norm(image).numpy()


found = answer("norm/Const")
reference = (image - mean) / np.sqrt(variance + 0.01) * scale + offset
swapped = (image - mean) / np.sqrt(variance + 0.01) * 0.01 + offset
print("named norm/Const             ", found.ravel().round(3))
print("named norm/Const, no remapper", answer("norm/Const", optimize=False).ravel().round(3))
print("named scale                  ", answer("scale").ravel().round(3))
print("NumPy                        ", reference.ravel().round(3))
print("NumPy, epsilon as the scale  ", swapped.ravel().round(3))
print("wrong" if np.abs(found - reference).max() > 1e-3 else "right")
