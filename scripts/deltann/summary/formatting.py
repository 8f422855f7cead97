"""Texts of the summary: cells, routes, counts and shares."""

import numpy as np
import pandas as pd

from deltann.summary.names import CELL, FILE
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


def digits(value: float) -> str:
    """A number in three digits and without an exponent, as times in milliseconds are read."""
    return np.format_float_positional(value, precision=3, fractional=False, trim="-", unique=False)


def some(names: list[str], separator: str = ", ", most: int = NAMED) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + more


def clipped(text: str, longest: int) -> str:
    """A text of at most so many characters, cut between words."""
    if len(text) <= longest:
        return text
    return f"{text[: longest - 2].rsplit(' ', 1)[0].rstrip(' ,;:(')} …"


def cell(row: pd.Series) -> str:
    """The readable name of a cell, of a table with names."""
    return row[CELL]


def route(row: pd.Series) -> str:
    """The readable name of a model file, of a table with names."""
    return row[FILE]


def share(row: pd.Series) -> str:
    """How many images differ, with the interval and the images' names."""
    images = image_names(row["differing_images"])
    return (
        f"{int(row['differing'])} of {count(int(row['n']), 'image')}, "
        f"{row['dissimilarity_percent']:.1f} % (95 % interval {row['percent_low']:.1f} to "
        f"{row['percent_high']:.1f} %): {some(images)}"
    )
