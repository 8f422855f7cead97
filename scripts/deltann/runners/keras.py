"""Keras on TensorFlow: a .keras file, compiled into one graph function as `predict` does."""

import os
from pathlib import Path

import numpy as np

from deltann.runners.tensorflow import start

ENVIRONMENT = "tensorflow"
SUFFIX = ".keras"


class Runner:
    """Load, in safe mode, and run a `.keras` file."""

    def __init__(self, path: Path, threads: int):
        self.path, self.threads = path, threads

    def __enter__(self) -> "Runner":
        os.environ["KERAS_BACKEND"] = "tensorflow"
        start(self.threads)
        import keras

        self.model = keras.saving.load_model(self.path, compile=False, safe_mode=True)
        self.input_shape = (1, *self.model.input_shape[1:])
        return self

    def __exit__(self, *_: object) -> None:
        del self.model

    def infer(self, batch: np.ndarray) -> np.ndarray:
        """Logits (1, classes) float32 of a float32 batch in the file's own layout."""
        # `predict` without its data pipeline, which costs more than a small model itself
        return self.model.predict_on_batch(batch)


def versions() -> dict[str, str]:
    """The versions of Keras and of its backend."""
    import keras
    import tensorflow

    return {"keras": keras.__version__, "tensorflow": tensorflow.__version__}
