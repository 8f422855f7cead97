"""A collection of image files: a folder or an archive, with its images and a subset."""

import os
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from deltann.errors import StudyError
from deltann.provenance import files

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}
LABELS = "labels.csv"
UNKNOWN_LABEL = -1
# The config keys that say where images are: the tested ones, and those to calibrate on.
IMAGES, CALIBRATION = "images", "calibration"
# By package, where its wheel has photographs, and their names; `label` is the 0-based ILSVRC class.
# scikit-image's others are drawings, text and tiny ones.
PACKAGES = {
    "foolbox": ("foolbox/data/", re.compile(r"imagenet_\d+_(?P<label>\d+)\.jpg")),
    "scikit-image": (
        "skimage/data/",
        re.compile(
            r"(astronaut|brick|camera|chelsea|coffee|coins|grass|gravel|hubble_deep_field|ihc|moon"
            r"|motorcycle_left|motorcycle_right|retina|rocket)\.(jpg|png)"
        ),
    ),
}
ANYTHING = re.compile(r".*", re.DOTALL)
WORDNET = re.compile(r"n[0-9]{8}")
VALIDATION = re.compile(r"ILSVRC2012_val_[0-9]{8}")
# More digits than any class number has; int() refuses thousands of them.
NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Collection:
    """A folder or an archive of image files.

    Attributes:
        key: the config key that names it, for messages.
        path: the folder or archive.
        files: the name of every file, relative to the root, with `/` between folders.
        read: returns the content of a file, given its name.
        package: the name of the package that it is the wheel of; empty for others.
    """

    key: str
    path: Path
    files: list[str]
    read: Callable[[str], bytes]
    package: str = ""

    @property
    def where(self) -> str:
        """The config key and the path, with which messages begin."""
        return f"{self.key}: {str(self.path)!r}"


@contextmanager
def open_collection(path: Path, key: str = IMAGES) -> Iterator[Collection]:
    """Open a folder, the wheel of one of `PACKAGES`, or a download (a file `*.zip`).

    If all files of a download are in one folder that isn't named like a class, names are relative
    to that folder.

    Raises:
        StudyError: from `scan_folder`; or the file isn't an archive or is damaged, which may show
            only when an image is read.
    """
    if path.is_dir() or path.suffix not in (".whl", ".zip"):
        yield scan_folder(path, key)
        return
    package = path.stem.rpartition("-")[0] if path.suffix == ".whl" else ""
    key = f"{key}.package" if package else f"{key}.url"
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            root, wanted = PACKAGES[package] if package else (_root(names), ANYTHING)
            inside = [name[len(root) :] for name in names if name.startswith(root)]
            inside = [name for name in inside if wanted.fullmatch(name)]
            yield Collection(key, path, inside, lambda name: archive.read(root + name), package)
    except zipfile.BadZipFile as error:
        raise StudyError(f"{key}: {path}: not an archive, or damaged: {error}") from error


def scan_folder(path: Path, key: str = IMAGES) -> Collection:
    """List a folder and its sub-folders, without hidden files (a leading dot).

    Args:
        path: the folder.
        key: the config key above `folder`.

    Raises:
        StudyError: it isn't a folder, can't be read, or has an image that is a broken link.
    """
    key = f"{key}.folder"
    where = f"{key}: {str(path)!r}"
    if not path.is_dir():
        raise StudyError(f"{where} is not a folder")
    try:
        names = list(_walk(path, where))
    except OSError as error:
        raise StudyError(f"{where} can't be read: {error}") from error
    return Collection(key, path, names, lambda name: (path / name).read_bytes())


def _walk(path: Path, where: str, prefix: str = "") -> Iterator[str]:
    for entry in os.scandir(path):
        name = prefix + entry.name
        if entry.name.startswith("."):
            continue
        # The folder of a class may be a link. Links in deeper folders could form a loop.
        if entry.is_dir(follow_symlinks=not prefix):
            yield from _walk(path / entry.name, where, f"{name}/")
        elif entry.is_file():
            yield name
        elif entry.is_symlink() and is_image(name) and not os.path.exists(entry):
            raise StudyError(f"{where}: {name!r} is a broken link; expected an image")


