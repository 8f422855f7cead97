"""Where a study's images are: those that it tests, and those that quantizers calibrate on."""

from dataclasses import dataclass
from pathlib import Path

from deltann import converters
from deltann.images.collection import CALIBRATION, LABELS, list_images, scan_folder, select
from deltann.study import layout, routes


@dataclass(frozen=True)
class Place:
    """A folder of images, or a download.

    Attributes:
        path: of the folder, or of the download, relative to the repository's root.
        files: what a job that reads the images depends on.
        listed: the user's file that lists a subset, if there is one.
        options: of a script that reads the images: the subset, and what else the config says.
        origin: the option that says where a download comes from; empty for a folder.
        sha256: of the download.
    """

    path: str
    files: list[str]
    listed: list[str]
    options: list[str]
    origin: str = ""
    sha256: str = ""

    @property
    def fetched(self) -> bool:
        """Whether it is a download."""
        return bool(self.origin)


def place(described: dict, key: str) -> Place:
    """The place of images.

    Args:
        described: the config's entry.
        key: its key, for messages.

    Raises:
        StudyError: from `deltann.images.collection`, about a folder.
    """
    subset = described.get("subset", {})
    listed = [subset["list"]] if "list" in subset else []
    options = [f"--{name}={value}" for name, value in sorted(subset.items())]
    options += ["--allow-tested"] if described.get("allow_tested") else []
    if "folder" in described:
        path = described["folder"]
        return Place(path, _files(Path(path), subset, key), listed, options)
    origin = "package" if "package" in described else "url"
    sha256 = described["sha256"]
    name = described[origin].replace("==", "-") + ".whl" if origin == "package" else f"{sha256}.zip"
    path = layout.fetched_images(name)
    return Place(path, [path], listed, options, f"--{origin}={described[origin]}", sha256)


def _files(folder: Path, subset: dict, key: str) -> list[str]:
    """Every selected file, so that an added, changed or lost image is noticed."""
    collection = scan_folder(folder, key)
    names = select(list_images(collection), subset, collection.where, key)
    names += [LABELS] if LABELS in collection.files else []
    return [str(folder / name) for name in names]


def calibration(config: dict) -> Place | None:
    """The place of the calibration images; None if no edge of the study calibrates."""
    return place(config[CALIBRATION], CALIBRATION) if calibrated_edges(config) else None


def calibrated_edges(config: dict) -> list[str]:
    """The edges on the study's routes that calibrate, by name."""
    ways = [
        way
        for targets in config["conversions"].values()
        for some in targets.values()
        for way in some
    ]
    ways += [way for some in config["tvm_imports"].values() for way in some]
    names = sorted({name for way in ways for name in way if name != routes.REPAIRED})
    return [name for name in names if converters.calibrates(routes.edge(config, name).converter)]
