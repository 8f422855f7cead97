"""Export a model to its native file. Runs in the child process of the job."""

from importlib import import_module
from pathlib import Path
from typing import Any

from deltann import precision, runners, spot_check
from deltann.formats import precisions
from deltann.images.preprocessing import Preprocessing
from deltann.models import FITTED, PRETRAINED, SEEDED, Request


def work(module: str, request: dict, images: str | None, output: str) -> dict:
    """Export a model to its native file.

    Args:
        module: name of the module in `deltann.models` that has the model.
        request: the fields of `models.Request` but `images`; `user_model` may be missing.
        images: the prepared images, NetCDF, or None if the model's weights need none.
        output: the file to write.

    Returns:
        What the model's `export` returns, `spot_check.details`, the file's `precision`, and for a
        model whose weights are the user's what `native_answers.describe` returns.

    Raises:
        ValueError: the export's, or the model's own answers aren't finite numbers.
    """
    complete = Request(
        model=request["model"],
        source=request["source"],
        weights=request["weights"],
        preprocessing=Preprocessing(**request["preprocessing"]),
        images=None if images is None else _pixels(images),
        user_model=request.get("user_model"),
    )
    family = import_module(f"deltann.models.{module}")
    details = family.export(complete, Path(output))
    details |= _precision(complete.source, Path(output)) | spot_check.details()
    known = complete.user_model is None and complete.weights in (PRETRAINED, SEEDED)
    # some of a family's exports run in an environment that can't run the file
    runs_here = family.ENVIRONMENTS[complete.source] == runners.get(complete.source).ENVIRONMENT
    if known or not runs_here:
        return details
    from deltann.stages import native_answers

    declared = (complete.user_model or {}).get("output")
    return details | native_answers.describe(
        complete.source, Path(output), complete.preprocessing, declared
    )


def _precision(source: str, output: Path) -> dict:
    operators = precision.look(
        "what the exported model computes in",
        lambda: precisions.operators(source, output),
    )
    return precision.details(precision.Precision(operators))


def _pixels(path: str) -> Any:
    """The first prepared images, uint8 (image, height, width, 3) RGB."""
    from deltann.images import prepared

    with prepared.open_file(Path(path)) as images:
        return images.pixels(slice(FITTED))
