"""What each factor of the grid changes alone, as one small structure, from the table `factors`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from deltann.cell import SOURCE, TARGET
from deltann.images import conventions
from deltann.summary.formatting import cell, library, route
from deltann.summary.names import named
from deltann.tables import factors
from deltann.tables.comparisons import FAILED, image_names
from deltann.tables.study import Study


def _value(row: pd.Series) -> str:
    return library(row["value"])


def _change(row: pd.Series) -> str:
    return f"{library(row['value'])} instead of {library(row['reference_value'])} in {cell(row)}"


def _convention(row: pd.Series) -> str:
    return conventions.in_words(row["value"])


def _preprocessed(row: pd.Series) -> str:
    before = conventions.in_words(row["reference_value"])
    return f"{_convention(row)} instead of {before} in {cell(row)}"


def _precision(row: pd.Series) -> str:
    return f"{row['value']} by {row['cause']}"


def _computed(row: pd.Series) -> str:
    return f"{_precision(row)} instead of {row['reference_value']} in {cell(row)}"


def _imported(row: pd.Series) -> str:
    return f"{route(row)}, import {row['importer']}"


def _sources(row: pd.Series) -> str:
    return f"{row['model']} from {row['source']} and from {row['reference_value']}"


@dataclass(frozen=True)
class Words:
    """How the summary speaks of a factor.

    Attributes:
        title: of its line.
        choice: one of its values, singular.
        verb, by: what one does with a value; empty if there is nothing to choose.
        name: a row's value, by which rows are counted and advice is given.
        pair: a row's two cells.
        did: what a value did to labels, before their number.
    """

    title: str
    choice: str
    verb: str
    by: str
    name: Callable[[pd.Series], str] = _value
    pair: Callable[[pd.Series], str] = _change
    did: str = "changed the label of"


WORDS = {
    factors.CONVERSION: Words("Conversion", "route", "convert", "", route, route),
    factors.IMPORT: Words("Import into TVM", "import", "import", "", _imported, cell),
    "level": Words("Passes of TVM", "other level", "compile", "at"),
    "schedule": Words("Schedule", "other schedule", "schedule", "by"),
    "compiler": Words("Version of TVM", "other version", "compile", "by"),
    "runtime": Words("Settings of runtimes", "other setting", "run", "with"),
    factors.PREPROCESSING: Words(
        "Preprocessing", "other convention", "preprocess", "by", _convention, _preprocessed
    ),
    "resizer": Words("Resizing", "other resizer", "resize", "by"),
    "device": Words("Device", "other device", "run", "on"),
    factors.MODELS: Words(
        "Frameworks' own models", "pair", "", "", _sources, _sources, "differ in the label of"
    ),
    factors.PRECISION: Words(
        "Precision", "other precision", "compute", "in", _precision, _computed
    ),
}


@dataclass(frozen=True)
class Facts:
    """What one factor changes: its pairs of cells, each of which differs only in that factor.

    Attributes:
        factor: its name.
        words: how to speak of it.
        rows: its rows of the table `factors`.
    """

    factor: str
    words: Words
    rows: pd.DataFrame

    @cached_property
    def ran(self) -> pd.DataFrame:
        """The pairs whose cells both ran."""
        return self.rows[self.rows["differing"].notna()]

    @cached_property
    def changed(self) -> pd.DataFrame:
        """The pairs that changed labels, those with the most first."""
        changed = self.ran[self.ran["differing"] > 0]
        return changed.sort_values("dissimilarity_percent", ascending=False, kind="stable")

    def properly_prepared(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Those of some pairs whose images are in the model's own convention; all if none is.

        A wrong convention makes close calls of its own, which other factors then decide.
        """
        if self.factor == factors.PREPROCESSING:
            return rows
        own = rows[rows["preprocessing"].isin([SOURCE, TARGET])]
        return rows if own.empty else own

    @cached_property
    def failed(self) -> pd.DataFrame:
        """The pairs whose cell failed, while its reference may have run."""
        return self.rows[self.rows["outcome"] == FAILED]

    @property
    def unknown(self) -> int:
        """The number of pairs whose reference failed."""
        return len(self.rows) - len(self.ran) - len(self.failed)

    @property
    def images(self) -> set[str]:
        """The images with a changed label."""
        joined = self.changed["differing_images"]
        return {name for names in joined for name in image_names(names)}

    def largest(self, column: str) -> pd.Series:
        """The pair that ran with the largest value in a column."""
        return self.ran.loc[self.ran[column].astype(float).idxmax()]

    @cached_property
    def moved(self) -> pd.DataFrame:
        """The pairs with answers that turned wrong or right, those with the most first."""
        turned = self.ran["correct_to_wrong"] + self.ran["wrong_to_correct"]
        order = turned[turned > 0].astype(float).sort_values(ascending=False, kind="stable").index
        return self.ran.loc[order]

    @property
    def labelled(self) -> bool:
        """Whether some images have true labels."""
        return bool((self.ran["n_labelled"] > 0).any())

    @cached_property
    def names(self) -> pd.Series:
        """Each row's choice."""
        return pd.Series([self.words.name(row) for _, row in self.rows.iterrows()], self.rows.index)

    def choices(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Each choice with its rows.

        A choice of which nothing is known, as all its references failed, is left out.
        """
        for name, rows in self.rows.groupby(self.names, sort=False):
            if rows["outcome"].notna().any():
                yield str(name), rows


def collect(table: pd.DataFrame, study: Study) -> list[Facts]:
    """The facts about each factor, varied or not, in the order of the table's module.

    Args:
        table: `factors`.
        study: the cells.
    """
    table = named(table, study)
    return [
        Facts(name, WORDS[name], table[table["factor"] == name])
        for name in factors.NAMES_OF_FACTORS
    ]
