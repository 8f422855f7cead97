"""The child's side of a conversion: the converter's own module does it."""

from pathlib import Path

from deltann import converters


def work(converter: str, settings: dict, model_file: str, output: str) -> dict:
    """Convert the file `model_file` to the file `output` by a known converter."""
    converters.get(converter).convert(Path(model_file), Path(output), **settings)
    return {}
