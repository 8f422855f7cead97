"""The TFLite files of `tflite_models.py`, their image, and their traces."""

import subprocess
from pathlib import Path

import numpy as np

from deltann.localise.remote import open_tracer, python
from deltann.steps import Operator
from helpers.workspace import ROOT

NAMES = ("float", "words", "moves")  # without those of smaller types
SMALL = ("float16", "int8")


class Files:
    """The models, their image, and their traces."""

    def __init__(self, folder: Path):
        self.folder = folder
        subprocess.run(
            [python("tensorflow")[0], ROOT / "tests/helpers/tflite_models.py", folder], check=True
        )
        self.image = np.load(folder / "image.npy")
        self.tensors = dict(np.load(folder / "tensors.npz"))
        self.traced = {name: self.trace(folder / f"{name}.tflite") for name in (*NAMES, *SMALL)}

    def trace(self, path: Path) -> tuple[list[Operator], dict[str, np.ndarray]]:
        """The operators of a file and all their tensors."""
        with open_tracer("tflite", path) as tracer:
            operators = tracer.operators()
            names = {name for item in operators for name in (*item.inputs, *item.outputs)}
            return operators, tracer.run(self.image, names)

    def operator(self, name: str, native: str) -> Operator:
        """The first operator of a kind in a file."""
        return next(item for item in self.traced[name][0] if item.native == native)


def close(found: np.ndarray, wanted: np.ndarray) -> None:
    """Equal, within what float32 rounds."""
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-5 * np.abs(wanted).max())
