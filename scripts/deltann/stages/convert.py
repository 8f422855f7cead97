"""The child's side of a conversion: the converter's own module does it."""

from pathlib import Path

from deltann import converters


def work(converter: str, settings: dict, source: str, output: str) -> dict:
    """Convert the file `source` to the file `output` by a known converter."""
    converters.get(converter).convert(Path(source), Path(output), **settings)
    return {}
