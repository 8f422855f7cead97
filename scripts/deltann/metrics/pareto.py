"""Which cells no other one beats in both cost and gain: the Pareto frontier."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deltann.metrics.arguments import as_finite, same_shape


def pareto_frontier(costs: ArrayLike, gains: ArrayLike) -> NDArray[np.bool_]:
    """Whether each cell is on the frontier: none costs as little, gains as much, and is better.

    costs, gains: finite reals ``(cell,)``; a low cost and a high gain are good. Returns bool
    ``(cell,)``. Another cell beats one if it is at least as good in both and better in one, so
    cells that are equal in both are on the frontier together, or both not.

    Source: the maxima of a set of vectors (Kung, Luccio, Preparata, JACM 22 (1975)).
    """
    cost, gain = as_finite("costs", costs, ndim=1), as_finite("gains", gains, ndim=1)
    same_shape("costs", cost, "gains", gain)
    levels, level = np.unique(cost, return_inverse=True)
    best = np.full(len(levels), -np.inf)
    np.maximum.at(best, level, gain)
    cheaper = np.concatenate([[-np.inf], np.maximum.accumulate(best)[:-1]])
    return (gain == best[level]) & (gain > cheaper[level])
