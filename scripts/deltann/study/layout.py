"""Where the files of a study lie. No other module or rule spells a path of a study out.

Constants and functions without `study` give names relative to the study's folder: a study may be
moved, and archives and records name its files so. They are text, and their parts may be
Snakemake's wildcards (`prediction(CELL_PATTERN)`).
"""

from pathlib import Path

from deltann.cell import COMPILATION, NAMES, Cell
from deltann.interpreter import of_environment

RESULTS = "results"
# The dataset, its record, and what is made from it.
DATASET = "study.nc"
DATASET_RECORD = f"{DATASET}.json"
TABLES = "tables"
TABLES_RECORD = f"{TABLES}/record.json"
SUMMARY = "summary.md"
SUMMARY_PAGE = "summary.html"
SUMMARY_PART = "summary_part.html"  # of the report
SUMMARY_RECORD = "summary.json"
SUMMARY_PAGE_RECORD = f"{SUMMARY_PAGE}.json"
EXPLORER = "explorer.html"
EXPLORER_RECORD = f"{EXPLORER}.json"
REPORT = "report.html"
# What the study is: its config, its cells, and the files that a finished study has.
CONFIG = "config.json"
CELLS = "cells.txt"
GRID = "grid.json"
PHOTOGRAPHS = "photographs.csv"
PHOTOGRAPHS_RECORD = f"{PHOTOGRAPHS}.json"
CLASS_NAMES = "class_names.txt"
CLASS_NAMES_RECORD = f"{CLASS_NAMES}.json"

FIGURES = "figures"
PREDICTIONS = "predictions"
INPUTS = "inputs"
MODELS, TUNED, COMPILED = "models", "tuned", "compiled"
EXPLANATIONS = "explain"
REPAIRS = "repair"
OPERATORS = "operators"
LOGS = "logs"
BENCHMARKS = "benchmarks"
ENVIRONMENTS = "environments"

# Of a sweep over operators: the matrix, its record, what is drawn of it, and the wrong answers in
# words.
OPERATOR_MATRIX = f"{OPERATORS}/matrix.csv"
OPERATOR_RECORD = f"{OPERATORS}/matrix.json"
OPERATOR_COUNTS = f"{OPERATORS}/counts.csv"
OPERATOR_SUMMARY = f"{OPERATORS}/summary.md"

# The folders in which each file has a record, written by `deltann.execution.stage`.
ARTIFACTS = (MODELS, TUNED, COMPILED)
# The records of the other files, by `deltann.provenance.records`.
OTHER_RECORDS = (
    PHOTOGRAPHS_RECORD,
    CLASS_NAMES_RECORD,
    DATASET_RECORD,
    TABLES_RECORD,
    f"{FIGURES}/*.json",
    SUMMARY_RECORD,
    SUMMARY_PAGE_RECORD,
    EXPLORER_RECORD,
)
# Files and folders that no record describes, because nothing is made from them.
WITHOUT_RECORD = (LOGS, BENCHMARKS, EXPLANATIONS, REPAIRS, REPORT)

# The names of a cell, of a compilation and of a tuning database, as Snakemake's wildcards. A level
# is the backend of the cells that it is compiled for.
_COMPILED_NAMES = ("model", "source", "target", "route", *COMPILATION, "level", "device")
CELL_PATTERN = "/".join(f"{{{name}}}" for name in NAMES)
COMPILED_PATTERN = "/".join(f"{{{name}}}" for name in _COMPILED_NAMES)
TUNED_PATTERN = "/".join(f"{{{name}}}" for name in _COMPILED_NAMES if name != "schedule")


def study(name: str) -> str:
    """The folder of a study, relative to the repository's root."""
    return f"{RESULTS}/{name}"


def inside(path: str) -> str:
    """A path that starts with the study's folder, `results/<study>/`, relative to that folder."""
    return Path(*Path(path).parts[2:]).as_posix()


def record(path: str) -> str:
    """The record of an artifact or of prepared images."""
    return f"{path}.json"


def model_file(model: str, source: str, route: str, suffix: str) -> str:
    """A model file, unconverted or converted; `suffix` has the dot."""
    return f"{MODELS}/{model}/{source}/{route}{suffix}"


