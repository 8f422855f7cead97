"""Check a finished study against its records: every file, every cell, what was made from what."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import h5netcdf

from deltann.archive import history
from deltann.cell import NAMES
from deltann.dataset import predictions
from deltann.errors import StudyError
from deltann.images import listing, prepared
from deltann.provenance import files, netcdf_checksum, records
from deltann.study import layout

# What no record describes, and what an archive adds to a study.
WITHOUT = (*layout.WITHOUT_RECORD, layout.ENVIRONMENTS, history.METADATA, history.PREVIEW)


S = TypeVar("S")
T = TypeVar("T")


class Verification:
    """A study, checked against its records.

    Attributes:
        counts: by kind, how many are right.
        wrong: a line for each that is wrong.
        left_over: files in the study's folder that are no part of it.
    """

    def __init__(self, study: Path):
        """Read all of the study in the folder `study`."""
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._study = study
        self._found: dict[Path, str] = {}  # the checksums of the files that are right
        self._checksums: dict[Path, str] = {}
        self._seen: set[Path] = set()
        listed = self._try("grid", self._grid, study / layout.GRID)
        expected, cells = listed or ([], [])
        for record in layout.artifact_records(study):
            self._try("artifacts", self._record, record)
        for path in sorted((study / layout.INPUTS).rglob("*.nc")):
            self._try("files of prepared images", self._prepared, path)
        for cell in cells:
            self._try("cells", self._cell, cell)
        self._try("list of images", self._photographs, study / layout.PHOTOGRAPHS)
        figures = {path.stem for path in expected if path.parent.name == layout.FIGURES}
        for record in layout.other_records(study):
            if record.parent.name == layout.FIGURES and expected and record.stem not in figures:
                continue  # of an earlier config: left over
            self._try("records of other files", self._record, record)
        self._try("dataset", self._dataset, cells)
        missing = (f"{path} is missing. Run again" for path in expected if not path.is_file())
        self.wrong += [line for line in missing if line not in self.wrong]
        files_here = (path for path in study.rglob("*") if path.is_file())
        self.left_over = sorted(
            path
            for path in files_here
            if path not in self._seen and path.relative_to(study).parts[0] not in WITHOUT
        )

    def _try(self, kind: str, check: Callable[[S], T], subject: S) -> T | None:
        """Count a subject that passes the check; note what is wrong with one that doesn't."""
        try:
            result = check(subject)
        except StudyError as error:
            self.wrong.append(str(error))
        except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
            self.wrong.append(f"{subject}: {error!r}")
        else:
            self.counts[kind] += 1
            return result
        return None

    def _grid(self, record: Path) -> tuple[list[Path], list[str]]:
        """The files that a finished study has, and the names of its cells."""
        described = self._outputs(record)
        expected = [self._study / path for path in described["expected"]]
        lines = (self._study / layout.CELLS).read_text(encoding="utf-8").splitlines()
        return expected, [layout.predicted_cell(line).path for line in lines]

    def _record(self, record: Path) -> None:
        """The files that a job made, and that those it read are still the same."""
        described = self._outputs(record)
        for path, expected in records.resolve(described["inputs"], record).items():
            if self._checksum(path) != expected:
                raise StudyError(f"{record}: it was made from another {path}. Run again")
        self._user_files(record, described.get(records.USER_FILES, {}))

    def _user_files(self, record: Path, checksums: dict[str, str]) -> None:
        """The user's files, if they are on this machine: an archived study comes without them."""
        if any(Path(path).exists() for path in checksums):
            for path, expected in checksums.items():
                if self._checksum(Path(path)) != expected:
                    raise StudyError(f"{record}: it was made from another {path}. Run again")

    def _outputs(self, record: Path) -> dict:
        """A record, once the files that its job made are checked against it."""
        self._seen.add(record)
        described = records.read(record)
        outputs = records.resolve(described["outputs"], record)
        self._seen |= outputs.keys()
        for path, expected in outputs.items():
            records.compare(path, self._checksum(path), expected, record)
        self._found |= outputs
        return described

    def _checksum(self, path: Path) -> str:
        """A file's checksum, computed once.

        Raises:
            StudyError: there is no such file.
        """
        if path not in self._checksums:
            if not path.is_file():
                raise StudyError(f"{path} is missing. Run again")
            self._checksums[path] = files.checksum(path)
        return self._checksums[path]

    def _photographs(self, listed: Path) -> None:
        """The listed images, if they are in a folder on this machine."""
        folder = files.read_json(self._study / layout.CONFIG)["images"].get("folder")
        if folder and Path(folder).is_dir():
            for _ in listing.contents(Path(folder), listing.read(listed)):
                pass  # raises for an image that has changed

    def _prepared(self, path: Path) -> None:
        self._seen.add(path)
        with prepared.open_file(path) as images:
            images.check()
            self._found[path] = images.checksum

    def _cell(self, cell: str) -> None:
        """A prediction file: its content, its names, and that the study has its inputs."""
        path = self._study / layout.prediction(cell)
        self._seen.add(path)
        dataset = predictions.read(path)
        names = "/".join(str(dataset[name].item()) for name in NAMES)
        if names != cell:
            raise StudyError(f"{path} is the file of the cell {names}. Delete it and run again")
        known = {"", *self._found.values()}
        model = json.loads(dataset.provenance)["model_file"]
        for what, checksum in (("model file", model), ("prepared images", dataset.inputs_digest)):
            if checksum not in known:
                raise StudyError(
                    f"{path}: the study has no {what} with the checksum {checksum}. Delete the "
                    "prediction file and run again"
                )
        self._found[path] = dataset.attrs[netcdf_checksum.ATTRIBUTE]

    def _dataset(self, cells: list[str]) -> None:
        """The study dataset has the grid's cells, each as its prediction file has it."""
        path = self._study / layout.DATASET
        with h5netcdf.File(path, "r") as dataset:
            stored = [text.decode() for text in dataset["cell"][:]]
            checksums = [text.decode() for text in dataset[netcdf_checksum.ATTRIBUTE][:]]
        if stored != cells:
            raise StudyError(f"{path}: its cells are not those of {layout.CELLS}. Run again")
        for cell, checksum in zip(stored, checksums, strict=True):
            prediction = self._study / layout.prediction(cell)
            if self._found.get(prediction, checksum) != checksum:
                raise StudyError(f"{path} has another {cell} than {prediction}. Run again")