def _root(names: list[str]) -> str:
    """The folder that all files of an archive share, or the one above it if it is a class's."""
    common = os.path.commonprefix([name.split("/")[:-1] for name in names])
    above = takewhile(lambda part: not (WORDNET.fullmatch(part) or NUMBER.fullmatch(part)), common)
    return "".join(f"{part}/" for part in above)


def is_image(name: str) -> bool:
    """Whether a file is an image, by its suffix."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def list_images(collection: Collection) -> list[str]:
    """The names of a collection's images, sorted.

    Raises:
        StudyError: there is no image, a name isn't UTF-8, or two names differ only in case or in
            the encoding of accents (other systems would treat them as one file).
    """
    names = sorted(filter(is_image, collection.files))
    if not names:
        raise StudyError(
            f"{collection.where} has no image; expected files ending in "
            f"{', '.join(sorted(SUFFIXES))}"
        )
    seen: dict[str, str] = {}
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise StudyError(
                f"{collection.where}: {os.fsencode(name)!r} is not UTF-8; expected a UTF-8 name"
            ) from None
        other = seen.setdefault(unicodedata.normalize("NFC", name).lower(), name)
        if other != name:
            raise StudyError(f"{collection.where}: duplicate names {other!r} and {name!r}")
    return names


def select(names: list[str], subset: dict, where: str, key: str = IMAGES) -> list[str]:
    """Select a subset of images, in the order of `names`.

    Args:
        names: all images.
        subset: the config's key of this name. Empty: all images. `count` and `seed`: a random
            subset, the same on every machine; a larger count adds images to it. `list`: the path
            of a file with one name per line.
        where: the collection's `where`, for messages.
        key: the config key above `subset`.

    Raises:
        StudyError: `count` exceeds the number of images, or from `read_list`.
    """
    if "list" in subset:
        listed = set(read_list(Path(subset["list"]), names, where, key))
        return [name for name in names if name in listed]
    if "count" not in subset:
        return names
    count, seed = subset["count"], subset["seed"]
    if count > len(names):
        raise StudyError(
            f"{key}.subset.count: {count}; expected at most {len(names)}, the number of images "
            f"({where})"
        )
    # Sorted by a hash of seed and name: independent of the order of the files and of the machine's
    # random generator.
    shuffled = sorted(
        names, key=lambda name: files.checksum_json([seed, unicodedata.normalize("NFC", name)])
    )
    selected = set(shuffled[:count])
    return [name for name in names if name in selected]


def read_list(
    path: Path, names: list[str] | None = None, where: str = "", key: str = IMAGES
) -> list[str]:
    """Read the image names in a file, one per line, in the file's order; blank lines are skipped.

    Args:
        path: the file, UTF-8.
        names: all images; None if they aren't known yet.
        where: the collection's `where`, for messages.
        key: the config key above `subset`.

    Raises:
        StudyError: the file can't be read, isn't UTF-8 or is empty, or an image is named twice or
            isn't in `names`; the message gives the line.
    """
    known = None if names is None else set(names)
    lines: dict[str, int] = {}
    for number, line in enumerate(_text(path, f"{key}.subset.list: ").split("\n"), 1):
        name = line.removesuffix("\r")
        if not name.strip():
            continue
        if name in lines:
            raise StudyError(f"{path}, line {number}: {name!r} is named twice")
        if known is not None and name not in known:
            raise StudyError(f"{path}, line {number}: {name!r} is not an image ({where})")
        lines[name] = number
    if not lines:
        raise StudyError(f"{key}.subset.list: {str(path)!r} is empty; expected one image per line")
    return list(lines)


def _text(path: Path, key: str) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: not UTF-8 text: {error}") from error
    except OSError as error:
        raise StudyError(f"{key}{str(path)!r} can't be read: {error.strerror}") from error
