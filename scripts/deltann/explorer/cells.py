"""The cells of a study as rows of the explorer's table, with each cell's record."""

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
import xarray as xr

from deltann.cell import NAMES, Cell
from deltann.study import layout
from deltann.study.reference import References

# What a row has from the dataset, and from each table; the names of the page's columns.
FROM_DATASET = (
    *("cell_name", "status", "failed_stage", "error_type", "error_message"),
    *("precision", "precision_operators", "precision_cause"),
)
FROM_PRECISION = {
    name: name
    for name in (
        *("outcome", "n", "differing", "max_logit_difference"),
        *("n_labelled", "top1_correct", "top1_percent"),
        *("median_ms", "ms_low", "ms_high", "disturbed"),
    )
}
FROM_PARETO = {
    "agreement_percent": "agreement_percent",
    "agreement_low": "percent_low",
    "agreement_high": "percent_high",
    "frontier": "frontier",
}
# What a record has beside what its prediction file says in `provenance`.
RECORDED = {
    "prediction file's checksum": "checksum",
    "prepared images": "inputs",
    "digest of the prepared images": "inputs_digest",
    "graph passes": "passes",
    "probe_drift": "probe_drift",
    "contention": "contention",
    "pass_spread": "pass_spread",
}


@dataclass(frozen=True)
class Explainable:
    """What the rule `explain` can explain, and where.

    Attributes:
        study: the study's folder, relative to the repository's root.
    """

    study: str

    def targets(self, cells: list[Cell], ran: Sequence[bool]) -> list[str]:
        """Each cell's page, quoted for a shell; empty for a cell that can't be explained.

        Args:
            cells: all cells of the study.
            ran: whether each has answers.
        """
        references = References(cells)
        with_answers = {cell for cell, has in zip(cells, ran, strict=True) if has}
        return [
            shlex.quote(f"{self.study}/{layout.explanation(cell, '.html')}")
            if cell in with_answers and native != cell and native in with_answers
            else ""
            for cell, native in zip(cells, map(references.of_model, cells), strict=True)
        ]

    def command(self) -> tuple[str, str]:
        """What stands before and after the target in the command that makes a page."""
        config = shlex.quote(f"{self.study}/{layout.CONFIG}")
        return ".venv/bin/snakemake --cores all ", f" --configfile {config}"


@dataclass
class Distinct:
    """Values, each kept once."""

    values: list[object] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, value: object) -> int:
        """The place of a JSON-able value in `values`, where it is added if it is new."""
        key = json.dumps(value, sort_keys=True)
        if key not in self._numbers:
            self._numbers[key] = len(self.values)
            self.values.append(value)
        return self._numbers[key]


def described(
    dataset: xr.Dataset, tables: Mapping[str, pd.DataFrame], explainable: Explainable
) -> dict:
    """The cells, JSON-able.

    Args:
        dataset: the study dataset.
        tables: those named `precision` and `pareto`, of the same study.
        explainable: which cells can be explained.

    Returns:
        `fields`, and `rows` with a value for each field, in the dataset's order. `record` is a list
        of numbers: those of the entries of `records[k]`, for the k-th of `record_names`; -1 where
        the cell's record has none.

    Raises:
        ValueError: a table has another number of rows than the study has cells.
    """
    for name, table in tables.items():
        if len(table) != dataset.sizes["cell"]:
            raise ValueError(
                f"table {name}: {len(table)} rows; expected {dataset.sizes['cell']}, one per cell"
            )
    columns = {name: dataset[name].values.tolist() for name in (*NAMES, *FROM_DATASET)}
    for table, wanted in ((tables["precision"], FROM_PRECISION), (tables["pareto"], FROM_PARETO)):
        columns |= {name: list(map(_number, table[own])) for name, own in wanted.items()}
    numbers = {path: number for number, path in enumerate(dataset["cell"].values.tolist())}
    references = tables["precision"]["reference"].tolist()
    columns["reference"] = [numbers.get(path) for path in references]
    cells = [Cell(*values) for values in zip(*(columns[name] for name in NAMES), strict=True)]
    columns["explain"] = explainable.targets(cells, (dataset["status"] == "ok").values.tolist())
    names, values, columns["record"] = _records(dataset)
    return {
        "fields": list(columns),
        "rows": [list(row) for row in zip(*columns.values(), strict=True)],
        "record_names": names,
        "records": values,
        "explain_command": explainable.command(),
        "explanation": layout.explanation("", ".html"),
        "prediction": layout.prediction(""),
    }


def _records(dataset: xr.Dataset) -> tuple[list[str], list[list[object]], list[list[int]]]:
    """The names of what records say, the distinct values of each, and each cell's, by number."""
    said = [json.loads(text) for text in dataset["provenance"].values.tolist()]
    for name, variable in RECORDED.items():
        for record, value in zip(said, dataset[variable].values.tolist(), strict=True):
            value = _number(value)
            if value not in ("", None):
                record[name] = value
    names = sorted({name for record in said for name in record})
    distinct = {name: Distinct() for name in names}
    rows = [
        [distinct[name].number(record[name]) if name in record else -1 for name in names]
        for record in said
    ]
    return names, [distinct[name].values for name in names], rows


def _number(value: object) -> object:
    """A table's value for JSON: whole numbers without a point, None for NaN; texts as they are."""
    if isinstance(value, str):
        return value
    number = float(value)  # type: ignore[arg-type]
    if math.isnan(number):
        return None
    return int(number) if number.is_integer() else number
