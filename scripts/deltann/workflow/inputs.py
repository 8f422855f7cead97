"""What jobs read, by the wildcards of their rules: cells, model files, tuning databases."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from snakemake.exceptions import WorkflowError

from deltann import device
from deltann.cell import NAMES, TUNED, UNCONVERTED, Cell
from deltann.study import layout, model_sources, routes
from deltann.study.reference import References
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


class Explained:
    """The cells that can be explained: those that TVM compiled for this machine's processor.

    Args:
        config: the study's.
        cells: all cells of the study, in its order.
    """

    def __init__(self, config: dict, cells: list[Cell]):
        self._config = config
        self._cells = cells

    def cell(self, wildcards: Mapping[str, str]) -> Cell:
        """The cell that wildcards name.

        Raises:
            WorkflowError: the study has no such cell, or it can't be explained.
        """
        named = cell_of(wildcards)
        if named not in self._cells:
            listed = f"{layout.study(self._config['study'])}/{layout.CELLS}"
            raise WorkflowError(f"{named} is not a cell of this study; {listed} lists them")
        if not named.compiled:
            raise WorkflowError(
                f"{named} is run by its framework's own runtime and has no passes to explain;"
                " expected a cell that TVM compiled"
            )
        if not device.is_processor(self._config["devices"][named.device]):
            raise WorkflowError(
                f"{named}: tensors are compared on this machine's processor, which device"
                f" {named.device} isn't; expected a cell of another device"
            )
        return named

    def native(self, wildcards: Mapping[str, str]) -> Cell:
        """The native cell that the cell is compared with.

        Raises:
            WorkflowError: see `cell`, or the study has no such native cell.
        """
        named = self.cell(wildcards)
        native = References(self._cells).of_model(named)
        if native is None:
            raise WorkflowError(
                f"{named} has no native cell in this study to be compared with: add native to"
                f" backends, and the empty route from {named.source} to {named.source}"
            )
        return native

    def model_file(self, wildcards: Mapping[str, str]) -> str:
        """The model file that the cell's compilation imports.

        Raises:
            WorkflowError: see `cell`.
        """
        self.cell(wildcards)
        return imported(self._config, wildcards).path

    def database_files(self, study: str, wildcards: Mapping[str, str]) -> dict[str, str]:
        """See `database_files`; the cell's level is its backend.

        Raises:
            WorkflowError: see `cell`.
        """
        return database_files(study, self._compilation(wildcards))

    def database_options(self, study: str, wildcards: Mapping[str, str]) -> list[str]:
        """See `database_options`.

        Raises:
            WorkflowError: see `cell`.
        """
        return database_options(study, self._compilation(wildcards))

    def _compilation(self, wildcards: Mapping[str, str]) -> dict[str, str]:
        return asdict(self.cell(wildcards)) | {"level": wildcards["backend"]}
