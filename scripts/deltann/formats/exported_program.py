"""PyTorch ExportedPrograms in `.pt2` files."""

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def load(path: Path) -> Any:
    """Load a `.pt2` file without executing a pickle.

    `torch.export.load` (2.13) reads the graph from JSON and plain tensors from raw bytes, but
    unpickles sample inputs, tensor subclasses and script objects. Here its `torch.load` is limited
    to weights, and files with other pickled objects are refused. Symbolic sizes in the graph still
    go through sympy's parser, so don't load files from strangers.

    Returns:
        `torch.export.ExportedProgram`.

    Raises:
        ValueError: the file holds pickled objects.
        pickle.UnpicklingError: its sample inputs aren't just tensors.
        zipfile.BadZipFile: it isn't a `.pt2` file.
    """
    # overrides weights_only=False in every call of torch.load
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    import torch
    import torch.ao.quantization.fx._decomposed  # registers the operators of quantized programs

    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if Path(name).name.startswith(("custom_obj_", "opaque_obj_")):
                raise ValueError(f"{path}: {name} is a pickled object; expected tensors only")
    return torch.export.load(path)


def input_shape(program: Any) -> tuple[int, ...]:
    """The shape of the one input of a `torch.export.ExportedProgram`."""
    return tuple(int(side) for side in input_value(program).shape)


def input_dtype(program: Any) -> str:
    """The type of the one input of a `torch.export.ExportedProgram`, as `float32`."""
    return str(input_value(program).dtype).removeprefix("torch.")


def input_value(program: Any) -> Any:
    """The tensor without values that stands for the program's one input."""
    (name,) = program.graph_signature.user_inputs
    (node,) = (node for node in program.graph.nodes if node.name == name)
    return node.meta["val"]


def sample(program: Any) -> Any:
    """Zeros as a `torch.export.ExportedProgram` takes them, a `torch.Tensor`."""
    import torch

    return torch.zeros(input_shape(program), dtype=input_value(program).dtype)


def save(network: Any, shape: tuple[int, ...], output: Path, dtype: str = "float32") -> None:
    """Save a PyTorch module as an ExportedProgram that takes one image; always the same bytes.

    Args:
        network: `torch.nn.Module` in evaluation mode, an image to logits.
        shape: of its input, batch first.
        output: the `.pt2` file to write.
        dtype: the type of its input.
    """
    import torch

    save_for(network, [torch.zeros(shape, dtype=getattr(torch, dtype))], output)


def save_for(network: Any, inputs: Sequence[Any], output: Path) -> None:
    """Save a PyTorch module as an ExportedProgram; always the same bytes.

    Args:
        network: `torch.nn.Module` in evaluation mode.
        inputs: what it takes, each a `torch.Tensor`.
        output: the `.pt2` file to write.
    """
    import io

    import torch

    with torch.no_grad():
        program = torch.export.export(network, tuple(inputs))
    _drop_what_varies(program.graph_module)
    # through a buffer, because the archive contains the name of the file that it is saved to
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    output.write_bytes(buffer.getvalue())


def _drop_what_varies(program: Any) -> None:
    """Drop, from a `torch.fx.GraphModule`, notes on nodes that differ between two exports."""
    import torch

    for name, module in program.named_modules():
        if not isinstance(module, torch.fx.GraphModule):
            continue
        for node in module.graph.nodes:
            node.meta.pop("stack_trace", None)  # has the path of torch's installation
            node.meta.pop("from_node", None)  # has addresses in memory
            node.meta.pop("custom", None)  # says which function of torch traced the node
            if name:
                node.meta.pop("nn_module_stack", None)  # of a branch: has addresses in memory
