"""Some operators of a model as a model of their own: what the modules for each format share."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from deltann import spot_check
from deltann.tolerance import TOLERANCE

if TYPE_CHECKING:
    import numpy as np

Tensor = TypeVar("Tensor")


def ends(
    calls: Mapping[str, tuple[Sequence[Tensor], Sequence[Tensor]]],
    operators: Collection[str],
    output: Tensor,
) -> tuple[list[Tensor], list[Tensor]]:
    """The tensors that some operators read from others, and those that others read from them.

    Args:
        calls: the tensors that each operator of the model reads and writes, by its name, in
            running order. Constants are left out.
        operators: names of operators.
        output: the model's.

    Returns:
        Both in the order in which the operators read and write them. The model's output is among
        the second if one of the operators writes it.

    Raises:
        ValueError: the model has no operator of a name.
    """
    unknown = {*operators} - calls.keys()
    if unknown:
        raise ValueError(f"the model has no operators {sorted(unknown)}")
    chosen = [call for name, call in calls.items() if name in operators]
    others = [call for name, call in calls.items() if name not in operators]
    read = dict.fromkeys(tensor for reads, _ in chosen for tensor in reads)
    made = dict.fromkeys(tensor for _, writes in chosen for tensor in writes)
    elsewhere = {output, *(tensor for reads, _ in others for tensor in reads)}
    return (
        [tensor for tensor in read if tensor not in made],
        [tensor for tensor in made if tensor in elsewhere],
    )


def check(
    model_file: Path, expected: "Mapping[str, np.ndarray]", given: "Sequence[np.ndarray]"
) -> None:
    """Check that operators alone compute what they compute in the whole model.

    Args:
        model_file: the whole model.
        expected: its tensors for an image, by name.
        given: the same tensors as the operators alone give them for the model's own inputs.

    Raises:
        ValueError: one differs by more than rounding.
    """
    for (name, one), other in zip(expected.items(), given, strict=True):
        apart = spot_check.difference(one, other)
        if one.shape != other.shape or not apart <= TOLERANCE:
            raise ValueError(
                f"{model_file}: its operators alone give {name!r} as {list(other.shape)} with a"
                f" difference of {apart:.3g} of the largest value; expected {list(one.shape)} as"
                " in the whole model"
            )
