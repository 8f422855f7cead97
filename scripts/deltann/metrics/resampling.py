"""Bootstrap resamples of images, drawn once and shared by every cell.

A resample is stored as the number of times each image is in it. Its sums are then one matrix
product, and its median lies at known ranks of the sorted values, so thousands of cells cost little
more than one. (`scipy.stats.bootstrap` draws anew for every cell.)
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# Numbers unpacked at a time (32 MB), however many images there are.
BATCH = 4_000_000


@lru_cache(maxsize=2)
def counts(n: int, seed: int, resamples: int) -> NDArray[np.uint8]:
    """How often each of n images is in each resample of n draws: uint8 ``(resamples, n)``."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros((resamples, n), np.uint8)
    for row in drawn:
        row += np.bincount(rng.integers(0, n, n), minlength=n).astype(np.uint8)
    drawn.flags.writeable = False
    return drawn


def totals(values: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    """Sums of the columns of values ``(image, k)`` over each resample: ``(resamples, k)``."""
    drawn = counts(len(values), seed, resamples)
    step = _rows(len(values))
    parts = [drawn[start : start + step] @ values for start in range(0, resamples, step)]
    return np.concatenate(parts)


def medians(values: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    """Median of values ``(image,)`` over each resample: ``(resamples,)``.

    The values are sorted first: a resample of ranks is as likely as the same one of images.
    """
    return np.sort(values)[_middles(values.size, seed, resamples)].mean(axis=1)


@lru_cache(maxsize=2)
def _middles(n: int, seed: int, resamples: int) -> NDArray[np.intp]:
    """Ranks of each resample's lower and upper middle among n sorted values: ``(resamples, 2)``."""
    drawn = counts(n, seed, resamples)
    step = _rows(n)
    ranks = []
    for start in range(0, resamples, step):
        reached = drawn[start : start + step].cumsum(axis=1, dtype=np.int32)
        middles = (n - 1) // 2, n // 2
        ranks.append(np.stack([(reached > middle).argmax(axis=1) for middle in middles], axis=1))
    return np.concatenate(ranks)


def _rows(n: int) -> int:
    return max(1, BATCH // n)
