"""The study's figures: each draws one table and computes nothing.

One module per figure, which `deltann.registry` finds.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from deltann import registry

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# In a figure's PNG, the text chunk that says how many pixels high its first page is.
FIRST_PAGE = "first page"


class FigureModule(Protocol):
    """A module in `deltann/figures/` that is a figure.

    Attributes:
        TABLE: the name of the table that it draws.
        TITLE: what the report lists it by.
        CAPTION: what the report says of the figure.

    `NEEDS` is as of a table, whose condition a figure has if it sets none.
    """

    TABLE: str
    TITLE: str
    CAPTION: str

    def draw(self, table: "pd.DataFrame") -> "Iterator[Figure]":
        """The figure's pages, one at a time: each is written and closed before the next."""


def get(name: str) -> FigureModule:
    """The module of a figure, a key of `registry.figures()`."""
    return import_module(registry.figures()[name].module)
