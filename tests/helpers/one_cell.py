"""One cell of three images as a runner measured it, and ways to spoil it."""

import numpy as np
import xarray as xr

from deltann.cell import Cell
from deltann.dataset import predictions

INPUTS = "256-224-bicubic/pillow"
CELL = Cell(
    *("efficientnet_lite0", "torch", "onnx", "torch_onnx", "source", "pillow"),
    *("direct", "tvm", "rules", "O2", "cpu"),
)
IMAGES, CLASSES, REPEATS = 3, 12, 4
RECORD = {
    "status": "failed",
    "failed_stage": "convert",
    "error": {"type": "RuntimeError", "message": "no Swish: été", "traceback": "Traceback ..."},
}


def dataset() -> xr.Dataset:
    """What a runner measured, as a prediction dataset."""
    chance = np.random.default_rng(0)
    return predictions.succeeded(
        CELL,
        logits=chance.normal(size=(IMAGES, CLASSES)).astype(np.float32),
        latency=chance.uniform(0.001, 0.01, (IMAGES, REPEATS)),
        image=np.array(["a.jpg", "it's été 猫.jpg", "-c.jpg"]),
        true_label=np.array([3, -1, 11]),
        inputs=INPUTS,
        inputs_digest="0" * 64,
        probe_drift=1.02,
        pass_spread=1.1,
        contention=0.01,
        provenance={"weights": "abc", "threads": 2},
    )


def spoilt(name: str, value: float) -> xr.Dataset:
    """The dataset with one value of a variable replaced."""
    bad = dataset().copy(deep=True)
    bad[name].values[1, 2] = value
    return bad
