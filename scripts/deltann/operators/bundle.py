"""Bundles: the models of all cases in one format, as one tar with a list of how each case went."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from deltann.formats import folder_tar
from deltann.operators.case import Case, of_fields
from deltann.operators.outcome import OK, Outcome

LIST = "cases.json"


@dataclass
class Bundle:
    """Cases in a folder.

    Attributes:
        folder: it has the model file of each case that is `OK`.
        cases: all cases, by name.
        outcomes: how each went so far, by name.
    """

    folder: Path
    cases: dict[str, Case]
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def path(self, name: str, suffix: str) -> Path:
        """The model file of a case; `suffix` has the dot."""
        return self.folder / f"{name}{suffix}"

    def ready(self) -> list[str]:
        """The names of the cases that have a model file."""
        return [name for name, outcome in self.outcomes.items() if outcome.status == OK]

    def write(self, output: Path) -> None:
        """Write the tar."""
        listed = [
            {"case": case.fields(), "outcome": self.outcomes[name].fields()}
            for name, case in self.cases.items()
        ]
        (self.folder / LIST).write_text(json.dumps(listed, indent=1))
        folder_tar.tar_folder(self.folder, output)


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """Unpack a bundle into a folder that is removed in the end."""
    with TemporaryDirectory(prefix="deltann-") as folder:
        folder_tar.untar_folder(path, Path(folder))
        yield _listed(json.loads(Path(folder, LIST).read_text()), Path(folder))


def listed(text: str) -> Bundle:
    """The cases and outcomes of a bundle's list, without its files."""
    return _listed(json.loads(text), Path())


def _listed(entries: list[dict], folder: Path) -> Bundle:
    cases = {entry["case"]["name"]: of_fields(entry["case"]) for entry in entries}
    outcomes = {entry["case"]["name"]: Outcome(**entry["outcome"]) for entry in entries}
    return Bundle(folder, cases, outcomes)
