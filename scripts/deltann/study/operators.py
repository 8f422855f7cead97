"""The plan of a sweep over operators: which bundles of models there are, and who answers with them.

A config with the key `operators` is such a study. It has no cells; see `deltann.operators`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from deltann import converters, runners
from deltann.cell import NATIVE, UNCONVERTED
from deltann.errors import StudyError, check_known
from deltann.study import grid, layout, routes
from deltann.study.routes import Edge
from deltann.tvm.importers import IMPORTS

KEY = "operators"
# What the numbers of a route are rounded to, by its converters; float32 for all others. Converters
# that calibrate write 8 bits.
FLOAT32, FLOAT16, INT8 = "float32", "float16", "int8"
LOWERING = {
    "onnx_float16": FLOAT16,
    "tflite_float16": FLOAT16,
    "ort_dynamic": INT8,
    "tflite_dynamic": INT8,
    "torch_int8_dynamic": INT8,
    "keras_quantize": INT8,
    "ai_edge_weights": INT8,
}
# Converters from channels-first to channels-last frameworks: they say that they move the channels
# of inputs and outputs.
MOVING = ("onnx2tf", "onnx2keras")


@dataclass(frozen=True)
class Way:
    """The models of a source after some edges, and the backends that answer with them."""

    source: str
    edges: tuple[Edge, ...]
    backends: tuple[str, ...] = ()

    @property
    def framework(self) -> str:
        """The framework whose format the models have."""
        return self.edges[-1].target if self.edges else self.source

    @property
    def slug(self) -> str:
        """The route as one word."""
        return routes.slug([edge.name for edge in self.edges], UNCONVERTED)

    @property
    def precision(self) -> str:
        """What the route's numbers are rounded to."""
        found = {
            INT8 if converters.calibrates(edge.converter) else LOWERING.get(edge.converter, FLOAT32)
            for edge in self.edges
        }
        return next((kind for kind in (INT8, FLOAT16) if kind in found), FLOAT32)

    @property
    def moves(self) -> bool:
        """Whether its converters may move the channels of an answer."""
        return any(edge.converter in MOVING for edge in self.edges)


def ways(config: dict) -> Iterator[Way]:
    """The config's ways, in its order."""
    for source, entries in config[KEY]["routes"].items():
        for entry in entries:
            edges = tuple(routes.edge(config, name) for name in entry["route"])
            yield Way(source, edges, tuple(entry["backends"]))


def way(config: dict, source: str, route: str) -> Way:
    """The way of a source and a route's slug, which may be the start of one in the config."""
    return Way(source, routes.step(config, "", source, route).edges)


def environment(config: dict, source: str, route: str) -> str:
    """Where a bundle is made."""
    edges = way(config, source, route).edges
    if edges:
        return edges[-1].environment
    return runners.get(source).ENVIRONMENT


def backend(config: dict, framework: str, name: str) -> dict:
    """What `deltann.operators.steps.answer` takes, and the `environment`."""
    passes = grid.pass_sets(config)
    if name in passes:
        given: dict = {"framework": framework, "passes": list(passes[name])}
        chosen = {"task": "compiled", "environment": runners.get(runners.COMPILED).ENVIRONMENT}
        return {"name": name, "arguments": given} | chosen
    settings = {} if name == NATIVE else config["runtimes"][name]["settings"]
    given = {"framework": framework, "settings": settings}
    chosen = {"task": "answer", "environment": runners.get(framework).ENVIRONMENT}
    return {"name": name, "arguments": given} | chosen


def answers(config: dict) -> list[str]:
    """The paths of all answers, under the study's folder."""
    return [
        layout.operator_answers(way.source, way.slug, name)
        for way in ways(config)
        for name in way.backends
    ]


def described(config: dict) -> str:
    """All ways as the matrix takes them, JSON."""
    return json.dumps(
        [
            {
                "source": way.source,
                "route": [edge.name for edge in way.edges],
                "framework": way.framework,
                "precision": way.precision,
                "moves": way.moves,
                "backends": list(way.backends),
            }
            for way in ways(config)
        ]
    )


def check(config: dict) -> None:
    """Check what the schema can't.

    Raises:
        StudyError: naming the key, the value, and what was expected.
    """
    for source, entries in config.get(KEY, {}).get("routes", {}).items():
        for number, entry in enumerate(entries):
            key = f"{KEY}.routes.{source}[{number}]"
            end = _end(config, f"{key}.route", source, entry["route"])
            for name in entry["backends"]:
                _check_backend(config, f"{key}.backends", end, name)


def _end(config: dict, key: str, source: str, route: list[str]) -> str:
    """The framework in which a route ends."""
    at = source
    for name in route:
        edge = routes.edge(config, name)
        check_known(key, edge.converter, converters.names(), "converter")
        if edge.source != at:
            raise StudyError(
                f"config key {key}: {name!r} takes {edge.source}; expected one that takes {at},"
                " where the route is then"
            )
        at = edge.target
    return at


def _check_backend(config: dict, key: str, framework: str, name: str) -> None:
    passes, named = grid.pass_sets(config), config["runtimes"]
    check_known(key, name, (NATIVE, *passes, *named), "backend or level")
    if name in passes and framework not in IMPORTS:
        raise StudyError(
            f"config key {key}: {name!r} with models of {framework}; expected a route that ends in"
            f" {', '.join(IMPORTS)}"
        )
    if name in named and named[name]["framework"] != framework:
        raise StudyError(
            f"config key {key}: {name!r} runs models of {named[name]['framework']}; expected a"
            f" runtime of {framework}"
        )
