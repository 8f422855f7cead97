"""Texts of the summary: cells, routes, counts and shares."""

import pandas as pd

from deltann.cell import NAMES, NATIVE, RULES, RUNTIME, UNCONVERTED
from deltann.tables.comparisons import image_names

# So many items are named; the tables have all of them.
NAMED = 5
# How libraries write their own names.
LIBRARIES = {"opencv": "OpenCV", "pillow": "Pillow", "tensorflow": "TensorFlow"}


def library(name: str) -> str:
    """A resizer's library, as it writes its own name."""
    return LIBRARIES.get(name, name)


def count(number: int, word: str) -> str:
    """A number of things: 1 image, 2 images."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def some(names: list[str], separator: str = ", ", most: int = NAMED) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + more


def cell(row: pd.Series) -> str:
    """A cell's names, as its files' path has them."""
    return "/".join(row[name] for name in NAMES)


def route(row: pd.Series) -> str:
    """A model with its source, target and route."""
    if row["route"] == UNCONVERTED:
        return f"{row['model']} of {row['source']}"
    return f"{row['model']} from {row['source']} to {row['target']} by {row['route']}"


def runs(row: pd.Series) -> str:
    """The backend and device of a cell."""
    if row["backend"] == NATIVE:
        return f"its own runtime on {row['device']}"
    if row["schedule"] == RUNTIME:
        return f"{row['backend']} on {row['device']}"
    more = "" if row["schedule"] == RULES else f", schedule {row['schedule']},"
    return f"TVM {row['backend']}{more} on {row['device']}"


def share(row: pd.Series) -> str:
    """How many images differ, with the interval and the images' names."""
    images = image_names(row["differing_images"])
    return (
        f"{int(row['differing'])} of {count(int(row['n']), 'image')}, "
        f"{row['dissimilarity_percent']:.1f} % (95 % interval {row['low']:.1f} to "
        f"{row['high']:.1f} %): {some(images)}"
    )
