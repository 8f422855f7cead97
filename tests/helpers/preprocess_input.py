"""Images as keras.applications' own preprocess_input normalises them.

Run in TensorFlow's environment: `preprocess_input.py <pixels.npy> <out.npz>` reads uint8 (image,
height, width, 3) and writes float32 of the same shape by the names of our conventions.
"""

import os
import sys

import numpy as np

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras

pixels = np.load(sys.argv[1]).astype(np.float32)
modes = {"imagenet": "torch", "tensorflow": "tf", "caffe": "caffe"}
found = {
    name: keras.applications.imagenet_utils.preprocess_input(pixels.copy(), mode=mode)
    for name, mode in modes.items()
}
found["raw"] = keras.applications.efficientnet.preprocess_input(pixels.copy())
np.savez(sys.argv[2], **found)
