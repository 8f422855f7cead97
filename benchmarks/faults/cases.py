"""What a case and its truth consist of, without any framework."""

import hashlib
import json
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np

from deltann.steps import Operator, Tracer

# A change of the answers counts if it is so many times what rounding does to the clean file.
FLOORS = 10
# What rounding does at least, as a share of the largest logit; and to a tensor in the middle.
LEAST, LEAST_INSIDE = 1e-6, 1e-5
LABEL, TENSOR, EQUIVALENT = "label", "tensor", "equivalent"


def scrambled(key: str) -> str:
    """A case's name, that says nothing of it."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def shaped(image: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """An image (1, 3, height, width) in the order in which a model takes it."""
    return image if image.shape == tuple(shape) else image.transpose(0, 2, 3, 1).copy()


def answers(tracer: Tracer, images: np.ndarray) -> np.ndarray:
    """A model's logits: (image, class), float64."""
    rows = []
    for image in images:
        taken = shaped(image[None], tracer.input_shape)
        rows.append(np.ravel(tracer.run(taken, [tracer.output])[tracer.output]))
    return np.stack(rows).astype(np.float64)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference as a share of the largest number; infinite for other shapes."""
    if one.shape != other.shape:
        return float("inf")
    largest = float(np.abs(other).max()) or 1.0
    difference = float(np.abs(one.astype(np.float64) - other).max()) / largest
    return difference if np.isfinite(difference) else float("inf")


def classify(exact: np.ndarray, clean: np.ndarray, given: np.ndarray, own: float) -> dict[str, Any]:
    """The class of a changed file.

    Args:
        exact: the source's logits in float64, (image, class).
        clean: those of the file before the change.
        given: those of the changed file.
        own: how far tensors of the changed operators are from the clean file's, as a share.

    Returns:
        `class`, what it was decided by, and the images whose label changes.
    """
    floor = FLOORS * max(apart(clean, exact), LEAST)
    change = apart(given, clean)
    labels = np.flatnonzero(given.argmax(1) != clean.argmax(1)) if change < np.inf else []
    beyond = change > floor
    if beyond and len(labels):
        found = LABEL
    else:
        found = TENSOR if beyond or own > LEAST_INSIDE else EQUIVALENT
    return {
        "class": found,
        "floor": floor,
        "change": min(change, 1e30),
        "own": min(own, 1e30),
        "labels": [int(image) for image in labels] if beyond else [],
    }


def matched(before: list[Operator], after: list[Operator]) -> dict[str, str]:
    """The operators of a file that are still there in a changed copy: the old name to the new.

    Names can't tell, since some formats number their operators and tensors: by their order, and
    by what they are.
    """
    if len(before) == len(after):
        return {old.name: new.name for old, new in zip(before, after, strict=True)}
    keys = [[_key(item) for item in side] for side in (before, after)]
    found = {}
    for what, low, high, start, end in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        olds, news = before[low:high], after[start:end]
        if what == "equal":
            found |= {old.name: new.name for old, new in zip(olds, news, strict=True)}
        for old in olds if what == "replace" else []:
            same = [new for new in news if new.native == old.native]
            if same:
                found[old.name] = same[0].name
                news = news[news.index(same[0]) + 1 :]
    return found


def _key(item: Operator) -> str:
    """What an operator is, in one word: its kind, attributes and parameters."""
    digest = hashlib.sha256(f"{item.native} {sorted(item.attributes.items())}".encode())
    for name, value in sorted(item.parameters.items()):
        digest.update(f"{name} {value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def write_json(path: Path, content: Any) -> None:
    """Write a file that is there as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(content, indent=1, default=_number), encoding="utf-8")
    unfinished.replace(path)


def _number(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


class LeftOut:
    """The changes that a format can't express, or that leave a file that doesn't run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content = json.loads(path.read_text("utf-8")) if path.exists() else {}

    def __contains__(self, key: str) -> bool:
        return key in self.content

    def add(self, name: str, key: str, error: Exception) -> None:
        """Note one, with its reason."""
        why = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        self.content[key] = {"mutation": name, "why": why}
        write_json(self.path, self.content)

    def remove(self, key: str) -> None:
        """Forget one: it was made."""
        del self.content[key]
        write_json(self.path, self.content)
