"""Weights for a PyTorch network: a state dict, or a checkpoint that has one."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deltann.formats import torch_kinds


def load(network: Any, path: Path) -> None:
    """Give a network its weights from a file.

    The file may be a state dict, or a checkpoint: a dict with one under any key, as `{"net": …}`.
    A prefix that all names have, as `module.` of `DataParallel`, is taken off if the names fit the
    network's without it.

    Args:
        network: `torch.nn.Module`.
        path: a file by `torch.save`, which is loaded without pickle.

    Raises:
        ValueError: the file has other objects than weights, or the weights aren't the network's.
    """
    import pickle

    import torch

    try:
        loaded = torch.load(path, weights_only=True, map_location="cpu")
    except pickle.UnpicklingError as error:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
        raise ValueError(f"{str(path)!r}: {torch_kinds.unsafe(sorted(names))}") from error
    found = state_dicts(loaded)
    for state in found.values():
        take_prefix_off(state, network.state_dict())
    fitting = [key for key, state in found.items() if _fits(network, state)]
    if len(fitting) > 1:
        raise ValueError(
            f"{str(path)!r}: {' and '.join(fitting)} both have weights for the network; expected"
            " one, by torch.save(checkpoint[…], 'net.pth')"
        )
    if not fitting:
        raise ValueError(f"{str(path)!r}: {_difference(found, network.state_dict())}")
    network.load_state_dict(found[fitting[0]])


def state_dicts(loaded: Any, key: str = "the file") -> dict[str, dict]:
    """The state dicts in what was loaded, by the keys that lead to each."""
    import torch

    if not isinstance(loaded, dict):
        return {}
    tensors = all(isinstance(value, torch.Tensor) for value in loaded.values())
    if loaded and tensors and all(isinstance(name, str) for name in loaded):
        return {key: loaded}
    found: dict[str, dict] = {}
    for name, value in loaded.items():
        found |= state_dicts(value, repr(name) if key == "the file" else f"{key}[{name!r}]")
    return found


def take_prefix_off(state: dict, wanted: Iterable[str]) -> None:
    """Take off, in place, the prefix that all names of a state dict have before a network's."""
    from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present

    wanted = set(wanted)
    name = next(iter(state))
    parts = name.split(".")
    for number in range(1, len(parts)):
        prefix = ".".join(parts[:number]) + "."
        if name.removeprefix(prefix) in wanted and all(item.startswith(prefix) for item in state):
            consume_prefix_in_state_dict_if_present(state, prefix)
            return


def _fits(network: Any, state: dict) -> bool:
    """Whether a network takes a state dict; gives it to the network."""
    try:
        network.load_state_dict(state)
    except RuntimeError:
        return False
    return True


def _other_shapes(state: dict, wanted: dict) -> list[str]:
    shared = [name for name in wanted if name in state]
    return [name for name in shared if state[name].shape != wanted[name].shape]


def _difference(found: dict[str, dict], wanted: dict) -> str:
    """A sentence that says how the closest state dict differs from the network's."""
    if not found:
        return "it has no weights; expected a state dict, or a checkpoint that has one"
    state = max(found.values(), key=lambda names: len(names.keys() & wanted.keys()))
    parts = []
    if missing := [name for name in wanted if name not in state]:
        parts.append(f"{len(missing)} of the network's weights are missing, as {missing[0]!r}")
    if more := [name for name in state if name not in wanted]:
        parts.append(f"{len(more)} aren't the network's, as {more[0]!r}")
    if apart := _other_shapes(state, wanted):
        name = apart[0]
        shapes = [" × ".join(map(str, of[name].shape)) for of in (state, wanted)]
        parts.append(f"{name!r} is {shapes[0]}, the network's is {shapes[1]}")
    return "; ".join(parts) + "; expected the weights of the network that the code makes"
