"""The sense of a config, beyond its schema: every name is known, every route leads somewhere."""

import inspect
import json
import re
from pathlib import Path

from deltann import converters, device, models, runners
from deltann.cell import NATIVE, RUNTIME, SCHEDULES, SOURCE, TARGET, TUNED
from deltann.errors import StudyError
from deltann.images import resizers
from deltann.images.collection import label_sources, list_images, read_list, scan_folder, select
from deltann.models import PRETRAINED, SEEDED, MissingFile, own
from deltann.provenance import files
from deltann.study import grid, weights
from deltann.tvm.importers import IMPORTS
from deltann.tvm.levels import LEVELS, PASSES

# In a path, Snakemake takes the one for a wildcard and the other for a variable.
PATTERN = re.compile(r"[{}]|<[a-z][a-z0-9_]*>")


def _expect(key: str, value: str, known: list[str] | tuple[str, ...], what: str) -> None:
    if value not in known:
        raise StudyError(
            f"config key {key}: unknown {what} {value!r}; expected one of {', '.join(known)}"
        )


def check(config: dict) -> None:
    """Check what a schema can't, of the config alone: not of the files that it names.

    Raises:
        StudyError: naming the key, the value, and what was expected.
    """
    _check_models(config)
    for name in config.get("edges", {}):
        _check_edge(config, name)
    _check_conversions(config)
    _check_runtimes(config)
    _check_pass_sets(config)
    for backend in config["backends"]:
        known = (NATIVE, *grid.pass_sets(config), *config.get("runtimes", {}))
        _expect("backends", backend, known, "backend or level")
    for schedule in grid.schedules(config):
        _expect("schedules", schedule, SCHEDULES, "schedule")
    _check_tuning(config)
    for name, environment in grid.compilers(config).items():
        if name == RUNTIME:
            raise StudyError(f"config key compilers: {name!r} is taken; expected another name")
        _expect(f"compilers.{name}", environment, _environments(), "environment")
    if set(config["backends"]) & set(grid.pass_sets(config)):
        _check_imports(config)
    for policy in config.get("preprocessing", []):
        _expect("preprocessing", policy, (SOURCE, TARGET), "policy")
    for resizer in config.get("resizers", []):
        _expect("resizers", resizer, resizers.names(), "resizer")
    _check_devices(config)
    if not grid.cells(config):
        raise StudyError("the config's grid has no cell; expected one at least")


def _environments() -> list[str]:
    """The pinned environments that have a TVM."""
    lists = Path("envs").glob("*.txt")
    return sorted(path.stem for path in lists if "apache-tvm==" in path.read_text("utf-8"))


def _check_pass_sets(config: dict) -> None:
    """A set of passes has a name of its own, and passes that are known."""
    for name, passes in config.get("pass_sets", {}).items():
        key = f"pass_sets.{name}"
        if name in (NATIVE, *LEVELS):
            raise StudyError(f"config key {key}: the name is taken; expected another")
        for chosen in passes:
            _expect(key, chosen, PASSES, "pass")


def _check_tuning(config: dict) -> None:
    """The schedule `tuned` has a budget."""
    if TUNED in grid.schedules(config):
        for key, missing in (
            ("tuning", "tuning" not in config),
            ("limits.tune", "tune" not in config["limits"]),
        ):
            if missing:
                raise StudyError(f"config key {key} is missing; the schedule {TUNED!r} needs it")


def check_database(config: dict) -> None:
    """The tuning database to start from is there.

    Raises:
        StudyError: as `check`.
    """
    path = config.get("tuning", {}).get("database")
    _refuse_patterns("tuning.database", [path or ""])
    if path is not None and not Path(path).is_file():
        raise StudyError(
            f"config key tuning.database: {path!r} doesn't exist; expected a database that a "
            "study left under results/<study>/tuned/"
        )


def _check_runtimes(config: dict) -> None:
    """A runtime's framework is known, and takes its settings."""
    for name, described in config.get("runtimes", {}).items():
        key = f"runtimes.{name}"
        if name in (NATIVE, *grid.pass_sets(config)):
            raise StudyError(f"config key {key}: the name is taken; expected another")
        _expect(f"{key}.framework", described["framework"], runners.frameworks(), "framework")
        known = runners.get(described["framework"]).SETTINGS
        for setting, value in described["settings"].items():
            _expect(f"{key}.settings", setting, list(known), "setting")
            if value not in known[setting]:
                choice = ", ".join(map(str, known[setting]))
                raise StudyError(
                    f"config key {key}.settings.{setting}: {value!r}; expected one of {choice}"
                )


def _check_models(config: dict) -> None:
    names = grid.names(config)
    for name in names:
        if names.count(name) > 1:
            raise StudyError(f"config key models: {name!r} is there twice; expected each name once")
        if grid.is_own(config, name):
            own.check(grid.entry(config, name))
        else:
            _expect("models", name, sorted(models.families()), "model")
        for source in grid.entry(config, name).get("sources", []):
            known = sorted(grid.sources(config, name))
            _expect(f"models (sources of {name})", source, known, "source")


def check_models(config: dict) -> None:
    """The files that models are made of are there, or can be fetched.

    Raises:
        StudyError: as `check`.
    """
    for name in filter(lambda name: grid.is_own(config, name), grid.names(config)):
        described = grid.entry(config, name)
        _refuse_patterns(f"models ({name})", own.files(described))
        own.check_file(described)
    _check_weights(config)
    weights.check(_missing(config))


