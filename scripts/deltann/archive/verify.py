"""Hold a finished study against its records: every digest, every cell, what was made of what."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import h5netcdf

from deltann.archive import crate
from deltann.cell import NAMES
from deltann.dataset import predictions
from deltann.errors import StudyError
from deltann.images import listing, prepared
from deltann.provenance import files, netcdf_digest, records
from deltann.study import layout

# What no record describes, and what an archive adds to a study.
WITHOUT = (*layout.WITHOUT_RECORD, layout.ENVIRONMENTS, crate.METADATA, crate.PREVIEW)


class Verification:
    """A study, held against its records.

    Attributes:
        counts: by kind, how many are as they should be.
        wrong: what isn't, a line each.
        left_over: files in the study's folder that are no part of it.
    """

    def __init__(self, study: Path):
        """Read all of the study in the folder `study`."""
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._study = study
        self._found: dict[Path, str] = {}  # digests of the files that are what they should be
        self._seen: set[Path] = set()
        expected, cells = self._try("grid", self._grid, study / layout.GRID) or ([], [])
        for record in layout.artifact_records(study):
            self._try("artifacts", self._artifact, record)
        for path in sorted((study / layout.INPUTS).rglob("*.nc")):
            self._try("files of prepared images", self._prepared, path)
        for cell in cells:
            self._try("cells", self._cell, cell)
        self._try("list of images", self._photographs, study / layout.PHOTOGRAPHS)
        for record in layout.other_records(study):
            self._try("records of other files", self._seal, record)
        self._try("dataset", self._dataset, cells)
        for path in expected:
            if not path.is_file():
                self.wrong.append(f"{path} is missing. Run again")
        files_here = (path for path in study.rglob("*") if path.is_file())
        self.left_over = sorted(
            path
            for path in files_here
            if path not in self._seen and path.relative_to(study).parts[0] not in WITHOUT
        )

    def _try(self, kind: str, check: Callable, subject: object) -> object:
        """Count what is right, and note what is wrong."""
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
        """What is to be there, and the names of the cells."""
        config, listed = self._study / layout.CONFIG, self._study / layout.CELLS
        self._seen |= {record, config, listed}
        for path in (config, listed):
            records.check(path, record)
        expected = [self._study / path for path in records.read_json(record)["expected"]]
        lines = listed.read_text(encoding="utf-8").splitlines()
        return expected, [layout.predicted_cell(line).path for line in lines]

    def _artifact(self, record: Path) -> None:
        """A model file, database or library, what it was made from, and what lies beside it."""
        artifact = record.with_suffix("")
        self._seen |= {record, artifact}
        described = records.artifact(artifact, record)
        digest = described.get("sha256", "")
        for name, expected in described["beside"].items():
            self._seen.add(artifact.with_name(name))
            if files.sha256(artifact.with_name(name)) != expected:
                raise StudyError(
                    f"{artifact.with_name(name)} is not the file that {record} describes: "
                    f"{records.REPAIR}"
                )
        for path, expected in described.get("inputs", {}).items():
            source = self._study / layout.inside(path)
            if files.sha256(source) != expected:
                raise StudyError(f"{artifact} was made from another {source}. Run again")
        self._found[artifact] = digest

    def _photographs(self, listed: Path) -> None:
        """The images that were listed, where they are in a folder that is here."""
        folder = files.read_json(self._study / layout.CONFIG)["images"].get("folder")
        if folder and Path(folder).is_dir():
            for _ in listing.contents(Path(folder), listing.read(listed)):
                pass  # it raises for one that has changed

    def _prepared(self, path: Path) -> None:
        self._seen.add(path)
        with prepared.open_file(path) as images:
            images.check()
            self._found[path] = images.digest

    def _cell(self, cell: str) -> None:
        """A prediction file: its content, its names, and that the study has what it was made of."""
        path = self._study / layout.prediction(cell)
        self._seen.add(path)
        dataset = predictions.read(path)
        names = "/".join(str(dataset[name].item()) for name in NAMES)
        if names != cell:
            raise StudyError(f"{path} is the file of the cell {names}. Delete it and run again")
        known = {"", *self._found.values()}
        model = json.loads(dataset.provenance)["model_file"]
        for what, digest in (("model file", model), ("prepared images", dataset.inputs_digest)):
            if digest not in known:
                raise StudyError(
                    f"{path}: its {what} with the digest {digest} is not in the study. Delete it "
                    "and run again"
                )
        self._found[path] = dataset.attrs[netcdf_digest.ATTRIBUTE]

    def _seal(self, record: Path) -> None:
        """The files that a job made, and that those it read are still the same."""
        self._seen.add(record)
        described = records.read_json(record)
        self._seen |= {record.parent / name for name in described["files"]}
        for name in described["files"]:
            records.check(record.parent / name, record)
        for name, digest in described["inputs"].items():
            if files.sha256(record.parent / name) != digest:
                raise StudyError(f"{record}: it was made from another {name}. Run again")

    def _dataset(self, cells: list[str]) -> None:
        """The study dataset has the grid's cells, each as its prediction file has it."""
        path = self._study / layout.DATASET
        with h5netcdf.File(path, "r") as dataset:
            stored = [text.decode() for text in dataset["cell"][:]]
            digests = [text.decode() for text in dataset["digest"][:]]
        if stored != cells:
            raise StudyError(f"{path}: its cells are not those of {layout.CELLS}. Run again")
        for cell, digest in zip(stored, digests, strict=True):
            prediction = self._study / layout.prediction(cell)
            if self._found.get(prediction, digest) != digest:
                raise StudyError(f"{path} has another {cell} than {prediction}. Run again")
