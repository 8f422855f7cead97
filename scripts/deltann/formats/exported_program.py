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


def input_shape(program) -> tuple[int, ...]:
    """The shape of the one input of a `torch.export.ExportedProgram`."""
    (name,) = program.graph_signature.user_inputs
    (node,) = (node for node in program.graph.nodes if node.name == name)
    return tuple(int(side) for side in node.meta["val"].shape)


def save(network, shape: tuple[int, ...], output: Path) -> None:
    """Save a PyTorch module as an ExportedProgram that takes one image; always the same bytes.

    Args:
        network: `torch.nn.Module` in evaluation mode, float32 to logits.
        shape: of its input, batch first.
        output: the `.pt2` file to write.
    """
    import io

    import torch

    with torch.no_grad():
        program = torch.export.export(network, (torch.zeros(shape),))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names the folder that torch is installed in
    # saved through a buffer, because the archive repeats the name of the file it is saved to
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    output.write_bytes(buffer.getvalue())


def from_torchscript(path: Path, crop: int):
    """The module in a TorchScript file, as one that can be exported.

    torch.export takes no ScriptModule; the converter is torch's own, in a module that it may move.

    Args:
        path: what `torch.jit.save` wrote; `torch.jit.load` executes no pickle.
        crop: height and width of the input.

    Returns:
        `torch.nn.Module`: (1, 3, crop, crop) float32 to logits.
    """
    import torch
    from torch._export.converter import TS2EPConverter

    script = torch.jit.load(path, map_location="cpu").eval()
    return TS2EPConverter(script, (torch.zeros(1, 3, crop, crop),)).convert().module()
