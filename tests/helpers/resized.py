"""A photograph resized by a library's own documented call.

Run in that library's environment: `resized.py <library> <photograph> <width> <height> <out.npy>`
writes uint8 (height, width, 3).
"""

import sys

import numpy as np
from PIL import Image

library, photograph, width, height, target = sys.argv[1:]
width, height = int(width), int(height)
pixels = np.asarray(Image.open(photograph).convert("RGB"))

if library == "pillow":
    found = np.asarray(Image.fromarray(pixels).resize((width, height), Image.BICUBIC))
elif library == "opencv":
    import cv2

    found = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC)
elif library == "tensorflow":
    import tensorflow as tf

    values = tf.image.resize(pixels, (height, width), method="bicubic")
    found = tf.saturate_cast(tf.round(values), tf.uint8).numpy()
else:
    import torch

    # what torchvision's Resize calls on a tensor; torchvision itself needs operators here
    batch = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]
    found = torch.nn.functional.interpolate(
        batch, size=(height, width), mode="bicubic", antialias=True
    )
    found = found[0].permute(1, 2, 0).numpy()
np.save(target, found)
