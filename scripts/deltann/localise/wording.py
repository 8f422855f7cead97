"""Parts and their attributes in words."""

from typing import Any

import numpy as np

from deltann.localise.canonical import Part


def named(part: Part) -> str:
    """A part by its kind and its numbers."""
    shown = {key: value for key, value in part.attributes.items() if key in ("min", "max", "slope")}
    inside = ", ".join(f"{key} {text(value)}" for key, value in shown.items())
    return part.kind + (f" ({inside})" if inside else "")


def text(value: Any) -> str:
    """An attribute's value for people."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(text(item) for item in value) + "]"
    return "none" if value is None else str(value)


def summary(value: np.ndarray | None) -> Any:
    """A parameter as JSON can hold it: a number, or shape and largest absolute value."""
    if value is None:
        return None
    if value.size == 1:
        return float(value.ravel()[0])
    return {"shape": list(value.shape), "largest": float(np.abs(value).max(initial=0))}
