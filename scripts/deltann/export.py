"""The child's side of an export: the model's own module does it."""

from pathlib import Path

from deltann import models


def work(model: str, output: str) -> dict:
    """Export a known model to the file `output`; its name is all there is to say of it."""
    models.family(model).export(model, Path(output))
    return {}
