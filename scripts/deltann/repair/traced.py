"""The answers of a traced model."""

from collections.abc import Sequence

import numpy as np

from deltann.steps import Tracer


def answers(tracer: Tracer, images: Sequence[np.ndarray]) -> np.ndarray:
    """A traced model's logits: float32 (image, class)."""
    given = [
        tracer.run(fitted(image, tracer.input_shape), [tracer.output])[tracer.output]
        for image in images
    ]
    return np.stack([np.ravel(item) for item in given]).astype(np.float32)


def fitted(image: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """An image as a model takes it: its channels moved, if only then the shape is the model's."""
    if image.shape[1:] == tuple(shape)[1:] or image.ndim != 4:
        return image
    moved = np.moveaxis(image, 1, -1)
    return np.ascontiguousarray(
        moved if moved.shape[1:] == tuple(shape)[1:] else np.moveaxis(image, -1, 1)
    )
