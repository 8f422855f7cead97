"""How far two cells' logits are apart."""

from collections.abc import Mapping, Sequence

import numpy as np

from deltann.explain.tensors import difference
from deltann.tolerance import TOLERANCE


def relative(reference: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Each image's largest difference of a logit over its largest logit, float64 (image,).

    As `metrics.logit_difference`, but infinite if a logit isn't finite.
    """
    return np.array([difference(a, b).relative for a, b in zip(reference, logits, strict=True)])


def top(logits: np.ndarray) -> np.ndarray:
    """Each image's most probable class, int64 (image,)."""
    return np.argmax(logits, axis=1)


def storable(number: float) -> float | None:
    """A number for JSON: None if it isn't finite."""
    return float(number) if np.isfinite(number) else None


def compare(before: np.ndarray, after: np.ndarray) -> dict:
    """How two answers to the same images differ, JSON-able.

    Args:
        before, after: logits, float32 (image, class).

    Returns:
        `difference`, the largest relative one, None if it isn't finite; `labels_changed`, how many
        of the `images`; `differs`, whether that is more than rounding.
    """
    if before.shape != after.shape:
        return {
            "difference": None,
            "labels_changed": len(before),
            "images": len(before),
            "differs": True,
        }
    far, changed = float(relative(before, after).max()), int((top(before) != top(after)).sum())
    return {
        "difference": storable(far),
        "labels_changed": changed,
        "images": len(before),
        "differs": bool(changed or far > TOLERANCE),
    }


def images(names: Sequence[str], answers: Mapping[str, np.ndarray]) -> list[dict]:
    """A row for each image, JSON-able.

    Args:
        names: of the images.
        answers: logits, float32 (image, class), by whose they are; the native ones first.

    Returns:
        The `image`'s name; and for each of the answers its `label`, its `margin` over the second
        label, and its `difference` from the native logits.
    """
    native = next(iter(answers.values()))
    far = {who: relative(native, logits) for who, logits in answers.items()}
    rows = []
    for number, name in enumerate(names):
        row: dict = {"image": name}
        for who, logits in answers.items():
            second, first = np.sort(logits[number])[-2:]
            row[who] = {
                "label": int(top(logits)[number]),
                "margin": storable(first - second),
                "difference": storable(far[who][number]),
            }
        rows.append(row)
    return rows
