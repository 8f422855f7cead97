"""Cases of PyTorch: modules and functions, exported as this project exports models.

A case's settings have one of `layer`, the name of a class of `torch.nn`; `function`, of
`torch.nn.functional`; `tensor`, of a method of `torch.Tensor`; or `own`, of a function below; and
`arguments` for it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann.formats import exported_program
from deltann.operators.case import CHANNELS, SEED, Case
from deltann.operators.torch_cases import cases as listed

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "torch"


def cases() -> Iterator[Case]:
    """See `case.Source`."""
    return listed()


def build(case: Case, output: Path) -> None:
    """See `case.Source`."""
    exported_program.save(network(case), case.shape, output)


def references(case: Case, inputs: "list[np.ndarray]") -> "list[np.ndarray]":
    """See `case.Source`."""
    import torch

    module = network(case)
    answers = []
    with torch.no_grad():
        for value in inputs:
            tensor = torch.from_numpy(value)
            answers.append(module.to(tensor.dtype)(tensor).numpy())
    return answers


def network(case: Case) -> Any:
    """The case as a `torch.nn.Module` in evaluation mode, its weights always the same."""
    import torch

    torch.manual_seed(SEED)
    arguments = case.settings.get("arguments", {})
    if "layer" in case.settings:
        module = getattr(torch.nn, case.settings["layer"])(**arguments)
        _fill(module)
    elif "function" in case.settings:
        module = _module(getattr(torch.nn.functional, case.settings["function"]), arguments)
    elif "tensor" in case.settings:
        module = _module(getattr(torch.Tensor, case.settings["tensor"]), arguments)
    else:
        module = _module(OWN[case.settings["own"]], arguments)
    return module.eval()


def _fill(module: Any) -> None:
    """Give normalisations statistics and scales that aren't 0 and 1."""
    import torch

    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            if name in ("running_mean", "bias"):
                tensor.normal_(0, 0.5)
            elif name == "running_var" or (name == "weight" and tensor.dim() == 1):
                tensor.uniform_(0.02, 1.5)


def _module(function: Callable, arguments: dict) -> Any:
    """A function of one tensor as a module; arguments that are constants become buffers."""
    import torch

    class Operator(torch.nn.Module):
        def forward(self, image: Any) -> Any:
            given = dict(arguments)
            if "constant" in given:
                given["constant"] = self.constant
            order = given.pop("order", ())
            return function(image, *order, **given)

    module = Operator()
    if "constant" in arguments:
        module.register_buffer("constant", _constant(arguments["constant"]))
    return module


def _constant(shape: list[int]) -> Any:
    """A tensor of numbers away from zero, of both signs."""
    import torch

    values = torch.rand(shape) + 0.5
    return values * (1 - 2 * (torch.arange(values.numel()).reshape(shape) % 2))


def _binary(image: Any, constant: Any, operator: str, constant_first: bool = False) -> Any:
    import torch

    operators = {
        "floor_divide": lambda a, b: torch.div(a, b, rounding_mode="floor"),
        "trunc_divide": lambda a, b: torch.div(a, b, rounding_mode="trunc"),
    }
    call = operators.get(operator) or getattr(torch, operator)
    return call(constant, image) if constant_first else call(image, constant)


def _concat(image: Any, dim: int) -> Any:
    import torch

    return torch.cat([image, image * 2, -image], dim)


def _part(image: Any, sizes: list[int], dim: int, which: int) -> Any:
    return image.split(sizes, dim)[which]


def _slice(image: Any, dim: int, start: int, stop: int, step: int) -> Any:
    index = [slice(None)] * image.dim()
    index[dim] = slice(start, stop, step)
    return image[tuple(index)]


def _channel_shuffle(image: Any, groups: int) -> Any:
    batch, channels, height, width = image.shape
    parts = image.reshape(batch, groups, channels // groups, height, width)
    return parts.transpose(1, 2).reshape(batch, channels, height, width)


def _flattened_dense(image: Any, constant: Any) -> Any:
    return image.mean((2, 3)) @ constant


def _product(image: Any) -> Any:
    return image @ image.transpose(2, 3)


def _prelu(image: Any) -> Any:
    import torch

    return torch.nn.functional.prelu(image, torch.linspace(-0.5, 0.9, CHANNELS, dtype=image.dtype))


OWN: dict[str, Callable] = {
    "binary": _binary,
    "concat": _concat,
    "part": _part,
    "slice": _slice,
    "channel_shuffle": _channel_shuffle,
    "dense": _flattened_dense,
    "product": _product,
    "prelu": _prelu,
}
