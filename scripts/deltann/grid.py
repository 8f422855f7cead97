"""The config as a grid: its sense checked, its cells listed, and where each one's files lie."""

import inspect
import re
from dataclasses import dataclass
from pathlib import Path

from deltann import converters, models, runners
from deltann.cell import Cell
from deltann.errors import StudyError
from deltann.folder import list_images, read_labels
from deltann.importers import IMPORTS
from deltann.levels import LEVELS

NATIVE = "native"
EXPORT = "export"


def _expect(key: str, value: str, known: list[str] | tuple[str, ...], what: str) -> None:
    if value not in known:
        raise StudyError(
            f"config key {key}: unknown {what} {value!r}; expected one of {', '.join(known)}"
        )


def check(config: dict) -> None:
    """Check what a schema can't: every name is known, every route leads where it says.

    Raises:
        StudyError: naming the key, the value, and what was expected.
    """
    for model in config["models"]:
        _expect("models", model, sorted(models.families()), "model")
    for source, targets in config["conversions"].items():
        _expect("conversions", source, runners.frameworks(), "framework")
        for model in config["models"]:
            _expect(f"conversions (for {model})", source, _sources(model), "source")
        for target, route in targets.items():
            key = f"conversions.{source}.{target}"
            _expect(key, target, runners.frameworks(), "framework")
            end = _walk(key, source, route)
            if end != target:
                raise StudyError(f"config key {key}: the route {route} ends in {end}; no route")
    for backend in config["backends"]:
        _expect("backends", backend, (NATIVE, *LEVELS), "backend or level")
    if set(config["backends"]) & set(LEVELS):
        _check_imports(config)
    for name, settings in config.get("converters", {}).items():
        _expect("converters", name, converters.names(), "converter")
        known = list(inspect.signature(converters.get(name).convert).parameters)[2:]
        for setting in settings:
            _expect(f"converters.{name}", setting, known, "setting")
    _check_devices(config)
    if "folder" in config["images"]:
        folder = Path(config["images"]["folder"])
        names = list_images(folder)
        for name in [config["images"]["folder"], *names]:
            if set("{}") & set(name):
                raise StudyError(
                    f"images.folder: {name!r} has a brace, which Snakemake takes for a wildcard; "
                    "expected a name without"
                )
        empty = [name for name in names if not (folder / name).stat().st_size]
        if empty:
            raise StudyError(f"images.folder: empty image file: {folder / empty[0]}")
        read_labels(folder, names)


def _sources(model: str) -> tuple[str, ...]:
    return models.family(model).SOURCES


def _check_imports(config: dict) -> None:
    for target in config["tvm_imports"]:
        _expect("tvm_imports", target, runners.frameworks(), "framework")
    for target in {target for targets in config["conversions"].values() for target in targets}:
        key = f"tvm_imports.{target}"
        if target not in config["tvm_imports"]:
            raise StudyError(f"config key {key} is missing: how does {target} reach TVM?")
        end = _walk(key, target, config["tvm_imports"][target])
        _expect(key, end, IMPORTS, "end of the route into TVM")


def _check_devices(config: dict) -> None:
    from deltann.compile import check_target

    for name, device in config["devices"].items():
        try:
            check_target(device["target"])
        except ValueError as error:
            raise StudyError(f"config key devices.{name}.target: {error}") from error
    native = any(device["native"] for device in config["devices"].values())
    if NATIVE in config["backends"] and not native:
        raise StudyError("config key devices: backend native needs a device with native: true")


def _walk(key: str, start: str, route: list[str]) -> str:
    """The framework where a route from `start` ends."""
    here = start
    for name in route:
        _expect(key, name, converters.names(), "converter")
        edge = converters.get(name)
        if edge.SOURCE != here:
            raise StudyError(
                f"config key {key}: converter {name!r} takes {edge.SOURCE}, and the route is at "
                f"{here}; no route"
            )
        here = edge.TARGET
    return here


def cells(config: dict) -> list[Cell]:
    """Every cell of the grid, in the config's order."""
    return [
        Cell(model, source, target, backend, device)
        for model in config["models"]
        for source, targets in config["conversions"].items()
        for target in targets
        for backend in config["backends"]
        for device, entry in config["devices"].items()
        if backend != NATIVE or entry["native"]
    ]


@dataclass(frozen=True)
class Step:
    """A model file on its way: the model, its source, and the converters it has passed."""

    model: str
    source: str
    route: tuple[str, ...]

    @property
    def framework(self) -> str:
        """The framework whose format the file has."""
        return converters.get(self.route[-1]).TARGET if self.route else self.source

    @property
    def environment(self) -> str:
        """The environment that makes the file."""
        if self.route:
            return converters.get(self.route[-1]).ENVIRONMENT
        return models.family(self.model).ENVIRONMENT

    @property
    def before(self) -> "Step":
        """The file that the last converter reads."""
        return Step(self.model, self.source, self.route[:-1])

    @property
    def stem(self) -> str:
        """The path under the study's folder, without the suffix."""
        return f"models/{self.model}/{self.source}/{'+'.join(self.route) or EXPORT}"

    @property
    def path(self) -> str:
        """The path under the study's folder."""
        return self.stem + runners.get(self.framework).SUFFIX

    @classmethod
    def parse(cls, model: str, source: str, slug: str) -> "Step":
        """The step whose stem ends in `slug`."""
        return cls(model, source, () if slug == EXPORT else tuple(slug.split("+")))


def native_step(config: dict, cell: Cell) -> Step:
    """The model file that a cell's native runtime loads."""
    return Step(cell.model, cell.source, tuple(config["conversions"][cell.source][cell.target]))


def import_step(config: dict, cell: Cell) -> Step:
    """The model file that a cell's compilation imports."""
    route = native_step(config, cell).route + tuple(config["tvm_imports"][cell.target])
    return Step(cell.model, cell.source, route)


def runner(cell: Cell) -> str:
    """The name of the runner of a cell."""
    return cell.target if cell.backend == NATIVE else runners.COMPILER


def model_module(model: str) -> str:
    """The dotted name of the module that has a model."""
    return models.family(model).__name__


def alternatives(names: list[str] | tuple[str, ...]) -> str:
    """A regular expression that matches exactly these names, as a wildcard constraint."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
