"""What the records of a study say about it: what made its files, from what, and where."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import h5netcdf

from deltann.provenance import files, records
from deltann.study import layout

# What an archive adds to a study: the crate's metadata, and its page for people.
METADATA, PREVIEW = "ro-crate-metadata.json", "ro-crate-preview.html"
# Not archived: logs name folders of the machine that made them, and benchmarks are about its jobs.
LEFT_OUT = (layout.LOGS, layout.BENCHMARKS, METADATA, PREVIEW)


@dataclass
class History:
    """A study and how it was made. Files are named relative to the study's folder.

    Attributes:
        study: the study's folder.
        left_over: files in it that are no part of it, and aren't archived.
        config: as it was resolved.
        commits: of the code that inferred.
        machines: those that inferred, as JSON objects.
        environments: by name, the manifests of the environments that made something.
        manifests: by name, where these manifests lie.
        sources: by file, the files that it was made from.
    """

    study: Path
    left_over: list[Path]
    config: dict
    commits: list[str] = field(default_factory=list)
    machines: list[str] = field(default_factory=list)
    environments: dict[str, dict] = field(default_factory=dict)
    manifests: dict[str, Path] = field(default_factory=dict)
    sources: dict[str, list[str]] = field(default_factory=dict)

    @property
    def paths(self) -> dict[str, Path]:
        """The files to archive, by their names in the archive."""
        names = {path.relative_to(self.study): path for path in self.study.rglob("*")}
        inside = {
            name.as_posix(): path
            for name, path in names.items()
            if path.is_file()
            and path not in self.left_over
            and name.parts[0] not in (*LEFT_OUT, layout.ENVIRONMENTS)
        }
        manifests = {archived_manifest(name): path for name, path in self.manifests.items()}
        return dict(sorted((inside | manifests).items()))


def archived_manifest(environment: str) -> str:
    """The manifest of an environment, in the archive."""
    return f"{layout.ENVIRONMENTS}/{environment}.json"


def gather(study: Path, left_over: list[Path]) -> History:
    """Read a study's records.

    Args:
        study: a folder in which `deltann.archive.verify` found nothing wrong.
        left_over: the files that it found there besides.
    """
    history = History(study, left_over, files.read_json(study / layout.CONFIG))
    digests = set()
    artifacts: dict[str, str] = {}  # by checksum
    for path in (*layout.artifact_records(study), *layout.other_records(study)):
        if path in left_over:
            continue
        record = records.read(path)
        digests.add(record["environment_digest"])
        inputs, outputs = (
            {found.relative_to(study).as_posix(): checksum for found, checksum in part.items()}
            for part in (records.resolve(record[key], path) for key in ("inputs", "outputs"))
        )
        history.sources |= dict.fromkeys(outputs, list(inputs))
        if record["status"] == "ok":
            artifacts |= {checksum: name for name, checksum in outputs.items()}
    digests |= _add_cells(history, artifacts)
    _add_environments(history, digests)
    return history


def _add_cells(history: History, artifacts: dict[str, str]) -> set[str]:
    """Add what the prediction files say; return the digests of their environments.

    Args:
        history: to add to.
        artifacts: by checksum, the files that stages made.
    """
    with h5netcdf.File(history.study / layout.DATASET, "r") as dataset:
        cells, inputs, texts = (
            [text.decode() for text in dataset[name][:]]
            for name in ("cell", "inputs", "provenance")
        )
    provenances = [json.loads(text) for text in texts]
    history.commits = sorted({item["commit"] for item in provenances})
    history.machines = sorted({json.dumps(item["machine"], sort_keys=True) for item in provenances})
    predictions = [layout.prediction(cell) for cell in cells]
    for name, images, provenance in zip(predictions, inputs, provenances, strict=True):
        model = artifacts.get(provenance["model_file"])
        prepared = layout.prepared(*images.split("/"))
        history.sources[prepared] = [layout.PHOTOGRAPHS]
        history.sources[name] = [prepared, *([model] if model else [])]
    history.sources[layout.DATASET] = [*predictions, layout.CLASS_NAMES]
    return {item["environment"]["digest"] for item in provenances}


def _add_environments(history: History, digests: set[str]) -> None:
    """Add the manifests of the environments with these digests."""
    study = history.study
    for folder in (study.parent / layout.ENVIRONMENTS, study / layout.ENVIRONMENTS):
        for path in sorted(folder.glob("*.json")):
            manifest = files.read_json(path)
            if manifest[records.KEY] in digests:
                history.environments[path.stem], history.manifests[path.stem] = manifest, path
