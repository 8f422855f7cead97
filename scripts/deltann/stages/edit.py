"""Edit model files: in a process of their framework's environment, by `Session`."""

from pathlib import Path
from typing import Any

from deltann import editors, edits
from deltann.steps import Operator


class Served:
    """An editor, by what a session can carry.

    Args:
        framework: a module of `deltann.editors`.
    """

    def __init__(self, framework: str):
        self._editor = editors.get(framework)

    def apply(self, model_file: str, changes: list[dict[str, Any]], output: str) -> str:
        """Apply edits: each the fields of one, and its class as `edit`.

        Returns:
            Why an edit is impossible; empty if the file is written.
        """
        try:
            self._editor.apply(
                Path(model_file), [of_fields(item) for item in changes], Path(output)
            )
        except edits.Impossible as error:
            return str(error) or "not possible in this format"
        return ""


def fields(edit: edits.Edit) -> dict[str, Any]:
    """An edit as a dictionary."""
    found = {name: getattr(edit, name) for name in edit.__dataclass_fields__}
    if isinstance(edit, edits.Replace):
        found["operators"] = [vars(item) for item in edit.operators]
    return {"edit": type(edit).__name__} | found


def of_fields(item: dict[str, Any]) -> edits.Edit:
    """The edit that `fields` described."""
    given = dict(item)
    kinds: dict[str, Any] = {
        kind.__name__: kind
        for kind in (
            edits.SetAttribute,
            edits.SetParameter,
            edits.Reconnect,
            edits.Bypass,
            edits.Insert,
            edits.Replace,
        )
    }
    kind = kinds[given.pop("edit")]
    if kind is edits.Insert:
        given["inputs"] = tuple(given["inputs"])
    if kind is edits.Replace:
        given["operators"] = tuple(
            Operator(**item | {name: tuple(item[name]) for name in ("inputs", "outputs")})
            for item in given["operators"]
        )
    return kind(**given)