def prepared(geometry: object, resizer: str) -> str:
    """The prepared images of one geometry."""
    return f"{INPUTS}/{geometry}/{resizer}.nc"


def calibration(geometry: object) -> str:
    """The prepared calibration images of one geometry."""
    return f"{INPUTS}/{geometry}/calibration.nc"


def prediction(cell: Cell | str) -> str:
    """The prediction file of a cell."""
    return f"{PREDICTIONS}/{cell}.nc"


def predicted_cell(path: str) -> Cell:
    """The cell of a prediction file.

    Raises:
        StudyError: it is no path of a prediction file.
    """
    return Cell.parse("/".join(Path(path).with_suffix("").parts[-len(NAMES) :]))


def compiled(names: str = COMPILED_PATTERN) -> str:
    """The library of a compilation, by its names joined by `/`."""
    return f"{COMPILED}/{names}.so"


def graph(library: str) -> str:
    """The TVMScript beside a library: the graph that the passes made."""
    return f"{library}.tvmscript"


def tuned(names: str = TUNED_PATTERN) -> str:
    """The tuning database of a compilation, by its names without `schedule`, joined by `/`."""
    return f"{TUNED}/{names}.tar"


def table(name: str, suffix: str = ".csv") -> str:
    """A table; some also have the suffix `.md`."""
    return f"{TABLES}/{name}{suffix}"


def figure(name: str, suffix: str) -> str:
    """A figure's file: `.pdf`, `.png`, `.csv`, or its record, `.json`."""
    return f"{FIGURES}/{name}{suffix}"


def explanation(cell: Cell | str, suffix: str) -> str:
    """What explains a cell: the page, `.html`, its facts, `.json`, or an example, `.zip`."""
    return f"{EXPLANATIONS}/{cell}{suffix}"


def repair(cell: Cell | str, suffix: str) -> str:
    """What repairs a cell: the page, `.html`, its facts, `.json`, or the file, by its format."""
    return f"{REPAIRS}/{cell}{suffix}"


def operator_models(source: str, route: str) -> str:
    """The models of one operator each, from a source by a route: a bundle."""
    return f"{OPERATORS}/models/{source}/{route}.tar"


def operator_answers(source: str, route: str, backend: str) -> str:
    """What a backend answers with them."""
    return f"{OPERATORS}/answers/{source}/{route}/{backend}.tar"


def operator_figure(suffix: str) -> str:
    """The matrix of operators, drawn: `.pdf` or `.png`."""
    return f"{OPERATORS}/matrix{suffix}"


def log(job: str) -> str:
    """A job's log, by the rule's name and what tells the job from others, joined by `/`."""
    return f"{LOGS}/{job}.log"


def benchmark(job: str) -> str:
    """Snakemake's benchmark of a job, named as the job's log: time, memory, load."""
    return f"{BENCHMARKS}/{job}.tsv"


# What studies share.
def interpreter(environment: str) -> list[str]:
    """The start of a command that runs a script in an environment."""
    return of_environment(environment_folder(environment))


def environment_folder(environment: str) -> str:
    """Where an environment is installed."""
    return f".envs/{environment}"


def manifest(environment: str) -> str:
    """The list of what is installed in an environment, relative to the repository's root."""
    return f"{RESULTS}/{ENVIRONMENTS}/{environment}.json"


def fetched_images(name: str) -> str:
    """A downloaded wheel or archive with photographs, relative to the repository's root."""
    return f"{RESULTS}/images/{name}"


def shared_log(job: str) -> str:
    """The log of a job that studies share, named as by `log`."""
    return f"{RESULTS}/{log(job)}"


def shared_benchmark(job: str) -> str:
    """The benchmark of a job that studies share, named as by `log`."""
    return f"{RESULTS}/{benchmark(job)}"


def artifact_records(folder: Path) -> list[Path]:
    """The records of the artifacts of the study in a folder, by path."""
    return sorted(path for name in ARTIFACTS for path in (folder / name).rglob("*.json"))


def other_records(folder: Path) -> list[Path]:
    """The records of the study's other files, by path within each pattern."""
    return [path for pattern in OTHER_RECORDS for path in sorted(folder.glob(pattern))]
