"""The sense of a config, beyond its schema: every name is known, every route leads somewhere."""

import json
from pathlib import Path

from deltann import converters, device, models, runners
from deltann.cell import NATIVE, RUNTIME, SCHEDULES, TUNED
from deltann.errors import StudyError, check_known, did_you_mean
from deltann.images import conventions, resizers
from deltann.images.collection import CALIBRATION
from deltann.models import SEEDED, user_model
from deltann.study import grid, image_places, model_sources, operators, routes
from deltann.study.routes import REPAIRED
from deltann.study.schema import TYPES
from deltann.tvm.importers import IMPORTS
from deltann.tvm.levels import KNOWN, LEVELS

# The types of a converter's settings, by the annotation of its argument.
SETTING_TYPES = {int: "integer", bool: "boolean", str: "string", float: "number"}


def check(config: dict) -> None:
    """Check what the schema can't, of the config alone: `file_checks` has the files it names.

    Raises:
        StudyError: naming the key, the value, and what was expected.
    """
    _check_models(config)
    _check_weights(config)
    for name in config["edges"]:
        _check_edge(config, name)
    _check_conversions(config)
    _check_runtimes(config)
    _check_pass_sets(config)
    _check_lists(config)
    _check_tuning(config)
    _check_compilers(config)
    if set(config["backends"]) & set(grid.pass_sets(config)):
        _check_imports(config)
    _check_calibration(config)
    _check_devices(config)
    operators.check(config)
    if not grid.cells(config):
        raise StudyError(
            "the config has no cell; expected a backend that runs one of its targets on one of its "
            "devices"
        )


def _check_models(config: dict) -> None:
    names = model_sources.model_names(config)
    for name in names:
        if names.count(name) > 1:
            raise StudyError(f"config key models: {name!r} is there twice; expected each name once")
        if model_sources.is_user_model(config, name):
            user_model.check(model_sources.entry(config, name))
        else:
            check_known("models", name, sorted(models.families()), "model")
        for source in model_sources.entry(config, name).get("sources", []):
            known = sorted(model_sources.sources(config, name))
            check_known(f"models.{name}.sources", source, known, "source")


def _check_weights(config: dict) -> None:
    """Weights that are given by source are given for a known one."""
    if isinstance(config["weights"], dict):
        for source in config["weights"]:
            check_known(f"weights.{source}", source, runners.frameworks(), "framework")
    for name in model_sources.model_names(config):
        of_model = model_sources.entry(config, name).get("weights")
        by_source = of_model if isinstance(of_model, dict) else {}
        for source in by_source:
            known = sorted(model_sources.sources(config, name))
            check_known(f"models.{name}.weights.{source}", source, known, "source")
        if SEEDED in (of_model, *by_source.values()) and model_sources.is_user_model(config, name):
            raise StudyError(
                f"config key models.{name}.weights: {of_model!r}; expected the path of a file with "
                "weights for the model's code, or no such key: only known models can be seeded"
            )


def _check_edge(config: dict, name: str) -> None:
    """An edge's converter is known, and takes its settings."""
    edge = routes.edge(config, name)
    key = f"edges.{name}"
    if name == routes.REPAIRED:
        raise StudyError(
            f"config key {key}: the name stands for a repaired file, which has no settings; "
            "expected another name"
        )
    if edge.converter == name:
        check_known(key, name, converters.names(), "converter")
    else:
        check_known(f"{key}.converter", edge.converter, converters.names(), "converter")
    converter, known = converters.get(edge.converter), converters.settings(edge.converter)
    for setting, value in json.loads(edge.settings).items():
        check_known(f"{key}.{setting}", setting, known, "setting")
        expected = known[setting].annotation
        if expected in SETTING_TYPES and type(value) is not expected:
            raise StudyError(
                f"config key {key}.{setting}: {value!r}; expected "
                f"{TYPES[SETTING_TYPES[expected]]}, as {known[setting].default!r}"
            )
    try:
        converter.check(**json.loads(edge.settings))
    except ValueError as error:
        raise StudyError(f"config key {key}: {error}") from error


def _check_conversions(config: dict) -> None:
    names = model_sources.model_names(config)
    offered = {source for name in names for source in model_sources.sources(config, name)}
    for source, targets in config["conversions"].items():
        key = f"conversions.{source}"
        check_known(key, source, runners.frameworks(), "framework")
        if source not in offered:
            raise StudyError(
                f"config key {key}: no model of this study comes from {source!r}; expected one of "
                f"{', '.join(sorted(offered))}"
            )
        for target, ways in targets.items():
            key = f"conversions.{source}.{target}"
            check_known(key, target, runners.frameworks(), "framework")
            for route in ways:
                _check_repaired(config, key, source, route)
                end = _end(config, key, source, [name for name in route if name != REPAIRED])
                if end != target:
                    raise StudyError(
                        f"config key {key}: the route {route} ends in {end}; expected one that "
                        f"ends in {target}"
                    )


