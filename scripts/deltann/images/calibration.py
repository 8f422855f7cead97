"""Calibration images: what a quantizer runs a model on to find the range of its numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deltann.images.preprocessing import Preprocessing

if TYPE_CHECKING:  # Snakemake's own environment, which has no HDF5, imports converters
    import numpy as np


@dataclass(frozen=True)
class Calibration:
    """Prepared images, as a model takes them.

    Attributes:
        images: the prepared images, NetCDF.
        preprocessing: what the model expects.
    """

    images: Path
    preprocessing: Preprocessing

    def describe(self) -> dict:
        """The number of `images`, how many of them are `tested` too, and their `checksum`."""
        from deltann.images import prepared

        with prepared.open_file(self.images) as images:
            return {
                "images": len(images),
                "tested": images.tested,
                "checksum": images.checksum,
            }

    def inputs(self, input_shape: tuple[int, ...]) -> "Iterator[np.ndarray]":
        """Each image, normalised, as a batch of one.

        Args:
            input_shape: of the model's input, whose first side, the batch, may be anything; its
                layout decides on that of the images.

        Yields:
            float32, (1, channels, height, width) or the channels last.

        Raises:
            ValueError: the model's input has another shape than its preprocessing.
        """
        from deltann.images import prepared
        from deltann.images.normalise import layout, normalise

        order = layout((1, *input_shape[1:]), self.preprocessing)
        with prepared.open_file(self.images) as images:
            for number in range(len(images)):
                (pixels,) = images.pixels(slice(number, number + 1))
                yield normalise(pixels, self.preprocessing, order)
