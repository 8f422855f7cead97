"""A study of a small model on several devices."""

from pathlib import Path

import numpy as np
import torch
import xarray as xr
import yaml

from helpers.small_torch import CLASSES, SIZE, network
from helpers.workspace import ROOT

MODEL = {
    "name": "small",
    "source": "torch",
    "file": "small.pt2",
    "classes": CLASSES,
    "input": {
        "size": SIZE,
        "layout": "NCHW",
        "channels": "RGB",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
    },
}


def prepare(space) -> None:
    """Write the model, and take the photographs' labels away: they are ImageNet's."""
    sample = torch.zeros(1, 3, SIZE, SIZE)
    torch.export.save(torch.export.export(network(), (sample,)), space.path / MODEL["file"])
    (space.path / "photographs/labels.csv").unlink()


def config(space, name: str, devices: dict, **changes) -> Path:
    """A study of the small model from ONNX, natively and by TVM."""
    settings = {
        "models": [MODEL],
        "conversions": {"torch": {"onnx": [["torch_onnx"]]}},
        "tvm_imports": {"onnx": [[]]},
        "backends": ["O4"],
        "devices": devices,
        "limits": yaml.safe_load((ROOT / "config/config.yaml").read_text())["limits"]
        | {"retries": 0},
    }
    return space.config(name, **settings | changes)


def dataset(space, name: str) -> xr.Dataset:
    """The dataset of a study."""
    return xr.load_dataset(space.path / f"results/{name}/study.nc")


def cell(study: xr.Dataset, device: str, backend: str = "O4") -> xr.Dataset:
    """The one cell of a device with a backend."""
    (index,) = np.flatnonzero((study.device == device) & (study.backend == backend))
    return study.isel(cell=index)
