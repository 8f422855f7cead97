"""The config as a grid: its models, its cells, and where each one's files lie."""

import json
import re
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from types import ModuleType

from deltann import converters, models, runners
from deltann.cell import COMPILATION, DIRECT, NATIVE, NATIVE_RUN, RULES, SOURCE, UNCONVERTED, Cell
from deltann.images import resizers
from deltann.images.geometry import Geometry
from deltann.images.preprocessing import Preprocessing
from deltann.models import PRETRAINED, SEEDED, own
from deltann.study import layout
from deltann.tvm.levels import LEVELS


@dataclass(frozen=True)
class Edge:
    """A conversion with its settings (JSON), under the name that the config gives it."""

    name: str
    converter: str
    settings: str

    @property
    def source(self) -> str:
        """The framework it reads."""
        return converters.get(self.converter).SOURCE

    @property
    def target(self) -> str:
        """The framework it writes."""
        return converters.get(self.converter).TARGET

    @property
    def environment(self) -> str:
        """The environment it runs in."""
        return converters.get(self.converter).ENVIRONMENT


def edge(config: dict, name: str) -> Edge:
    """The edge of a name: the config's, or the converter of that name with its defaults."""
    settings = dict(config.get("edges", {}).get(name, {}))
    converter = settings.pop("converter", name)
    return Edge(name, converter, json.dumps(settings, sort_keys=True))


@dataclass(frozen=True)
class Step:
    """A model file on its way: the model, its source, and the edges it has passed."""

    model: str
    source: str
    edges: tuple[Edge, ...]

    @property
    def framework(self) -> str:
        """The framework whose format the file has."""
        return self.edges[-1].target if self.edges else self.source

    @property
    def before(self) -> "Step":
        """The file that the last converter reads."""
        return replace(self, edges=self.edges[:-1])

    @property
    def slug(self) -> str:
        """The route as one word."""
        return "+".join(item.name for item in self.edges) or UNCONVERTED

    @property
    def path(self) -> str:
        """The path under the study's folder."""
        suffix = runners.get(self.framework).SUFFIX
        return layout.model_file(self.model, self.source, self.slug, suffix)


def step(config: dict, model: str, source: str, slug: str) -> Step:
    """The step whose route is `slug`."""
    names = [] if slug == UNCONVERTED else slug.split("+")
    return Step(model, source, tuple(edge(config, name) for name in names))


def entry(config: dict, model: str) -> dict:
    """A model's entry in the config, a bare name made one."""
    for item in config["models"]:
        found = {"name": item} if isinstance(item, str) else item
        if found["name"] == model:
            return found
    raise KeyError(model)


def names(config: dict) -> list[str]:
    """The models' names."""
    return [item if isinstance(item, str) else item["name"] for item in config["models"]]


def is_own(config: dict, model: str) -> bool:
    """Whether the config describes the model itself, and no family has it."""
    return "classes" in entry(config, model)


def weights(config: dict, model: str, source: str) -> str:
    """`pretrained`, `seeded`, or the path of a file."""
    return described_weights(config, model, source)["file"]


def described_weights(config: dict, model: str, source: str) -> dict[str, str]:
    """`file`, which may also be `pretrained` or `seeded`, and the file's `sha256` if declared."""
    chosen = entry(config, model).get("weights", config.get("weights", PRETRAINED))
    mine = chosen.get(source, PRETRAINED) if isinstance(chosen, dict) else chosen
    return mine if isinstance(mine, dict) else {"file": mine}


def seeded(config: dict) -> list[str]:
    """The models of the study with seeded weights, from one source at least."""
    return [
        model
        for model in names(config)
        if SEEDED in {weights(config, model, source) for source in taken(config, model)}
    ]


def sources(config: dict, model: str) -> dict[str, Preprocessing]:
    """The frameworks that a model can come from, each with its preprocessing."""
    if is_own(config, model):
        described = entry(config, model)
        return {described["source"]: own.preprocessing(described)}
    return models.family(model).MODELS[model]


def taken(config: dict, model: str) -> list[str]:
    """The sources that the study takes a model from: of those it converts, the model's choice."""
    known = sources(config, model)
    chosen = entry(config, model).get("sources", known)
    return [source for source in config["conversions"] if source in known and source in chosen]


def cells(config: dict) -> list[Cell]:
    """Every cell of the grid, in the config's order."""
    return [
        cell
        for model in names(config)
        for source in taken(config, model)
        for target, routes in config["conversions"][source].items()
        for route in routes
        for cell in _cells(config, model, source, target, _slug(route, UNCONVERTED))
    ]


def _cells(config: dict, model: str, source: str, target: str, route: str) -> list[Cell]:
    """The cells of one converted model."""
    policies = [
        policy
        for policy in config.get("preprocessing", [SOURCE])
        if policy == SOURCE or (target != source and target in sources(config, model))
    ]
    inputs = list(product(policies, config.get("resizers", [resizers.DEFAULT])))
    runs = [
        (*way, backend, device)
        for backend in config["backends"]
        for way in _ways(config, target, backend)
        for device, described in config["devices"].items()
        if backend in pass_sets(config)
        or (described["native"] and runners.runs_on(target, described["target"]["kind"]))
    ]
    return [Cell(model, source, target, route, *how, *run) for how, run in product(inputs, runs)]


