"""Where images lie, a folder or an archive, and what their names and `labels.csv` say of them."""

import csv
import io
import os
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from deltann.errors import StudyError
from deltann.provenance import files

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}
LABELS = "labels.csv"
UNKNOWN_LABEL = -1
# foolbox names its photographs imagenet_<number>_<0-based ILSVRC class>.jpg
PACKAGED = re.compile(r"imagenet_\d+_(?P<label>\d+)\.jpg")
PACKAGED_FOLDER = "foolbox/data/"
WORDNET = re.compile(r"n[0-9]{8}")
VALIDATION = re.compile(r"ILSVRC2012_val_[0-9]{8}")
# More digits than any class number has; int() refuses thousands of them.
NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Place:
    """Where images lie.

    Attributes:
        key: the config's, with which messages begin.
        path: the folder or archive.
        files: every file's name, relative to the place, with `/` between folders.
        read: gives a file's content, by its name.
        packaged: whether the names carry labels as foolbox's do.
    """

    key: str
    path: Path
    files: list[str]
    read: Callable[[str], bytes]
    packaged: bool = False

    @property
    def where(self) -> str:
        """How messages begin."""
        return f"{self.key}: {str(self.path)!r}"


@contextmanager
def opened(path: Path) -> Iterator[Place]:
    """A folder, foolbox's wheel (a file `*.whl`), or a download (a file `*.zip`).

    Where all of a download lies in one folder, and that isn't a class's, names are relative
    to it.

    Raises:
        StudyError: `in_folder` raises it, or the archive is none or is damaged, which may show
            only when a file is read.
    """
    if path.is_dir() or path.suffix not in (".whl", ".zip"):
        yield in_folder(path)
        return
    packaged = path.suffix == ".whl"
    key = "images.package" if packaged else "images.url"
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            root = PACKAGED_FOLDER if packaged else _root(names)
            inside = [name[len(root) :] for name in names if name.startswith(root)]
            if packaged:
                inside = [name for name in inside if PACKAGED.fullmatch(name)]
            yield Place(key, path, inside, lambda name: archive.read(root + name), packaged)
    except zipfile.BadZipFile as error:
        raise StudyError(f"{key}: {path}: not a whole archive: {error}") from error


def in_folder(path: Path) -> Place:
    """A folder with its sub-folders; hidden files (a leading dot) are left out.

    Raises:
        StudyError: it is no folder, can't be read, or has an image that is a link to nothing.
    """
    key = "images.folder"
    where = f"{key}: {str(path)!r}"
    if not path.is_dir():
        raise StudyError(f"{where} is not a folder")
    try:
        names = list(_walk(path, where))
    except OSError as error:
        raise StudyError(f"{where} can't be read: {error}") from error
    return Place(key, path, names, lambda name: (path / name).read_bytes())


def _walk(path: Path, where: str, prefix: str = "") -> Iterator[str]:
    for entry in os.scandir(path):
        name = prefix + entry.name
        if entry.name.startswith("."):
            continue
        # A class's folder may be a link; links further down could lead round in circles.
        if entry.is_dir(follow_symlinks=not prefix):
            yield from _walk(path / entry.name, where, f"{name}/")
        elif entry.is_file():
            yield name
        elif entry.is_symlink() and is_image(name) and not os.path.exists(entry):
            raise StudyError(f"{where}: {name!r} is a link to nothing; expected an image")


def _root(names: list[str]) -> str:
    """The folders that all files of an archive lie in, down to a class's."""
    common = os.path.commonprefix([name.split("/")[:-1] for name in names])
    above = takewhile(lambda part: not (WORDNET.fullmatch(part) or NUMBER.fullmatch(part)), common)
    return "".join(f"{part}/" for part in above)


