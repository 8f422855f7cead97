"""What a repaired file has otherwise than the file that the converter wrote."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from deltann.steps import Operator

# Files that share fewer of their operators' names than this aren't compared operator by operator.
SHARED = 0.5
# Rows; the rest is counted.
MOST = 40


def between(before: Sequence[Operator], after: Sequence[Operator]) -> list[dict]:
    """The operators that differ between two files, by name.

    Args:
        before: of the converter's own file.
        after: of the repaired file.

    Returns:
        Rows with `operator`, `native`, `what`, `before`, `after`, all text.
    """
    old, new = ({item.name: item for item in items} for items in (before, after))
    if len({*old} & {*new}) < SHARED * max(len(old), len(new), 1):
        return _by_kind(before, after)
    rows = []
    for name, operator in new.items():
        rows += [_row(operator, "added", "", operator.kind)] if name not in old else []
        rows += _changed(old[name], operator) if name in old else []
    rows += [
        _row(item, "taken out", item.kind, "") for name, item in old.items() if name not in new
    ]
    left = len(rows) - MOST
    more = [{"operator": f"and {left} more", "native": "", "what": "", "before": "", "after": ""}]
    return rows[:MOST] + (more if left > 0 else [])


def _by_kind(before: Sequence[Operator], after: Sequence[Operator]) -> list[dict]:
    """How many operators of each kind there are, where the numbers differ."""
    kinds = sorted({item.native for item in [*before, *after]})
    counts = [[sum(item.native == kind for item in items) for items in (before, after)]
              for kind in kinds]  # fmt: skip
    return [
        {
            "operator": f"all {kind}",
            "native": kind,
            "what": "number of operators",
            "before": str(one),
            "after": str(other),
        }
        for kind, (one, other) in zip(kinds, counts, strict=True)
        if one != other
    ]


def _changed(old: Operator, new: Operator) -> list[dict]:
    rows = []
    if old.native != new.native:
        rows.append(_row(new, "kind", old.native, new.native))
    if old.inputs != new.inputs:
        rows.append(_row(new, "inputs", ", ".join(old.inputs), ", ".join(new.inputs)))
    for name in sorted({*old.attributes, *new.attributes}):
        one, other = old.attributes.get(name), new.attributes.get(name)
        if one != other:
            rows.append(_row(new, name, _text(one), _text(other)))
    for name in sorted({*old.parameters, *new.parameters}):
        values = old.parameters.get(name), new.parameters.get(name)
        if not _equal(*values):
            rows.append(_row(new, name, *_numbers(*values)))
    return rows


def _equal(one: "np.ndarray | None", other: "np.ndarray | None") -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f" == other.dtype.kind)


def _numbers(one: "np.ndarray | None", other: "np.ndarray | None") -> tuple[str, str]:
    """Two parameters in words."""
    if one is None or other is None or one.shape != other.shape:
        return _shape(one), _shape(other)
    changed = int((one != other).sum())
    far = float(np.abs(one.astype(np.float64) - other).max())
    return _shape(one), f"{changed} of {one.size} numbers differ, by up to {far:.3g}"


def _shape(values: "np.ndarray | None") -> str:
    if values is None:
        return "none"
    return f"{' x '.join(map(str, values.shape)) or 1} numbers"


def _row(operator: Operator, what: str, before: str, after: str) -> dict:
    return {
        "operator": operator.name,
        "native": operator.native,
        "what": what,
        "before": before,
        "after": after,
    }


def _text(value: Any) -> str:
    return "none" if value is None else str(value)
