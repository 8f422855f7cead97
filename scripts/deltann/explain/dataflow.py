"""The kernel at which a difference enters, by who reads whose tensor."""

from typing import NamedTuple


class Step(NamedTuple):
    """One tensor that a kernel wrote.

    Attributes:
        inputs: numbers of the steps whose tensors the kernel read; -1 for the model's input.
            What it read beside is constant.
        matches: whether the reference has the tensor too.
    """

    inputs: tuple[int, ...]
    matches: bool


INPUT = -1


def culprit(steps: list[Step]) -> int | None:
    """The first step that is lost while no step it reads from is.

    A step is lost if its tensor isn't in the reference, nor is any that depends on it: a pass may
    well make tensors of its own, as folded batch norms do, if what follows is as it was. Steps
    that depend on constants only can't be told right from wrong, and count as constants.

    Args:
        steps: in the order in which they ran.

    Returns:
        The step's number, or None where none is lost.
    """
    variable = depends_on_input(steps)
    readers: list[list[int]] = [[] for _ in steps]
    for number, step in enumerate(steps):
        for read in step.inputs:
            if read != INPUT and variable[number]:
                readers[read].append(number)
    lost = [False] * len(steps)
    for number in reversed(range(len(steps))):
        wrong = variable[number] and not steps[number].matches
        lost[number] = wrong and all(lost[reader] for reader in readers[number])
    for number, step in enumerate(steps):
        if lost[number] and not any(lost[read] for read in step.inputs if read != INPUT):
            return number
    return None


def depends_on_input(steps: list[Step]) -> list[bool]:
    """Which steps depend on the model's input, directly or not."""
    found: list[bool] = []
    for step in steps:
        found.append(any(read == INPUT or found[read] for read in step.inputs))
    return found