def is_image(name: str) -> bool:
    """Whether a file is an image, by its suffix."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def list_images(place: Place) -> list[str]:
    """The sorted names of a place's images.

    Raises:
        StudyError: there is none, a name isn't Unicode, or two names differ only in case or in
            how their accents are written (they would be one file on other systems).
    """
    names = sorted(filter(is_image, place.files))
    if not names:
        raise StudyError(
            f"{place.where} has no image; expected files ending in {', '.join(sorted(SUFFIXES))}"
        )
    seen: dict[str, str] = {}
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise StudyError(
                f"{place.where}: {os.fsencode(name)!r} is no UTF-8 text; expected a name that is"
            ) from None
        other = seen.setdefault(unicodedata.normalize("NFC", name).lower(), name)
        if other != name:
            raise StudyError(f"{place.where}: duplicate names {other!r} and {name!r}")
    return names


def choose(names: list[str], subset: dict, where: str) -> list[str]:
    """A subset of images, in the order of `names`.

    Args:
        names: all images.
        subset: empty for all; `count` and `seed`: so many, the same ones on every machine,
            and with a larger count the same ones and more; `list`: the path of a file with
            one name a line.
        where: the place of the images, for messages.

    Raises:
        StudyError: more images are wanted than there are, or one that isn't there; or
            `read_list` raises it.
    """
    if "list" in subset:
        wanted = set(read_list(Path(subset["list"]), names, where))
        return [name for name in names if name in wanted]
    if "count" not in subset:
        return names
    count, seed = subset["count"], subset["seed"]
    if count > len(names):
        raise StudyError(
            f"images.subset.count: {count}; expected at most {len(names)}, the number of images "
            f"({where})"
        )
    # Each image draws a number of its own, from nothing but the seed and its name: the order
    # of the files and a machine's random generator can't matter.
    drawn = sorted(names, key=lambda name: files.digest([seed, unicodedata.normalize("NFC", name)]))
    chosen = set(drawn[:count])
    return [name for name in names if name in chosen]


def read_list(path: Path, names: list[str] | None = None, where: str = "") -> list[str]:
    """The images that a file lists, one name a line, in its order; blank lines don't count.

    Args:
        path: the file, UTF-8.
        names: the images that there are; None where they aren't known yet.
        where: the place of the images, for messages.

    Raises:
        StudyError: no such file, not UTF-8, nothing in it, or an image named twice or not in
            `names`; the message has the line.
    """
    known = None if names is None else set(names)
    found: dict[str, int] = {}
    for number, line in enumerate(_text(path, "images.subset.list: ").split("\n"), 1):
        name = line.removesuffix("\r")
        if not name.strip():
            continue
        if name in found:
            raise StudyError(f"{path}, line {number}: {name!r} is named twice")
        if known is not None and name not in known:
            raise StudyError(f"{path}, line {number}: {name!r} is no image ({where})")
        found[name] = number
    if not found:
        raise StudyError(f"images.subset.list: {str(path)!r} is empty; expected one image a line")
    return list(found)


def _text(path: Path, key: str) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: not UTF-8 text: {error}") from error
    except OSError as error:
        raise StudyError(f"{key}{str(path)!r} can't be read: {error.strerror}") from error


def clues(place: Place, names: list[str]) -> dict[str, int | str]:
    """What says each image's class: a number, or the word that ILSVRC-2012's tables have.

    The first that there is: `labels.csv` (for all images), the sub-folder that an image lies
    in (a class number or a WordNet ID), the file name of an ILSVRC-2012 validation image.

    Returns:
        By image name the 0-based class, a WordNet ID (`n01440764`), or a validation image's
        published name (`ILSVRC2012_val_00000001.JPEG`); nothing for images without a label.

    Raises:
        StudyError: a sub-folder is no class, or `read_labels` raises it.
    """
    if LABELS in place.files:
        return dict(read_labels(place, names))
    if place.packaged:
        return {name: int(PACKAGED.fullmatch(name)["label"]) for name in names}
    found: dict[str, int | str] = {}
    for name in names:
        folder, _, base = name.rpartition("/")
        if folder:
            found[name] = _class(place, folder, name)
        elif VALIDATION.fullmatch(stem := os.path.splitext(base)[0]):
            found[name] = f"{stem}.JPEG"
    return found


def _class(place: Place, folder: str, name: str) -> int | str:
    if NUMBER.fullmatch(folder):
        return int(folder)
    if WORDNET.fullmatch(folder):
        return folder
    raise StudyError(
        f"{place.where}: {name!r} lies in {folder!r}; expected a sub-folder named by a class "
        f"number or a WordNet ID like n01440764, or {LABELS} beside the sub-folders"
    )


def read_labels(place: Place, names: Iterable[str]) -> dict[str, int]:
    """The labels in `labels.csv` (columns `image`, `label`: 0-based class), by image name.

    Returns:
        Nothing for the images that the file doesn't name.

    Raises:
        StudyError: not UTF-8, wrong columns, a label that isn't a number from 0, an image named
            twice or not in `names`; the message has the line.
    """
    known = set(names)
    where = str(place.path / LABELS)
    labels: dict[str, int] = {}
    try:
        text = place.read(LABELS).decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(text, newline=""))
        if not {"image", "label"} <= set(rows.fieldnames or ()):
            raise StudyError(f"{where}: columns are {rows.fieldnames}; expected image and label")
        for row in rows:
            _add_label(labels, row, known, f"{where}, line {rows.line_num}")
    except (UnicodeDecodeError, csv.Error) as error:
        kind = "UTF-8" if isinstance(error, UnicodeDecodeError) else "CSV"
        raise StudyError(f"{where}: not {kind} text: {error}") from error
    return labels


def _add_label(labels: dict[str, int], row: dict, known: set[str], where: str) -> None:
    name, label = row["image"], row["label"] or ""
    if name in labels:
        raise StudyError(f"{where}: {name!r} is named twice")
    if name not in known:
        raise StudyError(f"{where}: {name!r} is no image there")
    if not NUMBER.fullmatch(label.strip()):
        raise StudyError(f"{where}: label {label!r}; expected a class number from 0")
    labels[name] = int(label)
