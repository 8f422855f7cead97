"""The matrix: of each case, way and backend whether the answer is right, wrong or refused."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from deltann.cell import UNCONVERTED
from deltann.operators import bundle
from deltann.operators.judge import RIGHT, WRONG, judge
from deltann.operators.outcome import CRASHED, OK, REFUSED
from deltann.operators.steps import ARRAYS
from deltann.study import layout

# A case that ended at an edge before the way's last step: counted where it ended.
BEFORE = "before"
STATUSES = (RIGHT, WRONG, REFUSED, CRASHED, BEFORE)
COLUMNS = (
    *("source", "kind", "case", "route", "backend", "precision", "status", "begins"),
    *("error", "tolerance", "step", "type", "message"),
)


@dataclass(frozen=True)
class Way:
    """A way of the config, as `study.operators.described` writes it."""

    source: str
    route: list[str]
    framework: str
    precision: str
    moves: bool
    backends: list[str] = field(default_factory=list)

    @property
    def slug(self) -> str:
        """The route as one word."""
        return "+".join(self.route) or UNCONVERTED


def answer_files(ways: list[Way]) -> list[str]:
    """The paths of all answers, under the study's folder."""
    return [
        layout.operator_answers(way.source, way.slug, name) for way in ways for name in way.backends
    ]


def judged(ways: list[Way], references: dict[str, Path], folder: Path) -> pd.DataFrame:
    """Judge all answers.

    Args:
        ways: all of the study.
        references: each source's bundle of models, with what they should answer.
        folder: the study's.

    Returns:
        A row for each case, way and backend, with `COLUMNS`. `begins`: whether a wrong answer is
        right, or wasn't asked for, by the same route without its last edge, and before TVM.
    """
    rows: list[dict[str, Any]] = []
    for source, path in references.items():
        with bundle.opened(path) as cases:
            expected = {name: dict(np.load(cases.path(name, ARRAYS))) for name in cases.ready()}
            for way in (way for way in ways if way.source == source):
                for name in way.backends:
                    rows += _rows(way, name, folder, expected)
    table = pd.DataFrame(rows, columns=[*COLUMNS])
    table["begins"] = begins(table)
    return table


def _rows(way: Way, backend: str, folder: Path, expected: dict) -> Iterator[dict]:
    with bundle.opened(folder / layout.operator_answers(way.source, way.slug, backend)) as answers:
        for name, outcome in answers.outcomes.items():
            if name not in expected:
                continue  # refused by its source: there is nothing to compare with
            row: dict[str, Any] = {
                "source": way.source,
                "kind": answers.cases[name].kind,
                "case": name,
                "route": way.slug,
                "backend": backend,
                "precision": way.precision,
                "step": outcome.step,
                "type": outcome.type,
                "message": outcome.message,
            }
            if outcome.status == OK:
                answer = np.load(answers.path(name, ARRAYS))["answer"]
                verdict = judge(answer, expected[name], way.precision, way.moves)
                row |= {"status": verdict.status, "error": verdict.error}
                row |= {"tolerance": verdict.tolerance, "message": verdict.note}
            else:
                last = way.route[-1] if way.route else backend
                here = outcome.step in (last, backend)
                row["status"] = outcome.status if here else BEFORE
            yield row


def begins(table: pd.DataFrame) -> list[bool]:
    """Whether each row is wrong where all that it was made from is not."""
    wrong = table["status"] == WRONG
    found = {(row.source, row.case, row.route, row.backend) for row in table[wrong].itertuples()}
    ran: dict[tuple, list[str]] = {(row.source, row.route): [] for row in table.itertuples()}
    for row in table[["source", "route", "backend"]].drop_duplicates().itertuples():
        ran[row.source, row.route].append(row.backend)
    answers = []
    for row in table.itertuples():
        parents = [(row.route, name) for name in ran[row.source, row.route][:1]]
        parents = [] if parents[0][1] == row.backend else parents
        edges = [] if row.route == UNCONVERTED else row.route.split("+")
        for count in range(len(edges)):
            slug = "+".join(edges[:count]) or UNCONVERTED
            parents += [(slug, name) for name in ran.get((row.source, slug), [])[:1]]
        earlier = any((row.source, row.case, *parent) in found for parent in parents)
        answers.append(row.status == WRONG and not earlier)
    return answers


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """How many cases of a kind have each status: a row per source, route, backend and kind."""
    keys = ["source", "route", "backend", "kind"]
    counted = table.groupby([*keys, "status"], sort=False).size().unstack(fill_value=0)
    order = pd.MultiIndex.from_frame(table[keys].drop_duplicates())  # unstacking sorts
    counted = counted.reindex(order, fill_value=0).reindex(columns=[*STATUSES], fill_value=0)
    counted["begins"] = table.groupby(keys, sort=False)["begins"].sum()
    return counted.reset_index()
