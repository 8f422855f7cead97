"""The images that a model expects."""

from dataclasses import dataclass

GRAY = "gray"


@dataclass(frozen=True)
class Preprocessing:
    """The images that a model expects, and the classes that it answers with.

    Attributes:
        resize: length of the short side before the centre crop, in pixels; None: the whole image
            is squeezed to the crop's size.
        crop: height and width of the input, in pixels.
        interpolation: `nearest`, `bilinear` or `bicubic`.
        channels: the model's channel order, `RGB` or `BGR`; or `gray`, which is one channel.
        mean: per channel, in the model's order, for values from 0 to 1.
        std: standard deviation, likewise.
        classes: the number of logits, without the background.
        background: the number of outputs before the first class: 1 for a model of 1,001 classes
            with a background class, else 0.
    """

    resize: int | None
    crop: tuple[int, int]
    interpolation: str
    channels: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: int
    background: int

    def input_shape(self, layout: str) -> tuple[int, int, int, int]:
        """The shape of the model's input in a memory layout, `NCHW` or `NHWC`, for one image."""
        height, width = self.crop
        channels = 1 if self.channels == GRAY else 3
        return (1, channels, height, width) if layout == "NCHW" else (1, height, width, channels)

    def check_output(self, shape: tuple[int, ...]) -> None:
        """Check the shape of a model's output for one image.

        Raises:
            ValueError: it isn't (1, background and classes).
        """
        outputs = self.background + self.classes
        if tuple(shape) != (1, outputs):
            raise ValueError(
                f"output shape {tuple(shape)}; expected (1, {outputs}): {self.classes} classes and "
                f"{self.background} of background"
            )
