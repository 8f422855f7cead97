"""What an ExportedProgram or a TorchScript says of itself; the latter by trying images of zeros."""

from pathlib import Path
from typing import Any

from deltann.formats import exported_program, torch_kinds, torch_network
from deltann.formats.descriptions import OPEN, SIZES, Description, only_input


def describe(path: Path) -> Description:
    """See `descriptions.Describer`.

    Raises:
        ValueError: as there; or a TorchScript takes none of `SIZES`.
    """
    import torch

    kind = torch_kinds.kind(path)
    if kind == torch_kinds.PROGRAM:
        program = exported_program.load(path)
        name = only_input(list(program.graph_signature.user_inputs))
        value = exported_program.input_value(program)
        shape = tuple(side if isinstance(side, int) else OPEN for side in value.shape)
        network, dtypes = program.module(), [exported_program.input_dtype(program)]
        values = program.state_dict.values()
    else:
        network = torch.jit.load(path, map_location="cpu").eval()  # executes no pickle
        name, values = "", list(network.parameters())
        shape, dtypes = (OPEN, _channels(values), OPEN, OPEN), torch_network.dtypes(network)
    size, dtype, given = _try(network, shape, dtypes)
    # a script doesn't say whether it takes other sizes
    shape = shape if kind == torch_kinds.PROGRAM else (OPEN, shape[1], *size)
    kinds = sorted({str(item.dtype).removeprefix("torch.") for item in values})
    return Description(
        input_name=name,
        shape=shape,
        dtype=dtype,
        outputs={key: tuple(item.shape) for key, item in torch_network.leaves(given).items()},
        precision=" and ".join(item for item in kinds if "float" in item or len(kinds) == 1),
        size_tried=kind != torch_kinds.PROGRAM,
        written_by=f"PyTorch, {'an' if kind == torch_kinds.PROGRAM else 'a'} {kind}",
    )


def _channels(weights: list[Any]) -> int:
    """How many channels the first convolution takes."""
    return next((int(item.shape[1]) for item in weights if item.dim() == 4), 3)


def _try(network: Any, shape: tuple[int, ...], dtypes: list[str]) -> tuple[tuple, str, Any]:
    """The first size that a network takes, its type, and what it gives for an image of zeros."""
    if len(shape) != 4:
        text = " × ".join(str(side or "any") for side in shape)
        raise ValueError(f"the model takes {text}; expected four sides, as 1 × 3 × 224 × 224")
    sizes = SIZES if OPEN in shape[2:] else SIZES[:1]
    for size in sizes:
        tried = (1, *(side or size for side in shape[1:]))
        try:
            return tried[2:], *torch_network.run_on_zeros(network, tried, dtypes)
        except ValueError as error:
            failure = error
    if len(sizes) == 1:
        raise failure
    raise ValueError(
        "the file doesn't say which size it takes, and fails on each of"
        f" {', '.join(map(str, SIZES))} pixels; write a config by hand, as config/my-model.yaml."
        f" The last failure: {failure}"
    )