def _check_weights(config: dict) -> None:
    """A file of weights is there, and is the one that is meant."""
    for model, source in _natives(config):
        described = grid.described_weights(config, model, source)
        path = Path(described["file"])
        if described["file"] in (PRETRAINED, SEEDED):
            continue
        key = f"weights.{source} (for {model})"
        _refuse_patterns(key, [str(path)])
        if not path.exists():
            raise StudyError(
                f"config key {key}: {str(path)!r} doesn't exist; expected pretrained, seeded, or "
                "the path of the weights"
            )
        if "sha256" in described and (path.is_dir() or files.sha256(path) != described["sha256"]):
            raise StudyError(
                f"config key {key}: {str(path)!r} has another digest; expected "
                f"{described['sha256']}"
            )


def _natives(config: dict) -> list[tuple[str, str]]:
    """The models of the study, each with the frameworks that it comes from."""
    return [(model, source) for model in grid.names(config) for source in grid.taken(config, model)]


def _missing(config: dict) -> list[MissingFile]:
    """The published weights that the study needs and no cache holds."""
    return [
        file
        for model, source in _natives(config)
        if not grid.is_own(config, model) and grid.weights(config, model, source) == PRETRAINED
        for file in models.family(model).missing(model, source)
    ]


def _check_edge(config: dict, name: str) -> None:
    """An edge's converter is known, and takes its settings."""
    edge = grid.edge(config, name)
    key = f"edges.{name}"
    if edge.converter == name:
        _expect(key, name, converters.names(), "converter")
    else:
        _expect(f"{key}.converter", edge.converter, converters.names(), "converter")
    known = list(inspect.signature(converters.get(edge.converter).convert).parameters)[2:]
    for setting in config["edges"][name]:
        if setting != "converter":
            _expect(key, setting, known, "setting")
    check_settings = getattr(converters.get(edge.converter), "check", None)
    if check_settings:
        try:
            check_settings(**json.loads(edge.settings))
        except ValueError as error:
            raise StudyError(f"config key {key}: {error}") from error


def _check_conversions(config: dict) -> None:
    offered = {source for name in grid.names(config) for source in grid.sources(config, name)}
    for source, targets in config["conversions"].items():
        _expect("conversions", source, runners.frameworks(), "framework")
        _expect("conversions (for these models)", source, sorted(offered), "source")
        for target, routes in targets.items():
            key = f"conversions.{source}.{target}"
            _expect(key, target, runners.frameworks(), "framework")
            for route in routes:
                end = _walk(config, key, source, route)
                if end != target:
                    raise StudyError(f"config key {key}: the route {route} ends in {end}; no route")


def _check_imports(config: dict) -> None:
    for target in config["tvm_imports"]:
        _expect("tvm_imports", target, runners.frameworks(), "framework")
    for target in {target for targets in config["conversions"].values() for target in targets}:
        key = f"tvm_imports.{target}"
        if target not in config["tvm_imports"]:
            raise StudyError(f"config key {key} is missing: how does {target} reach TVM?")
        for route in config["tvm_imports"][target]:
            _expect(key, _walk(config, key, target, route), IMPORTS, "end of a route into TVM")


def _walk(config: dict, key: str, start: str, route: list[str]) -> str:
    """The framework where a route from `start` ends."""
    here = start
    for name in route:
        if name not in config.get("edges", {}):
            _expect(key, name, [*converters.names(), *config.get("edges", {})], "edge")
        edge = grid.edge(config, name)
        if edge.source != here:
            raise StudyError(
                f"config key {key}: converter {name!r} takes {edge.source}, and the route is at "
                f"{here}; no route"
            )
        here = edge.target
    return here


def _check_devices(config: dict) -> None:
    for name, described in config["devices"].items():
        device.check(name, described)
        if TUNED in grid.schedules(config) and not device.is_processor(described):
            raise StudyError(
                f"config key schedules: {TUNED!r} measures kernels on this machine's processor, "
                f"which devices.{name} isn't; expected a study without one of the two"
            )
    native = any(described["native"] for described in config["devices"].values())
    if NATIVE in config["backends"] and not native:
        raise StudyError("config key devices: backend native needs a device with native: true")


def check_images(config: dict) -> None:
    """What is known of the images before any job: all of a folder, of others the list of names.

    Raises:
        StudyError: as `check`.
    """
    subset = config["images"].get("subset", {})
    if "list" in subset:
        _refuse_patterns("images.subset.list", [subset["list"]])
        read_list(Path(subset["list"]))
    if "folder" in config["images"]:
        _check_folder(config, Path(config["images"]["folder"]), subset)


def _refuse_patterns(key: str, names: list[str]) -> None:
    for name in names:
        if PATTERN.search(name):
            raise StudyError(
                f"{key}: {name!r} has a brace or a <word>, which Snakemake would replace by "
                "something else; expected a name without"
            )


def _check_folder(config: dict, folder: Path, subset: dict) -> None:
    collection = scan_folder(folder)
    names = list_images(collection)
    selected = select(names, subset, collection.where)
    sources = label_sources(collection, names)
    _refuse_patterns("images.folder", [str(folder), *selected])
    empty = [name for name in selected if not (folder / name).stat().st_size]
    if empty:
        raise StudyError(f"images.folder: empty image file: {folder / empty[0]}")
    labels = {name: sources[name] for name in selected if isinstance(sources.get(name), int)}
    for model in grid.names(config):
        for how in grid.sources(config, model).values():
            wrong = [name for name, label in labels.items() if label >= how.classes]
            if wrong:
                raise StudyError(
                    f"{collection.where}: the label of {wrong[0]!r} is {labels[wrong[0]]}; "
                    f"expected one of model {model}'s classes, 0 to {how.classes - 1}"
                )
