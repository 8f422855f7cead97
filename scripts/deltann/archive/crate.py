"""A study as an RO-Crate 1.1: JSON-LD that says what each file is, and what it was made from.

https://www.researchobject.org/ro-crate/specification/1.1/
"""

import json
import mimetypes
from dataclasses import dataclass, field
from pathlib import Path

import h5netcdf

from deltann.provenance import files, records
from deltann.study import layout

PROFILE = "https://w3id.org/ro/crate/1.1"
LICENCE = "https://spdx.org/licenses/Apache-2.0"
METADATA, PREVIEW = "ro-crate-metadata.json", "ro-crate-preview.html"
# Not packed: logs name folders of the machine that made them, and benchmarks are about its jobs.
LEFT_OUT = (layout.LOGS, layout.BENCHMARKS, METADATA, PREVIEW)
MEDIA = {
    ".md": "text/markdown",
    ".nc": "application/x-netcdf",
    ".onnx": "application/octet-stream",
    ".tvmscript": "text/x-python",
    ".xhtml": "application/xhtml+xml",
}


@dataclass
class Provenance:
    """What a study's records say, gathered.

    Attributes:
        study: the study's folder.
        strange: files in it that are no part of it, and aren't packed.
        config: as it was resolved.
        commits: of the code that inferred, and machines: those that did.
        environments: by name, what was installed in those that made something, and where its
            manifest lies.
        sources: by file, relative to the study, the files that it was made from.
    """

    study: Path
    strange: list[Path]
    config: dict
    commits: list[str]
    machines: list[str]
    environments: dict[str, tuple[dict, Path]] = field(default_factory=dict)
    sources: dict[str, list[str]] = field(default_factory=dict)

    @property
    def paths(self) -> dict[str, Path]:
        """The files to pack, by their names in the crate."""
        found = {path.relative_to(self.study): path for path in self.study.rglob("*")}
        inside = {
            name.as_posix(): path
            for name, path in found.items()
            if path.is_file()
            and path not in self.strange
            and name.parts[0] not in (*LEFT_OUT, layout.ENVIRONMENTS)
        }
        manifests = {
            f"{layout.ENVIRONMENTS}/{name}.json": path
            for name, (_, path) in self.environments.items()
        }
        return dict(sorted((inside | manifests).items()))


def gather(study: Path, strange: list[Path]) -> Provenance:
    """Read a study's records.

    Args:
        study: a folder that `deltann.archive.verify` found whole.
        strange: what it found there besides.
    """
    with h5netcdf.File(study / layout.DATASET, "r") as dataset:
        cells, inputs, texts = (
            [text.decode() for text in dataset[name][:]]
            for name in ("cell", "inputs", "provenance")
        )
    cells_provenance = [json.loads(text) for text in texts]
    machines = {json.dumps(item["machine"], sort_keys=True) for item in cells_provenance}
    found = Provenance(
        study,
        strange,
        files.read_json(study / layout.CONFIG),
        sorted({item["commit"] for item in cells_provenance}),
        sorted(machines),
    )
    digests = {item["environment"]["digest"] for item in cells_provenance}
    made: dict[str, str] = {}  # checksum: artifact
    for path in (*layout.artifact_records(study), *layout.other_records(study)):
        record = records.read(path)
        digests.add(record["environment_digest"])
        inputs_of, outputs_of = (
            {
                found_path.relative_to(study).as_posix(): checksum
                for found_path, checksum in records.resolve(record[part], path).items()
            }
            for part in ("inputs", "outputs")
        )
        found.sources |= dict.fromkeys(outputs_of, [*inputs_of])
        if record["status"] == "ok":
            made |= {checksum: name for name, checksum in outputs_of.items()}
    predictions = [layout.prediction(cell) for cell in cells]
    for name, images, provenance in zip(predictions, inputs, cells_provenance, strict=True):
        model = made.get(provenance["model_file"])
        found.sources[name] = [layout.prepared(*images.split("/")), *([model] if model else [])]
    found.sources[layout.DATASET] = predictions
    for folder in (study.parent / layout.ENVIRONMENTS, study / layout.ENVIRONMENTS):
        for path in sorted(folder.glob("*.json")):
            manifest = files.read_json(path)
            if manifest[records.KEY] in digests:
                found.environments[path.stem] = (manifest, path)
    return found


def metadata(found: Provenance, date: str) -> dict:
    """The crate's JSON-LD.

    Args:
        found: what `gather` found.
        date: of the packing, ISO 8601.
    """
    name = found.config["study"]
    paths = found.paths
    environments = [
        {
            "@id": f"#environment-{environment}",
            "@type": "SoftwareApplication",
            "name": f"environment {environment}",
            "softwareVersion": manifest[records.KEY],
            "softwareRequirements": [
                manifest["interpreter"],
                *(f"{package} {version}" for package, version in manifest["distributions"].items()),
            ],
            "subjectOf": {"@id": f"{layout.ENVIRONMENTS}/{environment}.json"},
        }
        for environment, (manifest, _) in found.environments.items()
    ]
    workflow = {
        "@id": "#workflow",
        "@type": ["SoftwareSourceCode", "SoftwareApplication"],
        "name": "DeltaNN, reproducible",
        "programmingLanguage": "Snakemake and Python",
        "version": ", ".join(found.commits),
        "license": {"@id": LICENCE},
    }
    action = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"the study {name}",
        "description": f"by commit {workflow['version']}, on {'; '.join(found.machines)}",
        "instrument": [_ref(item["@id"]) for item in (workflow, *environments)],
        "object": [_ref(layout.CONFIG)],
        "result": [_ref("./")],
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"DeltaNN study {name}",
        "description": (
            "What changes an image-recognition model's answers and speed: the framework, the "
            f"converter, the compiler's level or the device. {layout.SUMMARY_PAGE} says what was "
            f"found. Model files hold weights and {layout.INPUTS}/ holds photographs with licences "
            "of their own."
        ),
        "datePublished": date,
        "license": _ref(LICENCE),
        "hasPart": [_ref(path) for path in paths],
        "mentions": [_ref("#run")],
    }
    descriptor = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": _ref(PROFILE),
        "about": _ref("./"),
    }
    licence = {"@id": LICENCE, "@type": "CreativeWork", "name": "Apache License 2.0"}
    preview = {"@id": PREVIEW, "@type": "CreativeWork", "about": _ref("./")}
    entities = [_file(path, place, found.sources) for path, place in paths.items()]
    graph: list[dict] = [
        descriptor,
        preview,
        root,
        licence,
        workflow,
        *environments,
        action,
        *entities,
    ]
    terms = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
    return {"@context": [f"{PROFILE}/context", terms], "@graph": [*map(_compact, graph)]}


def _compact(entity: dict) -> dict:
    """An entity with what is a list of one as that one, as RO-Crate recommends."""
    return {
        key: value[0] if isinstance(value, list) and len(value) == 1 else value
        for key, value in entity.items()
    }


def _file(name: str, path: Path, sources: dict[str, list[str]]) -> dict:
    media = MEDIA.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    made_from = {"isBasedOn": [_ref(item) for item in sources[name]]} if sources.get(name) else {}
    return {
        "@id": name,
        "@type": "File",
        "name": name,
        "contentSize": str(path.stat().st_size),
        "encodingFormat": media,
        "sha256": files.checksum(path),
    } | made_from


def _ref(identifier: str) -> dict:
    return {"@id": identifier}
