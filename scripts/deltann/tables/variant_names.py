"""Short names of a study's variants: what tells its cells apart, and nothing that doesn't."""

import pandas as pd

from deltann.cell import COMPILATION, NO_IMPORT, UNCONVERTED

PAIR = ["model", "source", "target"]
# How a cell's images were prepared: a figure has a panel for each where a study has several.
PREPARATION = ["preprocessing", "resizer"]
ACROSS = 20
WORDS = {"importer": "import", "compiler": "compiler", "schedule": "schedule"}


class Variants:
    """Names of targets that say the route, the importer and so on where there are several.

    A route is said where a source and target have several, by the edges that they don't share; an
    importer, a compiler and a schedule where a route has several.

    Args:
        table: with the columns model, source, target, route, and importer where it matters.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self._routes = _short_routes(table) if "route" in table else {}
        self._several = {}
        for name in COMPILATION:
            if name in table:
                compiled = table[table["importer"] != NO_IMPORT]
                counts = compiled.groupby([*PAIR, "route"])[name].nunique()
                self._several[name] = set(counts.index[counts > 1])

    def route(self, row: pd.Series) -> str:
        """The edges that tell a row's route from the others of its pair; empty if it is alone."""
        return self._routes.get((row["source"], row["target"], row.get("route", "")), "")

    def details(self, row: pd.Series) -> list[str]:
        """What a row's variant is told from the others by, beside its target."""
        found = [self.route(row)]
        file = tuple(row.get(name, "") for name in (*PAIR, "route"))
        for name, files in self._several.items():
            if file in files and row["importer"] != NO_IMPORT:
                found.append(f"{WORDS[name]}: {row[name]}")
        return [item for item in found if item]

    def line(self, row: pd.Series) -> str:
        """The variant on one line, for a table."""
        details = self.details(row)
        return row["target"] + (f" ({', '.join(details)})" if details else "")

    def lines(self, row: pd.Series) -> str:
        """The variant on one line per detail, for a figure's axis."""
        details = [line for item in self.details(row) for line in wrapped(item)]
        return "\n".join([row["target"], *details])


def wrapped(route: str) -> list[str]:
    """A route on lines of at most ACROSS letters, broken between edges."""
    lines = [""]
    for edge in route.split(" + "):
        longer = f"{lines[-1]} + {edge}" if lines[-1] else edge
        if lines[-1] and len(longer) > ACROSS:
            lines.append(f"+ {edge}")
        else:
            lines[-1] = longer
    return lines


def _short_routes(table: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    """Per (source, target, route), the edges that tell it from the pair's other routes."""
    found = {}
    for (source, target), group in table.groupby(["source", "target"], sort=False):
        routes = list(dict.fromkeys(group["route"]))
        if len(routes) > 1:
            for route, short in zip(routes, _distinct(routes), strict=True):
                found[source, target, route] = "" if route == UNCONVERTED else short
    return found


def _distinct(routes: list[str]) -> list[str]:
    edges = [route.split("+") for route in routes]
    for end in (0, -1):
        while min(map(len, edges)) > 1 and len({names[end] for names in edges}) == 1:
            edges = [names[1:] if end == 0 else names[:-1] for names in edges]
    return [" + ".join(names) for names in edges]


def by(table: pd.DataFrame, columns: list[str]) -> list[tuple[dict[str, str], pd.DataFrame]]:
    """The table's groups of equal values in these columns, in the order of their appearance."""
    groups = table.groupby(columns, sort=False)
    return [(dict(zip(columns, values, strict=True)), rows) for values, rows in groups]


def title(table: pd.DataFrame, held: dict[str, str]) -> str:
    """A panel's title: the model and source, and what else the table has several of."""
    start = held["model"] + (f" from {held['source']}" if "source" in held else "")
    return ", ".join([start, *preparation(table, held)])


def preparation(table: pd.DataFrame, held: dict[str, str]) -> list[str]:
    """Device, preprocessing and resizer of a panel, those that the table has several of."""
    words = {
        "device": "on {}",
        "preprocessing": "{}'s preprocessing",
        "resizer": "{} resize",
    }
    return [
        text.format(held[name])
        for name, text in words.items()
        if name in held and table[name].nunique() > 1
    ]
