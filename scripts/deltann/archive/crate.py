"""A study as an RO-Crate 1.1: what each file is, and what it was made from.

The `rocrate` library writes the metadata (JSON-LD). The zip file is written here: the library's
stores empty files, as failed artifacts are, under their quoted names (`a%2Bb` for `a+b`), and all
files so that only their owner may read them.

https://www.researchobject.org/ro-crate/specification/1.1/
"""

import json
import mimetypes
import shutil
import zipfile
from pathlib import Path

from rocrate.model import ContextEntity, File, SoftwareApplication
from rocrate.rocrate import ROCrate

from deltann.archive.history import History, archived_manifest
from deltann.provenance import files

VERSION = "1.1"
SHA256 = "https://w3id.org/ro/terms/workflow-run#sha256"
LICENCE = "https://spdx.org/licenses/Apache-2.0"
DESCRIPTION = (
    "How an image-recognition model's answers and speed depend on the framework, the converter, "
    "the compiler's level and the device. summary.html has the results. Model files hold weights "
    "and inputs/ holds photographs with licences of their own."
)
MEDIA_TYPES = {
    ".md": "text/markdown",
    ".nc": "application/x-netcdf",
    ".onnx": "application/octet-stream",
    ".tvmscript": "text/x-python",
    ".xhtml": "application/xhtml+xml",
}


def describe(history: History, date: str) -> dict:
    """The crate's metadata, JSON-LD.

    Args:
        history: of the study.
        date: of archiving, ISO 8601.
    """
    name = history.config["study"]
    crate = ROCrate(gen_preview=True, version=VERSION)
    crate.metadata.extra_terms["sha256"] = SHA256
    crate.name, crate.description = f"DeltaNN study {name}", DESCRIPTION
    crate.datePublished = date
    licence = {"@type": "CreativeWork", "name": "Apache License 2.0"}
    crate.license = crate.add(ContextEntity(crate, LICENCE, licence))
    parts = _add_files(crate, history)
    crate.root_dataset["mentions"] = crate.add_action(
        [_add_workflow(crate, history), *_add_environments(crate, history, parts)],
        "#run",
        object=parts["config.json"],
        result=crate.root_dataset,
        properties={
            "name": f"the study {name}",
            "description": (
                f"by commit {', '.join(history.commits)}, on {'; '.join(history.machines)}"
            ),
        },
    )
    return crate.metadata.generate()


def _add_files(crate: ROCrate, history: History) -> dict[str, File]:
    """Add every file; return them by their names."""
    parts = {
        name: crate.add_file(path, name, properties=_properties(name, path))
        for name, path in history.paths.items()
    }
    for name, part in parts.items():
        sources = [parts[source] for source in history.sources.get(name, []) if source in parts]
        if sources:
            part["isBasedOn"] = sources if len(sources) > 1 else sources[0]
    return parts


def _properties(name: str, path: Path) -> dict[str, str]:
    guessed = MEDIA_TYPES.get(path.suffix) or mimetypes.guess_type(name)[0]
    return {
        "name": name,
        "contentSize": str(path.stat().st_size),
        "encodingFormat": guessed or "application/octet-stream",
        "sha256": files.checksum(path),
    }


def _add_workflow(crate: ROCrate, history: History) -> SoftwareApplication:
    properties = {
        "@type": ["SoftwareSourceCode", "SoftwareApplication"],
        "name": "DeltaNN, reproducible",
        "programmingLanguage": "Snakemake and Python",
        "version": ", ".join(history.commits),
        "license": crate.license,
    }
    return crate.add(SoftwareApplication(crate, "#workflow", properties))


def _add_environments(
    crate: ROCrate, history: History, parts: dict[str, File]
) -> list[SoftwareApplication]:
    return [
        crate.add(
            SoftwareApplication(
                crate,
                f"#environment-{name}",
                {
                    "name": f"environment {name}",
                    "softwareVersion": manifest["checksum"],
                    "softwareRequirements": [
                        manifest["interpreter"],
                        *(f"{package} {version}" for package, version in packages(manifest)),
                    ],
                    "subjectOf": parts[archived_manifest(name)],
                },
            )
        )
        for name, manifest in history.environments.items()
    ]


def packages(manifest: dict) -> list[tuple[str, str]]:
    """The name and version of every package of an environment."""
    return list(manifest["distributions"].items())


def write_zip(path: Path, texts: dict[str, str], paths: dict[str, Path]) -> None:
    """Write a zip file, atomically; the same content gives the same bytes.

    Args:
        path: the zip file.
        texts: by name, files to write from memory.
        paths: by name, files to copy.
    """
    with files.atomic(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(_undated(name), text)
        for name, source_path in paths.items():
            with (
                source_path.open("rb") as source,
                archive.open(_undated(name), "w", force_zip64=True) as copy,
            ):
                shutil.copyfileobj(source, copy, 1 << 20)


def _undated(name: str) -> zipfile.ZipInfo:
    """A zip entry without a date, that everybody may read."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def to_json(metadata: dict) -> str:
    """The metadata as the text of its file."""
    return json.dumps(metadata, indent=2, ensure_ascii=False) + "\n"
