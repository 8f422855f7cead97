"""Which tables and figures exist: what their modules declare, read without importing them.

A table is a module in `deltann/tables/` that sets CATEGORY; a figure is one in `deltann/figures/`
that sets TABLE. NEEDS says what a study must have to fill it. The constants are read from the
source code, since the workflow's own environment has neither xarray nor matplotlib.
"""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deltann.errors import StudyError

PACKAGE = Path(__file__).parent
TABLES, FIGURES = "tables", "figures"
# The categories of the report, in which tables and figures are listed.
CATEGORIES = ("Answers", "Time", "Tests", "Published", "Guide")
TEXTS = ("TITLE", "CAPTION")


@dataclass(frozen=True)
class Table:
    """A table of the study.

    Attributes:
        name: of its module and of its CSV file.
        title: what the report lists it by.
        category: one of `CATEGORIES`.
        caption: what the report says of it, reStructuredText.
        needs: what a study must have for the table to have rows, one of
            `deltann.study.conditions.CONDITIONS`; empty if any study fills it.
        markdown: whether its module also lays it out for reading, in markdown.
    """

    name: str
    title: str
    category: str
    caption: str
    needs: str
    markdown: bool

    @property
    def module(self) -> str:
        """The dotted name of the module that computes it."""
        return f"deltann.{TABLES}.{self.name}"


@dataclass(frozen=True)
class Figure:
    """A figure of the study.

    Attributes:
        name: of its module and of its files.
        title: what the report lists it by.
        table: the name of the table that it draws.
        category: that of the table.
        caption: what the report says of it, reStructuredText.
        needs: as of a table; that of its table if its module sets none.
    """

    name: str
    title: str
    table: str
    category: str
    caption: str
    needs: str

    @property
    def module(self) -> str:
        """The dotted name of the module that draws it."""
        return f"deltann.{FIGURES}.{self.name}"


@cache
def tables(package: Path = PACKAGE) -> dict[str, Table]:
    """All tables by name, in alphabetical order.

    Args:
        package: the folder that holds `tables/`.

    Raises:
        StudyError: a table's module lacks a constant, or has one that isn't as expected.
    """
    found = {}
    for path in sorted((package / TABLES).glob("*.py")):
        constants = _constants(path, ("CATEGORY", *TEXTS, "NEEDS", "MARKDOWN"))
        if "CATEGORY" not in constants:
            continue
        category = constants["CATEGORY"]
        if category not in CATEGORIES:
            raise StudyError(
                f"{path}: CATEGORY is {category!r}; expected one of {', '.join(CATEGORIES)}"
            )
        markdown = bool(constants.get("MARKDOWN"))
        title, caption = (_text(path, constants, name) for name in TEXTS)
        needs = str(constants.get("NEEDS", ""))
        found[path.stem] = Table(path.stem, title, category, caption, needs, markdown)
    return found


@cache
def figures(package: Path = PACKAGE) -> dict[str, Figure]:
    """All figures by name, in alphabetical order.

    Args:
        package: the folder that holds `tables/` and `figures/`.

    Raises:
        StudyError: a figure's module lacks a constant, or its table doesn't exist.
    """
    found, known = {}, tables(package)
    for path in sorted((package / FIGURES).glob("*.py")):
        constants = _constants(path, ("TABLE", *TEXTS, "NEEDS"))
        if "TABLE" not in constants:
            continue
        table = constants["TABLE"]
        if table not in known:
            raise StudyError(f"{path}: TABLE is {table!r}; expected one of {', '.join(known)}")
        title, caption = (_text(path, constants, name) for name in TEXTS)
        needs = str(constants.get("NEEDS", known[table].needs))
        found[path.stem] = Figure(path.stem, title, table, known[table].category, caption, needs)
    return found


def _constants(path: Path, names: tuple[str, ...]) -> dict[str, object]:
    """A module's top-level constants of these names, those that it sets."""
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8"), filename=str(path)).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in names:
                try:
                    found[name] = ast.literal_eval(node.value)
                except ValueError:
                    raise StudyError(
                        f"{path}, line {node.lineno}: {name} is computed; expected a literal, "
                        "which can be read without importing the module"
                    ) from None
    return found


def _text(path: Path, constants: dict[str, object], name: str) -> str:
    text = constants.get(name)
    if not isinstance(text, str) or not text:
        raise StudyError(f"{path}: {name} is {text!r}; expected the text that the report shows")
    return text
