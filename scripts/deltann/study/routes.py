"""Routes through the converters: an edge is one conversion, a step is the model file after some."""

import json
from dataclasses import dataclass, replace

from deltann import converters, runners
from deltann.cell import DIRECT, UNCONVERTED, Cell
from deltann.study import layout

# The name of an edge without a converter: the file before it, repaired by the rule `repair`.
REPAIRED = "repaired"


@dataclass(frozen=True)
class Edge:
    """A conversion with its settings (JSON), under the name that the config gives it.

    `REPAIRED` is one too, but has no converter, and so no source, target and environment.
    """

    name: str
    converter: str
    settings: str

    @property
    def source(self) -> str:
        """The framework whose files it reads."""
        return converters.get(self.converter).SOURCE

    @property
    def target(self) -> str:
        """The framework whose files it writes."""
        return converters.get(self.converter).TARGET

    @property
    def environment(self) -> str:
        """The environment that it runs in."""
        return converters.get(self.converter).ENVIRONMENT


@dataclass(frozen=True)
class Step:
    """A model file on its route: the model, its source, and the edges behind it."""

    model: str
    source: str
    edges: tuple[Edge, ...]

    @property
    def framework(self) -> str:
        """The framework whose format the file has."""
        converted = [edge for edge in self.edges if edge.name != REPAIRED]
        return converted[-1].target if converted else self.source

    @property
    def before(self) -> "Step":
        """The file that the last converter reads."""
        return replace(self, edges=self.edges[:-1])

    @property
    def path(self) -> str:
        """The path under the study's folder."""
        route = slug([edge.name for edge in self.edges], UNCONVERTED)
        return layout.model_file(self.model, self.source, route, runners.get(self.framework).SUFFIX)


def edge(config: dict, name: str) -> Edge:
    """The edge of this name in the config, or the converter of this name with its defaults."""
    settings = dict(config["edges"].get(name, {}))
    converter = settings.pop("converter", name)
    return Edge(name, converter, json.dumps(settings, sort_keys=True))


def slug(route: list[str], empty: str) -> str:
    """A route as one word: its edges joined by `+`, or `empty` for no edge."""
    return "+".join(route) or empty


def step(config: dict, model: str, source: str, route: str) -> Step:
    """The model file at the end of a route, which is a `slug`."""
    names = [] if route == UNCONVERTED else route.split("+")
    return Step(model, source, tuple(edge(config, name) for name in names))


def native_step(config: dict, cell: Cell) -> Step:
    """The model file that a cell's native runtime loads."""
    return step(config, cell.model, cell.source, cell.route)


def import_step(config: dict, model: str, source: str, route: str, importer: str) -> Step:
    """The model file that TVM imports: the arguments are names of a cell."""
    converted = step(config, model, source, route)
    if importer == DIRECT:
        return converted
    return replace(converted, edges=converted.edges + step(config, model, source, importer).edges)
