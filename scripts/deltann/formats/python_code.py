"""A model as Python code: the files that it consists of, and what it returns when it runs."""

import ast
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import machinery
from importlib.machinery import (
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from pathlib import Path
from typing import Any

from deltann.errors import StudyError
from deltann.formats import python_imports

# What belongs to the machine and its interpreters, and to no model.
_SYSTEM = ("/proc", "/sys", "/dev", "/etc", "/usr", "/lib", "/lib64")


def files(code: Path) -> list[str]:
    """A Python file, and all files beside it that it imports, directly or not.

    Packages that are installed in the environment don't count.

    Returns:
        Paths, relative to the working directory if they are in it.

    Raises:
        StudyError: a file is no Python.
        OSError: a file can't be read.
    """
    folders, package = _place(code)
    path = Path(os.path.abspath(code))
    todo = {path: package} | python_imports.module_files(folders[0], package)
    seen: set[Path] = set()
    while todo:
        path, package = todo.popitem()
        seen.add(path)
        if path.suffix == ".py":
            for name in python_imports.imported(_parse(path), package):
                for folder in folders:
                    more = python_imports.module_files(folder, name).items()
                    todo |= {found: inside for found, inside in more if found not in seen}
    return sorted(_relative(path) for path in seen)


def _place(code: Path) -> tuple[list[Path], str]:
    """The folders in which a file's imports are looked for, and the package that it is in.

    A folder is a package if it has an `__init__.py`, or if the file's relative imports need one.
    The first folder has the outermost package. The last is the file's own, as if the file were run.
    """
    path = Path(os.path.abspath(code))
    depth = 0
    while (path.parents[depth] / "__init__.py").is_file():
        depth += 1
    imports = (node for node in ast.walk(_parse(path)) if isinstance(node, ast.ImportFrom))
    depth = max([depth, *(node.level for node in imports)])
    outermost = path.parents[min(depth, len(path.parents) - 1)]
    package = ".".join(path.parent.relative_to(outermost).parts)
    return list(dict.fromkeys([outermost, path.parent])), package


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError) as error:
        raise StudyError(f"{_relative(path)}: not a Python file: {error}") from error


def _relative(path: Path) -> str:
    """A path as messages and records name it: relative, if it is in the working directory."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


class _Source(SourceFileLoader):
    """Compiles a Python file whenever it is imported.

    `__pycache__` isn't read or written: Python trusts it as long as a file's size and its second
    of change are the same.
    """

    def path_stats(self, path: Any) -> Any:
        """Nothing: without it Python looks for no compiled file."""
        raise OSError(f"{path} is always compiled")


def _find_uncached(folder: str) -> FileFinder:
    """What finds modules in a folder of the user's, for `sys.path_hooks`."""
    if not os.path.isdir(folder) or _is_installed(os.path.abspath(folder)):
        raise ImportError(f"{folder} is left to the next finder")
    return FileFinder(
        folder,
        (ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
        (_Source, machinery.SOURCE_SUFFIXES),
        (SourcelessFileLoader, machinery.BYTECODE_SUFFIXES),
    )


def call(code: Path, function: str) -> Any:
    """What a function in a Python file returns. This runs the file.

    Its modules are imported from beside it, before those of the environment.

    Raises:
        ValueError: the file can't be imported under its name, or lacks a module or the function.
    """
    folders, package = _place(code)
    name = ".".join(filter(None, [package, code.stem]))
    first = name.partition(".")[0]
    if first in sys.modules:
        raise ValueError(
            f"{code}: {first!r} is also the name of a module that PyTorch or the study imports;"
            " expected another name of the file or its folder"
        )
    sys.path[:0] = [str(folder) for folder in folders]
    sys.path_hooks.insert(0, _find_uncached)
    sys.path_importer_cache.clear()
    try:
        if package:
            importlib.import_module(package)
        module = _execute(name, code)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{code}: no module {error.name!r}; expected it in"
            f" {' or '.join(map(_relative, folders))}, or installed in the model's environment"
        ) from error
    called: Any = module
    for part in function.split("."):
        called = getattr(called, part, None)
    if not callable(called):
        raise ValueError(f"{code} has no function {function!r}; expected the name of one")
    return called()


def _execute(name: str, code: Path) -> Any:
    """Import a file as the module `name`, whatever its own name is."""
    specification = importlib.util.spec_from_loader(name, _Source(name, os.path.abspath(code)))
    if specification is None:
        raise ImportError(f"{code} is not a Python file")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    _Source(name, os.path.abspath(code)).exec_module(module)
    return module


@contextmanager
def only_reading(declared: Iterable[str], refuse: Callable[[str], Exception]) -> Iterator[None]:
    """Run a block of code, and then make sure that it read declared files only.

    It may read what is installed, and what it wrote itself. Python's own file functions are
    watched. A library that opens files by other means isn't.

    Args:
        declared: the files that it may read.
        refuse: makes the error for the path of another file.
    """
    opened: set[str] = set()
    written: set[str] = set()
    watching = True

    def note(event: str, arguments: tuple) -> None:
        if watching and event == "open" and isinstance(arguments[0], str | bytes):
            path = os.path.abspath(os.fsdecode(arguments[0]))
            if os.path.isfile(path) and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
                opened.add(path)
            else:
                written.add(path)

    sys.addaudithook(note)
    before = set(sys.modules)
    try:
        yield
    finally:
        watching = False
    loaded = (sys.modules[name].__dict__.get("__file__") for name in set(sys.modules) - before)
    allowed = {os.path.realpath(path) for path in declared} | {*map(os.path.realpath, written)}
    for path in sorted(opened | {str(path) for path in loaded if path}):
        if os.path.realpath(path) not in allowed and not _is_installed(path):
            raise refuse(_relative(Path(path)))


def _is_installed(path: str) -> bool:
    own = (str(Path(__file__).resolve().parents[2]), sys.prefix, sys.base_prefix)
    folders = [Path(os.path.realpath(folder)) for folder in own] + [Path(name) for name in _SYSTEM]
    places = (Path(path), Path(os.path.realpath(path)))
    return any(place.is_relative_to(folder) for place in places for folder in folders)
