"""Delta debugging: reduce a failing set until no item can be left out."""

from collections.abc import Callable, Sequence


def minimal(items: Sequence[str], fails: Callable[[tuple[str, ...]], bool]) -> tuple[str, ...]:
    """A 1-minimal failing subset: it no longer fails without any one of its items.

    Args:
        items: distinct; all of them together fail, the empty set doesn't.
        fails: whether a subset, in the order of `items`, fails. It may be called more than once
            with the same subset.

    Returns:
        The subset, in the order of `items`.

    Source: algorithm ddmin, Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing
    Input", IEEE Transactions on Software Engineering 28(2), 2002, figure 8.
    """
    found, pieces = tuple(items), 2
    while len(found) > 1:
        parts = _split(found, pieces)
        rests = [tuple(item for item in found if item not in part) for part in parts]
        # of two pieces, each is the other's rest
        smaller = next((part for part in parts if fails(part)), None)
        rest = None if smaller or pieces == 2 else next((r for r in rests if fails(r)), None)
        if smaller:
            found, pieces = smaller, 2
        elif rest:
            found, pieces = rest, max(pieces - 1, 2)
        elif pieces < len(found):
            pieces = min(2 * pieces, len(found))
        else:
            break
    return found


def _split(items: tuple[str, ...], pieces: int) -> list[tuple[str, ...]]:
    """Cut into pieces of lengths that differ by at most one."""
    ends = [len(items) * number // pieces for number in range(pieces + 1)]
    return [items[start:end] for start, end in zip(ends, ends[1:], strict=False)]
