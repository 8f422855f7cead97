"""Short names of a study's variants: what tells its cells apart, and nothing that doesn't."""

import pandas as pd

from deltann.cell import DIRECT, NO_IMPORT, SOURCE, UNCONVERTED

PAIR = ["model", "source", "target"]


class Variants:
    """Names of targets that say route, preprocessing, resizer and importer where it takes that.

    A route is said where a source and target have several, by the edges that they don't share; an
    importer where a route has several; preprocessing and resizer where the study has several.

    Args:
        table: with the columns model, source, target, and any of the others' names.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self._routes = _short_routes(table) if "route" in table else {}
        self._several = [
            name for name in ("preprocessing", "resizer") if name in table and _several(table[name])
        ]
        if {"importer", "route"} <= set(table.columns):
            compiled = table[table["importer"] != NO_IMPORT]
            counts = compiled.groupby([*PAIR, "route"])["importer"].nunique()
            if (counts > 1).any():
                self._several.append("importer")

    def route(self, row: pd.Series) -> str:
        """The edges that tell a row's route from the others of its pair; empty if it is alone."""
        return self._routes.get((row["source"], row["target"], row.get("route", "")), "")

    def details(self, row: pd.Series) -> list[str]:
        """What a row's variant is told from the others by, beside its target."""
        found = [self.route(row)]
        words = {
            "preprocessing": lambda name: f"{name}'s preprocessing" if name != SOURCE else "",
            "resizer": lambda name: f"{name} resize",
            "importer": lambda name: {NO_IMPORT: "", DIRECT: "direct"}.get(name, f"via {name}"),
        }
        found += [words[name](row[name]) for name in self._several]
        return [item for item in found if item]

    def line(self, row: pd.Series) -> str:
        """The variant on one line, for a table."""
        details = self.details(row)
        return row["target"] + (f" ({', '.join(details)})" if details else "")

    def lines(self, row: pd.Series) -> str:
        """The variant on one line per detail, for a figure's axis."""
        return "\n".join([row["target"], *self.details(row)])


def _several(names: pd.Series) -> bool:
    return names.nunique() > 1


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
    words = {
        "source": "from {}",
        "device": "on {}",
        "preprocessing": "{}'s preprocessing",
        "resizer": "{} resize",
    }
    found = [held["model"]]
    for name, text in words.items():
        if name in held and (name == "source" or _several(table[name])):
            found.append(text.format(held[name]))
    return " ".join(found[:2]) + "".join(f", {item}" for item in found[2:])
