"""Find the kernel at which a difference enters, from which kernel reads which tensor."""

from typing import NamedTuple


class Step(NamedTuple):
    """One tensor that a kernel wrote.

    Attributes:
        inputs: numbers of the steps whose tensors the kernel read, `INPUT` for the model's input.
            Constants that it read aren't listed.
        matches: whether the reference has the same tensor.
    """

    inputs: tuple[int, ...]
    matches: bool


INPUT = -1


def culprit(steps: list[Step]) -> int | None:
    """The first lost step that reads from no lost step, or the one that it is wrong by.

    A step is lost if the reference has neither its tensor nor any tensor that depends on it. A
    tensor without a match isn't enough: passes such as folding batch norms make new tensors, and
    later ones match again. A step that depends on constants only counts as a constant, since its
    tensor can't be judged.

    A difference may also be too small to be seen in one tensor behind it, as in a sum with a large
    constant, while others carry it on. So the step found is followed back to a step that it reads
    if neither that one's tensor matches nor any that is computed from it directly.

    Args:
        steps: in the order in which they ran.

    Returns:
        The step's number, or None if no step is lost.
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
            return _followed_back(number, steps, readers, variable)
    return None


def _followed_back(
    number: int, steps: list[Step], readers: list[list[int]], variable: list[bool]
) -> int:
    """The first step from which on no tensor is like the reference's, on the way to a lost one.

    Args:
        number: of the lost one.
        steps: see `culprit`.
        readers: of each step.
        variable: which steps depend on the input.
    """
    for read in steps[number].inputs:
        unlike = read != INPUT and variable[read] and not steps[read].matches
        if unlike and not any(steps[reader].matches for reader in readers[read]):
            return _followed_back(read, steps, readers, variable)
    return number


def depends_on_input(steps: list[Step]) -> list[bool]:
    """Which steps depend on the model's input, directly or not."""
    found: list[bool] = []
    for step in steps:
        found.append(any(read == INPUT or found[read] for read in step.inputs))
    return found
