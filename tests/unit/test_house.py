"""The order of the house: imports go one way, and files and functions stay short."""

import ast
from pathlib import Path

from helpers.workspace import ROOT

PACKAGE = ROOT / "scripts/deltann"
# Each room imports from those before it only; a module beside the rooms is a room of its own.
ROOMS = (
    *("errors", "interpreter", "ours", "tolerance", "spot_check", "parent", "cell", "registry"),
    *("precision", "steps", "edits"),
    *("metrics", "fencing", "provenance", "formats", "images", "tvm", "device"),
    *("converters", "runners", "models", "tracers", "editors", "execution"),
    *("study", "emulator", "workflow", "dataset", "stages", "operators", "tables"),
    *("localise", "figures", "summary", "explorer", "explain", "repair", "archive"),
)
FILE_LINES, FUNCTION_LINES = 300, 50
SOURCES = sorted(
    path for name in ("scripts", "logger", "tests") for path in (ROOT / name).rglob("*.py")
)


def imported(path: Path) -> set[str]:
    """The dotted names that a file imports, anywhere in it: modules, or what they define."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {item.name for item in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{item.name}" for item in node.names}
    return names


def wrong_imports(rooms: tuple[str, ...]) -> list[str]:
    """The imports of the package from a room to itself or to a later one, except within a room."""
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        names = {name.split(".")[1] for name in imported(path) if name.startswith("deltann.")}
        later = rooms[rooms.index(room) + 1 :] if room in rooms else rooms
        wrong += [
            f"{path.relative_to(PACKAGE)} imports {name}" for name in sorted(names & {*later})
        ]
    return wrong


def test_every_room_has_its_place_in_the_order():
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert modules | folders == set(ROOMS)


def test_a_room_imports_only_from_rooms_before_it():
    assert wrong_imports(ROOMS) == []


def test_an_import_the_other_way_would_be_found():
    assert wrong_imports(ROOMS[::-1]) != []


def test_no_table_imports_a_figure():
    for path in PACKAGE.glob("tables/*.py"):
        assert not [name for name in imported(path) if name.startswith("deltann.figures")], path


def test_no_test_imports_a_test():
    tests = [path for path in SOURCES if path.stem.startswith(("test_", "conftest"))]
    assert len(tests) > 30
    for path in tests:
        parts = {part for name in imported(path) for part in name.split(".")}
        assert not [part for part in parts if part.startswith(("test_", "conftest"))], path


def too_long(path: Path) -> list[str]:
    """A file's functions that are too long, and the file itself if it is."""
    text = path.read_text(encoding="utf-8")
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            length = node.end_lineno - node.lineno + 1
            found += [f"{path}: {node.name}: {length}"] * (length > FUNCTION_LINES)
    return found + [f"{path}: {len(text.splitlines())}"] * (len(text.splitlines()) > FILE_LINES)


def test_files_and_functions_are_short():
    assert [text for path in SOURCES for text in too_long(path)] == []


def test_no_module_asks_an_object_what_it_has():
    """A Protocol says what an object offers."""
    for path in PACKAGE.rglob("*.py"):
        calls = (
            node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
        )
        assert "hasattr" not in {getattr(call.func, "id", "") for call in calls}, path
