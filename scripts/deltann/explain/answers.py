"""A model file in its framework's own runtime, in a session: what it answers to prepared images."""

from pathlib import Path
from typing import TYPE_CHECKING

from deltann import runners

if TYPE_CHECKING:
    import numpy as np


class Served:
    """A loaded model, by what a session can carry.

    Args:
        runner: a module of `deltann.runners`.
        model_file: of that framework.
        threads: of the runtime.
    """

    def __init__(self, runner: str, model_file: str, threads: int):
        self._loaded = runners.get(runner).Runner(Path(model_file), threads).__enter__()

    def answer(self, pixels: "np.ndarray", preprocessing: dict) -> "np.ndarray":
        """The logits of some images, without the background.

        Args:
            pixels: uint8 (image, y, x, channel), RGB.
            preprocessing: the fields of `deltann.images.preprocessing.Preprocessing`.

        Returns:
            float32 (image, class).

        Raises:
            ValueError: the model takes or gives other shapes than declared.
        """
        import numpy as np

        from deltann.images.normalise import layout, normalise
        from deltann.images.preprocessing import Preprocessing

        convention = Preprocessing(**preprocessing)
        order = layout(self._loaded.input_shape, convention)
        rows = [self._loaded.infer(normalise(image, convention, order)) for image in pixels]
        convention.check_output(np.shape(rows[0]))
        return np.concatenate(rows)[:, convention.background :]
