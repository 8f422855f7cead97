"""Cut operators out of an ONNX file: in a process of its environment, by `Session`."""

from collections.abc import Sequence
from pathlib import Path


class Served:
    """Cuts segments, by what a session can carry."""

    def extract(self, model_file: str, operators: Sequence[str], output: str) -> list[str]:
        """See `formats.onnx_segment.extract`."""
        from deltann.formats import onnx_segment

        return onnx_segment.extract(Path(model_file), operators, Path(output))