def _ways(config: dict, target: str, backend: str) -> list[tuple[str, ...]]:
    """How a backend runs a target's files: importer, compiler and schedule; none where it can't."""
    if backend in pass_sets(config):
        imports = [_slug(route, DIRECT) for route in config["tvm_imports"][target]]
        return [*product(imports, compilers(config), schedules(config))]
    if backend != NATIVE and runtime(config, backend)["framework"] != target:
        return []
    return [tuple(NATIVE_RUN[name] for name in COMPILATION)]


def pass_sets(config: dict) -> dict[str, tuple[str, ...]]:
    """The graph passes that each of TVM's backends switches on: the levels', and the config's."""
    return LEVELS | {name: tuple(chosen) for name, chosen in config.get("pass_sets", {}).items()}


def compilers(config: dict) -> dict[str, str]:
    """The environment of each TVM, by its name."""
    return config.get("compilers", {"tvm": "tvm"})


def schedules(config: dict) -> list[str]:
    """Where compiled kernels come from."""
    return config.get("schedules", [RULES])


def runtime(config: dict, backend: str) -> dict:
    """A runtime's framework and its settings, by the backend's name in the config."""
    return config["runtimes"][backend]


def _slug(route: list[str], empty: str) -> str:
    return "+".join(route) or empty


def native_step(config: dict, cell: Cell) -> Step:
    """The model file that a cell's native runtime loads."""
    return step(config, cell.model, cell.source, cell.route)


def import_step(config: dict, model: str, source: str, route: str, importer: str) -> Step:
    """The model file that TVM imports, by the names of a cell."""
    converted = step(config, model, source, route)
    if importer == DIRECT:
        return converted
    return replace(converted, edges=converted.edges + step(config, model, source, importer).edges)


def preprocessing(config: dict, cell: Cell) -> Preprocessing:
    """How a cell's images are prepared and normalised.

    The model's own size and classes, whatever the policy: its input can't be another.
    """
    of = sources(config, cell.model)
    own = of[cell.source]
    if cell.preprocessing == SOURCE:
        return own
    other = of[cell.target]
    resize = None if other.resize is None else round(other.resize * own.crop / other.crop)
    return replace(
        other, crop=own.crop, resize=resize, classes=own.classes, background=own.background
    )


def geometry(how: Preprocessing) -> Geometry:
    """The part of a preprocessing that decides on the pixels."""
    return Geometry(how.resize, how.crop, how.interpolation)


def inputs(config: dict, cell: Cell) -> str:
    """The path, under the study's folder, of the prepared images that a cell sees."""
    return layout.prepared(geometry(preprocessing(config, cell)), cell.resizer)


def to_json(how: Preprocessing) -> str:
    """A preprocessing as the programs take it."""
    return json.dumps(asdict(how), sort_keys=True)


def runner(config: dict, cell: Cell) -> str:
    """The name of the runner of a cell."""
    if not cell.compiled:
        return cell.target
    return runners.REMOTE if "rpc" in config["devices"][cell.device] else runners.COMPILED


def environment(config: dict, cell: Cell) -> str:
    """The environment that a cell runs in."""
    if cell.compiled:
        return compilers(config)[cell.compiler]
    return runners.get(cell.target).ENVIRONMENT


def settings(config: dict, cell: Cell) -> str:
    """The settings of a cell's runtime, JSON."""
    known = cell.compiled or cell.backend == NATIVE
    chosen = {} if known else runtime(config, cell.backend)["settings"]
    return json.dumps(chosen, sort_keys=True)


def export_request(config: dict, model: str, source: str) -> str:
    """What an export program is told, JSON: the model, its weights and its preprocessing."""
    request = {
        "model": model,
        "source": source,
        "weights": weights(config, model, source),
        "preprocessing": asdict(sources(config, model)[source]),
    }
    if is_own(config, model):
        request["own"] = entry(config, model)
    return json.dumps(request, sort_keys=True)


def export_files(config: dict, model: str, source: str) -> dict[str, str | list[str]]:
    """The user's files that an export reads: a change of theirs is a change of the model."""
    found: dict[str, str | list[str]] = {}
    if weights(config, model, source) not in (PRETRAINED, SEEDED):
        found["weights"] = _files_of(weights(config, model, source))
    if is_own(config, model):
        found["own"] = [
            name for path in own.files(entry(config, model)) for name in _files_of(path)
        ]
    return found


def _files_of(path: str) -> list[str]:
    """A file, or what a folder holds."""
    if Path(path).is_dir():
        return sorted(str(item) for item in Path(path).rglob("*") if item.is_file())
    return [path]


def export_environment(config: dict, model: str, source: str) -> str:
    """The environment that a model's native file is made in."""
    return model_module(config, model).ENVIRONMENTS[source]


def model_module(config: dict, model: str) -> ModuleType:
    """The module that has a model."""
    return own if is_own(config, model) else models.family(model)


def alternatives(words: list[str] | tuple[str, ...]) -> str:
    """A regular expression that matches exactly these words, as a wildcard constraint."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
