"""Runs a notebook's code, without Jupyter: it adds twenty-five packages and checks no more."""

import ast
import json
from pathlib import Path


def run(notebook: Path) -> tuple[dict, list[object]]:
    """Run all cells in order.

    Args:
        notebook: a notebook of plain Python, without magic commands.

    Returns:
        What the notebook defined, and per code cell the value that Jupyter would show, or None.
    """
    content = json.loads(notebook.read_text(encoding="utf-8"))
    assert content["nbformat"] == 4
    defined: dict = {"__name__": "__main__"}
    shown: list[object] = []
    for number, cell in enumerate(content["cells"]):
        if cell["cell_type"] == "code":
            shown.append(_run("".join(cell["source"]), f"{notebook.name}, cell {number}", defined))
    return defined, shown


def _run(text: str, where: str, defined: dict) -> object:
    statements = ast.parse(text, where).body
    last = statements.pop() if isinstance(statements[-1], ast.Expr) else None
    exec(compile(ast.Module(statements, []), where, "exec"), defined)
    return last and eval(compile(ast.Expression(last.value), where, "eval"), defined)
