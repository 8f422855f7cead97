"""Which tables and figures exist: what their modules declare, read without importing them.

A table is a module in `deltann/tables/` that sets CATEGORY; a figure is one in `deltann/figures/`
that sets TABLE. The constants are read from the source code, since the workflow's own environment
has neither xarray nor matplotlib.
"""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deltann.errors import StudyError

PACKAGE = Path(__file__).parent
TABLES, FIGURES = "tables", "figures"
# The categories of the report, in which tables and figures are listed.
CATEGORIES = ("Answers", "Time", "Tests", "Published")


@dataclass(frozen=True)
class Table:
    """A table of the study.

    Attributes:
        name: of its module and of its CSV file.
        category: one of `CATEGORIES`.
        caption: what the report says of it, reStructuredText.
        markdown: whether its module also lays it out for reading, in markdown.
    """

    name: str
    category: str
    caption: str
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
        table: the name of the table that it draws.
        category: that of the table.
        caption: what the report says of it, reStructuredText.
    """

    name: str
    table: str
    category: str
    caption: str

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
        constants = _constants(path, ("CATEGORY", "CAPTION", "MARKDOWN"))
        if "CATEGORY" not in constants:
            continue
        category = constants["CATEGORY"]
        if category not in CATEGORIES:
            raise StudyError(
                f"{path}: CATEGORY is {category!r}; expected one of {', '.join(CATEGORIES)}"
            )
        markdown = bool(constants.get("MARKDOWN"))
        found[path.stem] = Table(path.stem, category, _caption(path, constants), markdown)
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
        constants = _constants(path, ("TABLE", "CAPTION"))
        if "TABLE" not in constants:
            continue
        table = constants["TABLE"]
        if table not in known:
            raise StudyError(f"{path}: TABLE is {table!r}; expected one of {', '.join(known)}")
        category = known[table].category
        found[path.stem] = Figure(path.stem, table, category, _caption(path, constants))
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


def _caption(path: Path, constants: dict[str, object]) -> str:
    caption = constants.get("CAPTION")
    if not isinstance(caption, str) or not caption:
        raise StudyError(f"{path}: CAPTION is {caption!r}; expected the text that the report shows")
    return caption
