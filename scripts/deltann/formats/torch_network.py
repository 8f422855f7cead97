"""PyTorch models as the study runs them: one image in, one tensor of outputs."""

import math
from pathlib import Path
from typing import Any

from deltann.formats import exported_program, named_outputs, torch_kinds

# What a model's only output is called if it is no dict or tuple.
ONLY = "output"


def save_file(path: Path, shape: tuple[int, ...], described: dict, output: Path) -> None:
    """Save a user's file as an ExportedProgram that takes one image.

    An ExportedProgram that already is as the study runs it is copied byte for byte.

    Args:
        path: an ExportedProgram or TorchScript.
        shape: of the input, with a batch of 1.
        described: the model's entry in the config.
        output: the `.pt2` file to write.

    Raises:
        ValueError: it takes or gives something else than declared.
    """
    if torch_kinds.kind(path) == torch_kinds.PROGRAM:
        program = exported_program.load(path)  # refuses pickled objects
        if _is_plain(program) and "output_name" not in described:
            output.write_bytes(path.read_bytes())
            return
        _check_input(program, shape, described)
        dtype = exported_program.input_dtype(program)
        network, _ = adapt(program.module(), shape, described, dtype)
        exported_program.save(network, shape, output, dtype)
        return
    import torch
    from torch._export.converter import TS2EPConverter  # PyTorch's own, in a private module

    script = torch.jit.load(path, map_location="cpu").eval()  # executes no pickle
    network, dtype = adapt(script, shape, described)
    sample = torch.zeros(shape, dtype=getattr(torch, dtype))
    if network is not script:
        network = torch.jit.trace(network, sample, check_trace=False)  # keeps the script's branches
    converted = TS2EPConverter(network, (sample,)).convert().module()
    exported_program.save(converted, shape, output, dtype)


def save(network: Any, shape: tuple[int, ...], described: dict, output: Path) -> None:
    """Save a `torch.nn.Module` in evaluation mode, as `save_file` does."""
    network, dtype = adapt(network, shape, described)
    exported_program.save(network, shape, output, dtype)


def adapt(
    network: Any, shape: tuple[int, ...], described: dict, dtype: str | None = None
) -> tuple[Any, str]:
    """A network that gives one tensor, and the type that it takes.

    Args:
        network: takes one batch, and gives a tensor, or dicts and tuples of tensors.
        shape: of the input.
        described: the model's entry in the config.
        dtype: the type of the input; without it, float32 or else the type of the weights.

    Returns:
        The network itself if it gives one tensor of two axes, else a `torch.nn.Module` around it
        that does if it can; and the type, as `float32`.

    Raises:
        ValueError: the network fails on zeros, or which output has the classes isn't clear.
    """
    import torch

    dtype, given = run_on_zeros(network, shape, [dtype] if dtype else dtypes(network))
    shapes = {name: tuple(value.shape) for name, value in leaves(given).items()}
    name = named_outputs.choose(shapes, described)
    flatten = _is_one_row(shapes[name])
    if isinstance(given, torch.Tensor) and not flatten:
        return network, dtype

    class Adapted(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, batch: Any) -> Any:
            chosen = leaves(self.network(batch))[name]
            return chosen.flatten(1) if flatten else chosen

    return Adapted(), dtype


def dtypes(network: Any) -> list[str]:
    """The types that a network may take: float32, then that of its weights."""
    weights = [value.dtype for value in network.parameters() if value.is_floating_point()]
    return list(dict.fromkeys(["float32", *(str(kind)[len("torch.") :] for kind in weights[:1])]))


def run_on_zeros(network: Any, shape: tuple[int, ...], dtypes: list[str]) -> tuple[str, Any]:
    """The first type that a network takes, and what it gives for an image of zeros."""
    import torch

    with torch.no_grad():
        for dtype in dtypes:
            try:
                return dtype, network(torch.zeros(shape, dtype=getattr(torch, dtype)))
            except (RuntimeError, AssertionError) as error:
                failure = error
    lines = [line.strip() for line in str(failure).splitlines() if line.strip()]
    raise ValueError(
        f"the model fails on an image of zeros, {' × '.join(map(str, shape))} {dtypes[-1]}; is its"
        f" size as declared? PyTorch says: {lines[-1] if lines else type(failure)}"
    ) from failure


def leaves(given: Any) -> dict[str, Any]:
    """The tensors that a model gives, by their keys or places: `{"logits": …}`, `{"0": …}`."""
    import torch
    from torch.utils import _pytree as pytree

    leaves, _ = pytree.tree_flatten_with_path(given)
    return {
        ".".join(map(_key, path)) or ONLY: leaf
        for path, leaf in leaves
        if isinstance(leaf, torch.Tensor)
    }


def _key(entry: Any) -> str:
    """What PyTorch calls a step on the way to a tensor: a dict's key, a field's name, a place."""
    from torch.utils import _pytree as pytree

    match entry:
        case pytree.SequenceKey():
            return str(entry.idx)
        case pytree.GetAttrKey():
            return str(entry.name)
    return str(entry.key)


def _is_one_row(shape: tuple[int, ...]) -> bool:
    """Whether a tensor for one image is (1, N) but for more axes of 1, as (1, N, 1, 1)."""
    return len(shape) > 2 and shape[0] == 1 and math.prod(shape) == max(shape)


def _is_plain(program: Any) -> bool:
    """Whether an ExportedProgram takes one image, and gives one tensor that needs no flattening."""
    if len(program.graph_signature.user_inputs) != 1 or not program.call_spec.out_spec.is_leaf():
        return False
    given = program.graph.output_node().args[0][-1]  # what changes in its buffers comes first
    if _is_one_row(tuple(given.meta["val"].shape)):
        return False
    sides = exported_program.input_value(program).shape
    return all(isinstance(side, int) for side in sides) and sides[0] == 1


def _check_input(program: Any, shape: tuple[int, ...], described: dict) -> None:
    """Check that an ExportedProgram takes one image of the declared size.

    Raises:
        ValueError: saying what it takes, and what to do.
    """
    inputs = program.graph_signature.user_inputs
    if len(inputs) != 1:
        raise ValueError(
            f"the model {described['name']} has {len(inputs)} inputs: {', '.join(inputs)}; expected"
            " one, for the image"
        )
    sides = exported_program.input_value(program).shape
    if len(sides) == len(shape) and all(
        not isinstance(side, int) or side == declared
        for side, declared in zip(sides, shape, strict=True)
    ):
        return
    text = " × ".join(str(side) if isinstance(side, int) else "any" for side in sides)
    batch = "; export it with one image, or with a dynamic batch" if sides[0] != 1 else ""
    raise ValueError(
        f"the model {described['name']} takes {text}; declared: size {described['input']['size']},"
        f" layout {described['input']['layout']}, so {' × '.join(map(str, shape))}{batch}"
    )
