"""Words by which the parts of two segments are paired."""

import numpy as np

from deltann.localise.canonical import WEIGHTED, Part

# The cosine of weights that are the same but for a fault in some of them.
ALIKE = 0.7


def tokens(one: list[Part], other: list[Part]) -> tuple[list[str], list[str]]:
    """A word for each part, by which the parts of two segments are paired.

    Parts of one kind have the same word, but layers with the same weights have one of their own.
    """
    words = [part.kind for part in one], [part.kind for part in other]
    left = [number for number, part in enumerate(one) if part.kind in WEIGHTED]
    for number, target in enumerate(other):
        weight = target.parameters.get("weight")
        if target.kind not in WEIGHTED or weight is None:
            continue
        for item in left:
            own = one[item].parameters.get("weight")
            if own is not None and own.shape == weight.shape and _alike(own, weight):
                words[0][item] = words[1][number] = f"{target.kind} {number}"
                left.remove(item)
                break
    return words


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    a, b = one.ravel(), other.ravel()
    return float(a @ b) > ALIKE * float(np.sqrt((a @ a) * (b @ b)))
