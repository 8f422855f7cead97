"""What the numbers of a float32 array were rounded to before they became float32."""

from collections.abc import Collection, Iterator

import numpy as np

from deltann.precision import BFLOAT16, BYTES, FLOAT16, FLOAT32

# The largest number of steps from 0 to a channel's largest value. Most are one of the first four.
STEPS = (127, 128, 255, 254, *range(126, 0, -1), *range(253, 128, -1))
# How far from a whole number of steps a value may be: 255 of them in float32 are right to 3e-5.
NEAR = 1e-3
FEW = 16


def rounded_to(values: np.ndarray, kinds: Collection[str]) -> str:
    """The type that weights were rounded to.

    Args:
        values: float32 weights, in any layout.
        kinds: the types to look for, of `int8`, `uint8`, `float16` and `bfloat16`.

    Returns:
        The first of these whose numbers they are; otherwise `float32`. For 8 bits, each channel is
        a whole number of steps of its own size, whatever axis is that of the channels.
    """
    if FLOAT16 in kinds and _same(values, values.astype(np.float16)):
        return FLOAT16
    if BFLOAT16 in kinds and not np.any(values.view(np.uint32) & 0xFFFF):
        return BFLOAT16
    few_bits = [kind for kind in BYTES if kind in kinds]
    if few_bits and any(_on_grid(rows[:FEW]) and _on_grid(rows) for rows in _channels(values)):
        return few_bits[0]
    return FLOAT32


def _same(values: np.ndarray, rounded: np.ndarray) -> bool:
    return np.array_equal(values, rounded.astype(np.float32))


def _channels(values: np.ndarray) -> Iterator[np.ndarray]:
    """The values as one row per channel, for each axis that may be that of the channels.

    Packed weights have two: the first is of blocks of channels, the last of those in a block.
    """
    axes = [(axis,) for axis in range(values.ndim)]
    for chosen in [(0, -1), *axes] if values.ndim > 2 else axes:
        moved = np.moveaxis(values, chosen, tuple(range(len(chosen))))
        yield moved.reshape(np.prod(moved.shape[: len(chosen)], dtype=int), -1)


def _on_grid(rows: np.ndarray) -> bool:
    """Whether each row has values that are whole numbers of steps, up to 255 from 0."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    rows, largest = rows[largest[:, 0] > 0], largest[largest[:, 0] > 0]
    for steps in STEPS:
        if not rows.size:
            break
        number = rows[:, :FEW] / largest * steps
        found = (np.abs(number - np.round(number)) < NEAR).all(axis=1)
        number = rows[found] / largest[found] * steps
        found[found] = (np.abs(number - np.round(number)) < NEAR).all(axis=1)
        rows, largest = rows[~found], largest[~found]
    return not rows.size
