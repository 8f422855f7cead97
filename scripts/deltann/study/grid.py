"""The config as a grid: its cells, and how each one runs."""

import json
import re
from dataclasses import asdict
from itertools import product

from deltann import runners
from deltann.cell import COMPILATION, DIRECT, NATIVE, NATIVE_RUN, UNCONVERTED, Cell
from deltann.images.geometry import Geometry
from deltann.images.preprocessing import Preprocessing
from deltann.study import layout, preparations
from deltann.study.model_sources import model_names, selected_sources
from deltann.study.routes import slug
from deltann.tvm.levels import LEVELS


def cells(config: dict) -> list[Cell]:
    """Every cell of the grid, in the config's order."""
    return [
        cell
        for model in model_names(config)
        for source in selected_sources(config, model)
        for target, routes in config["conversions"][source].items()
        for route in routes
        for cell in _cells_of_file(config, model, source, target, slug(route, UNCONVERTED))
    ]


def _cells_of_file(config: dict, model: str, source: str, target: str, route: str) -> list[Cell]:
    """The cells of one model file, converted or not."""
    names = preparations.names(config, model, source, target)
    inputs = list(product(names, config["resizers"]))
    runs = [
        (*variant, backend, device)
        for backend in config["backends"]
        for variant in compile_variants(config, target, backend)
        for device, described in config["devices"].items()
        if backend in pass_sets(config)
        or (described["native"] and runners.runs_on(target, described["target"]["kind"]))
    ]
    return [Cell(model, source, target, route, *of, *run) for of, run in product(inputs, runs)]


def compile_variants(config: dict, target: str, backend: str) -> list[tuple[str, ...]]:
    """The importers, compilers and schedules by which a backend runs a target's files.

    Returns:
        One (importer, compiler, schedule) each; none if the backend can't run the target.
    """
    if backend in pass_sets(config):
        imports = [slug(route, DIRECT) for route in config["tvm_imports"][target]]
        return list(product(imports, config["compilers"], config["schedules"]))
    if backend != NATIVE and config["runtimes"][backend]["framework"] != target:
        return []
    return [tuple(NATIVE_RUN[name] for name in COMPILATION)]


def pass_sets(config: dict) -> dict[str, tuple[str, ...]]:
    """The graph passes that each of TVM's backends switches on: the levels, and the config's."""
    return LEVELS | {name: tuple(passes) for name, passes in config["pass_sets"].items()}


def preprocessing(config: dict, cell: Cell) -> Preprocessing:
    """How a cell's images are prepared and normalised."""
    return preparations.described(config, cell.model, cell.source, cell.target, cell.preprocessing)


def geometry(preprocessing: Preprocessing) -> Geometry:
    """The part of a preprocessing that decides on the pixels."""
    return Geometry(preprocessing.resize, preprocessing.crop, preprocessing.interpolation)


def prepared_images(config: dict, cell: Cell) -> str:
    """The path, under the study's folder, of the prepared images that a cell sees."""
    return layout.prepared(geometry(preprocessing(config, cell)), cell.resizer)


def to_json(preprocessing: Preprocessing) -> str:
    """A preprocessing as the programs take it."""
    return json.dumps(asdict(preprocessing), sort_keys=True)


def runner(config: dict, cell: Cell) -> str:
    """The name of the runner of a cell."""
    if not cell.compiled:
        return cell.target
    return runners.REMOTE if "rpc" in config["devices"][cell.device] else runners.COMPILED


def environment(config: dict, cell: Cell) -> str:
    """The environment that a cell runs in."""
    if cell.compiled:
        return config["compilers"][cell.compiler]
    return runners.get(cell.target).ENVIRONMENT


def settings(config: dict, cell: Cell) -> str:
    """The settings of a cell's runtime, JSON."""
    defaults = cell.compiled or cell.backend == NATIVE
    return json.dumps(
        {} if defaults else config["runtimes"][cell.backend]["settings"], sort_keys=True
    )


def alternatives(names: list[str] | tuple[str, ...]) -> str:
    """A regular expression that matches exactly these names, as a wildcard constraint."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
