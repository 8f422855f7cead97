"""Short names of a study's variants: only what tells its cells apart."""

from collections.abc import Iterable

import pandas as pd

from deltann.cell import COMPILATION, NO_IMPORT, UNCONVERTED
from deltann.images import conventions

PAIR = ["model", "source", "target"]
# The preparation of a cell's images. A figure has a panel for each one.
PREPARATION = ["preprocessing", "resizer"]
LINE = 20  # letters
TERMS = {"importer": "import", "compiler": "compiler", "schedule": "schedule"}


class Variants:
    """Names of targets, with route, importer, compiler or schedule if there are several.

    If a source and target have several routes, the name has the edges that not all of them have: a
    model that was quantized after its conversion is `onnx (ort_static)`, and the other one `onnx`.
    If a route has several importers, compilers or schedules, the name has these.

    Args:
        table: has the columns model, source, target and route; and, if cells are compiled,
            importer, compiler and schedule.
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
        """The edges that tell a row's route from the others of its pair; empty for a plain one."""
        return self._routes.get((row["source"], row["target"], row.get("route", "")), "")

    def details(self, row: pd.Series) -> list[str]:
        """What tells a row's variant from others with the same target."""
        details = [self.route(row)]
        file = tuple(row.get(name, "") for name in (*PAIR, "route"))
        for name, files in self._several.items():
            if file in files and row["importer"] != NO_IMPORT:
                details.append(f"{TERMS[name]}: {row[name]}")
        return [item for item in details if item]

    def line(self, row: pd.Series) -> str:
        """The variant's name on one line, for a table."""
        details = self.details(row)
        return row["target"] + (f" ({', '.join(details)})" if details else "")

    def lines(self, row: pd.Series) -> str:
        """The variant's name with one line per detail, for a figure's axis."""
        details = [line for item in self.details(row) for line in wrapped(item)]
        return "\n".join([row["target"], *details])


def wrapped(route: str, letters: int = LINE) -> list[str]:
    """A route on lines of at most so many letters, broken between edges."""
    lines = [""]
    for edge in route.split(" + "):
        longer = f"{lines[-1]} + {edge}" if lines[-1] else edge
        if lines[-1] and len(longer) > letters:
            lines.append(f"+ {edge}")
        else:
            lines[-1] = longer
    return lines


def _short_routes(table: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    """Per (source, target, route), the edges that not all of the pair's routes have."""
    return {
        (source, target, route): short
        for (source, target), group in table.groupby(["source", "target"], sort=False)
        for route, short in _distinct(list(dict.fromkeys(group["route"]))).items()
    }


def _distinct(routes: list[str]) -> dict[str, str]:
    """Routes without the edges that all of them start or end with; empty for a plain one."""
    edges = [[] if route == UNCONVERTED else route.split("+") for route in routes]
    first = in_common(edges)
    edges = [names[first:] for names in edges]
    last = in_common(names[::-1] for names in edges)
    short = [" + ".join(names[: len(names) - last]) for names in edges]
    return dict(zip(routes, short, strict=True))


def in_common(routes: Iterable[list[str]]) -> int:
    """How many edges these routes share from their start."""
    alike = [len(set(edges)) == 1 for edges in zip(*routes, strict=False)]
    return [*alike, False].index(False)


def groups(table: pd.DataFrame, columns: list[str]) -> list[tuple[dict[str, str], pd.DataFrame]]:
    """The table's groups of equal values in these columns, in the order of their appearance."""
    groups = table.groupby(columns, sort=False)
    return [(dict(zip(columns, values, strict=True)), rows) for values, rows in groups]


def title(table: pd.DataFrame, shared: dict[str, str]) -> str:
    """A panel's title: the model, the source, and the preparation if there are several."""
    start = shared["model"] + (f" from {shared['source']}" if "source" in shared else "")
    return ", ".join([start, *preparation(table, shared)])


def preparation(table: pd.DataFrame, shared: dict[str, str]) -> list[str]:
    """A panel's device, preprocessing and resizer, each only if the table has several."""
    texts = {
        "device": "on {}".format,
        "preprocessing": lambda name: conventions.in_words(name).removeprefix("the "),
        "resizer": "{} resize".format,
    }
    return [
        text(shared[name])
        for name, text in texts.items()
        if name in shared and table[name].nunique() > 1
    ]
