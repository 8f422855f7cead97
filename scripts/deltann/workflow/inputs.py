"""What jobs read, by the wildcards of their rules: cells, model files, tuning databases."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from deltann import device
from deltann.cell import NAMES, TUNED, UNCONVERTED, Cell
from deltann.study import layout, model_sources, routes
from deltann.study.routes import Step


def cell_of(wildcards: Mapping[str, str]) -> Cell:
    """The cell that wildcards name."""
    return Cell(*(wildcards[name] for name in NAMES))


def imported(config: dict, wildcards: Mapping[str, str]) -> Step:
    """The model file that TVM imports."""
    names = ("model", "source", "route", "importer")
    return routes.import_step(config, *(wildcards[name] for name in names))


def model_file(config: dict, cell: Cell) -> str:
    """The file that a cell's runner loads: the library, or the model file of its framework."""
    if cell.compiled:
        return layout.compiled().format(level=cell.backend, **asdict(cell))
    return routes.native_step(config, cell).path


def export_record(config: dict, cell: Cell) -> str:
    """The record of the export of a cell's model."""
    return layout.record(routes.step(config, cell.model, cell.source, UNCONVERTED).path)


def tuning_database(wildcards: Mapping[str, str]) -> str | None:
    """The tuning database that a compilation reads; None for a schedule that isn't tuned."""
    if wildcards["schedule"] != TUNED:
        return None
    return layout.tuned().format_map(wildcards)


def class_names_file(config: dict) -> list[str]:
    """The file with the names of the study's classes, if they have any."""
    names = model_sources.study_class_names(config)
    return [names["file"]] if names else []


def class_names_option(config: dict) -> list[str]:
    """The option of a script that reads `class_names_file`."""
    names = model_sources.study_class_names(config)
    return [f"--class-names={json.dumps(names, sort_keys=True)}"] if names else []


def class_names_origin(config: dict) -> list[str]:
    """The option that says where the names of the study's classes are, if they have any.

    The config's names come before published ones.
    """
    published = model_sources.published_class_names(config)
    return class_names_option(config) or ([f"--published={published}"] if published else [])


def database_files(study: str, wildcards: Mapping[str, str]) -> dict[str, str]:
    """The tuning database and its record, as inputs by name; none for other schedules."""
    path = tuning_database(wildcards)
    if path is None:
        return {}
    return {
        "database": f"{study}/{path}",
        "database_record": f"{study}/{layout.record(path)}",
    }


def database_options(study: str, wildcards: Mapping[str, str]) -> list[str]:
    """The options of a script that reads `database_files`."""
    files = database_files(study, wildcards)
    return [word for name, path in files.items() for word in (f"--{name.replace('_', '-')}", path)]


def tvm_target(config: dict, name: str) -> str:
    """A device's TVM target, JSON."""
    return json.dumps(config["devices"][name]["target"], sort_keys=True)


def device_placement(config: dict, name: str) -> str:
    """Where a device is and how it is reached, JSON."""
    return json.dumps(device.placement(config, name), sort_keys=True)