def _check_repaired(config: dict, key: str, source: str, route: list[str]) -> None:
    """What is to be repaired is a route of the study too."""
    for number in (number for number, name in enumerate(route) if name == REPAIRED):
        before = route[:number]
        routes_known = [way for ways in config["conversions"][source].values() for way in ways]
        if not before or before not in routes_known:
            raise StudyError(
                f"config key {key}: in the route {route}, {REPAIRED} stands for the repaired file "
                f"of the route {before}; expected that route, of at least one edge, among those "
                "of the study too"
            )


def _check_imports(config: dict) -> None:
    for target in config["tvm_imports"]:
        check_known(f"tvm_imports.{target}", target, runners.frameworks(), "framework")
    for target in {target for targets in config["conversions"].values() for target in targets}:
        key = f"tvm_imports.{target}"
        if target not in config["tvm_imports"]:
            raise StudyError(
                f"config key {key} is missing; expected the routes from {target} to a format that "
                f"TVM imports ({', '.join(IMPORTS)}), or [] to leave its files uncompiled"
            )
        for route in config["tvm_imports"][target]:
            end = _end(config, key, target, route)
            if end not in IMPORTS:
                raise StudyError(
                    f"config key {key}: the route {route} ends in {end}; expected one that ends in "
                    f"{' or '.join(IMPORTS)}"
                )


def _end(config: dict, key: str, start: str, route: list[str]) -> str:
    """The framework where a route from `start` ends."""
    framework = start
    for name in route:
        if name not in config["edges"]:
            check_known(key, name, [*converters.names(), *config["edges"]], "edge")
        edge = routes.edge(config, name)
        if edge.source != framework:
            raise StudyError(
                f"config key {key}: edge {name!r} takes {edge.source}, and the route {route} is at "
                f"{framework} there; expected an edge that takes {framework}"
            )
        framework = edge.target
    return framework


def _check_runtimes(config: dict) -> None:
    """A runtime's framework is known, and takes its settings."""
    for name, described in config["runtimes"].items():
        key = f"runtimes.{name}"
        if name in (NATIVE, *grid.pass_sets(config)):
            raise StudyError(f"config key {key}: the name is taken; expected another")
        check_known(f"{key}.framework", described["framework"], runners.frameworks(), "framework")
        known = runners.get(described["framework"]).SETTINGS
        for setting, value in described["settings"].items():
            check_known(f"{key}.settings.{setting}", setting, known, "setting")
            if value not in known[setting] or type(value) is not type(known[setting][0]):
                raise StudyError(
                    f"config key {key}.settings.{setting}: {value!r}; expected one of "
                    f"{', '.join(map(str, known[setting]))}{did_you_mean(value, known[setting])}"
                )


def _check_pass_sets(config: dict) -> None:
    """A set of passes has a name of its own, and passes that are known."""
    for name, passes in config["pass_sets"].items():
        if name in (NATIVE, *LEVELS):
            raise StudyError(f"config key pass_sets.{name}: the name is taken; expected another")
        for item in passes:
            check_known(f"pass_sets.{name}", item, KNOWN, "pass")


def _check_lists(config: dict) -> None:
    """Every entry of a list of names is known."""
    backends = (NATIVE, *grid.pass_sets(config), *config["runtimes"])
    for key, known, what in (
        ("backends", backends, "backend or level"),
        ("schedules", SCHEDULES, "schedule"),
        ("preprocessing", conventions.PREPROCESSINGS, "preprocessing"),
        ("resizers", resizers.names(), "resizer"),
    ):
        for name in config[key]:
            check_known(key, name, known, what)


def _check_calibration(config: dict) -> None:
    """There are images for edges that calibrate."""
    names = image_places.calibrated_edges(config)
    if names and CALIBRATION not in config:
        raise StudyError(
            f"config key {CALIBRATION} is missing; expected the images that {', '.join(names)}"
            " calibrate on, as in config/config.yaml"
        )


def _check_tuning(config: dict) -> None:
    """The schedule `tuned` has a budget and limits."""
    if TUNED not in config["schedules"]:
        return
    for key, above in (("tuning", config), ("limits.tune", config["limits"])):
        if key.rpartition(".")[2] not in above:
            raise StudyError(
                f"config key {key} is missing; expected it beside the schedule {TUNED!r}"
            )


def _check_compilers(config: dict) -> None:
    lists = Path("envs").glob("*.txt")
    known = sorted(path.stem for path in lists if "apache-tvm==" in path.read_text("utf-8"))
    for name, environment in config["compilers"].items():
        if name == RUNTIME:
            raise StudyError(f"config key compilers.{name}: the name is taken; expected another")
        check_known(f"compilers.{name}", environment, known, "environment with a TVM")


def _check_devices(config: dict) -> None:
    for name, described in config["devices"].items():
        device.check(name, described)
        if TUNED in config["schedules"] and not device.is_processor(described):
            raise StudyError(
                f"config key schedules: {TUNED!r} measures kernels on this machine's processor, "
                f"which devices.{name} isn't; expected a study without one of the two"
            )
    native = any(described["native"] for described in config["devices"].values())
    if NATIVE in config["backends"] and not native:
        raise StudyError("config key devices: backend native needs a device with native: true")
