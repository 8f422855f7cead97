"""Which files Python code imports, found in its import statements without running it.

A statement inside a function or a condition counts as any other.
"""

import ast
from pathlib import Path


def imported(tree: ast.AST, package: str = "") -> set[str]:
    """The dotted names that a module imports: modules, or what they define.

    Args:
        tree: of the module.
        package: the dotted name of the package that it is in; empty if it is in none.
    """
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".") if node.level else []
            base = [*parts[: len(parts) + 1 - node.level], *([node.module] if node.module else [])]
            names.add(".".join(base))
            names |= {".".join([*base, alias.name]) for alias in node.names if alias.name != "*"}
    return names - {""}


def module_files(folder: Path, module: str) -> dict[Path, str]:
    """The files in a folder that importing `module` executes: itself and its packages.

    Returns:
        By file, the dotted name of the package that it is in. Empty if there is no such module.
    """
    found: dict[Path, str] = {}
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        stem = folder.joinpath(*parts[:depth])
        alone = [stem.with_name(f"{stem.name}{suffix}") for suffix in (".py", ".pyc", ".so")]
        alone += stem.parent.glob(f"{stem.name}.*.so")
        found |= dict.fromkeys(filter(Path.is_file, alone), ".".join(parts[: depth - 1]))
        if (stem / "__init__.py").is_file():
            found[stem / "__init__.py"] = ".".join(parts[:depth])
    return found
