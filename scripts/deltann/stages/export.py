"""Export a model to its native file. Runs in the child process of the job."""

from importlib import import_module
from pathlib import Path
from typing import Any

from deltann.images.preprocessing import Preprocessing
from deltann.models import FITTED, Request


def work(module: str, request: dict, images: str | None, output: str) -> dict:
    """Export a model to its native file.

    Args:
        module: name of the module in `deltann.models` that has the model.
        request: the fields of `models.Request` but `images`; `user_model` may be missing.
        images: the prepared images, NetCDF, or None if the model's weights need none.
        output: the file to write.

    Returns:
        What the model's `export` returns.
    """
    complete = Request(
        model=request["model"],
        source=request["source"],
        weights=request["weights"],
        preprocessing=Preprocessing(**request["preprocessing"]),
        images=None if images is None else _pixels(images),
        user_model=request.get("user_model"),
    )
    return import_module(f"deltann.models.{module}").export(complete, Path(output))


def _pixels(path: str) -> Any:
    """The first prepared images, uint8 (image, crop, crop, 3) RGB."""
    from deltann.images import prepared

    with prepared.open_file(Path(path)) as images:
        return images.pixels(slice(FITTED))
