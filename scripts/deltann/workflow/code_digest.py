"""Digests of the code behind each rule: Snakemake doesn't follow what a shell command calls."""

import ast
import hashlib
from functools import cache
from pathlib import Path

from deltann.formats import python_imports

SCRIPTS = Path(__file__).resolve().parents[2]


@cache
def _parse(path: Path) -> tuple[str, frozenset[Path]]:
    """The syntax tree of a file as text, docstrings stripped, and the files of ours it imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    imported = {path for name in python_imports.imported(tree) for path in _files(name)}
    for node in ast.walk(tree):
        _strip_docstring(node)
    return ast.dump(tree), frozenset(imported)


def _strip_docstring(node: ast.AST) -> None:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
        node.body = node.body[1:]


def _files(module: str) -> set[Path]:
    """The files that importing `module` executes, if it is one of ours: itself and its packages."""
    return set(python_imports.module_files(SCRIPTS, module))


@cache
def code_digest(script: str, *modules: str) -> str:
    """SHA-256 over the code that a job executes.

    Args:
        script: the program's path, relative to the repository's root (`scripts/infer.py`).
        modules: dotted names of modules it loads by name at run time (`deltann.runners.onnx`).

    Returns:
        A hexadecimal digest over the syntax trees of the script, the modules, and every module
        of this repository that they import, directly or not. Comments, docstrings and
        formatting don't enter it; constants do.

    Raises:
        FileNotFoundError: the script or a module doesn't exist.
    """
    todo = {(SCRIPTS.parent / script).resolve()}
    for module in modules:
        stem = SCRIPTS.joinpath(*module.split("."))
        if not (stem.with_suffix(".py").is_file() or (stem / "__init__.py").is_file()):
            raise FileNotFoundError(f"module {module!r} is not in {SCRIPTS}")
        todo |= _files(module)
    seen: set[Path] = set()
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo |= _parse(path)[1] - seen
    value = hashlib.sha256()
    for path in sorted(seen):
        value.update(f"{path.relative_to(SCRIPTS)}\n{_parse(path)[0]}\n".encode())
    return value.hexdigest()
