"""A PyTorch ExportedProgram read from a `.pt2` file."""

import os
import zipfile
from pathlib import Path


def load(path: Path):
    """Load a `.pt2` file without executing a pickle.

    `torch.export.load` (2.13) reads the graph from JSON and plain tensors from raw bytes, but
    unpickles the sample inputs, tensor subclasses and script objects, whatever they hold. Here
    its `torch.load` is held to weights only, and the objects it unpickles otherwise are refused.
    The graph's symbolic sizes still go through sympy's parser: no file is safe to load that a
    stranger made.

    Returns:
        `torch.export.ExportedProgram`.

    Raises:
        ValueError: the file holds pickled objects.
        pickle.UnpicklingError: its sample inputs are more than tensors.
        zipfile.BadZipFile: it is no `.pt2` file.
    """
    # read by every torch.load, over the caller's weights_only=False
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    import torch

    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if Path(name).name.startswith(("custom_obj_", "opaque_obj_")):
                raise ValueError(f"{path}: {name} is a pickled object; expected tensors only")
    return torch.export.load(path)
