"""The child's side of an export: the model's own module does it."""

from importlib import import_module
from pathlib import Path

from deltann.images.preprocessing import Preprocessing
from deltann.models import FITTED, Request


def work(module: str, request: dict, images: str | None, output: str) -> dict:
    """Export a model to the file `output`.

    Args:
        module: name of the module in `deltann.models` that has the model.
        request: the fields of `models.Request` but `images`; `user_model` may be missing.
        images: prepared images, NetCDF, or None.
        output: the native model file to write.

    Returns:
        What the module says of the model.
    """
    asked = Request(
        model=request["model"],
        source=request["source"],
        weights=request["weights"],
        preprocessing=Preprocessing(**request["preprocessing"]),
        images=None if images is None else _pixels(images),
        user_model=request.get("user_model"),
    )
    return import_module(f"deltann.models.{module}").export(asked, Path(output))


def _pixels(path: str):
    """The first prepared images, uint8 (image, crop, crop, 3) RGB."""
    from deltann.images import prepared

    with prepared.open_file(Path(path)) as images:
        return images.pixels(slice(FITTED))
